//! What a failure can do to fjall's write-ahead file (`N.jnl`), and how it is made good.
//!
//! - *Power cut while a batch was being written.* The kernel writes pages in any order, so the batch's end may be on
//!   the disk and a page in its middle not. fjall drops an unfinished last batch by itself but refuses to open at one
//!   whose checksum is wrong. A batch is written only after the one before it was synced, so only the very last can be
//!   torn, and it was never acknowledged: taking off its last byte makes it an unfinished one.
//! - *Failed sync.* The kernel may have dropped what it couldn't write and yet show it to readers. Writing the same
//!   bytes again makes them really reach the disk, or fail.
//! - *Late writes.* fjall's threads may hold the file a moment longer than the database, and what they hold of a failed
//!   write they try to write when they let go. The file must not be touched before.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

const EXTENSION: &str = "jnl";
const BLOCK_BYTES: usize = 64 << 10;

/// The file that fjall writes to.
pub(super) fn newest(dir: &Path) -> io::Result<Option<PathBuf>> {
    let mut newest: Option<(u64, PathBuf)> = None;
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != EXTENSION) {
            continue;
        }
        let number = path.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.parse().ok());
        if let Some(number) = number
            && newest.as_ref().is_none_or(|(highest, _)| number > *highest)
        {
            newest = Some((number, path));
        }
    }
    Ok(newest.map(|(_, path)| path))
}

/// A batch's last byte, taken off.
#[derive(Debug)]
pub(super) struct LastByte {
    path: PathBuf,
    at: u64,
    byte: u8,
}

impl LastByte {
    /// Takes the last byte off the last batch of a file. Nothing is behind it but the zeros of space set aside, which
    /// go too. `None` if the file holds nothing.
    pub(super) fn take_off(path: &Path) -> io::Result<Option<Self>> {
        let mut file = OpenOptions::new().read(true).write(true).open(path)?;
        let Some((at, byte)) = last_nonzero(&mut file)? else { return Ok(None) };
        file.set_len(at)?;
        file.sync_all()?;
        Ok(Some(Self { path: path.to_owned(), at, byte }))
    }

    /// Puts it back: the damage was elsewhere.
    pub(super) fn put_back(&self) -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).open(&self.path)?;
        file.seek(SeekFrom::Start(self.at))?;
        file.write_all(&[self.byte])?;
        file.sync_all()
    }
}

fn last_nonzero(file: &mut File) -> io::Result<Option<(u64, u8)>> {
    let mut end = file.metadata()?.len();
    let mut block = vec![0; BLOCK_BYTES];
    while end > 0 {
        let start = end.saturating_sub(BLOCK_BYTES as u64);
        let Some(part) = usize::try_from(end - start).ok().and_then(|length| block.get_mut(..length)) else {
            break;
        };
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(part)?;
        let found = part.iter().enumerate().rev().find(|&(_, &byte)| byte != 0);
        if let Some((index, &byte)) = found {
            return Ok(Some((start + index as u64, byte)));
        }
        end = start;
    }
    Ok(None)
}

/// Writes what can be read of a file to the disk once more. The bytes stay the same, so it can be interrupted anywhere,
/// and it takes no space: stretches of zeros stay holes.
pub(super) fn write_again(path: &Path) -> io::Result<()> {
    let mut file = OpenOptions::new().read(true).write(true).open(path)?;
    let mut block = vec![0; BLOCK_BYTES];
    let mut at = 0;
    loop {
        file.seek(SeekFrom::Start(at))?;
        let length = file.read(&mut block)?;
        let part = block.get(..length).unwrap_or_default();
        if part.is_empty() {
            return file.sync_all();
        }
        if part.iter().any(|&byte| byte != 0) {
            file.seek(SeekFrom::Start(at))?;
            file.write_all(part)?;
        }
        at += length as u64;
    }
}

/// Waits until this process has no write-ahead file of a folder open any more.
pub(super) fn wait_until_closed(dir: &Path) -> io::Result<()> {
    hindcast_data_folder::wait_until_closed(dir, EXTENSION)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_is_the_highest_number() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(newest(dir.path()).unwrap(), None);
        for name in ["9.jnl", "10.jnl", "lock", "x.jnl", "11.txt"] {
            fs::write(dir.path().join(name), b"").unwrap();
        }
        assert_eq!(newest(dir.path()).unwrap(), Some(dir.path().join("10.jnl")));
    }

    #[test]
    fn the_last_byte_comes_off_and_goes_back() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("0.jnl");
        let mut content = vec![7_u8; 100_000];
        fs::write(&path, &content).unwrap();
        File::options().write(true).open(&path).unwrap().set_len(300_000).unwrap();
        let taken = LastByte::take_off(&path).unwrap().unwrap();
        assert_eq!(fs::metadata(&path).unwrap().len(), 99_999);
        taken.put_back().unwrap();
        assert_eq!(fs::read(&path).unwrap(), content);
        content.fill(0);
        fs::write(&path, &content).unwrap();
        assert!(LastByte::take_off(&path).unwrap().is_none());
    }

    #[test]
    fn writing_again_changes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("0.jnl");
        let content: Vec<_> = (0..200_000_u32).map(|n| if n < 70_000 { 0 } else { n.to_le_bytes()[0] }).collect();
        fs::write(&path, &content).unwrap();
        write_again(&path).unwrap();
        assert_eq!(fs::read(&path).unwrap(), content);
    }
}

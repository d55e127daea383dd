//! Files of a folder that this process still holds open.

use std::{
    fs, io,
    path::Path,
    thread,
    time::{Duration, Instant},
};

/// Waits until this process has no file with some extension open in a folder any more.
///
/// A storage engine's threads may hold a file a moment longer than the engine is there, and write to it when they let
/// go of it. Before that it must neither be touched nor opened by another instance.
///
/// # Errors
/// When a file is still open after ten seconds.
pub fn wait_until_closed(dir: &Path, extension: &str) -> io::Result<()> {
    const LONGEST: Duration = Duration::from_secs(10);
    let started = Instant::now();
    loop {
        match any_open(dir, extension) {
            Some(false) => return Ok(()),
            // Where open files can't be listed: far longer than a thread takes to end.
            None => {
                thread::sleep(Duration::from_millis(500));
                return Ok(());
            }
            Some(true) if started.elapsed() > LONGEST => {
                let detail = format!("a .{extension} file in {} is still held open", dir.display());
                return Err(io::Error::new(io::ErrorKind::TimedOut, detail));
            }
            Some(true) => thread::sleep(Duration::from_millis(1)),
        }
    }
}

/// Whether such a file is open, where that can be found out.
fn any_open(dir: &Path, extension: &str) -> Option<bool> {
    let dir = fs::canonicalize(dir).ok()?;
    let open_files = fs::read_dir("/proc/self/fd").ok()?;
    Some(open_files.flatten().any(|entry| {
        fs::read_link(entry.path()).is_ok_and(|target| {
            target.parent() == Some(&dir) && target.extension().is_some_and(|found| found == extension)
        })
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_open_file_is_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let file = fs::File::create(dir.path().join("3.jnl")).unwrap();
        if any_open(dir.path(), "jnl").is_some() {
            assert_eq!(any_open(dir.path(), "jnl"), Some(true));
            assert_eq!(any_open(dir.path(), "txt"), Some(false));
            drop(file);
            assert_eq!(any_open(dir.path(), "jnl"), Some(false));
        }
        wait_until_closed(dir.path(), "jnl").unwrap();
    }
}

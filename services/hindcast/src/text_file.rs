//! Text files, compressed or not.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::Path,
};

use flate2::bufread::MultiGzDecoder;

/// The first bytes of gzip.
const GZIP: [u8; 2] = [0x1f, 0x8b];
const BUFFER_BYTES: usize = 64 * 1024;

/// Opens a text file. Whether it is compressed is told by its first bytes, not its name: a renamed file is still what
/// it is.
///
/// # Errors
/// When it can't be read.
pub(crate) fn open(path: &Path) -> io::Result<Box<dyn Read + Send>> {
    from_file(File::open(path)?)
}

/// The text of a file that is open already, from where it stands.
///
/// # Errors
/// When it can't be read.
pub(crate) fn from_file(file: File) -> io::Result<Box<dyn Read + Send>> {
    let mut file = BufReader::with_capacity(BUFFER_BYTES, file);
    let compressed = file.fill_buf()?.starts_with(&GZIP);
    Ok(if compressed { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) })
}

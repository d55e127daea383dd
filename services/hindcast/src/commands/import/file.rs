//! The file of an import, row by row.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read, Seek},
    path::{Path, PathBuf},
};

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::columns::Columns;
use crate::text_file;

/// Longest line: the largest body of a single event, with room to spare for formatting.
const MAX_LINE_BYTES: u64 = 64 * 1024;
/// Bytes of the digest that name the file, two hex digits each.
const SOURCE_BYTES: usize = 16;

/// One row: fields by name.
pub(super) type Row = Map<String, Value>;

/// Why a file can't be imported.
#[derive(Debug, thiserror::Error)]
pub(super) enum FileError {
    #[error("cannot read {}: {source}", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("{}, line 1: {detail}", path.display())]
    BadHeader { path: PathBuf, detail: String },
}

/// What is wrong with one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) line: u64,
    pub(super) detail: String,
}

/// A file that can be read more than once: checked first, sent then.
#[derive(Debug)]
pub(super) struct HistoryFile {
    path: PathBuf,
    file: File,
}

/// The rows of one reading.
pub(super) struct Rows {
    path: PathBuf,
    lines: Lines,
}

enum Lines {
    Json { text: BufReader<Hashing>, line: u64 },
    Csv { rows: Box<csv::Reader<BufReader<Hashing>>>, columns: Columns },
}

/// Text that is digested as it is read.
struct Hashing {
    text: Box<dyn Read + Send>,
    sha256: Sha256,
}

impl Read for Hashing {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.text.read(into)?;
        self.sha256.update(into.get(..read).unwrap_or_default());
        Ok(read)
    }
}

impl HistoryFile {
    pub(super) fn open(path: &Path) -> Result<Self, FileError> {
        let file = File::open(path).map_err(|source| FileError::Unreadable { path: path.to_owned(), source })?;
        Ok(Self { path: path.to_owned(), file })
    }

    /// Reads from the beginning. What is compressed, and what is JSON, is told by the first bytes.
    pub(super) fn rows(&self) -> Result<Rows, FileError> {
        let mut file = self.file.try_clone().map_err(|source| self.unreadable(source))?;
        file.rewind().map_err(|source| self.unreadable(source))?;
        let text = text_file::from_file(file).map_err(|source| self.unreadable(source))?;
        let mut text = BufReader::new(Hashing { text, sha256: Sha256::new() });
        let beginning = text.fill_buf().map_err(|source| self.unreadable(source))?;
        let json = beginning.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
        let lines = if json { Lines::Json { text, line: 0 } } else { self.csv(text)? };
        Ok(Rows { path: self.path.clone(), lines })
    }

    fn csv(&self, text: BufReader<Hashing>) -> Result<Lines, FileError> {
        let bad = |detail| FileError::BadHeader { path: self.path.clone(), detail };
        let mut rows = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text);
        let header = rows.headers().map_err(|error| match error.into_kind() {
            csv::ErrorKind::Io(source) => self.unreadable(source),
            _ => bad("it is neither JSON nor UTF-8 text".to_owned()),
        })?;
        let columns = Columns::of(header.iter()).map_err(bad)?;
        Ok(Lines::Csv { rows: Box::new(rows), columns })
    }

    fn unreadable(&self, source: io::Error) -> FileError {
        FileError::Unreadable { path: self.path.clone(), source }
    }
}

impl Rows {
    /// Name of what was read: the beginning of the SHA-256 of the uncompressed text, once all of it was.
    pub(super) fn source(&self) -> String {
        let hashing = match &self.lines {
            Lines::Json { text, .. } => text.get_ref(),
            Lines::Csv { rows, .. } => rows.get_ref().get_ref(),
        };
        let digest = hashing.sha256.clone().finalize();
        digest.iter().take(SOURCE_BYTES).map(|byte| format!("{byte:02x}")).collect()
    }

    /// The next row with its line; a line that is none is a fault, and the next one may be a row again.
    pub(super) fn next(&mut self) -> Result<NextRow, FileError> {
        match &mut self.lines {
            Lines::Json { text, line } => next_json(text, line),
            Lines::Csv { rows, columns } => next_csv(rows, columns),
        }
        .map_err(|source| FileError::Unreadable { path: self.path.clone(), source })
    }
}

/// A row with its line, or what is wrong with the line; `None` at the end.
type NextRow = Option<Result<(u64, Row), Fault>>;

type Next = io::Result<NextRow>;

fn next_json(text: &mut BufReader<Hashing>, line: &mut u64) -> Next {
    loop {
        let mut bytes = Vec::new();
        let read = text.by_ref().take(MAX_LINE_BYTES + 1).read_until(b'\n', &mut bytes)?;
        if read == 0 {
            return Ok(None);
        }
        *line += 1;
        let fault = |detail: String| Ok(Some(Err(Fault { line: *line, detail })));
        if u64::try_from(read).unwrap_or(u64::MAX) > MAX_LINE_BYTES {
            skip_line(text)?;
            return fault(format!("it is longer than {MAX_LINE_BYTES} bytes"));
        }
        if bytes.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        return match serde_json::from_slice(&bytes) {
            Ok(row) => Ok(Some(Ok((*line, row)))),
            Err(error) => fault(format!("it is not a JSON object: {error}")),
        };
    }
}

fn skip_line(text: &mut BufReader<Hashing>) -> io::Result<()> {
    loop {
        let buffer = text.fill_buf()?;
        let (length, ended) = match buffer.iter().position(|&byte| byte == b'\n') {
            Some(place) => (place + 1, true),
            None => (buffer.len(), buffer.is_empty()),
        };
        text.consume(length);
        if ended {
            return Ok(());
        }
    }
}

fn next_csv(rows: &mut csv::Reader<BufReader<Hashing>>, columns: &Columns) -> Next {
    let mut record = csv::StringRecord::new();
    let line = rows.position().line();
    match rows.read_record(&mut record) {
        Ok(false) => Ok(None),
        Ok(true) => {
            let line = record.position().map_or(line, csv::Position::line);
            Ok(Some(match columns.row(&record) {
                Ok(row) => Ok((line, row)),
                Err(detail) => Err(Fault { line, detail }),
            }))
        }
        Err(error) => {
            let line = error.position().map_or(line, csv::Position::line);
            let detail = match error.into_kind() {
                csv::ErrorKind::Io(source) => return Err(source),
                csv::ErrorKind::Utf8 { .. } => "it is not UTF-8".to_owned(),
                csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
                    format!("it has {len} fields, the header has {expected_len}")
                }
                other => format!("{other:?}"),
            };
            Ok(Some(Err(Fault { line, detail })))
        }
    }
}

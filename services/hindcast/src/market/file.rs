//! Real one-minute bars from a file: `timestamp,open,high,low,close,volume`, as .csv or .csv.gz.

use std::{
    io::{self, Read},
    path::{Path, PathBuf},
};

use hindcast_domain::{MoneyE9, TimestampUs};

use super::Bar;
use crate::text_file;

/// The header, which has to be the first line.
pub const HEADER: [&str; 6] = ["timestamp", "open", "high", "low", "close", "volume"];

/// Why a file of bars can't be used.
#[derive(Debug, thiserror::Error)]
pub enum BarsError {
    /// It can't be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A line is none of bars.
    #[error("{}, line {line}: {detail}", path.display())]
    BadLine {
        /// Which file.
        path: PathBuf,
        /// Which line, from 1.
        line: u64,
        /// What is wrong with it, and what it should look like.
        detail: String,
    },
}

/// The bars of a file, read as they are asked for.
pub struct BarsFile {
    path: PathBuf,
    rows: csv::Reader<Box<dyn Read + Send>>,
    row: csv::StringRecord,
    last: Option<TimestampUs>,
}

impl BarsFile {
    /// Opens a file, compressed or not, and checks its header.
    ///
    /// # Errors
    /// When it can't be read or has another header.
    pub fn open(path: &Path) -> Result<Self, BarsError> {
        let text = text_file::open(path).map_err(|source| BarsError::Unreadable { path: path.to_owned(), source })?;
        Self::read(path, text)
    }

    fn read(path: &Path, text: Box<dyn Read + Send>) -> Result<Self, BarsError> {
        let mut bars = Self {
            path: path.to_owned(),
            rows: csv::ReaderBuilder::new().has_headers(false).trim(csv::Trim::All).flexible(true).from_reader(text),
            row: csv::StringRecord::new(),
            last: None,
        };
        if !bars.read_row()? || bars.row != HEADER[..] {
            let found = bars.row.iter().collect::<Vec<_>>().join(",");
            return Err(bars.bad(1, format!("the header has to be {:?}, it is {found:?}", HEADER.join(","))));
        }
        Ok(bars)
    }

    fn read_row(&mut self) -> Result<bool, BarsError> {
        self.rows.read_record(&mut self.row).map_err(|error| {
            let line = error.position().map_or(0, csv::Position::line);
            match error.into_kind() {
                csv::ErrorKind::Io(source) => BarsError::Unreadable { path: self.path.clone(), source },
                csv::ErrorKind::Utf8 { .. } => self.bad(line, "it is not UTF-8".to_owned()),
                other => self.bad(line, format!("{other:?}")),
            }
        })
    }

    fn bad(&self, line: u64, detail: String) -> BarsError {
        BarsError::BadLine { path: self.path.clone(), line, detail }
    }

    fn bar(&self) -> Result<Bar, String> {
        let mut fields = self.row.iter();
        let mut field = |name: &str| fields.next().ok_or_else(|| format!("{name} is missing"));
        let bar = Bar {
            begins_at: timestamp(field("timestamp")?)?,
            open_e9: price("open", field("open")?)?,
            high_e9: price("high", field("high")?)?,
            low_e9: price("low", field("low")?)?,
            close_e9: price("close", field("close")?)?,
            volume: volume(field("volume")?)?,
        };
        if fields.next().is_some() {
            return Err(format!("it has more than {} fields", HEADER.len()));
        }
        let within = |price| (bar.low_e9..=bar.high_e9).contains(&price);
        if !within(bar.open_e9) || !within(bar.close_e9) {
            return Err("open and close have to lie between low and high".to_owned());
        }
        if self.last.is_some_and(|last| last >= bar.begins_at) {
            return Err("its time is not after that of the line before".to_owned());
        }
        Ok(bar)
    }
}

impl Iterator for BarsFile {
    type Item = Result<Bar, BarsError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.read_row() {
            Err(error) => return Some(Err(error)),
            Ok(false) => return None,
            Ok(true) => {}
        }
        let line = self.row.position().map_or(0, csv::Position::line);
        Some(match self.bar() {
            Ok(bar) => {
                self.last = Some(bar.begins_at);
                Ok(bar)
            }
            Err(detail) => Err(self.bad(line, detail)),
        })
    }
}

fn price(name: &str, text: &str) -> Result<MoneyE9, String> {
    let price = MoneyE9::from_decimal(text).map_err(|error| format!("{name} {text:?} {error}"))?;
    if price > MoneyE9::ZERO { Ok(price) } else { Err(format!("{name} {text:?} has to be more than 0")) }
}

fn volume(text: &str) -> Result<u64, String> {
    // Some sources write whole numbers with a decimal point.
    let whole = text.strip_suffix(".0").unwrap_or(text);
    whole.parse().map_err(|_| format!("volume {text:?} is not a whole number of contracts"))
}

/// `2025-08-31 23:00:00` in UTC, or RFC 3339 with an offset.
fn timestamp(text: &str) -> Result<TimestampUs, String> {
    let instant = text
        .parse::<jiff::Timestamp>()
        .or_else(|_| text.parse::<jiff::civil::DateTime>().and_then(|time| jiff::tz::TimeZone::UTC.to_timestamp(time)));
    instant
        .map(|instant| TimestampUs(instant.as_microsecond()))
        .map_err(|_| format!("timestamp {text:?} is not a time such as 2025-08-31 23:00:00 (UTC)"))
}

#[cfg(test)]
mod tests {
    use std::{fs::File, io::Write};

    use super::*;

    const GOOD: &str = "timestamp,open,high,low,close,volume\n2025-08-31 23:00:00,6543.5,6544.0,6543.25,6543.5,2\n";

    fn bars(text: &str) -> Result<Vec<Bar>, BarsError> {
        BarsFile::read(Path::new("bars.csv"), Box::new(io::Cursor::new(text.to_owned())))?.collect()
    }

    #[test]
    fn bars_are_exact() {
        let all = bars(&format!("{GOOD}2025-08-31T23:01:00+00:00, 1,1,1,1, 10.0\n")).unwrap();
        assert_eq!(all.len(), 2);
        assert_eq!(all[0].begins_at, TimestampUs(1_756_681_200_000_000));
        assert_eq!(all[0].low_e9, MoneyE9(6_543_250_000_000));
        assert_eq!((all[1].begins_at.0 - all[0].begins_at.0, all[1].volume), (MINUTE, 10));
    }

    const MINUTE: i64 = 60_000_000;

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        let cases = [
            ("2025-08-31 23:01:00,1,1,1,x,1", "line 3: close \"x\" is not a decimal number"),
            ("yesterday,1,1,1,1,1", "line 3: timestamp \"yesterday\" is not a time"),
            ("2025-08-31 23:01:00,1,1,1,1", "line 3: volume is missing"),
            ("2025-08-31 23:01:00,1,1,1,1,1,1", "line 3: it has more than 6 fields"),
            ("2025-08-31 23:01:00,1,1,1,1,-1", "line 3: volume \"-1\""),
            ("2025-08-31 23:01:00,0,1,0,1,1", "line 3: open \"0\" has to be more than 0"),
            ("2025-08-31 23:01:00,3,2,1,1,1", "line 3: open and close"),
            ("2025-08-31 23:00:00,1,1,1,1,1", "line 3: its time is not after"),
        ];
        for (line, expected) in cases {
            let error = bars(&format!("{GOOD}{line}\n")).unwrap_err().to_string();
            assert!(error.contains(expected), "{line}: {error}");
        }
        for (text, expected) in [("", "line 1: the header has to be"), ("a,b\n1,2\n", "it is \"a,b\"")] {
            let error = bars(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn compressed_files_are_told_by_their_first_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bars");
        let mut encoder = flate2::write::GzEncoder::new(File::create(&path).unwrap(), flate2::Compression::fast());
        encoder.write_all(GOOD.as_bytes()).unwrap();
        encoder.finish().unwrap();
        assert_eq!(BarsFile::open(&path).unwrap().count(), 1);
        assert!(BarsFile::open(&folder.path().join("absent")).is_err());
    }
}

//! What the disk takes to make a few kilobytes durable: no answer of the embedded log that says "durable" comes sooner.

use std::{
    fs::File,
    io::{self, Write},
    path::Path,
    time::Instant,
};

use hdrhistogram::Histogram;

use super::{BenchError, load::new_histogram};

/// About what a group of appends is at half load.
const WRITE_BYTES: usize = 32 << 10;
const WRITES: usize = 200;

/// Microseconds from a write at the end of a file of its own, in a folder, until it is synced.
pub(super) fn sync_us(folder: &Path) -> Result<Histogram<u64>, BenchError> {
    let mut latency_us = new_histogram()?;
    let mut file = tempfile::tempfile_in(folder).map_err(|error| failed(&error))?;
    let bytes = vec![0x5a; WRITE_BYTES];
    for _ in 0..WRITES {
        let began = Instant::now();
        write_through(&mut file, &bytes).map_err(|error| failed(&error))?;
        latency_us.saturating_record(u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX));
    }
    Ok(latency_us)
}

fn write_through(file: &mut File, bytes: &[u8]) -> io::Result<()> {
    file.write_all(bytes)?;
    file.sync_data()
}

fn failed(error: &io::Error) -> BenchError {
    BenchError(format!("the disk's own sync could not be measured: {error}"))
}

//! Real one-minute bars.

use std::{
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
};

/// A file in a folder with the first of the real bars.
pub fn first_real_bars(count: usize, folder: &Path) -> PathBuf {
    let real = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/es_1min.csv.gz");
    let file = std::fs::File::open(&real)
        .unwrap_or_else(|error| panic!("the real bars are absent, {}: {error}", real.display()));
    let lines = BufReader::new(flate2::read::GzDecoder::new(file)).lines();
    let path = folder.join("bars.csv");
    let mut beginning = std::fs::File::create(&path).unwrap();
    for line in lines.take(1 + count) {
        writeln!(beginning, "{}", line.unwrap()).unwrap();
    }
    path
}

//! One page over HTTP.

use std::{
    io,
    io::{BufRead, BufReader, Read, Write},
};

use super::unexpected;

pub(super) fn ask(stream: &mut (impl Read + Write), path: &str) -> io::Result<()> {
    write!(stream, "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
    let mut line = String::new();
    BufReader::new(stream.take(1_024)).read_line(&mut line)?;
    match line.split(' ').nth(1) {
        Some("200") => Ok(()),
        _ => Err(unexpected(&format!("it answers {:?}", line.trim_end()))),
    }
}

//! OPTIONS of the CQL binary protocol, version 4.

use std::{
    io,
    io::{Read, Write},
};

use super::{exactly, unexpected};

/// Version 4, no flags, stream 0, OPTIONS, no body.
const OPTIONS: [u8; 9] = [0x04, 0, 0, 0, 0x05, 0, 0, 0, 0];
/// The operation of the answer: SUPPORTED.
const SUPPORTED: u8 = 0x06;

pub(super) fn ask(stream: &mut (impl Read + Write)) -> io::Result<()> {
    stream.write_all(&OPTIONS)?;
    let [_version, _flags, _, _, operation, ..] = exactly::<9>(stream)?;
    if operation == SUPPORTED { Ok(()) } else { Err(unexpected("it does not speak CQL")) }
}

//! Standard output: results, for people or machines.

use std::io::Write;

use serde::Serialize;

use crate::exit::Failure;

/// Prints a text that ends its own lines.
///
/// # Errors
/// When standard output can't be written, for example because a pipe was closed.
pub fn print(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .map_err(|error| Failure::failed(format!("cannot write to standard output: {error}")))
}

/// Prints a value as one line of JSON.
///
/// # Errors
/// As [`print`].
pub fn print_json<T: Serialize>(value: &T) -> Result<(), Failure> {
    let mut json = serde_json::to_string(value)
        .map_err(|error| Failure::failed(format!("cannot write the result as JSON: {error}")))?;
    json.push('\n');
    print(&json)
}

//! The binary; everything is in the library, so that tests can reach it.

use std::process::ExitCode;

/// A request allocates and frees on several threads, and rows of many sizes come and go for months: this allocator is
/// faster at both than the C library's, and keeps memory from fraying.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    hindcast::run()
}

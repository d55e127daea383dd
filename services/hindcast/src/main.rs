//! The binary; everything is in the library, so that tests can reach it.

use std::process::ExitCode;

/// A request allocates and frees on several threads, and rows of many sizes come and go for months: this allocator is
/// faster at both than the C library's, and keeps memory from fraying.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // Huge pages are cleared whole when they are first touched, and the states of users touch many of them in part: folding
    // is a fifth faster without, in less memory (ADR 0024).
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::thread::disable_transparent_huge_pages(true) {
        eprintln!("transparent huge pages can't be turned off ({error}); folding takes longer and more memory");
    }
    hindcast::run()
}

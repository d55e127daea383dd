//! Small servers that stand for the services: each tells who it is and what arrived.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use crate::failure::Failure;

/// As the services have it: they refuse what is larger after they have read it.
const LARGEST_BODY: u64 = 1 << 20;

/// A server; it stops when this is dropped.
pub(super) struct Upstream {
    pub(super) name: &'static str,
    pub(super) addr: SocketAddr,
    stop: Arc<AtomicBool>,
}

impl Upstream {
    pub(super) fn start(name: &'static str) -> Result<Self, Failure> {
        let failed = |error: std::io::Error| Failure::new(format!("a server for the proxy can't be started: {error}"));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(failed)?;
        let addr = listener.local_addr().map_err(failed)?;
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        thread::spawn(move || {
            for stream in listener.incoming().filter_map(Result::ok) {
                if stopped.load(Ordering::Relaxed) {
                    return;
                }
                // Whoever hangs up in the middle gets no answer.
                thread::spawn(move || answer(name, stream).ok());
            }
        });
        Ok(Self { name, addr, stop })
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // So that it looks.
        let _ = TcpStream::connect(self.addr);
    }
}

/// Answers with its name in the first line and the head of the request below.
fn answer(name: &str, stream: TcpStream) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let mut reader = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        let (key, value) = line.split_once(": ").unwrap_or((line, ""));
        if key.eq_ignore_ascii_case("content-length") {
            length = value.parse().unwrap_or(0);
        }
        head = format!("{head}{}: {value}\n", key.to_lowercase());
    }
    std::io::copy(&mut reader.by_ref().take(length), &mut std::io::sink())?;
    let body = format!("{name}\n{head}");
    let mut stream = reader.into_inner();
    let status = if length > LARGEST_BODY { "413 Content Too Large" } else { "200 OK" };
    write!(stream, "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
}

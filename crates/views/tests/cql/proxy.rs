//! A proxy before the store, which can be stopped and which counts requests without an answer.

use std::{
    collections::HashSet,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
};

/// Of a frame of the protocol's version 4: version, flags, stream, opcode, length.
const HEADER_BYTES: usize = 9;
const EXECUTE: u8 = 0x0a;

pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    stopped: watch::Sender<bool>,
    seen: Arc<Mutex<Seen>>,
}

/// Executions without an answer, by connection and stream.
#[derive(Default)]
struct Seen {
    open: HashSet<(usize, [u8; 2])>,
    most: usize,
}

impl Proxy {
    pub(crate) async fn start(node: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = Self {
            address: listener.local_addr().unwrap(),
            stopped: watch::Sender::new(false),
            seen: Arc::new(Mutex::default()),
        };
        let (stopped, seen) = (proxy.stopped.subscribe(), Arc::clone(&proxy.seen));
        tokio::spawn(async move {
            for connection in 0.. {
                let Ok((client, _)) = listener.accept().await else { return };
                let Ok(server) = TcpStream::connect(&node).await else { continue };
                let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
                let pump = |from, to, is_request| {
                    tokio::spawn(pump(from, to, stopped.clone(), Arc::clone(&seen), connection, is_request))
                };
                pump(from_client, to_server, true);
                pump(from_server, to_client, false);
            }
        });
        proxy
    }

    /// Nothing passes any more, as if the store had been stopped; or everything again.
    pub(crate) fn stop(&self, stopped: bool) {
        self.stopped.send_replace(stopped);
    }

    /// The most executions without an answer at a time.
    pub(crate) fn most_open(&self) -> usize {
        self.seen.lock().unwrap().most
    }
}

/// Passes frames on until either end is closed.
async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut stopped: watch::Receiver<bool>,
    seen: Arc<Mutex<Seen>>,
    connection: usize,
    is_request: bool,
) {
    let mut frame = vec![0; HEADER_BYTES];
    loop {
        frame.truncate(HEADER_BYTES);
        if from.read_exact(&mut frame).await.is_err() {
            return;
        }
        let body_bytes = u32::from_be_bytes(frame[5..9].try_into().unwrap()) as usize;
        frame.resize(HEADER_BYTES + body_bytes, 0);
        if from.read_exact(&mut frame[HEADER_BYTES..]).await.is_err() {
            return;
        }
        let (stream, opcode) = ((connection, [frame[2], frame[3]]), frame[4]);
        if stopped.wait_for(|stopped| !stopped).await.is_err() {
            return;
        }
        {
            let mut seen = seen.lock().unwrap();
            if !is_request {
                seen.open.remove(&stream);
            } else if opcode == EXECUTE {
                seen.open.insert(stream);
                seen.most = seen.most.max(seen.open.len());
            }
        }
        if to.write_all(&frame).await.is_err() {
            return;
        }
    }
}

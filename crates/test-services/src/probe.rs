//! Whether a service really answers, in its own protocol.

mod cql;
mod http;
mod kafka;

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use serde::{Deserialize, Serialize};

/// How long connecting and each read may take. A machine that compiles at the same time lets a service wait for seconds.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Probe {
    /// A broker tells of its cluster, and itself is in it.
    Kafka {
        /// The broker's id.
        node: i32,
    },
    /// A broker accepts connections: what it says needs credentials.
    Listening,
    /// A node tells the options of its protocol.
    Cql,
    /// A page is there.
    Http {
        /// The page.
        path: String,
    },
}

impl Probe {
    /// Asks once.
    pub(crate) fn ask(&self, address: SocketAddr) -> io::Result<()> {
        let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        match self {
            Self::Kafka { node } => kafka::ask(&mut stream, *node),
            Self::Listening => Ok(()),
            Self::Cql => cql::ask(&mut stream),
            Self::Http { path } => http::ask(&mut stream, path),
        }
    }
}

fn exactly<const N: usize>(stream: &mut (impl Read + Write)) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn unexpected(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}

//! Closing a connection so that its last answer arrives.

use std::{
    future::Future,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Instant, Sleep, sleep_until},
};

/// How long the other side may be silent before the connection is dropped all the same.
const SILENCE: Duration = Duration::from_millis(250);
/// How long it may go on sending.
const MOST: Duration = Duration::from_secs(2);

/// A connection that is not dropped while the other side still sends.
///
/// Whoever refuses a large body answers before having read it. If the socket were closed then, what arrives later would
/// be met with a reset, and a reset makes the client's system throw the answer away unread. So the writing half is closed
/// first, and what still comes is read and thrown away for a bounded time.
pub(crate) struct Lingering {
    stream: TcpStream,
    closing: Option<Closing>,
}

struct Closing {
    began: Instant,
    timer: Pin<Box<Sleep>>,
}

impl Lingering {
    pub(crate) fn new(stream: TcpStream) -> Self {
        Self { stream, closing: None }
    }
}

impl AsyncRead for Lingering {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, into)
    }
}

impl AsyncWrite for Lingering {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { stream, closing } = &mut *self;
        let closing = match closing {
            Some(closing) => closing,
            None => {
                ready!(Pin::new(&mut *stream).poll_shutdown(cx))?;
                let began = Instant::now();
                closing.insert(Closing { began, timer: Box::pin(sleep_until(began + SILENCE)) })
            }
        };
        let mut scratch = [0_u8; 8 << 10];
        loop {
            if closing.timer.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Ok(()));
            }
            let mut thrown_away = ReadBuf::new(&mut scratch);
            // The answer has been sent; that reading fails changes nothing about it.
            if ready!(Pin::new(&mut *stream).poll_read(cx, &mut thrown_away)).is_err()
                || thrown_away.filled().is_empty()
            {
                return Poll::Ready(Ok(()));
            }
            let until = (Instant::now() + SILENCE).min(closing.began + MOST);
            closing.timer.as_mut().reset(until);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read, Write},
        net::{Shutdown, TcpListener},
    };

    use super::*;

    async fn close(stream: TcpStream) {
        let mut lingering = Lingering::new(stream);
        std::future::poll_fn(|cx| Pin::new(&mut lingering).poll_write(cx, b"answer")).await.unwrap();
        std::future::poll_fn(|cx| Pin::new(&mut lingering).poll_shutdown(cx)).await.unwrap();
    }

    async fn pair() -> (std::net::TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let server = listener.accept().unwrap().0;
        server.set_nonblocking(true).unwrap();
        (client, TcpStream::from_std(server).unwrap())
    }

    #[tokio::test]
    async fn an_answer_arrives_although_the_request_was_not_read() {
        let (mut client, server) = pair().await;
        let sending = std::thread::spawn(move || {
            for _ in 0..64 {
                client.write_all(&[0; 64 << 10]).unwrap();
            }
            client.shutdown(Shutdown::Write).unwrap();
            let mut answer = String::new();
            client.read_to_string(&mut answer).unwrap();
            answer
        });
        close(server).await;
        assert_eq!(sending.join().unwrap(), "answer");
    }

    #[tokio::test]
    async fn nobody_is_waited_for_long() {
        let (client, server) = pair().await;
        let began = Instant::now();
        close(server).await;
        assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
        drop(client);
        let (mut client, server) = pair().await;
        let sending = std::thread::spawn(move || while client.write_all(&[0; 1 << 10]).is_ok() {});
        let began = Instant::now();
        close(server).await;
        assert!(began.elapsed() < MOST + Duration::from_secs(1), "{:?}", began.elapsed());
        sending.join().unwrap();
    }
}

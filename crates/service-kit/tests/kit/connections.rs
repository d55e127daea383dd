//! Connections: kept, limited, timed out, and closed when the process stops.

use std::{sync::atomic::Ordering, time::Duration};

use hindcast_control::ControlConfig;
use hindcast_service_kit::{auth::AuthConfig, server::ServerConfig};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, timeout},
};

use crate::service::{Answer, Service};

const KEPT: &[u8] = b"GET /items/1 HTTP/1.1\r\nhost: test\r\n\r\n";
const WAIT: &[u8] = b"GET /wait HTTP/1.1\r\nhost: test\r\n\r\n";

async fn start(server: ServerConfig) -> Service {
    Service::start_with(AuthConfig::default(), ControlConfig::default(), server).await
}

/// Reads one answer of a connection that stays open.
async fn read_one(stream: &mut TcpStream) -> Answer {
    let mut bytes = vec![0; 8_192];
    let length = timeout(Duration::from_secs(5), stream.read(&mut bytes)).await.unwrap().unwrap();
    Answer::parse(&bytes[..length])
}

async fn begun(service: &Service, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(service.addr).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    stream
}

#[tokio::test]
async fn a_connection_is_kept_and_then_idles_out() {
    let service = start(ServerConfig { header_timeout_ms: 300, ..ServerConfig::default() }).await;
    let mut stream = begun(&service, KEPT).await;
    assert_eq!(read_one(&mut stream).await.status, 200);
    stream.write_all(KEPT).await.unwrap();
    assert_eq!(read_one(&mut stream).await.status, 200);
    let idle = Instant::now();
    let mut rest = Vec::new();
    timeout(Duration::from_secs(5), stream.read_to_end(&mut rest)).await.unwrap().unwrap();
    assert!(rest.is_empty() && idle.elapsed() >= Duration::from_millis(200), "{rest:?}");
    // A head that comes drop by drop is given up as well.
    let mut slow = begun(&service, b"GET /items/1 HTTP/1.1\r\nhost: t").await;
    timeout(Duration::from_secs(5), slow.read_to_end(&mut rest)).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_body_that_comes_after_its_refusal_was_clear_does_not_end_the_connection() {
    let service = start(ServerConfig::default()).await;
    let mut stream = begun(&service, b"POST /items HTTP/1.1\r\nhost: test\r\ncontent-length: 2\r\n\r\n").await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    stream.write_all(b"{}").await.unwrap();
    let refused = read_one(&mut stream).await;
    assert!((400..500).contains(&refused.status) && refused.header("connection").is_none(), "{refused:?}");
    stream.write_all(KEPT).await.unwrap();
    assert_eq!(read_one(&mut stream).await.status, 200);
}

#[tokio::test]
async fn no_more_connections_than_allowed_are_served_at_once() {
    let service = start(ServerConfig { max_connections: 2, ..ServerConfig::default() }).await;
    let mut first = begun(&service, KEPT).await;
    let mut second = begun(&service, KEPT).await;
    assert_eq!(read_one(&mut first).await.status, 200);
    assert_eq!(read_one(&mut second).await.status, 200);
    let mut third = begun(&service, KEPT).await;
    let mut byte = [0];
    assert!(timeout(Duration::from_millis(200), third.read(&mut byte)).await.is_err(), "served beyond the limit");
    drop(first);
    assert_eq!(read_one(&mut third).await.status, 200);
}

#[tokio::test]
async fn stopping_ends_what_is_under_way_and_idle_connections() {
    let service = start(ServerConfig::default()).await;
    let mut idle = begun(&service, KEPT).await;
    assert_eq!(read_one(&mut idle).await.status, 200);
    let mut busy = begun(&service, WAIT).await;
    service.wait_until(|| service.state.waiting.load(Ordering::SeqCst) == 1).await;
    service.shutdown.trigger();
    let mut rest = Vec::new();
    timeout(Duration::from_secs(5), idle.read_to_end(&mut rest)).await.unwrap().unwrap();
    assert!(rest.is_empty());
    assert!(TcpStream::connect(service.addr).await.is_err(), "no new connections");
    assert!(!service.serving.is_finished(), "a request is under way");
    service.state.let_go.notify_one();
    let answer = read_one(&mut busy).await;
    assert_eq!((answer.status, answer.header("connection")), (200, Some("close")));
    timeout(Duration::from_secs(5), service.serving).await.unwrap().unwrap();
}

#[tokio::test]
async fn stopping_does_not_wait_for_ever() {
    let service = start(ServerConfig { shutdown_timeout_ms: 200, ..ServerConfig::default() }).await;
    let mut busy = begun(&service, WAIT).await;
    service.wait_until(|| service.state.waiting.load(Ordering::SeqCst) == 1).await;
    let asked = Instant::now();
    service.shutdown.trigger();
    timeout(Duration::from_secs(5), service.serving).await.unwrap().unwrap();
    assert!(asked.elapsed() >= Duration::from_millis(200));
    let mut rest = Vec::new();
    let _ = timeout(Duration::from_secs(5), busy.read_to_end(&mut rest)).await.unwrap();
    assert!(rest.is_empty());
}

#[tokio::test]
async fn a_client_that_goes_away_is_counted() {
    let service = start(ServerConfig::default()).await;
    let stream = begun(&service, WAIT).await;
    service.wait_until(|| service.state.waiting.load(Ordering::SeqCst) == 1).await;
    assert!(service.metrics().contains("hindcast_http_requests_in_flight 1"));
    drop(stream);
    let counted = r#"hindcast_http_requests_total{method="GET",route="/wait",status="499"} 1"#;
    service.wait_until(|| service.metrics().contains(counted)).await;
    assert!(service.metrics().contains("hindcast_http_requests_in_flight 0"));
}

#[tokio::test]
async fn what_is_no_http_ends_only_its_own_connection() {
    let service = start(ServerConfig::default()).await;
    let mut nonsense = begun(&service, b"\x16\x03\x01\x02\x00 this is no HTTP\r\n\r\n").await;
    let mut rest = Vec::new();
    let _ = timeout(Duration::from_secs(5), nonsense.read_to_end(&mut rest)).await.unwrap();
    assert_eq!(service.get("/items/1", &[]).await.status, 200);
}

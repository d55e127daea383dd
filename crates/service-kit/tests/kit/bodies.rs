//! Bodies that are not what they should be.

use std::time::Duration;

use hindcast_control::ControlConfig;
use hindcast_service_kit::{auth::AuthConfig, server::ServerConfig};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::service::{Answer, SIGNAL, Service, request, x_api_key};

async fn with_key() -> (Service, String) {
    let auth = AuthConfig { burst: 1_000, ..AuthConfig::default() };
    let service = Service::start_with(auth, ControlConfig::default(), ServerConfig::default()).await;
    let key = x_api_key(&service.key("trader-1", &["trade"]).await);
    (service, key)
}

#[tokio::test]
async fn content_types() {
    let (service, key) = with_key().await;
    for content_type in ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin1"] {
        let content_type = format!("content-type: {content_type}");
        let answer = service.send(&request("POST", "/v1/signals", &[&key, &content_type], SIGNAL.as_bytes())).await;
        answer.problem(415, "unsupported-media-type");
    }
    service
        .send(&request("POST", "/v1/signals", &[&key], SIGNAL.as_bytes()))
        .await
        .problem(415, "unsupported-media-type");
    let ndjson = "content-type: application/x-ndjson";
    let answer = service.send(&request("POST", "/v1/events", &[&key, ndjson], b"{}\n{}\n")).await;
    assert_eq!((answer.status, answer.json()["format"].as_str()), (200, Some("Ndjson")), "{answer:?}");
}

#[tokio::test]
async fn sizes() {
    let (service, key) = with_key().await;
    let exactly = format!("{}{}", SIGNAL, " ".repeat((64 << 10) - SIGNAL.len()));
    assert_eq!(service.post("/v1/signals", &[&key], &exactly).await.status, 200);
    let problem = service.post("/v1/signals", &[&key], &format!("{exactly} ")).await.problem(413, "payload-too-large");
    assert_eq!(problem["detail"], "the body may have 65536 bytes");
    let batch = format!("[{}]", " ".repeat((1 << 20) - 2));
    assert_eq!(service.post("/v1/events", &[&key], &batch).await.json()["bytes"], 1 << 20);
    service.post("/v1/events", &[&key], &format!("{batch} ")).await.problem(413, "payload-too-large");
}

/// A body without a length, in pieces.
async fn chunked(service: &Service, path: &str, key: &str, pieces: usize, piece: &[u8]) -> Answer {
    let head = request("POST", path, &[key, "content-type: application/json", "transfer-encoding: chunked"], b"");
    let mut stream = TcpStream::connect(service.addr).await.unwrap();
    stream.write_all(&head).await.unwrap();
    let (mut reading, mut writing) = stream.split();
    let piece = [format!("{:x}\r\n", piece.len()).as_bytes(), piece, b"\r\n"].concat();
    let write = async {
        for _ in 0..pieces {
            // The service may well hang up on a body that it has refused.
            if writing.write_all(&piece).await.is_err() {
                return;
            }
        }
        let _ = writing.write_all(b"0\r\n\r\n").await;
    };
    let read = async {
        let mut answer = vec![0; 4_096];
        let length = reading.read(&mut answer).await.unwrap();
        answer.truncate(length);
        answer
    };
    let (answer, ()) = tokio::join!(read, write);
    Answer::parse(&answer)
}

#[tokio::test]
async fn bodies_in_pieces_are_limited_too() {
    let (service, key) = with_key().await;
    let answer = chunked(&service, "/v1/events", &key, 8, &[b' '; 1_000]).await;
    assert_eq!((answer.status, &answer.json()["bytes"]), (200, &8_000.into()), "{answer:?}");
    assert_eq!(chunked(&service, "/v1/signals", &key, 70, &[b' '; 1_000]).await.status, 413);
    assert_eq!(chunked(&service, "/v1/events", &key, 300, &[b' '; 4_000]).await.status, 413);
}

#[tokio::test]
async fn what_is_no_json_and_what_is_the_wrong_json() {
    let (service, key) = with_key().await;
    let deep = format!("{}{}", "[".repeat(20_000), "]".repeat(20_000));
    for malformed in ["", "{", "nonsense", r#"{"price": NaN}"#, &deep] {
        service.post("/v1/signals", &[&key], malformed).await.problem(400, "malformed-body");
    }
    let invalid = [SIGNAL.as_bytes(), b"\xff"].concat();
    let headers = [key.as_str(), "content-type: application/json"];
    service.send(&request("POST", "/v1/signals", &headers, &invalid)).await.problem(400, "malformed-body");
    let wrong = r#"{"symbol": "XX", "side": "UP", "price": -1, "rsi": 101, "extra": true}"#;
    let problem = service.post("/v1/signals", &[&key], wrong).await.problem(422, "validation");
    let errors = problem["errors"].as_array().unwrap();
    let mut pointers: Vec<_> = errors.iter().map(|error| error["pointer"].as_str().unwrap()).collect();
    pointers.sort_unstable();
    pointers.dedup();
    for expected in ["/extra", "/price", "/rsi", "/side", "/symbol"] {
        assert!(pointers.contains(&expected), "{expected}: {problem}");
    }
}

#[tokio::test]
async fn a_body_that_stops_half_way_is_no_request() {
    let (service, key) = with_key().await;
    let whole = request("POST", "/v1/signals", &[&key, "content-type: application/json"], SIGNAL.as_bytes());
    let mut stream = TcpStream::connect(service.addr).await.unwrap();
    stream.write_all(&whole[..whole.len() - 20]).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = Vec::new();
    tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut answer)).await.unwrap().unwrap();
    assert!(answer.is_empty() || Answer::parse(&answer).status == 400, "{answer:?}");
}

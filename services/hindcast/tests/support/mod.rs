//! What the tests of the whole program share: the program as a process of its own, and raw requests to it.

#![allow(dead_code, unreachable_pub)] // each test is a crate that uses a part

pub mod bars;
pub mod judge;
pub mod reproject;
pub mod run;
pub mod writers;

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::{Value, json};
use tokio::sync::OnceCell;

/// As many requests a minute as a key may have.
const NO_LIMIT: u32 = 100_000_000;
/// The admin key that tests bring along.
pub const ADMIN_KEY: &str = "hc_test_admin_key_of_the_tests_0123456789";

/// The program, serving as a process of its own. Killed when dropped.
pub struct Server {
    pub url: String,
    pub child: Child,
    /// What it said when it listened.
    pub told: Value,
}

impl Server {
    /// Starts on a data folder and waits until it listens.
    pub fn start(data: &Path) -> Self {
        Self::start_with(data, &[])
    }

    /// Starts with further environment variables.
    pub fn start_with(data: &Path, environment: &[(&str, &str)]) -> Self {
        Self::start_at("127.0.0.1:0", data, environment)
    }

    /// The same at an address.
    pub fn start_at(listen: &str, data: &Path, environment: &[(&str, &str)]) -> Self {
        let mut child = command()
            .args(["serve", "--json", "--listen", listen, "--data"])
            .arg(data)
            .env("HINDCAST_BOOTSTRAP_ADMIN_KEY", ADMIN_KEY)
            .env("HINDCAST_TELEMETRY__FILTER", "warn")
            .envs(environment.iter().copied())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let told: Value = serde_json::from_str(&line)
            .unwrap_or_else(|error| panic!("the server ended before it listened ({error}); it said {line:?}"));
        Self { url: told["listening"].as_str().unwrap().to_owned(), child, told }
    }

    /// SIGKILL: nothing is flushed, nothing is finished.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM, and waits for the end.
    pub fn stop(self) {
        self.terminate();
        self.ended();
    }

    /// SIGTERM, and does not wait.
    pub fn terminate(&self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    }

    /// Waits for the end that [`Self::terminate`] began.
    pub fn ended(mut self) {
        let status = self.child.wait().unwrap();
        assert!(status.success(), "the server did not stop cleanly: {status}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The program, to be run with arguments.
pub fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hindcast"));
    // What the developer's shell has set must not reach the program under test.
    for (name, _) in std::env::vars() {
        if name.starts_with("HINDCAST_") {
            command.env_remove(name);
        }
    }
    command
}

/// Raw requests, sent once, whatever the answer.
#[derive(Clone)]
pub struct Http {
    client: Client<HttpConnector, Full<Bytes>>,
    pub url: String,
    operator: Arc<OnceCell<String>>,
}

/// An answer, whatever its status.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| {
            panic!("{} with a body that is no JSON ({error}): {}", self.status, String::from_utf8_lossy(&self.body))
        })
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The body of a problem; panics when the answer is none.
    pub fn problem(&self) -> Value {
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{self:?}");
        let problem = self.json();
        assert_eq!(problem["status"], self.status.as_u16());
        assert_eq!(problem["instance"].as_str(), self.header("x-request-id"));
        problem
    }
}

impl Http {
    pub fn new(url: &str) -> Self {
        let client = Client::builder(TokioExecutor::new()).build_http();
        Self { client, url: url.to_owned(), operator: Arc::default() }
    }

    /// Sends a request; an error is that of the connection.
    pub async fn try_send(
        &self,
        method: Method,
        path: &str,
        key: Option<&str>,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Result<Answer, String> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.url));
        if let Some(key) = key {
            request = request.header("x-api-key", key);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(body.into())).unwrap();
        let exchange = async {
            let response = self.client.request(request).await.map_err(|error| told(&error))?;
            let (head, body) = response.into_parts();
            let body = body.collect().await.map_err(|error| error.to_string())?.to_bytes();
            Ok(Answer { status: head.status, headers: head.headers, body })
        };
        tokio::time::timeout(Duration::from_secs(30), exchange).await.map_err(|_| "no answer in 30 s".to_owned())?
    }

    pub async fn post(&self, path: &str, key: &str, body: &Value) -> Answer {
        let headers = [("content-type", "application/json")];
        self.try_send(Method::POST, path, Some(key), &headers, body.to_string()).await.unwrap()
    }

    pub async fn get(&self, path: &str, key: &str) -> Answer {
        self.try_send(Method::GET, path, Some(key), &[], Bytes::new()).await.unwrap()
    }

    /// A key of a user with the scope `trade` and no limit to speak of.
    pub async fn trader(&self, user: &str) -> String {
        self.key(user, &["trade"], Some(NO_LIMIT)).await
    }

    /// A key of the scopes `admin` and `replay` without a limit to speak of, made once with the key that tests bring along.
    pub async fn operator(&self) -> String {
        let made = self.operator.get_or_init(|| async {
            let body = json!({"user_id": "operator", "scopes": ["admin", "replay"], "requests_per_minute": NO_LIMIT});
            self.new_key(ADMIN_KEY, &body).await["key"].as_str().unwrap().to_owned()
        });
        made.await.clone()
    }

    /// The secret of a new key; with the common limit if none is given.
    pub async fn key(&self, user: &str, scopes: &[&str], requests_per_minute: Option<u32>) -> String {
        let body = json!({"user_id": user, "scopes": scopes, "requests_per_minute": requests_per_minute});
        self.new_key(&self.operator().await, &body).await["key"].as_str().unwrap().to_owned()
    }

    /// All that is answered about a new key.
    pub async fn new_key(&self, admin: &str, body: &Value) -> Value {
        let answer = self.post("/admin/v1/keys", admin, body).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
        answer.json()
    }

    /// What operators see.
    pub async fn status(&self) -> Value {
        let answer = self.get("/admin/v1/status", &self.operator().await).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        answer.json()
    }

    /// One past the last durable record of each partition's journal, decisions and dead letters.
    pub async fn log_ends(&self) -> Vec<[u64; 3]> {
        let status = self.status().await;
        let ends = |partition: &Value| {
            ["journal_end", "decisions_end", "dead_letters_end"].map(|name| partition[name].as_u64().unwrap())
        };
        status["partitions"].as_array().unwrap().iter().map(ends).collect()
    }

    /// Waits until everything durable is projected.
    pub async fn caught_up(&self) {
        self.catches_up().await.unwrap_or_else(|status| panic!("the projection did not catch up: {status}"));
    }

    /// The same; the last status if it takes too long.
    pub async fn catches_up(&self) -> Result<(), Value> {
        let mut status = Value::Null;
        for _ in 0..3_000 {
            status = self.status().await;
            let partitions = status["partitions"].as_array().unwrap();
            let lag: u64 = partitions.iter().map(|partition| partition["lag_events"].as_u64().unwrap()).sum();
            if lag == 0 {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(40)).await;
        }
        Err(status)
    }
}

/// An error and what it came from.
fn told(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// A signal as small as it may be.
pub fn signal(symbol: &str) -> Value {
    json!({"symbol": symbol, "side": "LONG", "price": 6524.25, "rsi": 28.5, "vwap": 6532.5})
}

/// A trade as small as it may be.
pub fn trade(symbol: &str, pnl: f64) -> Value {
    json!({"symbol": symbol, "side": "LONG", "entry_price": 6524.25, "exit_price": 6530.0, "pnl": pnl})
}

/// The same with further fields, or other values of those there.
pub fn with(mut body: Value, fields: Value) -> Value {
    let (Value::Object(body_fields), Value::Object(fields)) = (&mut body, fields) else { panic!("two objects") };
    body_fields.extend(fields);
    body
}

/// A runtime for a test that starts and stops the program in between.
pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// The seed of a random test: `HINDCAST_SEED`, else of the clock. Print it when the test fails.
pub fn seed() -> u64 {
    match std::env::var("HINDCAST_SEED") {
        Ok(text) => text.parse().expect("HINDCAST_SEED is a whole number"),
        Err(_) => u64::from(std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().subsec_nanos()),
    }
}

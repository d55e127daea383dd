//! The service under test and a client that sends what it is told to.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Json, Router,
    extract::{FromRef, State},
    response::IntoResponse,
    routing::{get, post},
};
use hindcast_bodies::parse_signal;
use hindcast_control::{Change, Control, ControlConfig, Requested};
use hindcast_domain::{Instruments, TimestampUs, UserId};
use hindcast_journal::{LogError, memory::MemoryLog};
use hindcast_service_kit::{
    auth::{self, AuthConfig, Caller, Gate, NewKey, Scope, SigningKeys, new_key, sha256_hex},
    body::{BatchBytes, JsonBytes},
    clock::now_us,
    params::{PathParams, QueryParams},
    problem::Problem,
    server::{ServerConfig, serve},
    shutdown::Shutdown,
    telemetry::{Edge, RequestContext, metrics_response, new_registry},
};
use prometheus::Registry;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Notify,
    task::JoinHandle,
};

/// Seed of the key that signs the service's tokens.
pub const SEED: &str = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
pub const SIGNAL: &str = r#"{"symbol": "ES", "side": "LONG", "price": 6524.25, "rsi": 28, "vwap": 6532.5, "event_id": "0192f8a0-0000-7000-8000-000000000001"}"#;

pub struct Service {
    pub addr: SocketAddr,
    pub control: Arc<Control>,
    pub registry: Registry,
    pub shutdown: Shutdown,
    pub state: Handled,
    pub serving: JoinHandle<()>,
    _folder: tempfile::TempDir,
}

/// What handlers share with the tests.
#[derive(Clone)]
pub struct Handled {
    gate: Arc<Gate>,
    registry: Registry,
    /// Requests that got as far as waiting.
    pub waiting: Arc<AtomicUsize>,
    pub let_go: Arc<Notify>,
}

impl FromRef<Handled> for Arc<Gate> {
    fn from_ref(state: &Handled) -> Self {
        Arc::clone(&state.gate)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Page {
    limit: Option<u32>,
}

async fn post_signal(caller: Caller, JsonBytes(body): JsonBytes) -> Result<Json<Value>, Problem> {
    caller.require(Scope::Trade)?;
    let signal = parse_signal(&body, &Instruments::default())?;
    caller.check_user(signal.user_id())?;
    Ok(Json(json!({"user": caller.user_id().as_str(), "via_token": caller.via_token})))
}

async fn post_batch(State(state): State<Handled>, caller: Caller, batch: BatchBytes) -> Result<Json<Value>, Problem> {
    state.gate.charge(&caller, 3)?;
    Ok(Json(json!({"format": format!("{:?}", batch.format), "bytes": batch.bytes.len()})))
}

async fn get_admin(caller: Caller) -> Result<&'static str, Problem> {
    caller.require(Scope::Admin)?;
    Ok("admin")
}

async fn get_item(
    PathParams(number): PathParams<u32>,
    QueryParams(page): QueryParams<Page>,
    context: RequestContext,
) -> Json<Value> {
    Json(json!({
        "number": number,
        "limit": page.limit,
        "request_id": context.request_id().as_str(),
        "traceparent": context.traceparent(),
    }))
}

async fn wait(State(state): State<Handled>) -> &'static str {
    state.waiting.fetch_add(1, Ordering::SeqCst);
    state.let_go.notified().await;
    "done"
}

async fn panic_later() -> &'static str {
    tokio::task::yield_now().await;
    panic!("a secret of the inside")
}

async fn fail() -> Problem {
    LogError::unknown("fsync of /secret/folder failed").into()
}

fn router(state: Handled) -> Router {
    let registry = state.registry.clone();
    let (auth_routes, _) = auth::router::<Handled>().split_for_parts();
    Router::new()
        .route("/v1/signals", post(post_signal))
        .route("/v1/events", post(post_batch))
        .route("/admin", get(get_admin))
        .route("/items/{number}", get(get_item))
        .route("/wait", get(wait))
        .route("/panic", get(panic_later))
        .route("/fail", post(fail))
        .route("/teapot", get(|| async { (http::StatusCode::IM_A_TEAPOT, "short and stout") }))
        .route(
            "/degraded",
            get(|| async { (http::StatusCode::SERVICE_UNAVAILABLE, Json(json!({"status": "degraded"}))) }),
        )
        .route("/metrics", get(move || async move { metrics_response(&registry).into_response() }))
        .merge(auth_routes)
        .with_state(state)
}

impl Service {
    pub async fn start() -> Self {
        Self::start_with(AuthConfig::default(), ControlConfig::default(), ServerConfig::default()).await
    }

    pub async fn start_with(auth: AuthConfig, control: ControlConfig, server: ServerConfig) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let keys = folder.path().join("keys.json");
        let old = "02".repeat(32);
        let text = json!({"keys": [{"kid": "now", "seed": SEED}, {"kid": "before", "seed": old}]});
        std::fs::write(&keys, text.to_string()).unwrap();
        #[cfg(unix)]
        std::fs::set_permissions(&keys, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        let control = Control::follow(Arc::new(MemoryLog::new(2)), control).unwrap();
        let gate = Gate::new(Arc::clone(&control), SigningKeys::load(&keys).unwrap(), &auth);
        let registry = new_registry().unwrap();
        let state = Handled { gate, registry: registry.clone(), waiting: Arc::default(), let_go: Arc::default() };
        let router = Edge::new(&registry, true).unwrap().around(router(state.clone()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let shutdown = Shutdown::new();
        let stop = shutdown.wait();
        let serving = tokio::spawn(async move { serve(listener, router, &server, stop).await });
        Self { addr, control, registry, shutdown, state, serving, _folder: folder }
    }

    pub async fn key(&self, user: &str, scopes: &[&str]) -> NewKey {
        self.key_with(user, scopes, None, None).await
    }

    pub async fn key_with(
        &self,
        user: &str,
        scopes: &[&str],
        expires_at: Option<TimestampUs>,
        requests_per_minute: Option<u32>,
    ) -> NewKey {
        let user_id = UserId::new(user).unwrap();
        let key = new_key(&user_id).unwrap();
        self.change(
            Change::ApiKeyCreated {
                id: key.id.clone(),
                user_id,
                scopes: scopes.iter().map(|&scope| scope.to_owned()).collect(),
                sha256: sha256_hex(&key.sha256),
                expires_at,
                requests_per_minute,
            },
            None,
        )
        .await;
        key
    }

    pub async fn revoke(&self, key: &NewKey) {
        let change = Change::ApiKeyRevoked { id: key.id.clone() };
        let based_on = self.control.last_change(&change.entity());
        self.change(change, based_on).await;
    }

    async fn change(&self, change: Change, based_on: Option<u64>) {
        let requested = Requested { change, based_on, by: "test".to_owned(), why: String::new(), at: now_us() };
        self.control.change(requested).await.unwrap();
    }

    /// Sends a request without a body.
    pub async fn get(&self, path: &str, headers: &[&str]) -> Answer {
        self.send(&request("GET", path, headers, b"")).await
    }

    /// Sends a JSON body.
    pub async fn post(&self, path: &str, headers: &[&str], body: &str) -> Answer {
        let headers = [headers, &["content-type: application/json"]].concat();
        self.send(&request("POST", path, &headers, body.as_bytes())).await
    }

    /// Sends bytes on a connection of their own and reads the answer to the end.
    pub async fn send(&self, bytes: &[u8]) -> Answer {
        let mut stream = TcpStream::connect(self.addr).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        let mut answer = Vec::new();
        tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut answer)).await.unwrap().unwrap();
        Answer::parse(&answer)
    }

    pub async fn wait_until(&self, what: impl Fn() -> bool) {
        for _ in 0..500 {
            if what() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("it did not come to that within five seconds");
    }

    pub fn metrics(&self) -> String {
        prometheus::TextEncoder::new().encode_to_string(&self.registry.gather()).unwrap()
    }
}

/// A request that asks for the connection to be closed after its answer.
pub fn request(method: &str, path: &str, headers: &[&str], body: &[u8]) -> Vec<u8> {
    let mut head = format!("{method} {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n");
    for header in headers {
        head += header;
        head += "\r\n";
    }
    if !body.is_empty() {
        head += &format!("content-length: {}\r\n", body.len());
    }
    [head.as_bytes(), b"\r\n", body].concat()
}

pub fn x_api_key(key: &NewKey) -> String {
    format!("x-api-key: {}", key.secret)
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    pub fn parse(bytes: &[u8]) -> Self {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text:?}"));
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Self { status, head: head.to_owned(), body: body.to_owned() }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().filter_map(|line| line.split_once(": ")).find(|(n, _)| *n == name).map(|(_, value)| value)
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The body, checked to be a whole problem of this status and kind.
    #[track_caller]
    pub fn problem(&self, status: u16, kind: &str) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{self:?}");
        let problem = self.json();
        assert_eq!(problem["type"], format!("/problems/{kind}"), "{problem}");
        assert_eq!(problem["status"], status, "{problem}");
        assert_eq!(problem["instance"].as_str(), self.header("x-request-id"), "{problem}");
        assert!(problem["title"].is_string() && problem["detail"].is_string(), "{problem}");
        problem
    }
}

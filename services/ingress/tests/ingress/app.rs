//! Ingress under test, with a projector beside it.

use std::{sync::Arc, time::Duration};

use axum::{Router, body::Body};
use hindcast_control::{Change, Control, ControlConfig, Requested, bootstrap};
use hindcast_domain::{Instruments, Position, UserId, partition_of};
use hindcast_ingress::{IngressConfig, IngressPorts, IngressState, router};
use hindcast_journal::{Log, ReadLimit, Record, RecordType, Topic, memory::MemoryLog};
use hindcast_projector::{Notices, Projector, ProjectorConfig, ProjectorMetrics, ProjectorPorts};
use hindcast_reader::{Boards, ProgressBoard};
use hindcast_schemas::{Codec, Event, LocalRegistry};
use hindcast_service_kit::{
    auth::{AuthConfig, Gate, SigningKeys, new_key, sha256_hex},
    clock::now_us,
    telemetry::Edge,
};
use hindcast_views::{ViewStore, memory::MemoryViews};
use http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

pub(crate) const PARTITIONS: u16 = 4;
pub(crate) const USER: &str = "trader-1";

/// What a test changes about the service.
pub(crate) struct Setup {
    /// Journal that ingress appends to.
    pub(crate) log: Arc<dyn Log>,
    /// The views that ingress looks at.
    pub(crate) views: Arc<dyn ViewStore>,
    pub(crate) config: IngressConfig,
    pub(crate) auth: AuthConfig,
    /// Whether the journal is folded.
    pub(crate) projected: bool,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            log: Arc::new(MemoryLog::new(PARTITIONS)),
            views: Arc::new(MemoryViews::new()),
            config: IngressConfig::default(),
            auth: AuthConfig { requests_per_minute: 100_000, burst: 100_000, ..AuthConfig::default() },
            projected: true,
        }
    }
}

/// The service under test.
pub(crate) struct App {
    router: Router,
    document: Value,
    pub(crate) log: Arc<dyn Log>,
    pub(crate) registry: prometheus::Registry,
    board: Arc<ProgressBoard>,
    codec: Arc<Codec>,
    control: Arc<Control>,
    projector: Option<Projector>,
    _folder: tempfile::TempDir,
}

impl Drop for App {
    fn drop(&mut self) {
        if let Some(projector) = self.projector.take() {
            projector.stop().unwrap();
        }
    }
}

impl App {
    pub(crate) async fn start() -> Self {
        Self::start_with(Setup::default()).await
    }

    pub(crate) async fn start_with(setup: Setup) -> Self {
        let Setup { log, views, config, auth, projected } = setup;
        let folder = tempfile::tempdir().unwrap();
        // Settings are on a log of their own, so that faults of the journal don't reach them.
        let control = Control::follow(Arc::new(MemoryLog::new(1)), ControlConfig::default()).unwrap();
        bootstrap(&control, Vec::new(), now_us()).await.unwrap();
        let codec = Arc::new(Codec::new(LocalRegistry).unwrap());
        let boards = Arc::new(Boards::new(log.identity().partitions));
        let board = boards.of(&hindcast_fold::generation::GenerationSet::default().fingerprint().into());
        let registry = prometheus::Registry::new();
        let projector = projected.then(|| {
            let ports = ProjectorPorts {
                log: Arc::clone(&log),
                views: Arc::clone(&views),
                codec: Arc::clone(&codec),
                board: Arc::clone(&board),
                metrics: Arc::new(ProjectorMetrics::register(&registry).unwrap()),
                notices: Notices::All,
                pace: None,
            };
            let generations = control.settings().generations.clone().unwrap();
            Projector::start(&ports, &generations.set, &ProjectorConfig::default()).unwrap()
        });
        let keys = SigningKeys::load_or_create(&folder.path().join("keys.json")).unwrap();
        let ports = IngressPorts {
            log: Arc::clone(&log),
            views,
            boards,
            control: Arc::clone(&control),
            codec: Arc::clone(&codec),
            gate: Gate::new(Arc::clone(&control), keys, &auth),
            instruments: Arc::new(Instruments::default()),
        };
        let state = IngressState::new(ports, config, &registry).unwrap();
        let (router, document) = router(Arc::new(state)).split_for_parts();
        let router = Edge::new(&registry, false).unwrap().around(router);
        let document = serde_json::to_value(&document).unwrap();
        Self { router, document, log, registry, board, codec, control, projector, _folder: folder }
    }

    /// A new key of a user with the scope `trade`.
    pub(crate) async fn key(&self, user: &str) -> String {
        self.key_with(user, &["trade"]).await
    }

    pub(crate) async fn key_with(&self, user: &str, scopes: &[&str]) -> String {
        let user_id = UserId::new(user).unwrap();
        let key = new_key(&user_id).unwrap();
        let change = Change::ApiKeyCreated {
            id: key.id.clone(),
            user_id,
            scopes: scopes.iter().map(|&scope| scope.to_owned()).collect(),
            sha256: sha256_hex(&key.sha256),
            expires_at: None,
            requests_per_minute: None,
        };
        let requested = Requested { change, based_on: None, by: "test".to_owned(), why: String::new(), at: now_us() };
        self.control.change(requested).await.unwrap();
        key.secret.clone()
    }

    /// Sends JSON.
    pub(crate) async fn post(&self, path: &str, key: &str, body: impl Into<Body>) -> Answer {
        self.post_with(path, key, &[("content-type", "application/json")], body).await
    }

    /// Sends a body with these headers.
    pub(crate) async fn post_with(
        &self,
        path: &str,
        key: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Answer {
        let mut request = Request::builder().method(Method::POST).uri(path).header("x-api-key", key);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self.router.clone().oneshot(request.body(body.into()).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let body = serde_json::from_slice(&body).unwrap_or_else(|_| panic!("answered {body:?}"));
        let answer = Answer { status: parts.status, headers: parts.headers, body };
        self.check_described(path, &answer);
        answer
    }

    /// Every answer of every test is one that the document describes.
    fn check_described(&self, path: &str, answer: &Answer) {
        let path = if path.ends_with("/void") { "/v1/trades/{event_id}/void" } else { path };
        let described = &self.document["paths"][path]["post"]["responses"][answer.status.as_str()];
        assert!(described.is_object(), "{path} answers {answer:?}, which its document does not know");
        let content_type = answer.headers[header::CONTENT_TYPE].to_str().unwrap();
        assert!(described["content"][content_type].is_object(), "{path} answers {content_type}");
        if let Some(position) = answer.headers.get("hindcast-position") {
            assert!(described["headers"]["Hindcast-Position"].is_object(), "{path}");
            position.to_str().unwrap().parse::<Position>().unwrap();
        }
        if answer.status.as_u16() >= 400 {
            let body = answer.body.as_object().unwrap();
            assert_eq!(body["status"], answer.status.as_u16());
            assert!(["type", "title", "detail", "instance"].iter().all(|name| body[*name].is_string()), "{body:?}");
        }
        if answer.status == StatusCode::SERVICE_UNAVAILABLE {
            assert!(answer.headers.contains_key(header::RETRY_AFTER), "{answer:?}");
        }
    }

    pub(crate) fn document(&self) -> &Value {
        &self.document
    }

    /// All events of the journal, in the order of partitions and positions.
    pub(crate) fn journal(&self) -> Vec<(Position, Event<'static>)> {
        self.records().iter().map(|record| (record.position, owned(&self.codec, &record.value))).collect()
    }

    pub(crate) fn records(&self) -> Vec<Record> {
        let mut records = Vec::new();
        for partition in 0..self.log.identity().partitions {
            let (mut next, limit) = (0, ReadLimit { records: 10_000, bytes: usize::MAX });
            while next < *self.log.durable_end(Topic::Journal, partition).borrow() {
                next = self.log.read(Topic::Journal, partition, next, limit, &mut records).unwrap();
            }
        }
        records.retain(|record| record.record_type != RecordType::Genesis);
        records
    }

    /// Waits until everything in the journal is folded.
    pub(crate) async fn projected(&self) {
        for partition in 0..self.log.identity().partitions {
            let end = *self.log.durable_end(Topic::Journal, partition).borrow();
            let last = Position { epoch: 0, partition, offset: end - 1 };
            if end > 1 {
                self.board.wait(last, Duration::from_secs(10)).await.unwrap();
            }
        }
    }

    /// The value of a counter; 0 if it was never counted.
    pub(crate) fn count(&self, metric: &str) -> u64 {
        let text = prometheus::TextEncoder::new().encode_to_string(&self.registry.gather()).unwrap();
        text.lines().find_map(|line| line.strip_prefix(metric)?.trim().parse().ok()).unwrap_or(0)
    }
}

/// An event that borrows nothing from its record.
fn owned(codec: &Codec, value: &[u8]) -> Event<'static> {
    let leaked: &'static [u8] = Box::leak(value.to_vec().into_boxed_slice());
    codec.decode_event(leaked).unwrap()
}

/// What the service answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    /// The position and whether it is a duplicate, of an event that was taken in.
    pub(crate) fn recorded(&self) -> (Position, bool) {
        assert_eq!(self.status, StatusCode::CREATED, "{self:?}");
        let position = position(&self.body["position"]);
        assert_eq!(self.headers["hindcast-position"], position.to_string());
        (position, self.body["duplicate"].as_bool().unwrap())
    }

    /// The kind of a refusal.
    pub(crate) fn refused(&self, status: u16) -> &str {
        assert_eq!(self.status, status, "{self:?}");
        self.body["type"].as_str().unwrap().strip_prefix("/problems/").unwrap()
    }

    /// The pointers of all faults, sorted.
    pub(crate) fn pointers(&self) -> Vec<&str> {
        let mut pointers: Vec<_> =
            self.body["errors"].as_array().unwrap().iter().map(|error| error["pointer"].as_str().unwrap()).collect();
        pointers.sort_unstable();
        pointers
    }
}

pub(crate) fn position(value: &Value) -> Position {
    serde_json::from_value(value.clone()).unwrap_or_else(|_| panic!("{value} is a position"))
}

pub(crate) fn partition(user: &str) -> u16 {
    partition_of(user.as_bytes(), PARTITIONS)
}

pub(crate) fn signal() -> Value {
    json!({"symbol": "ES", "side": "LONG", "price": 6524.25, "rsi": 28.0, "vwap": 6532.5})
}

pub(crate) fn trade() -> Value {
    json!({"symbol": "ES", "side": "LONG", "entry_price": 6524.25, "exit_price": 6526.75, "pnl": 125.0})
}

/// An object with further fields, or others in place of some of its own.
pub(crate) fn with(mut object: Value, fields: Value) -> Value {
    let Value::Object(fields) = fields else { panic!("{fields} is an object") };
    for (name, value) in fields {
        object[name] = value;
    }
    object
}

//! A system of its own for a benchmark, in an empty place, with keys of users.

use std::{net::SocketAddr, path::Path, time::Duration};

use bytes::Bytes;
use http::{HeaderValue, Method, Request, header};
use http_body_util::{BodyExt, Full};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use serde_json::json;

use super::{
    BenchError,
    places::{Place, Places},
};
use crate::serve::{self, Role, Running, config::LogEngine};

/// A running system and what is needed to talk to it.
pub(super) struct System {
    running: Running,
    addr: SocketAddr,
    admin_key: String,
    place: Place,
}

impl System {
    /// All roles in this process.
    pub(super) async fn start(places: &Places) -> Result<Self, BenchError> {
        Self::start_in(places.make()?).await
    }

    /// What takes events in: all roles on the embedded engine, which one process has to itself; on Kafka, where a role
    /// is a process of its own, the ingress (and the admin, for keys). Projectors would share this machine's cores.
    pub(super) async fn start_ingress(places: &Places) -> Result<Self, BenchError> {
        let mut place = places.make()?;
        if places.log_engine() == LogEngine::Kafka {
            place.config.roles = vec![Role::Ingress, Role::Admin];
        }
        Self::start_in(place).await
    }

    async fn start_in(place: Place) -> Result<Self, BenchError> {
        let running = serve::start(place.config.clone()).await?;
        let admin_key = running.admin_key.clone().ok_or_else(|| BenchError("no admin key was created".to_owned()))?;
        let addr = running.addr_of(Role::Ingress).ok_or_else(|| BenchError("no listener".to_owned()))?;
        Ok(Self { running, addr, admin_key, place })
    }

    /// Names of the roles that run, for reports.
    pub(super) fn roles(&self) -> Vec<String> {
        self.place.config.roles.iter().map(|role| role.name().to_owned()).collect()
    }

    /// Where it keeps what is on this machine.
    pub(super) fn data_folder(&self) -> &Path {
        &self.place.config.data
    }

    pub(super) fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Keys of as many users, with the scope `trade`.
    pub(super) async fn users(&self, count: usize) -> Result<Vec<User>, BenchError> {
        let mut users = Vec::new();
        for number in 0..count {
            let user_id = format!("bench-{number}");
            let body = json!({"user_id": user_id, "scopes": ["trade"]});
            let answer = self.operate("/admin/v1/keys", &body).await?;
            let key = answer.get("key").and_then(|key| key.as_str()).unwrap_or_default();
            let mut authorization =
                HeaderValue::try_from(format!("Bearer {key}")).map_err(|error| BenchError(error.to_string()))?;
            authorization.set_sensitive(true);
            users.push(User { key: key.to_owned(), authorization });
        }
        Ok(users)
    }

    /// Sends one request and gives the body of its answer.
    pub(super) async fn post(
        &self,
        path: &str,
        key: &str,
        content_type: &str,
        body: impl Into<Bytes>,
    ) -> Result<Bytes, BenchError> {
        let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
        let request = Request::builder()
            .method(Method::POST)
            .uri(format!("http://{}{path}", self.addr))
            .header(header::AUTHORIZATION, format!("Bearer {key}"))
            .header(header::CONTENT_TYPE, content_type)
            .body(Full::new(body.into()))
            .map_err(|error| BenchError(error.to_string()))?;
        let response = client.request(request).await.map_err(|error| BenchError(error.to_string()))?;
        let status = response.status();
        let body = response.into_body().collect().await.map_err(|error| BenchError(error.to_string()))?.to_bytes();
        if status.is_success() {
            return Ok(body);
        }
        Err(BenchError(format!("{path} answered {status}: {}", String::from_utf8_lossy(&body))))
    }

    /// Sends one request of the admin and gives its answer.
    pub(super) async fn operate(&self, path: &str, body: &serde_json::Value) -> Result<serde_json::Value, BenchError> {
        let answer = self.post(path, &self.admin_key, "application/json", body.to_string()).await?;
        serde_json::from_slice(&answer).map_err(|error| BenchError(error.to_string()))
    }

    /// Waits until everything recorded is projected; where this process has no projector, nothing is waited for.
    pub(super) async fn caught_up(&self) -> Result<(), BenchError> {
        if !self.place.config.roles.contains(&Role::Projector) {
            return Ok(());
        }
        for _ in 0..1_200 {
            if self.running.lag_events() == 0 {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Err(BenchError("the projection did not catch up within a minute".to_owned()))
    }

    /// Stops in good order whatever was measured, so that nothing is written any more.
    pub(super) async fn stop_after<T>(self, measured: Result<T, BenchError>) -> Result<T, BenchError> {
        let stopped = self.running.shutdown().await;
        let measured = measured?;
        stopped?;
        Ok(measured)
    }
}

/// A user of the benchmark.
#[derive(Clone)]
pub(super) struct User {
    pub(super) key: String,
    pub(super) authorization: HeaderValue,
}

/// A POST of a user, to the address that the connection is to.
pub(super) fn post(path: &'static str, user: &User, content_type: &'static str, body: Bytes) -> Request<Full<Bytes>> {
    let mut request = Request::new(Full::new(body));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = http::Uri::from_static(path);
    let headers = request.headers_mut();
    headers.insert(header::HOST, HeaderValue::from_static("localhost"));
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::AUTHORIZATION, user.authorization.clone());
    request
}

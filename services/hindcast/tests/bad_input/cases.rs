//! Requests that must be refused, and what their answers must be like.

use http::Method;
use serde_json::Value;

use crate::support::{Answer, Http, Server};

pub(crate) const JSON: (&str, &str) = ("content-type", "application/json");
pub(crate) const NDJSON: (&str, &str) = ("content-type", "application/x-ndjson");

/// A request that must be refused, and how.
pub(crate) struct Case {
    pub(crate) what: &'static str,
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) status: u16,
    pub(crate) kind: &'static str,
    /// JSON pointers of all faults, in any order; not looked at when empty.
    pub(crate) pointers: Vec<&'static str>,
}

pub(crate) fn post(
    what: &'static str,
    path: &'static str,
    body: impl AsRef<[u8]>,
    status: u16,
    kind: &'static str,
) -> Case {
    let headers = vec![(JSON.0, JSON.1.to_owned())];
    let body = body.as_ref().to_vec();
    Case { what, method: Method::POST, path, headers, body, status, kind, pointers: Vec::new() }
}

pub(crate) fn get(what: &'static str, path: &'static str, status: u16, kind: &'static str) -> Case {
    Case { method: Method::GET, headers: Vec::new(), ..post(what, path, "", status, kind) }
}

/// A body of which some fields are wrong.
pub(crate) fn wrong(what: &'static str, path: &'static str, body: &Value, pointers: &[&'static str]) -> Case {
    Case { pointers: pointers.to_vec(), ..post(what, path, body.to_string(), 422, "validation") }
}

impl Case {
    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.retain(|(other, _)| *other != name);
        self.headers.push((name, value.to_owned()));
        self
    }

    pub(crate) fn without_content_type(mut self) -> Self {
        self.headers.retain(|(name, _)| *name != JSON.0);
        self
    }
}

pub(crate) struct System {
    // Before the folder, so that it ends first.
    pub(crate) server: Server,
    pub(crate) folder: tempfile::TempDir,
    pub(crate) http: Http,
}

impl System {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        // Failed authentications are limited by address; that is another test's subject.
        let server =
            Server::start_with(&folder.path().join("data"), &[("HINDCAST_AUTH__FAILURES_PER_MINUTE", "100000")]);
        let http = Http::new(&server.url);
        Self { server, folder, http }
    }

    /// Sends every case and judges the answers; nothing may have been stored.
    pub(crate) async fn refuses(&self, key: Option<&str>, cases: Vec<Case>) {
        let before = self.http.log_ends().await;
        for case in cases {
            let headers: Vec<_> = case.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let answer = self.http.try_send(case.method.clone(), case.path, key, &headers, case.body.clone()).await;
            let answer = answer.unwrap_or_else(|error| panic!("{}: {error}", case.what));
            judge(&case, &answer);
            assert_eq!(self.http.log_ends().await, before, "{}: something was stored", case.what);
        }
    }

    pub(crate) fn stop(self) {
        self.server.stop();
        drop(self.folder);
    }
}

pub(crate) fn judge(case: &Case, answer: &Answer) {
    let what = format!("{} ({} {})", case.what, case.method, case.path);
    assert_eq!(answer.status.as_u16(), case.status, "{what}: {answer:?}");
    let problem = answer.problem();
    assert_eq!(problem["type"], format!("/problems/{}", case.kind), "{what}: {problem}");
    for field in ["title", "detail", "instance"] {
        assert!(problem[field].as_str().is_some_and(|text| !text.is_empty()), "{what}: no {field} in {problem}");
    }
    if !case.pointers.is_empty() {
        let errors = problem["errors"].as_array().unwrap_or_else(|| panic!("{what}: no errors in {problem}"));
        let mut pointers: Vec<_> = errors.iter().map(|error| error["pointer"].as_str().unwrap()).collect();
        let mut wanted = case.pointers.clone();
        pointers.sort_unstable();
        wanted.sort_unstable();
        assert_eq!(pointers, wanted, "{what}: {problem}");
        assert!(errors.iter().all(|error| error["detail"].as_str().is_some_and(|text| !text.is_empty())), "{what}");
    }
    tells_nothing_of_the_inside(&what, answer);
}

/// No paths of the machine, no names of Rust, no panics.
pub(crate) fn tells_nothing_of_the_inside(what: &str, answer: &Answer) {
    let text = String::from_utf8_lossy(&answer.body);
    for inside in
        ["::", ".rs", "panicked", "unwrap", "hindcast_", "/root", "/home", "/tmp", "serde", "backtrace", "Err("]
    {
        assert!(!text.contains(inside), "{what} tells of the inside ({inside}): {text}");
    }
}

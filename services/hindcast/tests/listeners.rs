//! Roles with listeners of their own: each serves its own routes and everybody's health.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // a test

mod support;

use http::{Method, StatusCode};
use support::{Http, Server, signal};

#[tokio::test]
async fn a_role_may_have_a_listener_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    // Addresses of this machine alone; with any free port each.
    let own = [("HINDCAST_INGRESS__LISTEN", "127.0.0.2:0"), ("HINDCAST_ADMIN__LISTEN", "127.0.0.3:0")];
    let server = Server::start_with(&folder.path().join("data"), &own);
    let url = |role: &str| server.told["roles"][role].as_str().unwrap().to_owned();
    assert!(url("ingress").starts_with("http://127.0.0.2:"), "{}", server.told);
    assert_eq!((url("projector"), url("confidence")), (server.url.clone(), server.url.clone()));
    let (ingress, confidence, admin) = (Http::new(&url("ingress")), Http::new(&server.url), Http::new(&url("admin")));
    let key = admin.trader("own-listeners").await;

    for (http, mine) in [(&ingress, "/v1/signals"), (&confidence, "/v1/confidence")] {
        for path in ["/v1/signals", "/v1/confidence"] {
            let status = http.post(path, &key, &signal("ES")).await.status;
            assert_eq!(status.is_success(), path == mine, "{path} on {}: {status}", http.url);
            assert!(path == mine || status == StatusCode::NOT_FOUND, "{path} on {}: {status}", http.url);
        }
    }
    for http in [&ingress, &confidence, &admin] {
        for path in ["/health", "/livez", "/readyz", "/metrics", "/openapi.json"] {
            let answer = http.try_send(Method::GET, path, None, &[], "").await.unwrap();
            assert!(answer.status.is_success(), "{path} on {}: {answer:?}", http.url);
        }
    }
    admin.caught_up().await;
    server.stop();
}

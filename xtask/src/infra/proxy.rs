//! The proxy in front of small servers: who gets which request, and which requests nobody gets.

mod running;
mod upstream;

use std::{collections::BTreeMap, fs, path::Path};

use hindcast_test_services::run_folder;
use running::{Answer, Proxy};
use upstream::Upstream;

use crate::{
    failure::{Failure, StepResult},
    needs,
    report::say,
};

/// Users whose keys are tried.
const ROUTES: usize = 40;
/// `{"alg":"EdDSA"}`, `{"route":"route07"}` and a signature that nobody checks here.
const TOKEN_OF_ROUTE_7: &str = "eyJhbGciOiJFZERTQSJ9.eyJyb3V0ZSI6InJvdXRlMDcifQ.c2ln";

/// Runs it.
pub(super) fn check() -> StepResult {
    needs::program_of("haproxy", "-v", "haproxy")?;
    needs::program_of("openssl", "version", "openssl")?;
    needs::program_of("curl", "--version", "curl")?;
    let folder = run_folder().join(format!("proxy-{}", std::process::id()));
    fs::create_dir_all(&folder).map_err(|error| Failure::new(format!("{}: {error}", folder.display())))?;
    let checked = check_in(&folder);
    let _ = fs::remove_dir_all(&folder);
    checked
}

fn check_in(folder: &Path) -> StepResult {
    let names = ["ingress-1", "ingress-2", "confidence-1", "confidence-2", "admin-1"];
    let mut upstreams = names.into_iter().map(Upstream::start).collect::<Result<Vec<_>, _>>()?;
    let proxy = Proxy::start(folder, &upstreams)?;
    expect("the proxy's own probe", &proxy.ask(&proxy.probe(), &[])?, 200, "")?;
    roles(&proxy)?;
    let before = replicas(&proxy)?;
    headers(&proxy)?;
    limits(&proxy, folder)?;
    encryption(&proxy)?;
    upstreams.retain(|upstream| upstream.name != "ingress-2");
    one_replica_less(&proxy, &before)?;
    upstreams.retain(|upstream| upstream.name != "ingress-1");
    no_replica(&proxy)?;
    say("the proxy: roles, replicas by user, headers, limits, outages and encryption are as they should be");
    Ok(())
}

/// Each path goes to the role that serves it.
fn roles(proxy: &Proxy) -> StepResult {
    for (method, path, role) in [
        ("POST", "/v1/signals", "ingress"),
        ("POST", "/v1/trades", "ingress"),
        ("POST", "/v1/trades/0198c0de-0000-7000-8000-000000000000/void", "ingress"),
        ("POST", "/v1/events", "ingress"),
        ("POST", "/api/ml/save_trade", "ingress"),
        ("POST", "/v1/confidence?dry_run=true", "confidence"),
        ("POST", "/api/ml/get_confidence", "confidence"),
        ("GET", "/api/ml/stats?user_id=a&symbol=ES", "confidence"),
        ("GET", "/v1/views/ES", "confidence"),
        ("GET", "/v1/activity", "confidence"),
        ("GET", "/v1/decisions", "confidence"),
        ("GET", "/health", "confidence"),
        ("POST", "/v1/auth/token", "admin"),
        ("GET", "/v1/auth/jwks", "admin"),
        ("GET", "/v1/journal?partition=0&from=0", "admin"),
        ("GET", "/admin/v1/status", "admin"),
        ("GET", "/openapi.json", "admin"),
        ("GET", "/docs/", "admin"),
    ] {
        expect(&format!("{method} {path}"), &proxy.ask(path, &["--request", method])?, 200, role)?;
    }
    Ok(())
}

/// All requests of a user reach one replica of a role, whatever key or token they show; users are spread.
fn replicas(proxy: &Proxy) -> Result<BTreeMap<String, String>, Failure> {
    let mut chosen = BTreeMap::new();
    for number in 0..ROUTES {
        let route = format!("route{number:02}");
        let shown = [
            format!("x-api-key: hc_{route}_one"),
            format!("x-api-key: hc_{route}_two"),
            format!("authorization: Bearer hc_{route}_one"),
        ];
        for header in shown {
            let answer = proxy.ask("/v1/trades", &["--data", "{}", "--header", &header])?;
            expect(&header, &answer, 200, "ingress-")?;
            let first = chosen.entry(route.clone()).or_insert_with(|| answer.upstream().to_owned());
            if first != answer.upstream() {
                return Err(Failure::new(format!(
                    "{header}: {} got it, and {first} another of this user",
                    answer.upstream()
                )));
            }
        }
    }
    let token =
        proxy.ask("/v1/trades", &["--data", "{}", "--header", &format!("authorization: Bearer {TOKEN_OF_ROUTE_7}")])?;
    let key = chosen.get("route07").map_or("", String::as_str);
    expect("a token of route07", &token, 200, key)?;
    let first = chosen.values().filter(|upstream| *upstream == "ingress-1").count();
    if !(ROUTES / 5..=ROUTES - ROUTES / 5).contains(&first) {
        return Err(Failure::new(format!("of {ROUTES} users ingress-1 got {first}")));
    }
    Ok(chosen)
}

/// A replica that goes away moves its users alone.
fn one_replica_less(proxy: &Proxy, before: &BTreeMap<String, String>) -> StepResult {
    for route in before.keys() {
        let answer = proxy.ask("/v1/trades", &["--data", "{}", "--header", &format!("x-api-key: hc_{route}_one")])?;
        expect(&format!("{route} without ingress-2"), &answer, 200, "ingress-1")?;
    }
    Ok(())
}

/// Without a process of a role its clients are told so as the services would, and the other roles go on.
fn no_replica(proxy: &Proxy) -> StepResult {
    let answer = proxy.ask("/v1/trades", &["--data", "{}"])?;
    expect("a trade without ingress", &answer, 503, "{")?;
    if !answer.body.contains("\"outcome\":\"none\"") {
        return Err(Failure::new(format!("what became of a write is not told: {answer:?}")));
    }
    expect("a read without ingress", &proxy.ask("/v1/views/ES", &[])?, 200, "confidence-")
}

/// What services are told of a client is what the proxy knows, not what the client says.
fn headers(proxy: &Proxy) -> StepResult {
    let sent = [
        "x-forwarded-for: 6.6.6.6",
        "forwarded: for=6.6.6.6",
        "x-real-ip: 6.6.6.6",
        "x-request-id: bot-7",
        "traceparent: 00-1-2-3",
    ];
    let sent: Vec<_> = sent.iter().flat_map(|header| ["--header", header]).collect();
    let answer = proxy.ask("/v1/views/ES", &sent)?;
    expect("a request with headers", &answer, 200, "confidence-")?;
    for line in
        ["x-forwarded-for: 127.0.0.1", "x-forwarded-proto: https", "x-request-id: bot-7", "traceparent: 00-1-2-3"]
    {
        if !answer.body.lines().any(|found| found == line) {
            return Err(Failure::new(format!("the services don't get {line:?} but\n{}", answer.body)));
        }
    }
    if answer.body.contains("6.6.6.6") {
        return Err(Failure::new(format!("the services get what a client made up:\n{}", answer.body)));
    }
    Ok(())
}

/// Bodies, heads and paths that nobody gets.
fn limits(proxy: &Proxy, folder: &Path) -> StepResult {
    let file = folder.join("body");
    let body = |bytes: usize| {
        fs::write(&file, vec![b' '; bytes]).map_err(|error| Failure::new(format!("{}: {error}", file.display())))?;
        // Not asked first whether it may be sent: that would hide who refuses it.
        proxy.ask("/v1/events", &["--header", "expect:", "--data-binary", &format!("@{}", file.display())])
    };
    expect("a body of 1 MiB", &body(1 << 20)?, 200, "ingress-")?;
    for _ in 0..5 {
        expect("a body of 2 MiB", &body(2 << 20)?, 413, "ingress-")?;
    }
    // The proxy answers without reading it, so the client may see the answer or a broken connection.
    if let Ok(answer) = body(5 << 20) {
        expect("a body of 5 MiB", &answer, 413, "{")?;
    }
    let long = format!("x-long: {}", "x".repeat(40_000));
    expect("a head of 40 kB", &proxy.ask("/v1/views/ES", &["--header", &long])?, 400, "")?;
    for path in ["/metrics", "/livez", "/readyz"] {
        expect(path, &proxy.ask(path, &[])?, 404, "{")?;
    }
    Ok(())
}

/// Nothing in the clear, nothing older than TLS 1.2.
fn encryption(proxy: &Proxy) -> StepResult {
    let plain = proxy.ask(&format!("{}/docs/", proxy.http()), &[])?;
    if plain.status != 308 || !plain.location.starts_with("https://") {
        return Err(Failure::new(format!("plain HTTP is not redirected: {plain:?}")));
    }
    let key = ["--header", "x-api-key: hc_route01_one"];
    expect("a key in the clear", &proxy.ask(&format!("{}/v1/views/ES", proxy.http()), &key)?, 403, "{")?;
    for version in ["--tlsv1.2", "--tlsv1.3"] {
        expect(version, &proxy.ask("/health", &[version])?, 200, "confidence-")?;
    }
    if proxy
        .ask("/health", &["--tlsv1.0", "--tls-max", "1.1", "--ciphers", "DEFAULT@SECLEVEL=0", "--stderr", "/dev/null"])
        .is_ok()
    {
        return Err(Failure::new("TLS 1.1 is taken"));
    }
    Ok(())
}

fn expect(what: &str, answer: &Answer, status: u16, upstream: &str) -> StepResult {
    if answer.status == status && answer.upstream().starts_with(upstream) {
        return Ok(());
    }
    Err(Failure::new(format!("{what}: expected {status} {upstream}, got {answer:?}")))
}

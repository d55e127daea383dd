//! Every kind of bad input is refused with a problem of its own, tells nothing of the inside, and stores nothing.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // a test

mod support;

use std::{path::Path, time::Duration};

use http::{Method, StatusCode};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use support::{Answer, Http, Server, signal, trade, with};

const JSON: (&str, &str) = ("content-type", "application/json");
const NDJSON: (&str, &str) = ("content-type", "application/x-ndjson");

/// A request that must be refused, and how.
struct Case {
    what: &'static str,
    method: Method,
    path: &'static str,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    status: u16,
    kind: &'static str,
    /// JSON pointers of all faults, in any order; not looked at when empty.
    pointers: Vec<&'static str>,
}

fn post(what: &'static str, path: &'static str, body: impl AsRef<[u8]>, status: u16, kind: &'static str) -> Case {
    let headers = vec![(JSON.0, JSON.1.to_owned())];
    let body = body.as_ref().to_vec();
    Case { what, method: Method::POST, path, headers, body, status, kind, pointers: Vec::new() }
}

fn get(what: &'static str, path: &'static str, status: u16, kind: &'static str) -> Case {
    Case { method: Method::GET, headers: Vec::new(), ..post(what, path, "", status, kind) }
}

/// A body of which some fields are wrong.
fn wrong(what: &'static str, path: &'static str, body: &Value, pointers: &[&'static str]) -> Case {
    Case { pointers: pointers.to_vec(), ..post(what, path, body.to_string(), 422, "validation") }
}

impl Case {
    fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.retain(|(other, _)| *other != name);
        self.headers.push((name, value.to_owned()));
        self
    }

    fn without_content_type(mut self) -> Self {
        self.headers.retain(|(name, _)| *name != JSON.0);
        self
    }
}

struct System {
    // Before the folder, so that it ends first.
    server: Server,
    folder: tempfile::TempDir,
    http: Http,
}

impl System {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        // Failed authentications are limited by address; that is another test's subject.
        let server =
            Server::start_with(&folder.path().join("data"), &[("HINDCAST_AUTH__FAILURES_PER_MINUTE", "100000")]);
        let http = Http::new(&server.url);
        Self { server, folder, http }
    }

    /// Sends every case and judges the answers; nothing may have been stored.
    async fn refuses(&self, key: Option<&str>, cases: Vec<Case>) {
        let before = self.http.log_ends().await;
        for case in cases {
            let headers: Vec<_> = case.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let answer = self.http.try_send(case.method.clone(), case.path, key, &headers, case.body.clone()).await;
            let answer = answer.unwrap_or_else(|error| panic!("{}: {error}", case.what));
            judge(&case, &answer);
            assert_eq!(self.http.log_ends().await, before, "{}: something was stored", case.what);
        }
    }

    fn stop(self) {
        self.server.stop();
        drop(self.folder);
    }
}

fn judge(case: &Case, answer: &Answer) {
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
fn tells_nothing_of_the_inside(what: &str, answer: &Answer) {
    let text = String::from_utf8_lossy(&answer.body);
    for inside in
        ["::", ".rs", "panicked", "unwrap", "hindcast_", "/root", "/home", "/tmp", "serde", "backtrace", "Err("]
    {
        assert!(!text.contains(inside), "{what} tells of the inside ({inside}): {text}");
    }
}

#[tokio::test]
async fn bodies() {
    let system = System::start();
    let key = system.http.trader("careless-1").await;
    let mut cases = malformed();
    cases.extend(wrong_signals());
    cases.extend(wrong_trades());
    cases.extend(old_routes());
    cases.extend(batches());
    cases.extend(media_types());
    cases.extend(headers_and_queries());
    assert!(cases.len() > 90, "{}", cases.len());
    system.refuses(Some(&key), cases).await;
    items_of_batches(&system, &key).await;
    system.stop();
}

const WRITES: [&str; 4] = ["/v1/signals", "/v1/trades", "/v1/confidence", "/api/ml/get_confidence"];

fn malformed() -> Vec<Case> {
    let mut cases = Vec::new();
    let deep = format!("{}{}", r#"{"features":"#.repeat(200), "}".repeat(200));
    let deep_array = format!(r#"{{"symbol":{}{}}}"#, "[".repeat(60_000 / 2), "]".repeat(60_000 / 2));
    let mut no_text = br#"{"symbol":"ES"#.to_vec();
    no_text.extend([0xff, 0xfe, b'"', b'}']);
    let bodies: [(&str, Vec<u8>); 14] = [
        ("an empty body", Vec::new()),
        ("broken off", b"{\"symbol\": \"ES\"".to_vec()),
        ("no JSON", b"symbol=ES".to_vec()),
        ("XML", b"<signal/>".to_vec()),
        ("a comma too many", b"{\"symbol\": \"ES\",}".to_vec()),
        ("something after the body", b"{\"symbol\": \"ES\"} {}".to_vec()),
        ("a bare NaN", b"{\"rsi\": NaN}".to_vec()),
        ("a bare Infinity", b"{\"price\": Infinity}".to_vec()),
        ("a bare -Infinity", b"{\"price\": -Infinity}".to_vec()),
        ("a number beyond any float", b"{\"price\": 1e999}".to_vec()),
        ("nested 200 deep", deep.into_bytes()),
        ("lists nested 30,000 deep", deep_array.into_bytes()),
        ("invalid UTF-8", no_text),
        ("half a surrogate pair", br#"{"symbol": "\ud800"}"#.to_vec()),
    ];
    for path in WRITES.into_iter().chain(["/api/ml/save_trade"]) {
        for (what, body) in &bodies {
            cases.push(post(what, path, body, 400, "malformed-body"));
        }
        for (what, body) in [("a list", "[]"), ("a text", "\"signal\""), ("null", "null"), ("a number", "7")] {
            cases.push(Case { pointers: vec![""], ..post(what, path, body, 422, "validation") });
        }
        let large = format!("{}{}", " ".repeat(64 << 10), signal("ES"));
        cases.push(post("more than 64 KiB", path, large, 413, "payload-too-large"));
    }
    cases
}

fn wrong_signals() -> Vec<Case> {
    let faulty = |fields: Value| with(signal("ES"), fields);
    let mut cases = Vec::new();
    for path in ["/v1/signals", "/v1/confidence", "/v1/confidence?dry_run=true"] {
        let one =
            |what: &'static str, fields: Value, pointer: &'static str| wrong(what, path, &faulty(fields), &[pointer]);
        cases.extend([
            wrong("nothing that is required", path, &json!({}), &["/symbol", "/side", "/price", "/rsi"]),
            one("a field of another name", json!({"pirce": 1}), "/pirce"),
            one("a symbol nobody trades here", json!({"symbol": "XYZ"}), "/symbol"),
            one("a symbol in lower case", json!({"symbol": "es"}), "/symbol"),
            one("a symbol that is a number", json!({"symbol": 7}), "/symbol"),
            one("a side that is none", json!({"side": "UP"}), "/side"),
            one("a side in lower case", json!({"side": "long"}), "/side"),
            one("a price that is an object", json!({"price": {}}), "/price"),
            one("a price of zero", json!({"price": 0}), "/price"),
            one("a price below zero", json!({"price": -1.5}), "/price"),
            one("a price beyond 64 bits", json!({"price": 1e10}), "/price"),
            one("a price with ten decimals", json!({"price": "1.0123456789"}), "/price"),
            one("a price with an exponent", json!({"price": "1e3"}), "/price"),
            one("a price that is the text NaN", json!({"price": "NaN"}), "/price"),
            one("a price that is the text Infinity", json!({"price": "Infinity"}), "/price"),
            one("an rsi that is a text", json!({"rsi": "28"}), "/rsi"),
            one("an rsi that is the text NaN", json!({"rsi": "NaN"}), "/rsi"),
            one("an rsi above 100", json!({"rsi": 100.000001}), "/rsi"),
            one("an rsi below 0", json!({"rsi": -0.1}), "/rsi"),
            one("an rsi that is null", json!({"rsi": null}), "/rsi"),
            one("a negative volume", json!({"volume": -1}), "/volume"),
            one("an atr beyond all markets", json!({"atr": 1e16}), "/atr"),
            one("an id that is no UUID", json!({"event_id": "7"}), "/event_id"),
            one("an id of zeros", json!({"event_id": "00000000-0000-0000-0000-000000000000"}), "/event_id"),
            one("a time without an offset", json!({"occurred_at": "2026-03-02T14:00:00"}), "/occurred_at"),
            one("a time before 1970", json!({"occurred_at": "1969-12-31T23:59:59Z"}), "/occurred_at"),
            one("a day that does not exist", json!({"occurred_at": "2026-02-30T14:00:00Z"}), "/occurred_at"),
            one("a strategy without a name", json!({"strategy": ""}), "/strategy"),
            one("a strategy of 65 characters", json!({"strategy": "x".repeat(65)}), "/strategy"),
            one("features that are a list", json!({"features": []}), "/features"),
            one("a feature that is a text", json!({"features": {"spread": "1"}}), "/features/spread"),
            one("a feature with a strange name", json!({"features": {"a/b~": 1}}), "/features/a~1b~0"),
            one("a user id that is too short", json!({"user_id": "me"}), "/user_id"),
            wrong(
                "several faults at once",
                path,
                &json!({"symbol": "XYZ", "side": 1, "price": "1.0123456789", "rsi": 101, "volume": -1, "more": true}),
                &["/symbol", "/side", "/price", "/rsi", "/volume", "/more"],
            ),
            post(
                "a field given twice",
                path,
                r#"{"symbol":"ES","side":"LONG","price":1,"rsi":1,"rsi":2}"#,
                422,
                "validation",
            ),
            post("another user's id", path, faulty(json!({"user_id": "careless-2"})).to_string(), 403, "forbidden"),
        ]);
    }
    cases
}

fn wrong_trades() -> Vec<Case> {
    let path = "/v1/trades";
    let one = |what: &'static str, fields: Value, pointer: &'static str| {
        wrong(what, path, &with(trade("ES", 1.0), fields), &[pointer])
    };
    vec![
        wrong(
            "nothing that is required",
            path,
            &json!({}),
            &["/symbol", "/side", "/entry_price", "/exit_price", "/pnl"],
        ),
        one("a pnl with ten decimals", json!({"pnl": "-0.0000000001"}), "/pnl"),
        one("a pnl beyond 64 bits", json!({"pnl": -1e11}), "/pnl"),
        one("a pnl that is true", json!({"pnl": true}), "/pnl"),
        one("a quantity of zero", json!({"quantity": 0}), "/quantity"),
        one("a reason nobody knows", json!({"exit_reason": "BORED"}), "/exit_reason"),
        one("simulated that is a text", json!({"simulated": "yes"}), "/simulated"),
        one("a decision id that is no UUID", json!({"decision_id": 1}), "/decision_id"),
        one(
            "closed before it was entered",
            json!({"entry_time": "2026-03-02T14:00:00Z", "exit_time": "2026-03-02T13:59:59Z"}),
            "/exit_time",
        ),
        post(
            "another user's id",
            path,
            with(trade("ES", 1.0), json!({"user_id": "careless-2"})).to_string(),
            403,
            "forbidden",
        ),
        post("a void of no trade", "/v1/trades/0192f8a0-0000-7000-8000-000000000001/void", "{}", 404, "not-found"),
        post("a void of no id", "/v1/trades/7/void", "{}", 404, "not-found"),
        post(
            "a void with broken JSON",
            "/v1/trades/0192f8a0-0000-7000-8000-000000000001/void",
            "{",
            400,
            "malformed-body",
        ),
        wrong(
            "a void with wrong fields",
            "/v1/trades/0192f8a0-0000-7000-8000-000000000001/void",
            &json!({"reason": "", "position": {"epoch": 256, "partition": 0}, "why": 1}),
            &["/reason", "/position/epoch", "/position/offset", "/why"],
        ),
    ]
}

fn old_routes() -> Vec<Case> {
    let ask = json!({"user_id": "careless-1", "symbol": "ES", "signal_type": "LONG", "vwap_distance": 0.5, "rsi": 30});
    let save = json!({
        "user_id": "careless-1", "symbol": "ES", "side": "long", "entry_price": 1, "exit_price": 2, "pnl": 1, "entry_vwap": 0
    });
    let one = |what, path, body: &Value, fields, pointer| wrong(what, path, &with(body.clone(), fields), &[pointer]);
    let (confidence, save_trade) = ("/api/ml/get_confidence", "/api/ml/save_trade");
    vec![
        one("a distance beyond 10 %", confidence, &ask, json!({"vwap_distance": 10.5}), "/vwap_distance"),
        one("a distance below zero", confidence, &ask, json!({"vwap_distance": -0.1}), "/vwap_distance"),
        one("an rsi above 100", confidence, &ask, json!({"rsi": 101}), "/rsi"),
        one("a symbol nobody trades here", confidence, &ask, json!({"symbol": "XYZ"}), "/symbol"),
        one("a signal type that is none", confidence, &ask, json!({"signal_type": "BUY"}), "/signal_type"),
        one("a user id with a space", confidence, &ask, json!({"user_id": "care less"}), "/user_id"),
        post(
            "another user's id",
            confidence,
            with(ask.clone(), json!({"user_id": "careless-2"})).to_string(),
            403,
            "forbidden",
        ),
        one("a price of zero", save_trade, &save, json!({"entry_price": 0}), "/entry_price"),
        one("a vwap below zero", save_trade, &save, json!({"entry_vwap": -1}), "/entry_vwap"),
        one("a side that is none", save_trade, &save, json!({"side": "up"}), "/side"),
        wrong(
            "nothing that is required",
            save_trade,
            &json!({"unknown": "is ignored here"}),
            &["/user_id", "/symbol", "/side", "/entry_price", "/exit_price", "/pnl", "/entry_vwap"],
        ),
        post(
            "another user's id",
            save_trade,
            with(save.clone(), json!({"user_id": "careless-2"})).to_string(),
            403,
            "forbidden",
        ),
        get("another user's totals", "/api/ml/stats?user_id=careless-2", 403, "forbidden"),
        get("totals of a symbol nobody trades here", "/api/ml/stats?symbol=XYZ", 422, "validation"),
    ]
}

fn batches() -> Vec<Case> {
    let path = "/v1/events";
    let item = with(signal("ES"), json!({"type": "signal"}));
    let many = Value::Array(vec![item.clone(); 1_001]).to_string();
    let many_lines = format!("{item}\n").repeat(1_001);
    let large = format!("[{}{item}]", " ".repeat(1 << 20));
    let large_lines = format!("{}\n{item}", " ".repeat(1 << 20));
    vec![
        Case { pointers: vec![""], ..post("1,001 events", path, &many, 422, "validation") },
        Case { pointers: vec![""], ..post("1,001 lines", path, many_lines, 422, "validation") }
            .header(NDJSON.0, NDJSON.1),
        post("more than 1 MiB", path, large, 413, "payload-too-large"),
        post("more than 1 MiB of lines", path, large_lines, 413, "payload-too-large").header(NDJSON.0, NDJSON.1),
        post("a batch that is broken off", path, format!("[{item}, "), 400, "malformed-body"),
        post("a batch that is no list", path, item.to_string(), 422, "validation"),
        post("an empty body", path, "", 400, "malformed-body"),
    ]
}

fn media_types() -> Vec<Case> {
    let body = signal("ES").to_string();
    let mut cases = Vec::new();
    for path in
        ["/v1/signals", "/v1/trades", "/v1/confidence", "/api/ml/get_confidence", "/api/ml/save_trade", "/v1/events"]
    {
        let unread = || post("a media type that is not read", path, &body, 415, "unsupported-media-type");
        cases.push(unread().header(JSON.0, "text/plain"));
        cases.push(unread().header(JSON.0, "application/x-www-form-urlencoded"));
        cases.push(unread().header(JSON.0, "application/jsonx"));
        cases.push(unread().without_content_type());
    }
    cases.push(
        post("lines where one event is read", "/v1/signals", &body, 415, "unsupported-media-type")
            .header(NDJSON.0, NDJSON.1),
    );
    cases
}

fn headers_and_queries() -> Vec<Case> {
    let body = signal("ES").to_string();
    let long = "x".repeat(256);
    vec![
        post("an empty idempotency key", "/v1/signals", &body, 400, "bad-request").header("idempotency-key", ""),
        post("an idempotency key of 256", "/v1/signals", &body, 400, "bad-request").header("idempotency-key", &long),
        get("a position that is none", "/v1/views/ES", 400, "bad-request").header("hindcast-min-position", "0-1"),
        get("a control offset that is none", "/v1/views/ES", 400, "bad-request").header("hindcast-control", "-1"),
        get("a symbol nobody trades here", "/v1/views/XYZ", 404, "not-found"),
        get("a count that is none", "/v1/views/ES?recent=many", 400, "bad-request"),
        get("a parameter nobody knows", "/v1/views/ES?recnt=1", 400, "bad-request"),
        get("a day that is none", "/v1/activity?from=yesterday&to=2026-13-01", 422, "validation"),
        get("more than a year", "/v1/activity?from=2020-01-01&to=2026-01-01", 422, "validation"),
        post("a dry run that is maybe", "/v1/confidence?dry_run=maybe", &body, 400, "bad-request"),
        get("a route that is none", "/v1/nothing", 404, "not-found"),
        get("a method that the route does not take", "/v1/signals", 405, "method-not-allowed"),
        get("history without the scope", "/v1/journal?partition=0", 403, "forbidden"),
        get("status without the scope", "/admin/v1/status", 403, "forbidden"),
        get("keys without the scope", "/admin/v1/keys", 403, "forbidden"),
        post(
            "a key without the scope",
            "/admin/v1/keys",
            r#"{"user_id":"careless-1","scopes":["admin"]}"#,
            403,
            "forbidden",
        ),
        Case { method: Method::DELETE, ..get("revoking without the scope", "/admin/v1/keys/k1", 403, "forbidden") },
        get("dead letters without the scope", "/admin/v1/dead-letters?partition=0", 403, "forbidden"),
    ]
}

/// A bad item of a batch does not spoil the others, and is told all its faults.
async fn items_of_batches(system: &System, key: &str) {
    let good = with(signal("ES"), json!({"type": "signal"}));
    let deep = format!(r#"{{"type":"signal","features":{}{}}}"#, "[".repeat(300), "]".repeat(300));
    let bad: [(String, u16, &[&str]); 8] = [
        (
            json!({"type": "signal", "symbol": "XYZ", "side": "LONG", "price": 0, "rsi": 1}).to_string(),
            422,
            &["/price", "/symbol"],
        ),
        (json!({"type": "order"}).to_string(), 422, &[]),
        (signal("ES").to_string(), 422, &["/type"]),
        ("7".to_owned(), 422, &[]),
        (with(good.clone(), json!({"user_id": "careless-2"})).to_string(), 403, &[]),
        (
            with(good.clone(), json!({"import": {"source": "", "sequence": 0}})).to_string(),
            422,
            &["/import/sequence", "/import/source"],
        ),
        (with(good.clone(), json!({"more": 1})).to_string(), 422, &["/more"]),
        (deep, 400, &[]),
    ];
    let items: Vec<String> = bad.iter().flat_map(|(item, _, _)| [good.to_string(), item.clone()]).collect();
    for (content_type, body) in [(JSON, format!("[{}]", items.join(","))), (NDJSON, items.join("\n\n"))] {
        let stored = |ends: Vec<[u64; 3]>| ends.iter().map(|end| end[0]).sum::<u64>();
        let before = stored(system.http.log_ends().await);
        let answer = system.http.try_send(Method::POST, "/v1/events", Some(key), &[content_type], body).await.unwrap();
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        tells_nothing_of_the_inside("a batch", &answer);
        let results = answer.json()["results"].clone();
        for (index, (item, status, pointers)) in bad.iter().enumerate() {
            assert_eq!(results[index * 2]["status"], 201, "{results}");
            let refused = &results[index * 2 + 1];
            assert_eq!(
                (&refused["status"], &refused["error"]["status"]),
                (&json!(status), &json!(status)),
                "{item}: {refused}"
            );
            let errors = refused["error"]["errors"].as_array().cloned().unwrap_or_default();
            let mut found: Vec<_> = errors.iter().map(|error| error["pointer"].as_str().unwrap()).collect();
            found.sort_unstable();
            assert!(pointers.is_empty() || found == *pointers, "{item}: {refused}");
        }
        assert_eq!(stored(system.http.log_ends().await), before + bad.len() as u64, "the good ones only");
    }
    // One line that is no JSON is one bad item.
    let lines = format!("{good}\n{{broken\n{good}\n");
    let answer = system.http.try_send(Method::POST, "/v1/events", Some(key), &[NDJSON], lines).await.unwrap().json();
    let statuses: Vec<_> = (0..3).map(|index| answer["results"][index]["status"].as_u64().unwrap()).collect();
    assert_eq!(statuses, [201, 400, 201], "{answer}");
}

#[tokio::test]
async fn unknown_fields_are_ignored_on_the_routes_of_existing_bots() {
    let system = System::start();
    let key = system.http.trader("careless-1").await;
    let ask = json!({"user_id": "careless-1", "symbol": "ES", "signal": "LONG", "price": 6500, "vwap": 6510, "rsi": 30, "mood": [{}]});
    let answer = system.http.post("/api/ml/get_confidence", &key, &ask).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let save = json!({
        "user_id": "careless-1", "symbol": "ES", "side": "Long", "entry_price": "6500.25", "exit_price": 6510, "pnl": 480,
        "entry_vwap": 0, "duration": "soon", "mood": {"a": null}
    });
    let answer = system.http.post("/api/ml/save_trade", &key, &save).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    assert_eq!(answer.json()["saved"], true);
    system.stop();
}

#[tokio::test]
async fn credentials() {
    let system = System::start();
    let http = &system.http;
    let operator = http.operator().await;
    let new = |fields: Value| with(json!({"user_id": "careless-1", "scopes": ["trade"]}), fields);
    let good = http.trader("careless-1").await;
    let brief = http.new_key(&operator, &new(json!({"expires_in_s": 1}))).await;
    let revoked = http.new_key(&operator, &new(json!({}))).await;
    let path = format!("/admin/v1/keys/{}", revoked["id"].as_str().unwrap());
    let answer = http.try_send(Method::DELETE, &path, Some(&operator), &[], "").await.unwrap();
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    tokio::time::sleep(Duration::from_millis(1_100)).await;

    let token =
        http.post("/v1/auth/token", &good, &json!({})).await.json()["access_token"].as_str().unwrap().to_owned();
    let forged = forged_tokens(http, &token).await;
    let own = own_keys(&system.folder.path().join("data"), &token);

    let body = signal("ES").to_string();
    let with_header = |what: &'static str, name: &'static str, value: &str| {
        post(what, "/v1/signals", &body, 401, "unauthorized").header(name, value)
    };
    let key = |secret: &Value| secret["key"].as_str().unwrap().to_owned();
    let mut cases = vec![
        post("no credentials", "/v1/signals", &body, 401, "unauthorized"),
        get("no credentials", "/v1/views/ES", 401, "unauthorized"),
        get("no credentials", "/admin/v1/status", 401, "unauthorized"),
        get("no credentials", "/v1/journal?partition=0", 401, "unauthorized"),
        with_header("an empty key", "x-api-key", ""),
        with_header("a garbled key", "x-api-key", &format!("{}x", &good[..good.len() - 1])),
        with_header("half a key", "x-api-key", &good[..good.len() / 2]),
        with_header("a key of its route only", "x-api-key", "hc_aaaaaaaa_"),
        with_header("a very long key", "x-api-key", &"x".repeat(6_000)),
        with_header("an expired key", "x-api-key", &key(&brief)),
        with_header("a revoked key", "x-api-key", &key(&revoked)),
        with_header("a user and a password", "authorization", "Basic dXNlcjpwYXNz"),
        with_header("nothing after Bearer", "authorization", "Bearer"),
        with_header("a garbled token", "authorization", &format!("Bearer {}A", &token[..token.len() - 2])),
        with_header("two dots", "authorization", "Bearer .."),
        with_header("two credentials that differ", "authorization", &format!("Bearer {token}"))
            .header("x-api-key", &good),
    ];
    for (what, forged) in forged.into_iter().chain(own) {
        cases.push(with_header(what, "authorization", &format!("Bearer {forged}")));
    }
    system.refuses(None, cases).await;
    // The token and the key that the forgeries were made from do work.
    for (name, value) in [("authorization", format!("Bearer {token}")), ("x-api-key", good)] {
        let headers = [JSON, (name, value.as_str())];
        let answer = http.try_send(Method::POST, "/v1/signals", None, &headers, body.clone()).await.unwrap();
        assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
    }
    system.stop();
}

fn part(token: &str, index: usize) -> Value {
    serde_json::from_slice(&from_base64url(token.split('.').nth(index).unwrap())).unwrap()
}

/// Tokens that somebody without the signing key can make.
async fn forged_tokens(http: &Http, token: &str) -> Vec<(&'static str, String)> {
    let (header, claims) = (part(token, 0), part(token, 1));
    let kid = header["kid"].as_str().unwrap().to_owned();
    let jwks = http.try_send(Method::GET, "/v1/auth/jwks", None, &[], "").await.unwrap().json();
    let public = jwks["keys"].as_array().unwrap().iter().find(|key| key["kid"] == kid).unwrap();
    let public = public["x"].as_str().unwrap().to_owned();
    let parts: Vec<&str> = token.split('.').collect();
    let unsigned = |header: Value| format!("{}.{}", base64url(header.to_string().as_bytes()), parts[1]);
    let with_kid = |algorithm| Header { kid: Some(kid.clone()), ..Header::new(algorithm) };
    let by_secret =
        |secret: &[u8]| encode(&with_kid(Algorithm::HS256), &claims, &EncodingKey::from_secret(secret)).unwrap();
    let other_key = EncodingKey::from_ed_der(&pkcs8(&[7; 32]));
    let promoted = with(claims.clone(), json!({"scopes": ["trade", "admin", "replay"]}));
    let other_user = with(claims.clone(), json!({"sub": "careless-2"}));
    let body = |claims: &Value| base64url(claims.to_string().as_bytes());
    vec![
        ("alg none", format!("{}.", unsigned(json!({"alg": "none", "typ": "JWT", "kid": kid})))),
        ("alg None with the old signature", format!("{}.{}", unsigned(json!({"alg": "None", "kid": kid})), parts[2])),
        ("signed by another key", encode(&with_kid(Algorithm::EdDSA), &claims, &other_key).unwrap()),
        ("signed by another key, which it brings along", {
            let header = json!({"alg": "EdDSA", "jwk": {"kty": "OKP", "crv": "Ed25519", "x": public}, "kid": "other"});
            format!("{}.{}", unsigned(header), parts[2])
        }),
        ("HS256 with the public key as secret", by_secret(&from_base64url(&public))),
        ("HS256 with the public key's text as secret", by_secret(public.as_bytes())),
        ("HS256 with an empty secret", by_secret(b"")),
        ("an unknown kid", format!("{}.{}", unsigned(json!({"alg": "EdDSA", "typ": "JWT", "kid": "other"})), parts[2])),
        ("no kid", format!("{}.{}", unsigned(json!({"alg": "EdDSA", "typ": "JWT"})), parts[2])),
        ("more scopes than were signed", format!("{}.{}.{}", parts[0], body(&promoted), parts[2])),
        ("another user than was signed", format!("{}.{}.{}", parts[0], body(&other_user), parts[2])),
        ("no signature", format!("{}.{}.", parts[0], parts[1])),
        ("a fourth part", format!("{token}.{}", parts[2])),
    ]
}

/// Tokens that are signed by the right key and wrong all the same.
fn own_keys(data: &Path, token: &str) -> Vec<(&'static str, String)> {
    let (header, claims) = (part(token, 0), part(token, 1));
    let file = walk(data).into_iter().find_map(|file| {
        let text: Value = serde_json::from_slice(&std::fs::read(file).ok()?).ok()?;
        text["keys"][0]["seed"].as_str().map(str::to_owned)
    });
    let seed = file.expect("the data folder holds the signing key");
    let seed: Vec<u8> = (0..32).map(|byte| u8::from_str_radix(&seed[byte * 2..byte * 2 + 2], 16).unwrap()).collect();
    let key = EncodingKey::from_ed_der(&pkcs8(&seed));
    let kid = header["kid"].as_str().map(str::to_owned);
    let sign =
        |claims: &Value| encode(&Header { kid: kid.clone(), ..Header::new(Algorithm::EdDSA) }, claims, &key).unwrap();
    assert_eq!(sign(&claims).split('.').count(), 3);
    let now = claims["iat"].as_u64().unwrap();
    let changed = |fields: Value| sign(&with(claims.clone(), fields));
    let without = |name: &str| {
        let mut claims = claims.clone();
        claims.as_object_mut().unwrap().remove(name);
        sign(&claims)
    };
    vec![
        ("an expired token", changed(json!({"exp": now - 1, "iat": now - 900}))),
        ("a token of another issuer", changed(json!({"iss": "somebody-else"}))),
        ("a token for somebody else", changed(json!({"aud": "somebody-else"}))),
        ("a token that is not valid yet", changed(json!({"nbf": now + 3_600}))),
        ("a token of a key that does not exist", changed(json!({"key_id": "knothing"}))),
        ("a token for another user than its key's", changed(json!({"sub": "careless-2"}))),
        ("a token without an end", without("exp")),
        ("a token without a user", without("sub")),
        ("a token without an issuer", without("iss")),
        ("a token without an audience", without("aud")),
    ]
}

fn walk(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

/// An Ed25519 private key as RFC 8410 writes it.
fn pkcs8(seed: &[u8]) -> Vec<u8> {
    let head = [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];
    [head.as_slice(), seed].concat()
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

fn base64url(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits = (0..3).fold(0_usize, |bits, index| bits << 8 | usize::from(chunk.get(index).copied().unwrap_or(0)));
        for index in 0..=chunk.len() {
            text.push(char::from(ALPHABET[bits >> (18 - 6 * index) & 63]));
        }
    }
    text
}

fn from_base64url(text: &str) -> Vec<u8> {
    let (mut bytes, mut bits, mut held) = (Vec::new(), 0_u32, 0_u32);
    for letter in text.bytes() {
        let value = ALPHABET.iter().position(|&known| known == letter).unwrap();
        bits = bits << 6 | u32::try_from(value).unwrap();
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from(bits >> held & 0xff).unwrap());
        }
    }
    bytes
}

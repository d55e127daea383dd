//! Bodies, headers and queries.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    batches::{batches, items_of_batches},
    cases::{Case, JSON, NDJSON, System, get, post, wrong},
    support::{signal, trade, with},
};

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

//! Batches, and their items.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    cases::{Case, JSON, NDJSON, System, post, tells_nothing_of_the_inside},
    support::{signal, with},
};

pub(crate) fn batches() -> Vec<Case> {
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

/// A bad item of a batch does not spoil the others, and is told all its faults.
pub(crate) async fn items_of_batches(system: &System, key: &str) {
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

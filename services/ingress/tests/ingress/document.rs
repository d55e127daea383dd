//! What the routes say of themselves.

use serde_json::{Value, json};

use crate::app::App;

#[tokio::test]
async fn every_route_is_described() {
    let app = App::start().await;
    let document = app.document();
    let paths: Vec<_> = document["paths"].as_object().unwrap().keys().collect();
    assert_eq!(paths, ["/api/ml/save_trade", "/v1/events", "/v1/signals", "/v1/trades", "/v1/trades/{event_id}/void"]);
    for (path, item) in document["paths"].as_object().unwrap() {
        let post = &item["post"];
        assert!(post["summary"].is_string() && post["requestBody"]["content"].is_object(), "{path}");
        for status in ["400", "401", "403", "408", "413", "415", "422", "429", "503"] {
            let problem = &post["responses"][status]["content"]["application/problem+json"]["schema"]["$ref"];
            assert_eq!(problem, "#/components/schemas/ProblemDocument", "{path} {status}");
        }
        assert_eq!(post["responses"]["409"].is_object(), !path.ends_with("void") && path != "/v1/events", "{path}");
    }
    let events = &document["paths"]["/v1/events"]["post"]["requestBody"]["content"];
    assert_eq!(events["application/json"]["schema"]["$ref"], "#/components/schemas/BatchArray");
    assert!(events["application/x-ndjson"]["schema"].is_object(), "{events}");
}

#[tokio::test]
async fn every_reference_leads_somewhere() {
    let app = App::start().await;
    let mut missing = Vec::new();
    look_for_references(app.document(), app.document(), &mut missing);
    assert!(missing.is_empty(), "{missing:?}");
    let signal = &app.document()["components"]["schemas"]["Signal"];
    assert_eq!(signal["required"], json!(["symbol", "side", "price", "rsi"]));
}

fn look_for_references(document: &Value, value: &Value, missing: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::String(reference)) = fields.get("$ref")
                && document.pointer(reference.trim_start_matches('#')).is_none()
            {
                missing.push(reference.clone());
            }
            fields.values().for_each(|value| look_for_references(document, value, missing));
        }
        Value::Array(items) => items.iter().for_each(|value| look_for_references(document, value, missing)),
        _ => {}
    }
}

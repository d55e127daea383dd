use super::*;
use crate::known::{KNOWN_SCHEMAS, current};

#[test]
fn every_known_version_reads_every_other() {
    let found: Vec<_> = check_all().iter().map(ToString::to_string).collect();
    assert!(found.is_empty(), "{found:#?}");
}

/// The current schema of a subject with one piece of its text replaced.
fn changed(subject: Subject, from: &str, to: &str) -> String {
    let json = current(subject).unwrap().json;
    assert_eq!(json.matches(from).count(), 1, "{from} must occur once in {}", subject.name());
    json.replace(from, to)
}

fn conflicts(subject: Subject, from: &str, to: &str) -> Vec<String> {
    let current = current(subject).unwrap().version;
    let next = current + 1;
    check_next(subject, &changed(subject, from, to))
        .into_iter()
        // Both directions with the current version; older ones say the same.
        .filter(|found| found.writer_version.min(found.reader_version) == current)
        .map(|found| {
            let direction = if found.reader_version == next { "new reads old" } else { "old reads new" };
            format!("{direction}: {}", found.conflict)
        })
        .collect()
}

#[test]
fn compatible_changes_pass() {
    let subject = Subject::SignalReceived;
    for (what, from, to) in [
        ("a doc", "Contracts traded in the bar of the signal.", "Contracts."),
        (
            "a field with a default, first",
            r#""fields": [
    {
      "name": "event_id","#,
            r#""fields": [
    { "name": "session_id", "type": ["null", { "type": "fixed", "name": "Session", "size": 16 }], "default": null },
    {
      "name": "event_id","#,
        ),
        ("an alias", r#""name": "price_e9","#, r#""aliases": ["price"], "name": "price_e9","#),
    ] {
        assert_eq!(conflicts(subject, from, to), [""; 0], "{what}");
    }
    let reason = r#""MANUAL", "OTHER"]"#;
    assert_eq!(conflicts(Subject::TradeClosed, reason, r#""MANUAL", "MARGIN", "OTHER"]"#), [""; 0]);
}

#[test]
fn a_type_defined_elsewhere_is_the_same_type() {
    // The new field comes before event_id, so that what was spelt out there is now only named.
    let subject = Subject::TradeClosed;
    let spelt_out = r#"{ "type": "fixed", "name": "Uuid", "size": 16, "logicalType": "uuid", "doc": "The 16 bytes of a UUID in network order (RFC 9562)." }"#;
    let json = changed(subject, spelt_out, r#""Uuid""#).replacen(
        r#""fields": ["#,
        &format!(r#""fields": [{{ "name": "batch_id", "type": ["null", {spelt_out}], "default": null }},"#),
        1,
    );
    assert_eq!(check_next(subject, &json), []);
}

#[test]
fn incompatible_changes_are_found() {
    let subject = Subject::SignalReceived;
    for (from, to, expected) in [
        (
            r#"{ "name": "symbol", "doc""#,
            r#"{ "name": "venue", "type": "string" }, { "name": "symbol", "doc""#,
            &["new reads old: venue: the writer lacks it and the reader has no default"][..],
        ),
        (
            r#"{ "name": "symbol", "doc""#,
            r#"{ "name": "ticker", "doc""#,
            &[
                "new reads old: ticker: the writer lacks it and the reader has no default",
                "old reads new: symbol: the writer lacks it and the reader has no default",
            ],
        ),
        (
            r#""name": "sequence", "doc": "Row within it, from 1.", "type": "long""#,
            r#""name": "sequence", "doc": "Row within it, from 1.", "type": "int""#,
            &["new reads old: only some"],
        ),
        (r#""size": 16"#, r#""size": 8"#, &["new reads old: event_id: ", "old reads new: event_id: "]),
        (r#"["LONG", "SHORT"]"#, r#"["LONG", "SHORT", "FLAT"]"#, &["old reads new: only some"]),
        (
            r#""name": "SignalReceived""#,
            r#""name": "SignalSeen""#,
            &["new reads old: Incompatible schemata! The name", "old reads new: Incompatible schemata! The name"],
        ),
        (r#""values": "double""#, r#""values": "string""#, &["new reads old: features: ", "old reads new: features: "]),
    ] {
        let found = conflicts(subject, from, to);
        assert_eq!(found.len(), expected.len(), "{to}: {found:#?}");
        for (found, expected) in found.iter().zip(expected) {
            assert!(found.starts_with(expected), "{to}: {found} is not {expected}");
        }
    }
}

#[test]
fn what_is_no_schema_is_found() {
    let found = check_next(Subject::TradeVoided, r#"{"type": "record", "name": "TradeVoided"}"#);
    assert!(!found.is_empty());
    assert!(found.iter().all(|found| matches!(found.conflict, Conflict::NotASchema { .. })), "{found:#?}");
    for known in KNOWN_SCHEMAS {
        assert_eq!(can_read(known.json, known.json), Ok(()), "{known:?}");
    }
}

#[test]
fn a_decision_holds_the_current_signal_whole() {
    let current = |subject| parse(current(subject).unwrap().json).unwrap();
    let (Schema::Record(decision), signal) = (current(Subject::DecisionMade), current(Subject::SignalReceived)) else {
        panic!("a decision is a record");
    };
    let held = decision.fields.into_iter().find(|field| field.name == "signal").unwrap();
    assert_eq!(held.schema.canonical_form(), signal.canonical_form(), "a new signal needs a new decision");
}

//! Bodies put together at random of good and bad fields: exactly the bad ones are told, and events hold the good ones.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // tests

use std::collections::BTreeSet;

use hindcast_bodies::{Invalid, MAX_FAULTS, Stamp, parse_item, parse_signal, parse_trade, parse_void};
use hindcast_domain::{Instruments, MoneyE9, TimestampUs};
use hindcast_schemas::Event;
use proptest::{
    prelude::*,
    sample::{select, subsequence},
};
use uuid::Uuid;

/// Values of one field, as JSON texts, by a reading of the rules that shares no code with them.
struct FieldCases {
    name: &'static str,
    required: bool,
    good: &'static [&'static str],
    bad: &'static [&'static str],
}

const IDS: (&[&str], &[&str]) = (
    &["\"0192f8a0-0000-7000-8000-000000000001\"", "\"0192F8A0000070008000000000000001\"", "null"],
    &["\"\"", "\"0192f8a0-0000-7000-8000-00000000000\"", "7", "\"00000000-0000-0000-0000-000000000000\"", "{}"],
);
const PRICES: (&[&str], &[&str]) = (
    &["6524.25", "1", "\"0.000000001\"", "1e-9", "\"9223372036.854775807\"", "6524.2500000000001"],
    &["0", "-1", "\"0\"", "\"-0.1\"", "\"1.0000000000\"", "1e10", "\"1e3\"", "\"\"", "true", "[1]", "1e-10"],
);
const AMOUNTS: (&[&str], &[&str]) =
    (&["0", "-12.5", "\"-12.5\"", "87.5", "-0"], &["\"+1\"", "1e300", "\"1.\"", "\"NaN\"", "false", "{\"a\":1}"]);
const TIMES: (&[&str], &[&str]) = (
    &["\"2025-11-14T14:30:00Z\"", "\"2025-11-14T14:30:00.123456+05:30\"", "null"],
    &["\"2025-11-14\"", "1763130600", "\"2025-11-14T14:30:00\"", "\"2025-13-14T14:30:00Z\"", "[]"],
);
const RSIS: (&[&str], &[&str]) = (&["0", "100", "28.5", "1e1"], &["-0.1", "100.1", "\"28\"", "true"]);
const MEASURES: (&[&str], &[&str]) = (&["0", "1200", "0.5", "null", "1e15"], &["-1", "\"1\"", "1.1e15", "[]"]);

const fn field(
    name: &'static str,
    required: bool,
    cases: (&'static [&'static str], &'static [&'static str]),
) -> FieldCases {
    FieldCases { name, required, good: cases.0, bad: cases.1 }
}

const SIGNAL: &[FieldCases] = &[
    field("event_id", false, IDS),
    field("user_id", false, (&["\"trader-1\"", "null", "\"a.b_c\""], &["\"abcd\"", "\"a b c\"", "1", "\"ümlaut\""])),
    field("occurred_at", false, TIMES),
    field("symbol", true, (&["\"ES\"", "\"NQ\"", "\"\\u0045S\""], &["\"es\"", "\"GC\"", "\"\"", "1", "null"])),
    field("side", true, (&["\"LONG\"", "\"SHORT\""], &["\"long\"", "1", "null", "\"\""])),
    field("price", true, PRICES),
    field("rsi", true, RSIS),
    field("volume", false, MEASURES),
    field("atr", false, MEASURES),
    field("volume_ratio", false, MEASURES),
    field("strategy", false, (&["\"vwap\"", "\"\\u00fc\\\"\"", "null"], &["\"\"", "\"\\u0000\"", "1"])),
    field(
        "features",
        false,
        (&["{}", "{\"hour\":14,\"vix\":19.5}", "null", "{\"a.b-c_D\":-1}"], &["[]", "1", "\"a\""]),
    ),
    field("unknown", false, (&[], &["1", "null", "{\"deep\":[[[{}]]]}", "\"\""])),
];

const TRADE: &[FieldCases] = &[
    field("event_id", false, IDS),
    field("signal_id", false, IDS),
    field("decision_id", false, IDS),
    field("symbol", true, (&["\"CL\"", "\"RTY\""], &["\"es\"", "null"])),
    field("side", true, (&["\"LONG\"", "\"SHORT\""], &["\"Long\"", "[]"])),
    field("quantity", false, (&["1", "0.5", "null"], &["0", "-1", "\"1\""])),
    field("entry_price", true, PRICES),
    field("exit_price", true, PRICES),
    field("pnl", true, AMOUNTS),
    field("entry_vwap", false, PRICES),
    field("entry_rsi", false, RSIS),
    field("exit_vwap", false, PRICES),
    field("exit_rsi", false, RSIS),
    field("exit_time", false, TIMES),
    field("exit_reason", false, (&["\"STOP\"", "\"OTHER\"", "null"], &["\"stop\"", "1"])),
    field("max_adverse", false, AMOUNTS),
    field("max_favourable", false, AMOUNTS),
    field("simulated", false, (&["true", "false", "null"], &["1", "\"true\""])),
    field("price", false, (&[], &["1"])),
];

/// A body: the text, and the names that are bad in it.
fn body(cases: &'static [FieldCases]) -> impl Strategy<Value = (String, BTreeSet<String>)> {
    let all: Vec<usize> = (0..cases.len()).collect();
    // Mostly whole bodies, so that good ones come up.
    let chosen = prop_oneof![3 => Just(all.clone()), 1 => subsequence(all.clone(), 0..=all.len())];
    chosen.prop_shuffle().prop_flat_map(move |chosen| {
        let missing: BTreeSet<String> = cases
            .iter()
            .enumerate()
            .filter(|(index, case)| case.required && !chosen.contains(index))
            .map(|(_, case)| format!("/{}", case.name))
            .collect();
        let values: Vec<_> = chosen
            .into_iter()
            .map(|index| {
                let case = &cases[index];
                let bad = select(case.bad).prop_map(|text| (text, true));
                if case.good.is_empty() {
                    // A name that no field has: mostly left out.
                    prop_oneof![5 => Just(("", false)), 1 => bad].boxed()
                } else {
                    prop_oneof![12 => select(case.good).prop_map(|text| (text, false)), 1 => bad].boxed()
                }
                .prop_map(move |(text, bad)| (case.name, text, bad))
            })
            .collect();
        values.prop_map(move |values| {
            let mut expected = missing.clone();
            let mut fields = Vec::new();
            for (name, text, bad) in values {
                if bad {
                    expected.insert(format!("/{name}"));
                }
                if !text.is_empty() {
                    fields.push(format!("\"{name}\": {text}"));
                }
            }
            (format!("{{{}}}", fields.join(" , ")), expected)
        })
    })
}

fn told<T>(parsed: Result<T, Invalid>) -> Result<T, BTreeSet<String>> {
    parsed.map_err(|invalid| match invalid {
        Invalid::Fields(faults) => faults.into_iter().map(|fault| fault.pointer).collect(),
        Invalid::Malformed { detail } => panic!("{detail}"),
    })
}

const STAMP: Stamp = Stamp { now: TimestampUs(1_763_130_600_000_000), event_id: Uuid::from_u128(7) };

/// What a body says of a field, by another parser.
fn number(body: &serde_json::Value, name: &str) -> Option<f64> {
    body.get(name).and_then(serde_json::Value::as_f64)
}

fn money(body: &serde_json::Value, name: &str) -> Option<MoneyE9> {
    match body.get(name)? {
        serde_json::Value::String(text) => MoneyE9::from_decimal(text).ok(),
        value => MoneyE9::from_f64(value.as_f64()?).ok(),
    }
}

fn text<'a>(body: &'a serde_json::Value, name: &str) -> Option<&'a str> {
    body.get(name).and_then(serde_json::Value::as_str)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn signals((body, expected) in body(SIGNAL)) {
        let parsed = told(parse_signal(body.as_bytes(), &Instruments::default()));
        let signal = match parsed {
            Err(faults) => return { prop_assert_eq!(faults, expected, "{}", body); Ok(()) },
            Ok(signal) => signal,
        };
        prop_assert!(expected.is_empty(), "{} should be refused for {:?}", body, expected);
        let value: serde_json::Value = serde_json::from_str(&body).unwrap();
        prop_assert_eq!(signal.event_id(), text(&value, "event_id").map(|id| id.parse().unwrap()));
        let event = signal.clone().into_event("trader-1", &STAMP);
        prop_assert_eq!(Some(&*event.symbol), text(&value, "symbol"));
        prop_assert_eq!(event.strategy.as_deref(), text(&value, "strategy"));
        prop_assert_eq!(event.price_e9, money(&value, "price"));
        prop_assert_eq!(event.rsi, number(&value, "rsi"));
        prop_assert_eq!(event.volume, number(&value, "volume"));
        prop_assert_eq!(event.atr, number(&value, "atr"));
        prop_assert_eq!(event.volume_ratio, number(&value, "volume_ratio"));
        let features = value.get("features").and_then(|features| features.as_object());
        let features: Vec<_> = features.into_iter().flatten().map(|(name, v)| (name.as_str(), v.as_f64().unwrap())).collect();
        prop_assert_eq!(event.features.iter().map(|(name, v)| (name.as_ref(), *v)).collect::<Vec<_>>(), features);

        // The same as an item of a batch, wherever its type stands.
        let leading = body.replacen('{', "{\"type\":\"signal\"  ,", 1);
        let (fields, _) = body.rsplit_once('}').unwrap();
        let trailing = format!("{fields},\"type\":\"signal\"}}");
        for item in [leading, trailing] {
            let parsed = parse_item(item.as_bytes(), &Instruments::default()).unwrap();
            prop_assert_eq!(parsed.into_event("trader-1", &STAMP), Event::Signal(event.clone()));
        }
    }

    #[test]
    fn trades((body, expected) in body(TRADE)) {
        let parsed = told(parse_trade(body.as_bytes(), &Instruments::default()));
        let trade = match parsed {
            Err(faults) => return { prop_assert_eq!(faults, expected, "{}", body); Ok(()) },
            Ok(trade) => trade,
        };
        prop_assert!(expected.is_empty(), "{} should be refused for {:?}", body, expected);
        let value: serde_json::Value = serde_json::from_str(&body).unwrap();
        let event = trade.into_event("trader-1", &STAMP);
        prop_assert_eq!(event.side.as_str(), text(&value, "side").unwrap());
        prop_assert_eq!(event.quantity, number(&value, "quantity"));
        prop_assert_eq!(Some(event.entry_price_e9), money(&value, "entry_price"));
        prop_assert_eq!(Some(event.pnl_e9), money(&value, "pnl"));
        prop_assert_eq!(event.max_adverse_e9, money(&value, "max_adverse"));
        prop_assert_eq!(event.exit_vwap_e9, money(&value, "exit_vwap"));
        prop_assert_eq!(event.signal_id, text(&value, "signal_id").map(|id| id.parse().unwrap()));
        prop_assert_eq!(event.simulated, value.get("simulated").and_then(|v| v.as_bool()).unwrap_or(false));
        prop_assert_eq!(event.exit_time.is_some(), text(&value, "exit_time").is_some());
    }

    #[test]
    fn any_bytes_are_a_body_or_not(bytes: Vec<u8>) {
        let instruments = Instruments::default();
        let _ = (parse_signal(&bytes, &instruments), parse_item(&bytes, &instruments), parse_void(&bytes));
    }

    #[test]
    fn any_json_is_a_body_or_not(text in json()) {
        let instruments = Instruments::default();
        for parsed in [
            parse_signal(text.as_bytes(), &instruments).map(|_| ()),
            parse_trade(text.as_bytes(), &instruments).map(|_| ()),
            parse_item(text.as_bytes(), &instruments).map(|_| ()),
        ] {
            match parsed {
                Err(Invalid::Fields(faults)) => prop_assert!((1..=MAX_FAULTS).contains(&faults.len())),
                Err(Invalid::Malformed { detail }) => prop_assert!(detail.contains("nested deeper"), "{}", detail),
                Ok(()) => {}
            }
        }
    }
}

/// Some JSON text with names of fields in it.
fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|v| v.to_string()),
        any::<i64>().prop_map(|v| v.to_string()),
        any::<u64>().prop_map(|v| v.to_string()),
        (-1e300..1e300).prop_map(|v| format!("{v:e}")),
        "[a-zA-Z0-9 .:-]{0,12}".prop_map(|v| format!("\"{v}\"")),
    ];
    leaf.prop_recursive(20, 64, 4, |inner| {
        let name = select(vec!["type", "symbol", "price", "features", "import", "x"]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(","))),
            prop::collection::vec((name, inner), 0..4).prop_map(|fields| {
                let fields: Vec<_> = fields.into_iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
                format!("{{{}}}", fields.join(","))
            }),
        ]
    })
}

//! What each body is refused for.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // tests

use hindcast_bodies::{
    FieldError, Invalid, legacy::parse_get_confidence, legacy::parse_save_trade, parse_item, parse_signal, parse_trade,
    parse_void,
};
use hindcast_domain::Instruments;

const SIGNAL: &str = r#"{"symbol":"ES","side":"LONG","price":6524.25,"rsi":28}"#;
const TRADE: &str = r#"{"symbol":"ES","side":"SHORT","entry_price":6524.25,"exit_price":"6520.5","pnl":187.5}"#;

fn faults<T: std::fmt::Debug>(parsed: Result<T, Invalid>) -> Vec<FieldError> {
    match parsed {
        Err(Invalid::Fields(faults)) => faults,
        other => panic!("expected faults of fields, got {other:?}"),
    }
}

fn pointers<T: std::fmt::Debug>(parsed: Result<T, Invalid>) -> Vec<String> {
    let mut pointers: Vec<_> = faults(parsed).into_iter().map(|fault| fault.pointer).collect();
    pointers.sort();
    pointers
}

fn signal_with(fields: &str) -> String {
    format!("{},{fields}}}", SIGNAL.trim_end_matches('}'))
}

fn trade_with(fields: &str) -> String {
    format!("{},{fields}}}", TRADE.trim_end_matches('}'))
}

fn signal(body: &str) -> Result<(), Invalid> {
    parse_signal(body.as_bytes(), &Instruments::default()).map(|_| ())
}

fn trade(body: &str) -> Result<(), Invalid> {
    parse_trade(body.as_bytes(), &Instruments::default()).map(|_| ())
}

#[test]
fn least_bodies_are_good() {
    signal(SIGNAL).unwrap();
    trade(TRADE).unwrap();
}

#[test]
fn what_is_no_json_is_malformed() {
    let deep = format!("{{\"symbol\":{}1{}}}", "[".repeat(40_000), "]".repeat(40_000));
    let deep_unknown = format!("{{\"x\":{}1{}}}", "{\"a\":".repeat(17), "}".repeat(17));
    let mut invalid_utf8 = signal_with("\"strategy\":\"?\"").into_bytes();
    let place = invalid_utf8.iter().position(|&b| b == b'?').unwrap();
    invalid_utf8[place] = 0xff;
    for bad in [
        b"".as_slice(),
        b" ",
        b"{",
        b"{\"symbol\":\"ES\"",
        b"{\"symbol\":\"ES\",}",
        b"{symbol:\"ES\"}",
        b"{'symbol':'ES'}",
        b"{\"price\":NaN}",
        b"{\"price\":Infinity}",
        b"{\"price\":-Infinity}",
        b"{\"price\":1e999}",
        b"{\"price\":+1}",
        b"{\"price\":01}",
        b"{\"price\":.5}",
        b"{\"price\":1.}",
        b"{\"strategy\":\"\\ud800\"}",
        b"{\"strategy\":\"\n\"}",
        b"{} {}",
        b"\xef\xbb\xbf{}",
        deep.as_bytes(),
        deep_unknown.as_bytes(),
        &invalid_utf8,
    ] {
        let parsed = parse_signal(bad, &Instruments::default());
        assert!(matches!(parsed, Err(Invalid::Malformed { .. })), "{:?}: {parsed:?}", String::from_utf8_lossy(bad));
        let parsed = parse_get_confidence(bad, &Instruments::default());
        assert!(matches!(parsed, Err(Invalid::Malformed { .. })), "{:?}: {parsed:?}", String::from_utf8_lossy(bad));
    }
}

#[test]
fn what_is_no_object_is_told_so() {
    for bad in ["null", "true", "1", "-1", "1.5", "\"ES\"", "[]", "[{}]"] {
        assert_eq!(faults(signal(bad)), [FieldError::new("", "must be a JSON object")], "{bad}");
    }
}

#[test]
fn all_faults_are_told_at_once() {
    let body = r#"{
        "event_id":"no", "user_id":"a b", "occurred_at":"yesterday", "side":"long", "price":0, "rsi":100.5, "vwap":"1e3",
        "volume":-1, "atr":"1", "volume_ratio":true, "strategy":"", "features":{"a b":1, "vix":"high"}, "a/b~c":1
    }"#;
    assert_eq!(
        pointers(signal(body)),
        [
            "/atr",
            "/a~1b~0c",
            "/event_id",
            "/features/a b",
            "/features/vix",
            "/occurred_at",
            "/price",
            "/rsi",
            "/side",
            "/strategy",
            "/symbol",
            "/user_id",
            "/volume",
            "/volume_ratio",
            "/vwap",
        ]
    );
    let body = r#"{"signal_id":1, "decision_id":"x", "symbol":"GC", "side":null, "quantity":0, "entry_price":-1,
        "pnl":"0.1234567890", "entry_time":1, "exit_time":"2025-11-14T14:30:00", "entry_vwap":0, "entry_rsi":-1,
        "exit_vwap":[], "exit_rsi":{}, "exit_reason":"target", "max_adverse":"", "max_favourable":1e10, "simulated":1}"#;
    assert_eq!(
        pointers(trade(body)),
        [
            "/decision_id",
            "/entry_price",
            "/entry_rsi",
            "/entry_time",
            "/entry_vwap",
            "/exit_price",
            "/exit_reason",
            "/exit_rsi",
            "/exit_time",
            "/exit_vwap",
            "/max_adverse",
            "/max_favourable",
            "/pnl",
            "/quantity",
            "/side",
            "/signal_id",
            "/simulated",
            "/symbol",
        ]
    );
}

#[test]
fn the_list_of_faults_is_bounded() {
    let many: Vec<_> = (0..5_000).map(|n| format!("\"unknown_{n}\":{n}")).collect();
    assert_eq!(faults(signal(&format!("{{{}}}", many.join(",")))).len(), hindcast_bodies::MAX_FAULTS);
}

#[test]
fn an_unknown_symbol_is_told_the_known_ones() {
    let told = faults(signal(&SIGNAL.replace("ES", "GC")));
    assert_eq!(told, [FieldError::new("/symbol", "must be one of the known symbols: CL, ES, NQ, RTY, YM")]);
}

#[test]
fn names_given_twice_are_refused() {
    for twice in [
        r#""price":6524.25"#,
        r#""features":{},"features":{}"#,
        r#""vwap":1,"vwap":null"#,
        r#""features":{"a":1,"a":1}"#,
        r#""\u0070rice":1"#,
    ] {
        assert_eq!(faults(signal(&signal_with(twice))).len(), 1, "{twice}");
    }
    let item = format!(r#"{{"type":"signal",{}"#, SIGNAL.replacen('{', r#""type":"trade","#, 1));
    assert_eq!(pointers(parse_item(item.as_bytes(), &Instruments::default())), ["/type"]);
}

#[test]
fn null_is_the_same_as_absent_where_that_is_allowed() {
    signal(&signal_with(r#""vwap":null,"strategy":null,"features":null,"event_id":null"#)).unwrap();
    assert_eq!(pointers(signal(&SIGNAL.replace("28", "null"))), ["/rsi"]);
}

#[test]
fn features_are_bounded() {
    let many = |n: usize| (0..n).map(|n| format!("\"f{n}\":{n}")).collect::<Vec<_>>().join(",");
    signal(&signal_with(&format!("\"features\":{{{}}}", many(32)))).unwrap();
    assert_eq!(pointers(signal(&signal_with(&format!("\"features\":{{{}}}", many(33))))), ["/features"]);
    assert_eq!(pointers(signal(&signal_with(r#""features":{"hour":24}"#))), ["/features/hour"]);
    assert_eq!(pointers(signal(&signal_with(r#""features":{"x":1e300}"#))), ["/features/x"]);
    assert_eq!(pointers(signal(&signal_with(r#""features":[1]"#))), ["/features"]);
    let long = format!(r#""features":{{"{}":1}}"#, "x".repeat(65));
    assert_eq!(faults(signal(&signal_with(&long))).len(), 1);
}

#[test]
fn a_distance_must_agree_with_price_and_vwap() {
    let with = |distance: &str| signal(&signal_with(&format!(r#""vwap":6532.91910866911,"vwap_distance":{distance}"#)));
    with("-0.1326988521502744").unwrap();
    with("-0.13").unwrap();
    // A fraction instead of percent, the wrong sign.
    assert_eq!(pointers(with("-0.001326988521502744")), ["/vwap_distance"]);
    assert_eq!(pointers(with("0.1326988521502744")), ["/vwap_distance"]);
}

#[test]
fn a_trade_ends_after_it_began() {
    let times = r#""entry_time":"2025-11-14T14:30:00Z","exit_time":"2025-11-14T15:29:59+01:00""#;
    assert_eq!(pointers(trade(&trade_with(times))), ["/exit_time"]);
}

#[test]
fn items_have_a_type() {
    let item = |body: &str| parse_item(body.as_bytes(), &Instruments::default()).map(|_| ());
    for good in [
        SIGNAL.replacen('{', r#"{"type":"signal","#, 1),
        SIGNAL.replacen('{', r#" { "type" : "signal" , "#, 1),
        SIGNAL.replacen('{', r#"{"\u0074ype":"sign\u0061l","#, 1),
        signal_with(r#""type":"signal""#),
        trade_with(r#""type":"trade","import":{"source":"file","sequence":1}"#),
        TRADE.replacen('{', r#"{"type":"trade","#, 1),
    ] {
        item(&good).unwrap();
    }
    assert_eq!(pointers(item(SIGNAL)), ["/type"]);
    assert_eq!(pointers(item(&signal_with(r#""type":"void""#))), ["/type"]);
    assert_eq!(pointers(item(&signal_with(r#""type":1"#))), ["/type"]);
    assert_eq!(pointers(item("[]")), [""]);
    assert!(matches!(item(r#"{"type":"signal""#), Err(Invalid::Malformed { .. })));
    let no_place = r#""type":"trade","import":{"sequence":0}"#;
    assert_eq!(pointers(item(&trade_with(no_place))), ["/import/sequence", "/import/source"]);
    let unknown = r#""type":"trade","import":{"source":"a","sequence":1,"x":1}"#;
    assert_eq!(pointers(item(&trade_with(unknown))), ["/import/x"]);
    // Single events have neither.
    assert_eq!(pointers(signal(&signal_with(r#""type":"signal","import":{}"#))), ["/import", "/type"]);
}

#[test]
fn voids_may_be_empty() {
    assert_eq!(parse_void(b"").unwrap(), parse_void(b"{}").unwrap());
    let full = parse_void(br#"{"reason":"busted","position":{"epoch":0,"partition":3,"offset":17}}"#).unwrap();
    assert_eq!(full.position.unwrap().to_string(), "0-3-17");
    assert_eq!(full.reason.unwrap(), "busted");
    assert_eq!(
        pointers(parse_void(br#"{"reason":"","position":{"epoch":256,"partition":-1},"x":1}"#)),
        ["/position/epoch", "/position/offset", "/position/partition", "/reason", "/x"]
    );
    assert_eq!(pointers(parse_void(br#"{"position":"0-3-17"}"#)), ["/position"]);
    assert!(matches!(parse_void(b" "), Err(Invalid::Malformed { .. })));
}

#[test]
fn old_bodies() {
    let confidence = |body: &str| parse_get_confidence(body.as_bytes(), &Instruments::default()).map(|_| ());
    confidence(r#"{"user_id":"trader-1","symbol":"ES","signal_type":"LONG","vwap_distance":0.13,"rsi":28}"#).unwrap();
    confidence(
        r#"{"user_id":"trader-1","symbol":"ES","vwap":6532.9,"rsi":28,"price":6524.25,"volume":1200,"signal":"SHORT"}"#,
    )
    .unwrap();
    confidence(
        r#"{"user_id":"trader-1","symbol":"ES","signal_type":"LONG","vwap_distance":0,"rsi":0,"model":{"a":[1]}}"#,
    )
    .unwrap();
    assert_eq!(pointers(confidence("{}")), ["/rsi", "/signal_type", "/symbol", "/user_id", "/vwap_distance"]);
    assert_eq!(
        pointers(confidence(r#"{"user_id":"me","symbol":"ES","signal":"long","price":1,"rsi":101}"#)),
        ["/rsi", "/signal", "/user_id", "/vwap"]
    );
    assert_eq!(
        pointers(confidence(
            r#"{"user_id":"trader-1","symbol":"ES","signal":"LONG","signal_type":"SHORT","vwap_distance":11,"rsi":1}"#
        )),
        ["/signal", "/vwap_distance"]
    );

    let save = |body: &str| parse_save_trade(body.as_bytes(), &Instruments::default()).map(|_| ());
    for side in ["long", "SHORT", "Long"] {
        save(&format!(
            r#"{{"user_id":"trader-1","symbol":"ES","side":"{side}","entry_price":6524.25,"exit_price":6526,"pnl":87.5,
                "entry_vwap":6530.1,"entry_rsi":28.5,"exit_vwap":0,"exit_rsi":null,"ml_confidence":0.7,"duration":"5m",
                "signal":"anything"}}"#
        ))
        .unwrap();
    }
    assert_eq!(
        pointers(save(r#"{"entry_vwap":-1,"exit_rsi":200}"#)),
        ["/entry_price", "/entry_vwap", "/exit_price", "/exit_rsi", "/pnl", "/side", "/symbol", "/user_id"]
    );
}

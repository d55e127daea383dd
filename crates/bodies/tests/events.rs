//! What becomes of good bodies.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // tests

use std::borrow::Cow;

use hindcast_bodies::{
    Invalid, ItemBody, Stamp, legacy::parse_get_confidence, legacy::parse_save_trade, parse_item, parse_signal,
    parse_trade,
};
use hindcast_domain::{Instruments, MoneyE9, Side, TimestampUs, ids::imported_event_id};
use hindcast_schemas::{Event, ExitReason, ImportPlace, SignalReceived, TradeClosed};
use uuid::Uuid;

const OWN: Uuid = Uuid::from_u128(0x0192_f8a0_0000_7000_8000_0000_0000_0001);
const STAMP: Stamp = Stamp { now: TimestampUs(1_763_130_600_000_000), event_id: Uuid::from_u128(7) };

#[test]
fn a_whole_signal() {
    let body = format!(
        r#"{{"event_id":"{OWN}","user_id":"trader-1","occurred_at":"2025-11-13T07:47:39.327604+00:00","symbol":"ES",
            "side":"LONG","price":"6524.25","rsi":28.5,"vwap":6532.91910866911,"volume":1200,"atr":0.6785714285714286,
            "volume_ratio":0.8333333333333334,"strategy":"open \u0022range\u0022","features":{{"vix":19.5,"hour":14}}}}"#
    );
    let signal = parse_signal(body.as_bytes(), &Instruments::default()).unwrap();
    assert!(signal.has_own_id());
    assert_eq!(signal.user_id(), Some("trader-1"));
    let distance = (6524.25 - 6_532.919_108_669_11) / 6_532.919_108_669_11 * 100.0;
    assert_eq!(
        signal.into_event("trader-1", &STAMP),
        SignalReceived {
            event_id: OWN,
            user_id: "trader-1".into(),
            symbol: "ES".into(),
            strategy: Some("open \"range\"".into()),
            occurred_at: TimestampUs(1_763_020_059_327_604),
            received_at: STAMP.now,
            import: None,
            side: Side::Long,
            price_e9: Some(MoneyE9(6_524_250_000_000)),
            rsi: Some(28.5),
            vwap_e9: Some(MoneyE9(6_532_919_108_669)),
            vwap_distance_percent: Some(distance_of(6_532_919_108_669)),
            vwap_distance_abs_percent: Some(distance_of(6_532_919_108_669).abs()),
            volume: Some(1200.0),
            atr: Some(0.678_571_428_571_428_6),
            volume_ratio: Some(0.833_333_333_333_333_4),
            features: vec![("hour".into(), 14.0), ("vix".into(), 19.5)],
            spread: None,
            session: None,
        }
    );
    assert!((distance - distance_of(6_532_919_108_669)).abs() < 1e-9);
}

fn distance_of(vwap_e9: i64) -> f64 {
    hindcast_schemas::vwap_distance_percent(Some(MoneyE9(6_524_250_000_000)), Some(MoneyE9(vwap_e9))).unwrap()
}

#[test]
fn a_signal_with_a_distance_only() {
    let body = br#"{"symbol":"ES","side":"SHORT","price":6524,"rsi":0,"vwap_distance":-0.5}"#;
    let signal = parse_signal(body, &Instruments::default()).unwrap();
    assert!(!signal.has_own_id());
    let event = signal.into_event("trader-1", &STAMP);
    assert_eq!((event.vwap_distance_percent, event.vwap_distance_abs_percent), (Some(-0.5), Some(0.5)));
    assert_eq!((event.event_id, event.occurred_at), (STAMP.event_id, STAMP.now));
    assert_eq!(event.price_e9, Some(MoneyE9(6_524_000_000_000)));
    // Nothing of a good body is copied.
    assert!(matches!(event.symbol, Cow::Borrowed(_)));
}

#[test]
fn a_whole_trade() {
    let body = format!(
        r#"{{"event_id":"{OWN}","signal_id":"{OWN}","decision_id":"{OWN}","symbol":"CL","side":"SHORT","strategy":"s",
            "quantity":2,"entry_price":61.23,"exit_price":61.01,"pnl":-0.0000000015,"entry_time":"2025-11-14T14:00:00Z",
            "exit_time":"2025-11-14T14:30:00.000001Z","entry_vwap":"61.5","entry_rsi":70,"exit_vwap":61,"exit_rsi":50,
            "exit_reason":"TARGET","max_adverse":-12.5,"max_favourable":"440","simulated":true}}"#
    );
    let trade = parse_trade(body.as_bytes(), &Instruments::default()).unwrap();
    let exit_time = TimestampUs(1_763_130_600_000_001);
    assert_eq!(
        trade.into_event("trader-1", &STAMP),
        TradeClosed {
            event_id: OWN,
            user_id: "trader-1".into(),
            symbol: "CL".into(),
            strategy: Some("s".into()),
            occurred_at: exit_time,
            received_at: STAMP.now,
            import: None,
            signal_id: Some(OWN),
            decision_id: Some(OWN),
            side: Side::Short,
            quantity: Some(2.0),
            entry_price_e9: MoneyE9(61_230_000_000),
            exit_price_e9: MoneyE9(61_010_000_000),
            pnl_e9: MoneyE9(-2),
            entry_time: Some(TimestampUs(1_763_128_800_000_000)),
            exit_time: Some(exit_time),
            entry_vwap_e9: Some(MoneyE9(61_500_000_000)),
            entry_rsi: Some(70.0),
            exit_vwap_e9: Some(MoneyE9(61_000_000_000)),
            exit_rsi: Some(50.0),
            exit_reason: Some(ExitReason::Target),
            max_adverse_e9: Some(MoneyE9(-12_500_000_000)),
            max_favourable_e9: Some(MoneyE9(440_000_000_000)),
            simulated: true,
            fees_e9: None,
        }
    );
}

#[test]
fn the_id_of_an_imported_item_follows_from_its_place() {
    let body = br#"{"type":"trade","symbol":"ES","side":"LONG","entry_price":1,"exit_price":2,"pnl":50,
        "import":{"source":"digest","sequence":7}}"#;
    let item = parse_item(body, &Instruments::default()).unwrap();
    assert!(item.has_own_id());
    let Event::Trade(trade) = item.into_event("trader-1", &STAMP) else { panic!("a trade was sent") };
    assert_eq!(trade.event_id, imported_event_id("trader-1", "digest", 7));
    assert_eq!(trade.import, Some(ImportPlace { source: "digest".into(), sequence: 7 }));
    let signal = br#"{"symbol":"ES","side":"LONG","price":1,"rsi":2,"type":"signal"}"#;
    assert!(matches!(parse_item(signal, &Instruments::default()), Ok(ItemBody::Signal(_))));
}

#[test]
fn an_item_is_what_its_own_type_says_whatever_else_reads_like_one() {
    let signal = r#""symbol":"ES","side":"LONG","price":1,"rsi":2"#;
    for other in [
        r#""strategy":"type""#,
        r#""strategy":"{\"type\":\"trade\"""#,
        r#""strategy":"\"type\":\"trade\"""#,
        r#""features":{"type":3.5}"#,
        r#""strategy":"{""#,
    ] {
        for item in [
            format!(r#"{{{other},"type" : "signal",{signal}}}"#),
            format!(r#"{{{signal},{other},"type":"signal"}}"#),
            format!(r#"{{"type":"signal",{signal},{other}}}"#),
        ] {
            let parsed = parse_item(item.as_bytes(), &Instruments::default());
            assert!(matches!(parsed, Ok(ItemBody::Signal(_))), "{item}: {parsed:?}");
        }
    }
    let nested = format!(r#"{{"features":{{"type":"trade"}},{signal}}}"#);
    let Err(Invalid::Fields(faults)) = parse_item(nested.as_bytes(), &Instruments::default()) else {
        panic!("the item has no type");
    };
    assert_eq!(faults[0].pointer, "/type");
}

#[test]
fn old_bodies() {
    let with_distance = br#"{"user_id":"trader-1","symbol":"ES","signal_type":"LONG","vwap_distance":0.13,"rsi":28}"#;
    let event = parse_get_confidence(with_distance, &Instruments::default()).unwrap().into_event("trader-1", &STAMP);
    assert_eq!((event.price_e9, event.rsi, event.side), (None, Some(28.0), Side::Long));
    assert_eq!((event.vwap_distance_percent, event.vwap_distance_abs_percent), (None, Some(0.13)));

    let with_prices =
        br#"{"user_id":"trader-1","symbol":"ES","vwap":6532.919108669,"rsi":28,"price":6524.25,"volume":9,
        "signal":"SHORT"}"#;
    let event = parse_get_confidence(with_prices, &Instruments::default()).unwrap().into_event("trader-1", &STAMP);
    assert_eq!(event.vwap_distance_percent, Some(distance_of(6_532_919_108_669)));
    assert_eq!((event.volume, event.side), (Some(9.0), Side::Short));

    let trade = br#"{"user_id":"trader-1","symbol":"ES","side":"short","entry_price":6524.25,"exit_price":6526,
        "pnl":-87.5,"entry_vwap":0,"entry_rsi":28.5,"exit_vwap":6530}"#;
    let event = parse_save_trade(trade, &Instruments::default()).unwrap().into_event("trader-1", &STAMP);
    assert_eq!((event.side, event.pnl_e9), (Side::Short, MoneyE9(-87_500_000_000)));
    assert_eq!((event.entry_vwap_e9, event.exit_vwap_e9), (None, Some(MoneyE9(6_530_000_000_000))));
    assert_eq!((event.entry_rsi, event.exit_rsi, event.simulated), (Some(28.5), None, false));
    assert_eq!((event.event_id, event.occurred_at), (STAMP.event_id, STAMP.now));
}

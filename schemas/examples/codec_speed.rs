//! How long one record takes to encode and to decode: `cargo run --release -p hindcast-schemas --example codec_speed`.

use std::{hint::black_box, time::Instant};

use hindcast_domain::{MoneyE9, Side, TimestampUs};
use hindcast_schemas::{Codec, Event, LocalRegistry, SignalReceived, TradeClosed};
use uuid::Uuid;

const ROUNDS: u32 = 500_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let codec = Codec::new(LocalRegistry)?;
    for (name, event) in [("signal", signal()), ("trade", trade())] {
        let mut record = Vec::new();
        codec.encode_event(&event, &mut record)?;
        let encode_ns = time_ns(|| {
            record.clear();
            codec.encode_event(black_box(&event), &mut record).is_ok()
        });
        let decode_ns = time_ns(|| codec.decode_event(black_box(&record)).is_ok());
        println!("{name}: {} bytes, encode {encode_ns:.0} ns, decode {decode_ns:.0} ns", record.len());
    }
    Ok(())
}

/// Best of five runs: what is measured is the code, not what else the machine does.
fn time_ns(mut once: impl FnMut() -> bool) -> f64 {
    let mut best_ns = f64::INFINITY;
    for _ in 0..5 {
        let start = Instant::now();
        let done = (0..ROUNDS).filter(|_| black_box(once())).count();
        assert_eq!(u32::try_from(done), Ok(ROUNDS), "a record was refused");
        best_ns = best_ns.min(start.elapsed().as_secs_f64() * 1e9 / f64::from(ROUNDS));
    }
    best_ns
}

fn signal() -> Event<'static> {
    Event::Signal(SignalReceived {
        event_id: Uuid::from_u128(0x0198_0f3e_7c1a_7abc_8def_0123_4567_89ab),
        user_id: "trader-000123".into(),
        symbol: "ES".into(),
        strategy: Some("vwap-reversion".into()),
        occurred_at: TimestampUs(1_795_550_400_000_000),
        received_at: TimestampUs(1_795_550_400_012_345),
        import: None,
        side: Side::Long,
        price_e9: Some(MoneyE9(6_524_250_000_000)),
        rsi: Some(28.4),
        vwap_e9: Some(MoneyE9(6_532_750_000_000)),
        vwap_distance_percent: Some(-0.130_1),
        vwap_distance_abs_percent: Some(0.130_1),
        volume: Some(1_834.0),
        atr: Some(3.25),
        volume_ratio: Some(1.42),
        features: Vec::new(),
        spread: None,
        session: None,
    })
}

fn trade() -> Event<'static> {
    Event::Trade(TradeClosed {
        event_id: Uuid::from_u128(0x0198_0f3e_7c1a_7abc_8def_0123_4567_89ac),
        user_id: "trader-000123".into(),
        symbol: "ES".into(),
        strategy: Some("vwap-reversion".into()),
        occurred_at: TimestampUs(1_795_550_400_000_000),
        received_at: TimestampUs(1_795_550_400_012_345),
        import: None,
        signal_id: Some(Uuid::from_u128(0x0198_0f3e_7c1a_7abc_8def_0123_4567_89ab)),
        decision_id: None,
        side: Side::Long,
        quantity: Some(2.0),
        entry_price_e9: MoneyE9(6_524_250_000_000),
        exit_price_e9: MoneyE9(6_528_500_000_000),
        pnl_e9: MoneyE9(425_000_000_000),
        entry_time: Some(TimestampUs(1_795_550_400_000_000)),
        exit_time: Some(TimestampUs(1_795_550_700_000_000)),
        entry_vwap_e9: Some(MoneyE9(6_532_750_000_000)),
        entry_rsi: Some(28.4),
        exit_vwap_e9: Some(MoneyE9(6_531_000_000_000)),
        exit_rsi: Some(44.0),
        exit_reason: None,
        max_adverse_e9: None,
        max_favourable_e9: None,
        simulated: false,
        fees_e9: None,
    })
}

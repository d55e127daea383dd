//! Producers of an older build write beside those of this one.

use std::time::Duration;

use hindcast_domain::{MoneyE9, Side, TimestampUs, partition_of};
use hindcast_journal::{Log, NewRecord, RecordType, Topic, kafka::KafkaLog};
use hindcast_registry::{ConfluentRegistry, RegistryConfig};
use hindcast_schemas::{
    Codec, Event, Registry, SignalReceived, Subject, TradeClosed,
    known::{current, versions_of},
};
use http::StatusCode;
use rand::{RngExt, rngs::StdRng};
use serde_json::json;
use uuid::Uuid;

use crate::{
    load::{Load, seeded},
    support::{runtime, signal, trade, with, writers::OnFailure},
    system::{Services, System},
};

const USER: &str = "side-by-side";
/// Events by each of the two producers.
const EVENTS: usize = 120;

/// What writes versions 1, as builds before versions 2 did. What version 2 adds stands at the end of its record, null as
/// one byte each.
struct OldProducer {
    log: KafkaLog,
    codec: Codec,
    signal_id: u32,
    trade_id: u32,
}

impl OldProducer {
    fn of(system: &System, registry_url: &str) -> Self {
        let config = RegistryConfig { url: registry_url.to_owned(), ..RegistryConfig::default() };
        let registry = ConfluentRegistry::new(&config).unwrap();
        let first_id = |subject: Subject| {
            let first = versions_of(subject).next().unwrap();
            assert!((first.version, current(subject).unwrap().version) == (1, 2), "{subject:?}");
            registry.id_of(subject.name(), first.json).unwrap()
        };
        let (signal_id, trade_id) = (first_id(Subject::SignalReceived), first_id(Subject::TradeClosed));
        let log = KafkaLog::open(&system.log_config()).unwrap();
        Self { log, codec: Codec::new(registry).unwrap(), signal_id, trade_id }
    }

    async fn write(&self, event: &Event<'_>) {
        let mut value = Vec::new();
        self.codec.encode_event(event, &mut value).unwrap();
        let (id, record_type, added) = match event {
            Event::Signal(_) => (self.signal_id, RecordType::Signal, 2),
            _ => (self.trade_id, RecordType::Trade, 1),
        };
        let end = value.len() - added;
        assert!(value.split_off(end).iter().all(|byte| *byte == 0));
        value[1..5].copy_from_slice(&id.to_be_bytes());
        let partition = partition_of(USER.as_bytes(), self.log.identity().partitions);
        let record = NewRecord {
            topic: Topic::Journal,
            partition,
            key: USER.as_bytes().into(),
            record_type,
            timestamp_us: 1_795_550_400_000_000,
            traceparent: None,
            value,
        };
        self.log.append(vec![record]).await.unwrap();
    }
}

fn old_signal(rng: &mut StdRng) -> SignalReceived<'static> {
    SignalReceived {
        event_id: Uuid::from_u128(rng.random()),
        user_id: USER.into(),
        symbol: "ES".into(),
        strategy: None,
        occurred_at: TimestampUs(1_795_550_400_000_000),
        received_at: TimestampUs(1_795_550_400_012_345),
        import: None,
        side: Side::Long,
        price_e9: Some(MoneyE9(6_524_250_000_000)),
        rsi: Some(f64::from(rng.random_range(0..100_u8))),
        vwap_e9: None,
        vwap_distance_percent: None,
        vwap_distance_abs_percent: Some(0.13),
        volume: None,
        atr: Some(1.5),
        volume_ratio: None,
        features: Vec::new(),
        spread: None,
        session: None,
    }
}

fn old_trade(signal: &SignalReceived<'_>, rng: &mut StdRng) -> TradeClosed<'static> {
    TradeClosed {
        event_id: Uuid::from_u128(rng.random()),
        user_id: USER.into(),
        symbol: "ES".into(),
        strategy: None,
        occurred_at: TimestampUs(1_795_550_700_000_000),
        received_at: TimestampUs(1_795_550_700_004_321),
        import: None,
        signal_id: Some(signal.event_id),
        decision_id: None,
        side: Side::Long,
        quantity: None,
        entry_price_e9: MoneyE9(6_524_250_000_000),
        exit_price_e9: MoneyE9(6_528_500_000_000),
        pnl_e9: MoneyE9(212_500_000_000),
        entry_time: None,
        exit_time: None,
        entry_vwap_e9: None,
        entry_rsi: None,
        exit_vwap_e9: None,
        exit_rsi: None,
        exit_reason: None,
        max_adverse_e9: None,
        max_favourable_e9: None,
        simulated: false,
        fees_e9: None,
    }
}

/// Signals and trades of versions 1 and 2 of the same user take turns; all of them count, and trades of either version
/// join signals of the other.
#[test]
fn old_and_new_producers_write_side_by_side() {
    seeded(|mut rng| {
        let services = Services::shared();
        let registry_url = services.registry.clone();
        let mut system = System::whole(services);
        let load = Load::begin(&system, &mut rng, OnFailure::Repeat(1, Duration::from_millis(500)));
        let old = OldProducer::of(&system, &registry_url);
        let runtime = runtime();
        let view = runtime.block_on(async {
            let key = system.http("admin").trader(USER).await;
            tokio::time::sleep(Duration::from_secs(2)).await;
            let ingress = system.http("ingress-1");
            let send = async |path, body| {
                let answer = ingress.post(path, &key, &body).await;
                assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
                answer.json()
            };
            for _ in 0..EVENTS / 4 {
                let by_old = old_signal(&mut rng);
                old.write(&Event::Signal(by_old.clone())).await;
                let by_new = send("/v1/signals", with(signal("ES"), json!({"spread": 0.25, "session": "RTH"}))).await;
                send("/v1/trades", with(trade("ES", 10.0), json!({"signal_id": by_old.event_id, "fees": 4.2}))).await;
                let mut crossed = old_trade(&by_old, &mut rng);
                crossed.signal_id = by_new["event_id"].as_str().map(|id| id.parse().unwrap());
                old.write(&Event::Trade(crossed)).await;
            }
            load.stop_clients();
            tokio::time::sleep(Duration::from_millis(500)).await;
            system.http("admin").caught_up().await;
            tokio::time::sleep(Duration::from_millis(1_100)).await;
            system.http("confidence-1").get("/v1/views/ES", &key).await.json()
        });
        let told = ["signals", "trades", "trades_joined", "signals_waiting"].map(|name| view[name].as_u64().unwrap());
        assert_eq!(told, [EVENTS as u64 / 2, EVENTS as u64 / 2, EVENTS as u64 / 2, 0], "{view}");
        let judged = load.end(&mut system, "old and new producers");
        assert_eq!(judged.given_up, 0, "no request may fail for good");
    });
}

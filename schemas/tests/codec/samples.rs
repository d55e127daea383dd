//! Events that tests agree on, and both kinds of record under one roof.

use hindcast_domain::{MoneyE9, Position, Side, TimestampUs};
use hindcast_schemas::{
    Action, Codec, DecisionMade, DecodeError, EncodeError, Event, ExitReason, ImportPlace, MAX_EXTRA_FEATURES,
    SettingRef, SignalReceived, Subject, TradeClosed, TradeVoided,
};
use uuid::Uuid;

/// What a record of any subject holds.
#[derive(Debug, Clone, PartialEq)]
#[allow(clippy::large_enum_variant)] // tests hold a handful
pub(crate) enum Content<'a> {
    Event(Event<'a>),
    Decision(Box<DecisionMade<'a>>),
}

impl<'a> Content<'a> {
    pub(crate) fn subject(&self) -> Subject {
        match self {
            Self::Event(Event::Signal(_)) => Subject::SignalReceived,
            Self::Event(Event::Trade(_)) => Subject::TradeClosed,
            Self::Event(Event::Void(_)) => Subject::TradeVoided,
            Self::Decision(_) => Subject::DecisionMade,
        }
    }

    pub(crate) fn encode(&self, codec: &Codec) -> Result<Vec<u8>, EncodeError> {
        let mut record = Vec::new();
        match self {
            Self::Event(event) => codec.encode_event(event, &mut record)?,
            Self::Decision(decision) => codec.encode_decision(decision, &mut record)?,
        }
        Ok(record)
    }

    pub(crate) fn decode(codec: &Codec, subject: Subject, record: &'a [u8]) -> Result<Self, DecodeError> {
        match subject {
            Subject::DecisionMade => codec.decode_decision(record).map(Box::new).map(Self::Decision),
            _ => codec.decode_event(record).map(Self::Event),
        }
    }
}

/// How much of an event is filled in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Case {
    /// Every field, with values as they occur.
    Full,
    /// Nothing that may be absent.
    Minimal,
    /// The ends of what a field can hold.
    Extreme,
}

impl Case {
    pub(crate) const ALL: [Self; 3] = [Self::Full, Self::Minimal, Self::Extreme];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Minimal => "minimal",
            Self::Extreme => "extreme",
        }
    }
}

/// The event of a case with all that the newest version of its subject has.
pub(crate) fn newest(subject: Subject, case: Case) -> Content<'static> {
    version_2(version_1(subject, case), case)
}

/// What version 2 adds to signals, and so to decisions, and to trades.
fn version_2(mut content: Content<'static>, case: Case) -> Content<'static> {
    let (spread, session, fees_e9) = match case {
        Case::Minimal => (None, None, None),
        Case::Full => (Some(0.25), Some("RTH".into()), Some(MoneyE9(4_180_000_000))),
        Case::Extreme => (Some(f64::MAX), Some("".into()), Some(MoneyE9(i64::MIN))),
    };
    match &mut content {
        Content::Event(Event::Signal(signal)) => (signal.spread, signal.session) = (spread, session),
        Content::Event(Event::Trade(trade)) => trade.fees_e9 = fees_e9,
        Content::Event(Event::Void(_)) => {}
        Content::Decision(decision) => (decision.signal.spread, decision.signal.session) = (spread, session),
    }
    content
}

/// The event of a case in the form of version 1: what later versions add has the value that its default stands for.
pub(crate) fn version_1(subject: Subject, case: Case) -> Content<'static> {
    match subject {
        Subject::SignalReceived => Content::Event(Event::Signal(signal(case))),
        Subject::TradeClosed => Content::Event(Event::Trade(trade(case))),
        Subject::TradeVoided => Content::Event(Event::Void(void(case))),
        Subject::DecisionMade => Content::Decision(Box::new(decision(case))),
    }
}

const SIGNAL_ID: Uuid = Uuid::from_u128(0x0198_0f3e_7c1a_7abc_8def_0123_4567_89ab);
const TRADE_ID: Uuid = Uuid::from_u128(0x0198_0f3e_91b4_7d21_a0c3_fedc_ba98_7654);
const VOID_ID: Uuid = Uuid::from_u128(0x4c1d_77ab_90e2_5f61_b3a8_0c5e_2d91_44f7);
const DECISION_ID: Uuid = Uuid::from_u128(0x25ec_ff36_f300_5608_bd49_7574_df3a_82eb);
const DIGEST: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

fn signal(case: Case) -> SignalReceived<'static> {
    let minimal = SignalReceived {
        event_id: SIGNAL_ID,
        user_id: "trader-000123".into(),
        symbol: "ES".into(),
        strategy: None,
        occurred_at: TimestampUs(1_795_550_400_000_000),
        received_at: TimestampUs(1_795_550_400_012_345),
        import: None,
        side: Side::Long,
        price_e9: None,
        rsi: None,
        vwap_e9: None,
        vwap_distance_percent: None,
        vwap_distance_abs_percent: None,
        volume: None,
        atr: None,
        volume_ratio: None,
        features: Vec::new(),
        spread: None,
        session: None,
    };
    match case {
        Case::Minimal => minimal,
        Case::Full => SignalReceived {
            strategy: Some("vwap-reversion".into()),
            import: Some(ImportPlace { source: DIGEST.into(), sequence: 1_541 }),
            price_e9: Some(MoneyE9(6_524_250_000_000)),
            rsi: Some(28.4),
            vwap_e9: Some(MoneyE9(6_532_750_000_000)),
            vwap_distance_percent: Some(-0.130_113_657),
            vwap_distance_abs_percent: Some(0.130_113_657),
            volume: Some(1_834.0),
            atr: Some(3.25),
            volume_ratio: Some(1.42),
            features: vec![("hour".into(), 14.0), ("spread_ticks".into(), 1.0), ("überhang".into(), -0.5)],
            ..minimal
        },
        Case::Extreme => SignalReceived {
            event_id: Uuid::max(),
            user_id: "u".repeat(100).into(),
            symbol: "A".repeat(16).into(),
            strategy: Some("".into()),
            occurred_at: TimestampUs(i64::MIN),
            received_at: TimestampUs(i64::MAX),
            import: Some(ImportPlace { source: "\u{10ffff}\0\n".into(), sequence: i64::MAX.unsigned_abs() }),
            side: Side::Short,
            price_e9: Some(MoneyE9(i64::MAX)),
            rsi: Some(-0.0),
            vwap_e9: Some(MoneyE9(i64::MIN)),
            vwap_distance_percent: Some(f64::MIN),
            vwap_distance_abs_percent: Some(f64::MAX),
            volume: Some(f64::MIN_POSITIVE),
            atr: Some(5e-324),
            volume_ratio: Some(f64::EPSILON),
            features: (0_u8..).take(MAX_EXTRA_FEATURES).map(|n| (format!("{n:02}").into(), f64::from(n))).collect(),
            spread: None,
            session: None,
        },
    }
}

fn trade(case: Case) -> TradeClosed<'static> {
    let minimal = TradeClosed {
        event_id: TRADE_ID,
        user_id: "trader-000123".into(),
        symbol: "ES".into(),
        strategy: None,
        occurred_at: TimestampUs(1_795_550_700_000_000),
        received_at: TimestampUs(1_795_550_700_004_321),
        import: None,
        signal_id: None,
        decision_id: None,
        side: Side::Long,
        quantity: None,
        entry_price_e9: MoneyE9(6_524_250_000_000),
        exit_price_e9: MoneyE9(6_528_500_000_000),
        pnl_e9: MoneyE9(425_000_000_000),
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
    };
    match case {
        Case::Minimal => minimal,
        Case::Full => TradeClosed {
            strategy: Some("vwap-reversion".into()),
            import: Some(ImportPlace { source: DIGEST.into(), sequence: 1_542 }),
            signal_id: Some(SIGNAL_ID),
            decision_id: Some(DECISION_ID),
            quantity: Some(2.0),
            entry_time: Some(TimestampUs(1_795_550_400_000_000)),
            exit_time: Some(TimestampUs(1_795_550_700_000_000)),
            entry_vwap_e9: Some(MoneyE9(6_532_750_000_000)),
            entry_rsi: Some(28.4),
            exit_vwap_e9: Some(MoneyE9(6_531_000_000_000)),
            exit_rsi: Some(44.0),
            exit_reason: Some(ExitReason::Target),
            max_adverse_e9: Some(MoneyE9(-75_000_000_000)),
            max_favourable_e9: Some(MoneyE9(450_000_000_000)),
            simulated: true,
            ..minimal
        },
        Case::Extreme => TradeClosed {
            event_id: Uuid::nil(),
            user_id: "u".repeat(100).into(),
            symbol: "A".repeat(16).into(),
            strategy: Some("\u{1f980}".into()),
            occurred_at: TimestampUs(-1),
            received_at: TimestampUs(0),
            import: Some(ImportPlace { source: "".into(), sequence: 0 }),
            signal_id: Some(Uuid::max()),
            decision_id: Some(Uuid::nil()),
            side: Side::Short,
            quantity: Some(f64::MAX),
            entry_price_e9: MoneyE9(i64::MIN),
            exit_price_e9: MoneyE9(i64::MAX),
            pnl_e9: MoneyE9(-1),
            entry_time: Some(TimestampUs(i64::MIN)),
            exit_time: Some(TimestampUs(i64::MAX)),
            entry_vwap_e9: Some(MoneyE9(0)),
            entry_rsi: Some(0.0),
            exit_vwap_e9: Some(MoneyE9(1)),
            exit_rsi: Some(-5e-324),
            exit_reason: Some(ExitReason::Other),
            max_adverse_e9: Some(MoneyE9(i64::MIN)),
            max_favourable_e9: Some(MoneyE9(i64::MAX)),
            simulated: true,
            fees_e9: None,
        },
    }
}

fn void(case: Case) -> TradeVoided<'static> {
    let minimal = TradeVoided {
        event_id: VOID_ID,
        user_id: "trader-000123".into(),
        symbol: "ES".into(),
        strategy: None,
        occurred_at: TimestampUs(1_795_551_000_000_000),
        received_at: TimestampUs(1_795_551_000_000_000),
        trade_event_id: TRADE_ID,
        trade_position: Position { epoch: 0, partition: 3, offset: 1_234 },
        trade_occurred_at: TimestampUs(1_795_550_700_000_000),
        trade_pnl_e9: MoneyE9(425_000_000_000),
        trade_simulated: false,
        reason: None,
    };
    match case {
        Case::Minimal => minimal,
        Case::Full => TradeVoided {
            strategy: Some("vwap-reversion".into()),
            trade_simulated: true,
            reason: Some("busted by the exchange".into()),
            ..minimal
        },
        Case::Extreme => TradeVoided {
            event_id: Uuid::max(),
            user_id: "u".repeat(100).into(),
            symbol: "A".repeat(16).into(),
            strategy: Some("".into()),
            occurred_at: TimestampUs(i64::MAX),
            received_at: TimestampUs(i64::MIN),
            trade_event_id: Uuid::nil(),
            trade_position: Position { epoch: u8::MAX, partition: u16::MAX, offset: i64::MAX.unsigned_abs() },
            trade_occurred_at: TimestampUs(0),
            trade_pnl_e9: MoneyE9(i64::MIN),
            trade_simulated: true,
            reason: Some("\"\\\u{7f}".into()),
        },
    }
}

fn decision(case: Case) -> DecisionMade<'static> {
    let setting = |name: &'static str, version| SettingRef { name: name.into(), version, digest: DIGEST.into() };
    let minimal = DecisionMade {
        decision_id: DECISION_ID,
        decided_at: TimestampUs(1_795_550_400_012_900),
        signal: signal(case),
        generation: "5c7e2b9013fa88d1".into(),
        row_found: false,
        applied: None,
        control_offset: 17,
        model: setting("kernel", 1),
        policy: setting("threshold", 1),
        experiment: None,
        arm: None,
        confidence: 0.5,
        interval_low: 0.05,
        interval_high: 0.95,
        novelty: 1.0,
        experiences: 0,
        action: Action::Take,
        propensity: 1.0,
    };
    match case {
        Case::Minimal => minimal,
        Case::Full => DecisionMade {
            row_found: true,
            applied: Some(Position { epoch: 1, partition: 3, offset: 98_765 }),
            experiment: Some("bandwidth".into()),
            arm: Some("narrow".into()),
            confidence: 0.617_254_901_960_784_3,
            interval_low: 0.52,
            interval_high: 0.71,
            novelty: 0.125,
            experiences: 256,
            action: Action::Skip,
            propensity: 0.95,
            ..minimal
        },
        Case::Extreme => DecisionMade {
            decision_id: Uuid::nil(),
            decided_at: TimestampUs(i64::MIN),
            generation: "".into(),
            row_found: true,
            applied: Some(Position { epoch: u8::MAX, partition: u16::MAX, offset: i64::MAX.unsigned_abs() }),
            control_offset: i64::MAX.unsigned_abs(),
            model: setting("", u32::MAX),
            policy: setting("\u{10ffff}", 0),
            experiment: Some("".into()),
            arm: Some("".into()),
            confidence: f64::MAX,
            interval_low: f64::MIN,
            interval_high: 5e-324,
            novelty: -0.0,
            experiences: u32::MAX,
            action: Action::Skip,
            propensity: 0.0,
            ..minimal
        },
    }
}

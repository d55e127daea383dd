//! Any event that keeps the rules.

use std::borrow::Cow;

use hindcast_domain::{MoneyE9, Position, Side, TimestampUs};
use hindcast_schemas::{
    Action, DecisionMade, Event, ExitReason, ImportPlace, MAX_EXTRA_FEATURES, SettingRef, SignalReceived, TradeClosed,
    TradeVoided,
};
use proptest::{collection::btree_map, num, option, prelude::*, sample::select};
use uuid::Uuid;

use crate::samples::Content;

type Text = Cow<'static, str>;

/// A record of any subject.
pub(crate) fn content() -> impl Strategy<Value = Content<'static>> {
    prop_oneof![
        signal().prop_map(|event| Content::Event(Event::Signal(event))),
        trade().prop_map(|event| Content::Event(Event::Trade(event))),
        void().prop_map(|event| Content::Event(Event::Void(event))),
        decision().prop_map(|event| Content::Decision(Box::new(event))),
    ]
}

fn text() -> impl Strategy<Value = Text> {
    // Lengths from 64 on take a second byte.
    "\\PC{0,80}".prop_map(Cow::Owned)
}

fn finite() -> impl Strategy<Value = f64> {
    num::f64::NORMAL | num::f64::SUBNORMAL | num::f64::ZERO | num::f64::POSITIVE | num::f64::NEGATIVE
}

fn uuid() -> impl Strategy<Value = Uuid> {
    any::<u128>().prop_map(Uuid::from_u128)
}

fn time() -> impl Strategy<Value = TimestampUs> {
    any::<i64>().prop_map(TimestampUs)
}

fn money() -> impl Strategy<Value = MoneyE9> {
    prop_oneof![any::<i64>(), -1_000_i64..1_000].prop_map(MoneyE9)
}

/// A count that fits 63 bits.
fn count() -> impl Strategy<Value = u64> {
    prop_oneof![0..=i64::MAX.unsigned_abs(), 0_u64..1_000]
}

fn side() -> impl Strategy<Value = Side> {
    select(vec![Side::Long, Side::Short])
}

fn exit_reason() -> impl Strategy<Value = ExitReason> {
    use ExitReason::{Manual, Other, Session, Signal, Stop, Target, Time};
    select(vec![Target, Stop, Time, Signal, Session, Manual, Other])
}

fn position() -> impl Strategy<Value = Position> {
    (any::<u8>(), any::<u16>(), count()).prop_map(|(epoch, partition, offset)| Position { epoch, partition, offset })
}

fn import() -> impl Strategy<Value = ImportPlace<'static>> {
    (text(), count()).prop_map(|(source, sequence)| ImportPlace { source, sequence })
}

fn setting() -> impl Strategy<Value = SettingRef<'static>> {
    (text(), any::<u32>(), text()).prop_map(|(name, version, digest)| SettingRef { name, version, digest })
}

/// What signals and trades have in common.
fn common() -> impl Strategy<Value = (Uuid, Text, Text, Option<Text>, TimestampUs, TimestampUs)> {
    (uuid(), text(), text(), option::of(text()), time(), time())
}

fn signal() -> impl Strategy<Value = SignalReceived<'static>> {
    let prices = (option::of(money()), option::of(money()), option::of(text()));
    let measures = [(); 7].map(|()| option::of(finite()));
    let features = btree_map(text(), finite(), 0..=MAX_EXTRA_FEATURES);
    (common(), option::of(import()), side(), prices, measures, features).prop_map(
        |(common, import, side, (price_e9, vwap_e9, session), measures, features)| {
            let (event_id, user_id, symbol, strategy, occurred_at, received_at) = common;
            let [rsi, vwap_distance_percent, vwap_distance_abs_percent, volume, atr, volume_ratio, spread] = measures;
            SignalReceived {
                event_id,
                user_id,
                symbol,
                strategy,
                occurred_at,
                received_at,
                import,
                side,
                price_e9,
                rsi,
                vwap_e9,
                vwap_distance_percent,
                vwap_distance_abs_percent,
                volume,
                atr,
                volume_ratio,
                features: features.into_iter().collect(),
                spread,
                session,
            }
        },
    )
}

fn trade() -> impl Strategy<Value = TradeClosed<'static>> {
    let ids = (option::of(import()), option::of(uuid()), option::of(uuid()), side());
    let amounts = [(); 3].map(|()| money());
    let times = [(); 2].map(|()| option::of(time()));
    let optional_amounts = [(); 5].map(|()| option::of(money()));
    let measures = [(); 3].map(|()| option::of(finite()));
    (common(), ids, amounts, times, optional_amounts, measures, option::of(exit_reason()), any::<bool>()).prop_map(
        |(common, ids, amounts, times, optional_amounts, measures, exit_reason, simulated)| {
            let (event_id, user_id, symbol, strategy, occurred_at, received_at) = common;
            let (import, signal_id, decision_id, side) = ids;
            let [entry_price_e9, exit_price_e9, pnl_e9] = amounts;
            let [entry_time, exit_time] = times;
            let [entry_vwap_e9, exit_vwap_e9, max_adverse_e9, max_favourable_e9, fees_e9] = optional_amounts;
            let [quantity, entry_rsi, exit_rsi] = measures;
            TradeClosed {
                event_id,
                user_id,
                symbol,
                strategy,
                occurred_at,
                received_at,
                import,
                signal_id,
                decision_id,
                side,
                quantity,
                entry_price_e9,
                exit_price_e9,
                pnl_e9,
                entry_time,
                exit_time,
                entry_vwap_e9,
                entry_rsi,
                exit_vwap_e9,
                exit_rsi,
                exit_reason,
                max_adverse_e9,
                max_favourable_e9,
                simulated,
                fees_e9,
            }
        },
    )
}

fn void() -> impl Strategy<Value = TradeVoided<'static>> {
    (common(), uuid(), position(), time(), money(), any::<bool>(), option::of(text())).prop_map(
        |(common, trade_event_id, trade_position, trade_occurred_at, trade_pnl_e9, trade_simulated, reason)| {
            let (event_id, user_id, symbol, strategy, occurred_at, received_at) = common;
            TradeVoided {
                event_id,
                user_id,
                symbol,
                strategy,
                occurred_at,
                received_at,
                trade_event_id,
                trade_position,
                trade_occurred_at,
                trade_pnl_e9,
                trade_simulated,
                reason,
            }
        },
    )
}

fn decision() -> impl Strategy<Value = DecisionMade<'static>> {
    let row = (text(), any::<bool>(), option::of(position()), count());
    let settings = (setting(), setting(), option::of(text()), option::of(text()));
    let figures = [(); 5].map(|()| finite());
    let action = select(vec![Action::Take, Action::Skip]);
    (uuid(), time(), signal(), row, settings, figures, any::<u32>(), action).prop_map(
        |(decision_id, decided_at, signal, row, settings, figures, experiences, action)| {
            let (generation, row_found, applied, control_offset) = row;
            let (model, policy, experiment, arm) = settings;
            let [confidence, interval_low, interval_high, novelty, propensity] = figures;
            DecisionMade {
                decision_id,
                decided_at,
                signal,
                generation,
                row_found,
                applied,
                control_offset,
                model,
                policy,
                experiment,
                arm,
                confidence,
                interval_low,
                interval_high,
                novelty,
                experiences,
                action,
                propensity,
            }
        },
    )
}

//! The bodies of records, written. Order is the order of the fields in the schema.
//!
//! Only current versions are ever written, so that no schema needs to be looked at: one pass of plain appends. Each
//! function takes its event apart, so that a field that is added to the event and not here doesn't compile; what is
//! written is compared with an independent implementation of Avro in the tests.

use hindcast_domain::{MoneyE9, Position, Side, TimestampUs};
use uuid::Uuid;

use super::datum::Datum;
use crate::{
    Action, DecisionMade, EncodeError, Event, ExitReason, ImportPlace, SettingRef, SignalReceived, TradeClosed,
    TradeVoided,
};

type Written = Result<(), EncodeError>;

/// Any event of the journal.
pub(super) fn event(event: &Event<'_>, datum: &mut Datum<'_>) -> Written {
    match event {
        Event::Signal(event) => signal(event, datum),
        Event::Trade(event) => trade(event, datum),
        Event::Void(event) => void(event, datum),
    }
}

fn signal(event: &SignalReceived<'_>, datum: &mut Datum<'_>) -> Written {
    let SignalReceived {
        event_id,
        user_id,
        symbol,
        strategy,
        occurred_at,
        received_at,
        import,
        side: direction,
        price_e9,
        rsi,
        vwap_e9,
        vwap_distance_percent,
        vwap_distance_abs_percent,
        volume,
        atr,
        volume_ratio,
        features,
        spread,
        session,
    } = event;
    uuid(datum, *event_id);
    datum.text(user_id);
    datum.text(symbol);
    datum.optional(strategy.as_deref(), Datum::text);
    time(datum, *occurred_at);
    time(datum, *received_at);
    maybe_import(datum, import.as_ref())?;
    side(datum, *direction);
    datum.optional(*price_e9, money);
    datum.optional(*rsi, Datum::double);
    datum.optional(*vwap_e9, money);
    datum.optional(*vwap_distance_percent, Datum::double);
    datum.optional(*vwap_distance_abs_percent, Datum::double);
    datum.optional(*volume, Datum::double);
    datum.optional(*atr, Datum::double);
    datum.optional(*volume_ratio, Datum::double);
    if !features.is_empty() {
        datum.count("features", features.len() as u64)?;
        for (name, value) in features {
            datum.text(name);
            datum.double(*value);
        }
    }
    // A map ends with a block of nothing.
    datum.long(0);
    datum.optional(*spread, Datum::double);
    datum.optional(session.as_deref(), Datum::text);
    Ok(())
}

fn trade(event: &TradeClosed<'_>, datum: &mut Datum<'_>) -> Written {
    let TradeClosed {
        event_id,
        user_id,
        symbol,
        strategy,
        occurred_at,
        received_at,
        import,
        signal_id,
        decision_id,
        side: direction,
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
        exit_reason: reason,
        max_adverse_e9,
        max_favourable_e9,
        simulated,
        fees_e9,
    } = event;
    uuid(datum, *event_id);
    datum.text(user_id);
    datum.text(symbol);
    datum.optional(strategy.as_deref(), Datum::text);
    time(datum, *occurred_at);
    time(datum, *received_at);
    maybe_import(datum, import.as_ref())?;
    datum.optional(*signal_id, uuid);
    datum.optional(*decision_id, uuid);
    side(datum, *direction);
    datum.optional(*quantity, Datum::double);
    money(datum, *entry_price_e9);
    money(datum, *exit_price_e9);
    money(datum, *pnl_e9);
    datum.optional(*entry_time, time);
    datum.optional(*exit_time, time);
    datum.optional(*entry_vwap_e9, money);
    datum.optional(*entry_rsi, Datum::double);
    datum.optional(*exit_vwap_e9, money);
    datum.optional(*exit_rsi, Datum::double);
    datum.optional(*reason, exit_reason);
    datum.optional(*max_adverse_e9, money);
    datum.optional(*max_favourable_e9, money);
    datum.boolean(*simulated);
    datum.optional(*fees_e9, money);
    Ok(())
}

fn void(event: &TradeVoided<'_>, datum: &mut Datum<'_>) -> Written {
    let TradeVoided {
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
    } = event;
    uuid(datum, *event_id);
    datum.text(user_id);
    datum.text(symbol);
    datum.optional(strategy.as_deref(), Datum::text);
    time(datum, *occurred_at);
    time(datum, *received_at);
    uuid(datum, *trade_event_id);
    position(datum, *trade_position)?;
    time(datum, *trade_occurred_at);
    money(datum, *trade_pnl_e9);
    datum.boolean(*trade_simulated);
    datum.optional(reason.as_deref(), Datum::text);
    Ok(())
}

/// A decision, its signal in the middle.
pub(super) fn decision(event: &DecisionMade<'_>, datum: &mut Datum<'_>) -> Written {
    let DecisionMade {
        decision_id,
        decided_at,
        signal: scored,
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
        action: choice,
        propensity,
    } = event;
    uuid(datum, *decision_id);
    time(datum, *decided_at);
    signal(scored, datum)?;
    datum.text(generation);
    datum.boolean(*row_found);
    match applied {
        None => datum.long(0),
        Some(applied) => {
            datum.long(1);
            position(datum, *applied)?;
        }
    }
    datum.count("control_offset", *control_offset)?;
    setting(datum, model);
    setting(datum, policy);
    datum.optional(experiment.as_deref(), Datum::text);
    datum.optional(arm.as_deref(), Datum::text);
    datum.double(*confidence);
    datum.double(*interval_low);
    datum.double(*interval_high);
    datum.double(*novelty);
    datum.long(i64::from(*experiences));
    action(datum, *choice);
    datum.double(*propensity);
    Ok(())
}

fn maybe_import(datum: &mut Datum<'_>, import: Option<&ImportPlace<'_>>) -> Written {
    match import {
        None => datum.long(0),
        Some(ImportPlace { source, sequence }) => {
            datum.long(1);
            datum.text(source);
            datum.count("sequence", *sequence)?;
        }
    }
    Ok(())
}

fn position(datum: &mut Datum<'_>, position: Position) -> Written {
    let Position { epoch, partition, offset } = position;
    datum.long(i64::from(epoch));
    datum.long(i64::from(partition));
    datum.count("offset", offset)
}

fn setting(datum: &mut Datum<'_>, setting: &SettingRef<'_>) {
    let SettingRef { name, version, digest } = setting;
    datum.text(name);
    datum.long(i64::from(*version));
    datum.text(digest);
}

fn uuid(datum: &mut Datum<'_>, id: Uuid) {
    datum.fixed(id.as_bytes());
}

fn time(datum: &mut Datum<'_>, time: TimestampUs) {
    datum.long(time.0);
}

fn money(datum: &mut Datum<'_>, money: MoneyE9) {
    datum.long(money.0);
}

fn side(datum: &mut Datum<'_>, side: Side) {
    datum.long(match side {
        Side::Long => 0,
        Side::Short => 1,
    });
}

fn action(datum: &mut Datum<'_>, action: Action) {
    datum.long(match action {
        Action::Take => 0,
        Action::Skip => 1,
    });
}

fn exit_reason(datum: &mut Datum<'_>, reason: ExitReason) {
    datum.long(match reason {
        ExitReason::Target => 0,
        ExitReason::Stop => 1,
        ExitReason::Time => 2,
        ExitReason::Signal => 3,
        ExitReason::Session => 4,
        ExitReason::Manual => 5,
        ExitReason::Other => 6,
    });
}

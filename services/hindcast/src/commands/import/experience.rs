//! Rows of a signal with its outcome, as strategies record what they live through: each becomes a signal and a trade.
//!
//! | field | becomes |
//! |---|---|
//! | `signal` | side of both |
//! | `entry_price`, `vwap`, `rsi`, `atr`, `volume_ratio` | the signal's; the trade's entry |
//! | `vwap_distance`, a signed fraction | `vwap_distance` in percent |
//! | `timestamp` | when the signal occurred and the trade was closed: the row has no other time |
//! | `pnl` | the trade's, in USD |
//! | `took_trade` | `simulated` when false |
//! | `exit_price`, `quantity` (1 when absent) | the trade's |
//! | `symbol`, `strategy` | those of both |
//! | `outcome` | nothing: the sign of `pnl` says it |
//! | `hour`, `streak`, `recent_pnl` and any further number | features of the signal, under their names |
//!
//! A row without `exit_price` gets the price that gives its pnl, rounded to 1e-9: entry plus, for a short minus,
//! `pnl * tick_size / (tick_value * quantity)`. For ES a point is 50 USD a contract.

use hindcast_domain::{Instruments, MoneyE9};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::file::Row;

/// The bodies that a row becomes, or all that is wrong with it.
pub(super) fn bodies(mut row: Row, signal_id: Uuid, instruments: &Instruments) -> Result<[Row; 2], Vec<String>> {
    let mut faults = Vec::new();
    if row.get("outcome").is_some_and(Value::is_string) {
        row.remove("outcome");
    }
    let mut take = |name: &str| row.remove(name).filter(|value| !value.is_null());
    let side = take("signal").unwrap_or_default();
    let symbol = take("symbol").unwrap_or_default();
    let strategy = take("strategy");
    let timestamp = take("timestamp");
    let [entry_price, vwap, rsi] = ["entry_price", "vwap", "rsi"].map(&mut take);
    let [atr, volume_ratio, volume] = ["atr", "volume_ratio", "volume"].map(&mut take);
    let [exit_price, quantity] = ["exit_price", "quantity"].map(&mut take);
    let distance = take("vwap_distance");
    let pnl = take("pnl");
    let simulated = match take("took_trade") {
        Some(Value::Bool(took)) => !took,
        Some(_) => {
            faults.push("took_trade must be true or false".to_owned());
            false
        }
        None => {
            faults.push("took_trade is missing".to_owned());
            false
        }
    };
    if pnl.is_none() {
        faults.push("pnl is missing".to_owned());
    }
    let exit_price = exit_price.or_else(|| {
        let implied =
            implied_exit(&side, &symbol, entry_price.as_ref()?, pnl.as_ref()?, quantity.as_ref(), instruments);
        implied.map(|price| json!(price.to_string()))
    });
    let distance = distance.map(|fraction| match fraction.as_f64() {
        Some(fraction) => json!(100.0 * fraction),
        None => {
            faults.push("vwap_distance must be a number, a fraction of VWAP".to_owned());
            Value::Null
        }
    });
    let features = features(row, &mut faults);
    if !faults.is_empty() {
        return Err(faults);
    }
    let signal = object([
        ("type", Some(json!("signal"))),
        ("event_id", Some(json!(signal_id))),
        ("occurred_at", timestamp.clone()),
        ("symbol", Some(symbol.clone())),
        ("strategy", strategy.clone()),
        ("side", Some(side.clone())),
        ("price", entry_price.clone()),
        ("rsi", rsi.clone()),
        ("vwap", vwap.clone()),
        ("vwap_distance", distance),
        ("volume", volume),
        ("atr", atr),
        ("volume_ratio", volume_ratio),
        ("features", Some(Value::Object(features))),
    ]);
    let trade = object([
        ("type", Some(json!("trade"))),
        ("signal_id", Some(json!(signal_id))),
        ("symbol", Some(symbol)),
        ("strategy", strategy),
        ("side", Some(side)),
        ("quantity", Some(quantity.unwrap_or_else(|| json!(1)))),
        ("entry_price", entry_price),
        ("exit_price", exit_price),
        ("pnl", pnl),
        ("exit_time", timestamp),
        ("entry_vwap", vwap),
        ("entry_rsi", rsi),
        ("simulated", Some(json!(simulated))),
    ]);
    Ok([signal, trade])
}

/// What is left of the row: numbers are features, a `features` object has more of them.
fn features(row: Row, faults: &mut Vec<String>) -> Map<String, Value> {
    let mut features = Map::new();
    for (name, value) in row {
        match value {
            Value::Null => {}
            Value::Object(more) if name == "features" => features.extend(more),
            Value::Number(number) => drop(features.insert(name, Value::Number(number))),
            _ => faults.push(format!("{name} is no known field, and no number that could be a feature")),
        }
    }
    features
}

fn object<const N: usize>(fields: [(&str, Option<Value>); N]) -> Row {
    fields.into_iter().filter_map(|(name, value)| value.map(|value| (name.to_owned(), value))).collect()
}

/// The price at which the trade must have ended; `None` when something it depends on is no such thing, which the check
/// of the body then tells.
fn implied_exit(
    side: &Value,
    symbol: &Value,
    entry: &Value,
    pnl: &Value,
    quantity: Option<&Value>,
    instruments: &Instruments,
) -> Option<MoneyE9> {
    let instrument = instruments.get(symbol.as_str()?)?;
    let (entry, pnl) = (amount(entry)?, amount(pnl)?);
    // In units of 1e-9 too, so that mini contracts can be counted in parts.
    let quantity = quantity.map_or(Some(MoneyE9(1_000_000_000)), amount).filter(|quantity| quantity.0 > 0)?;
    let numerator = i128::from(pnl.0) * i128::from(instrument.tick_size_e9.0) * 1_000_000_000;
    let denominator = i128::from(instrument.tick_value_e9.0) * i128::from(quantity.0);
    let points = i64::try_from(rounded_quotient(numerator, denominator)?).ok()?;
    let exit = match side.as_str()? {
        "LONG" => entry.0.checked_add(points)?,
        "SHORT" => entry.0.checked_sub(points)?,
        _ => return None,
    };
    Some(MoneyE9(exit))
}

fn amount(value: &Value) -> Option<MoneyE9> {
    match value {
        Value::Number(number) => MoneyE9::from_f64(number.as_f64()?).ok(),
        Value::String(text) => MoneyE9::from_decimal(text).ok(),
        _ => None,
    }
}

/// The quotient, rounded half away from zero; the denominator is positive.
fn rounded_quotient(numerator: i128, denominator: i128) -> Option<i128> {
    if denominator <= 0 {
        return None;
    }
    let half = denominator / 2;
    Some(if numerator < 0 { numerator.checked_sub(half)? } else { numerator.checked_add(half)? } / denominator)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[allow(clippy::needless_pass_by_value)] // reads better where it is called
    fn row(value: Value) -> Row {
        value.as_object().unwrap().clone()
    }

    fn real() -> Value {
        json!({
            "timestamp": "2025-11-13T07:47:39.327604+00:00", "symbol": "ES", "signal": "SHORT", "entry_price": 6524.25,
            "rsi": 71.5, "vwap": 6515.6, "vwap_distance": 0.001_327_583_034_257_972, "atr": 0.68, "volume_ratio": 0.83,
            "hour": 3, "streak": -1, "recent_pnl": -12.5, "vix": 19.2, "took_trade": false, "pnl": 133.5,
            "outcome": "WIN"
        })
    }

    #[test]
    fn a_row_becomes_a_signal_and_a_trade() {
        let id = Uuid::from_u128(7);
        let [signal, trade] = bodies(row(real()), id, &Instruments::default()).unwrap();
        assert_eq!(signal.get("event_id"), Some(&json!(id)));
        assert_eq!(signal.get("vwap_distance"), Some(&json!(0.132_758_303_425_797_2)));
        assert_eq!(signal.get("features"), Some(&json!({"hour": 3, "streak": -1, "recent_pnl": -12.5, "vix": 19.2})));
        assert_eq!(trade.get("signal_id"), Some(&json!(id)));
        assert_eq!(trade.get("simulated"), Some(&json!(true)));
        // 133.5 USD are 2.67 points of one contract; a short wins when the price falls.
        assert_eq!(trade.get("exit_price"), Some(&json!("6521.58")));
        assert_eq!(trade.get("pnl"), Some(&json!(133.5)));
    }

    #[test]
    fn a_known_exit_price_stays_and_more_contracts_need_fewer_points() {
        let mut known = row(real());
        known.insert("exit_price".to_owned(), json!(6521.5));
        let [_, trade] = bodies(known, Uuid::nil(), &Instruments::default()).unwrap();
        assert_eq!(trade.get("exit_price"), Some(&json!(6521.5)));
        let mut double = row(real());
        double.insert("quantity".to_owned(), json!(2));
        let [_, trade] = bodies(double, Uuid::nil(), &Instruments::default()).unwrap();
        assert_eq!(trade.get("exit_price"), Some(&json!("6522.915")));
    }

    #[test]
    fn all_faults_of_a_row_are_told() {
        let bad =
            row(json!({"signal": "LONG", "symbol": "ES", "vwap_distance": "far", "mood": "good", "took_trade": 1}));
        let faults = bodies(bad, Uuid::nil(), &Instruments::default()).unwrap_err();
        assert_eq!(faults.len(), 4, "{faults:?}");
    }

    #[test]
    fn quotients_round_half_away_from_zero() {
        assert_eq!(rounded_quotient(5, 2), Some(3));
        assert_eq!(rounded_quotient(-5, 2), Some(-3));
        assert_eq!(rounded_quotient(4, 3), Some(1));
        assert_eq!(rounded_quotient(1, 0), None);
    }
}

//! What single values must be.

// Rules are handed over as functions of one shape, and some of them keep the value's text.
#![allow(clippy::needless_pass_by_value)]

use std::borrow::Cow;

use hindcast_domain::{MoneyE9, Side, TimestampUs, UserId};
use hindcast_schemas::ExitReason;
use uuid::Uuid;

use crate::{object::Checked, value::Value};

/// Longest name of a strategy, in characters.
pub const MAX_STRATEGY_CHARS: usize = 64;
/// Longest name of a trading session.
pub const MAX_SESSION_CHARS: usize = 32;
/// Longest name of a further feature, in characters.
pub const MAX_FEATURE_NAME_CHARS: usize = 64;
/// Longest name of an import's source, in characters.
pub const MAX_SOURCE_CHARS: usize = 128;
/// Longest reason of a void, in characters.
pub const MAX_REASON_CHARS: usize = 500;
/// Largest measure that is not money: far beyond any market, and its square is still far from infinity, so that no
/// model has to fear an overflow.
pub const MAX_MEASURE: f64 = 1e15;

pub(crate) fn boolean(value: Value<'_>) -> Checked<bool> {
    match value {
        Value::Bool(value) => Ok(value),
        _ => Err("must be true or false".into()),
    }
}

pub(crate) fn uuid(value: Value<'_>) -> Checked<Uuid> {
    let id = match value {
        Value::Text(text) => Uuid::try_parse(&text).ok(),
        _ => None,
    };
    match id {
        Some(id) if id.is_nil() => Err("must not be the nil UUID".into()),
        Some(id) => Ok(id),
        None => Err("must be a UUID".into()),
    }
}

pub(crate) fn user_id(value: Value<'_>) -> Checked<Cow<'_, str>> {
    match value {
        Value::Text(text) if UserId::check(&text).is_ok() => Ok(text),
        _ => Err("must be 5 to 100 characters, each a letter, a digit, '_', '-' or '.'".into()),
    }
}

/// A text that is looked at later, beside what it must be one of.
pub(crate) fn text_as_sent(value: Value<'_>) -> Checked<Cow<'_, str>> {
    match value {
        Value::Text(text) => Ok(text),
        _ => Err("must be a text".into()),
    }
}

pub(crate) fn side(value: Value<'_>) -> Checked<Side> {
    match &value {
        Value::Text(text) if text == "LONG" => Ok(Side::Long),
        Value::Text(text) if text == "SHORT" => Ok(Side::Short),
        _ => Err("must be \"LONG\" or \"SHORT\"".into()),
    }
}

pub(crate) fn side_in_any_case(value: Value<'_>) -> Checked<Side> {
    match &value {
        Value::Text(text) if text.eq_ignore_ascii_case("LONG") => Ok(Side::Long),
        Value::Text(text) if text.eq_ignore_ascii_case("SHORT") => Ok(Side::Short),
        _ => Err("must be \"long\" or \"short\"".into()),
    }
}

pub(crate) fn exit_reason(value: Value<'_>) -> Checked<ExitReason> {
    let reason = match &value {
        Value::Text(text) => match text.as_ref() {
            "TARGET" => Some(ExitReason::Target),
            "STOP" => Some(ExitReason::Stop),
            "TIME" => Some(ExitReason::Time),
            "SIGNAL" => Some(ExitReason::Signal),
            "SESSION" => Some(ExitReason::Session),
            "MANUAL" => Some(ExitReason::Manual),
            "OTHER" => Some(ExitReason::Other),
            _ => None,
        },
        _ => None,
    };
    reason.ok_or_else(|| "must be one of TARGET, STOP, TIME, SIGNAL, SESSION, MANUAL, OTHER".into())
}

/// An amount: a number is rounded half-even to 1e-9, a decimal string is exact.
pub(crate) fn money(value: Value<'_>) -> Checked<MoneyE9> {
    let whole = |units: Option<i64>| units.map(MoneyE9).ok_or(hindcast_domain::InvalidAmount::OutOfRange);
    let amount = match value {
        Value::Natural(number) => whole(i64::try_from(number).ok().and_then(|n| n.checked_mul(1_000_000_000))),
        Value::Negative(number) => whole(number.checked_mul(1_000_000_000)),
        Value::Real(number) => MoneyE9::from_f64(number),
        Value::Text(text) => MoneyE9::from_decimal(&text),
        _ => return Err("must be a number or a decimal string".into()),
    };
    amount.map_err(|error| error.to_string().into())
}

pub(crate) fn price(value: Value<'_>) -> Checked<MoneyE9> {
    match money(value)? {
        price if price > MoneyE9::ZERO => Ok(price),
        _ => Err("must be greater than 0".into()),
    }
}

/// A price of the old routes, where zero stands for one that the bot does not know.
pub(crate) fn price_or_zero(value: Value<'_>) -> Checked<Option<MoneyE9>> {
    match money(value)? {
        MoneyE9::ZERO => Ok(None),
        price if price > MoneyE9::ZERO => Ok(Some(price)),
        _ => Err("must not be below 0".into()),
    }
}

#[allow(clippy::cast_precision_loss)] // a measure that is sent as an integer beyond 2^53 is rounded like any float
fn number(value: &Value<'_>) -> Option<f64> {
    match *value {
        Value::Natural(number) => Some(number as f64),
        Value::Negative(number) => Some(number as f64),
        Value::Real(number) => Some(number),
        _ => None,
    }
}

fn number_where(value: &Value<'_>, holds: impl FnOnce(f64) -> bool, otherwise: &'static str) -> Checked<f64> {
    number(value).filter(|&n| holds(n)).ok_or(Cow::Borrowed(otherwise))
}

pub(crate) fn rsi(value: Value<'_>) -> Checked<f64> {
    number_where(&value, |n| (0.0..=100.0).contains(&n), "must be a number from 0 to 100")
}

/// A signed distance from VWAP in percent.
pub(crate) fn distance(value: Value<'_>) -> Checked<f64> {
    number_where(&value, |n| (-100.0..=100.0).contains(&n), "must be a number from -100 to 100, in percent")
}

/// A distance from VWAP without its sign, in percent, as the old routes take it.
pub(crate) fn legacy_distance(value: Value<'_>) -> Checked<f64> {
    number_where(&value, |n| (0.0..=10.0).contains(&n), "must be a number from 0 to 10, in percent")
}

pub(crate) fn measure(value: Value<'_>) -> Checked<f64> {
    number_where(&value, |n| (0.0..=MAX_MEASURE).contains(&n), "must be a number from 0 to 1e15")
}

pub(crate) fn quantity(value: Value<'_>) -> Checked<f64> {
    number_where(&value, |n| n > 0.0 && n <= MAX_MEASURE, "must be a number greater than 0, at most 1e15")
}

pub(crate) fn feature(value: Value<'_>) -> Checked<f64> {
    number_where(&value, |n| n.abs() <= MAX_MEASURE, "must be a number from -1e15 to 1e15")
}

/// The one further feature that every model knows.
pub(crate) fn hour(value: Value<'_>) -> Checked<f64> {
    number_where(&value, |n| (0.0..24.0).contains(&n), "must be a number from 0 to below 24")
}

pub(crate) fn is_feature_name(name: &str) -> bool {
    (1..=MAX_FEATURE_NAME_CHARS).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'))
}

fn text<'a>(value: Value<'a>, max_chars: usize, otherwise: &'static str) -> Checked<Cow<'a, str>> {
    match value {
        // Every character has at least one byte, so most texts need no counting.
        Value::Text(text)
            if !text.is_empty()
                && (text.len() <= max_chars || text.chars().count() <= max_chars)
                && !text.chars().any(char::is_control) =>
        {
            Ok(text)
        }
        _ => Err(Cow::Borrowed(otherwise)),
    }
}

pub(crate) fn strategy(value: Value<'_>) -> Checked<Cow<'_, str>> {
    text(value, MAX_STRATEGY_CHARS, "must be a text of 1 to 64 characters without control characters")
}

pub(crate) fn session(value: Value<'_>) -> Checked<Cow<'_, str>> {
    text(value, MAX_SESSION_CHARS, "must be a text of 1 to 32 characters without control characters")
}

pub(crate) fn source(value: Value<'_>) -> Checked<Cow<'_, str>> {
    text(value, MAX_SOURCE_CHARS, "must be a text of 1 to 128 characters without control characters")
}

pub(crate) fn reason(value: Value<'_>) -> Checked<Cow<'_, str>> {
    text(value, MAX_REASON_CHARS, "must be a text of 1 to 500 characters without control characters")
}

pub(crate) fn sequence(value: Value<'_>) -> Checked<u64> {
    match value {
        Value::Natural(number) if number >= 1 && i64::try_from(number).is_ok() => Ok(number),
        _ => Err("must be an integer from 1 to 9223372036854775807".into()),
    }
}

pub(crate) fn offset(value: Value<'_>) -> Checked<u64> {
    match value {
        Value::Natural(number) if i64::try_from(number).is_ok() => Ok(number),
        _ => Err("must be an integer from 0 to 9223372036854775807".into()),
    }
}

pub(crate) fn epoch(value: Value<'_>) -> Checked<u8> {
    match value {
        Value::Natural(number) => u8::try_from(number).ok(),
        _ => None,
    }
    .ok_or_else(|| "must be an integer from 0 to 255".into())
}

pub(crate) fn partition(value: Value<'_>) -> Checked<u16> {
    match value {
        Value::Natural(number) => u16::try_from(number).ok(),
        _ => None,
    }
    .ok_or_else(|| "must be an integer from 0 to 65535".into())
}

pub(crate) fn time(value: Value<'_>) -> Checked<TimestampUs> {
    let instant = match &value {
        Value::Text(text) if is_rfc3339_shaped(text.as_bytes()) => text.parse::<jiff::Timestamp>().ok(),
        _ => None,
    };
    match instant.map(jiff::Timestamp::as_microsecond) {
        Some(us) if us >= 0 => Ok(TimestampUs(us)),
        Some(_) => Err("must not be before 1970".into()),
        None => Err("must be an RFC 3339 time with an offset, such as \"2025-11-14T14:30:00Z\"".into()),
    }
}

/// jiff reads more than RFC 3339: time zone annotations, basic format, comma decimals. Other programs don't.
fn is_rfc3339_shaped(text: &[u8]) -> bool {
    let digit = |b: u8| b.is_ascii_digit();
    let Some((date_time, rest)) = text.split_at_checked("2025-11-14T14:30:00".len()) else {
        return false;
    };
    let date_time_ok = date_time.iter().zip(b"dddd-dd-ddTdd:dd:dd").all(|(&b, &shape)| match shape {
        b'd' => digit(b),
        b'T' => matches!(b, b'T' | b't' | b' '),
        exact => b == exact,
    });
    let offset = match rest {
        [b'.', decimals @ ..] => {
            let end = decimals.iter().position(|&b| !digit(b)).unwrap_or(decimals.len());
            // Nanoseconds are what jiff keeps; more digits than that it refuses, and so does this.
            if end == 0 || end > 9 {
                return false;
            }
            decimals.get(end..).unwrap_or_default()
        }
        other => other,
    };
    let offset_ok = match offset {
        [b'Z' | b'z'] => true,
        [b'+' | b'-', h1, h2, b':', m1, m2] => [h1, h2, m1, m2].into_iter().all(|&b| digit(b)),
        _ => false,
    };
    date_time_ok && offset_ok
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_value(text: &str) -> Value<'_> {
        Value::Text(Cow::Borrowed(text))
    }

    #[test]
    fn times_are_rfc_3339_to_the_microsecond() {
        for (text, us) in [
            ("1970-01-01T00:00:00Z", 0),
            ("1970-01-01T00:00:00.0000019Z", 1),
            ("1970-01-01t01:00:00.5+01:00", 500_000),
            ("2025-11-13T07:47:39.327604+00:00", 1_763_020_059_327_604),
            ("2025-11-13 07:47:39z", 1_763_020_059_000_000),
            ("2016-12-31T23:59:60Z", 1_483_228_799_000_000),
        ] {
            assert_eq!(time(text_value(text)), Ok(TimestampUs(us)), "{text}");
        }
        for bad in [
            "",
            "2025-11-13",
            "2025-11-13T07:47:39",
            "2025-11-13T07:47Z",
            "20251113T074739Z",
            "2025-11-13T07:47:39,5Z",
            "2025-11-13T07:47:39.Z",
            "2025-11-13T07:47:39.1234567891Z",
            "2025-11-13T07:47:39+01",
            "2025-11-13T07:47:39+0100",
            "2025-11-13T07:47:39+01:00[Europe/Berlin]",
            "2025-02-30T00:00:00Z",
            "2025-11-13T24:00:00Z",
            "2025-11-13T07:47:39+99:00",
            "+002025-11-13T07:47:39Z",
            "1969-12-31T23:59:59Z",
            "٢٠٢٥-11-13T07:47:39Z",
        ] {
            assert!(time(text_value(bad)).is_err(), "{bad}");
        }
        assert!(time(Value::Natural(1_763_020_059)).is_err());
    }

    #[test]
    fn money_is_exact() {
        assert_eq!(money(Value::Natural(9_223_372_036)), Ok(MoneyE9(9_223_372_036_000_000_000)));
        assert_eq!(money(Value::Negative(-9_223_372_036)), Ok(MoneyE9(-9_223_372_036_000_000_000)));
        assert_eq!(money(Value::Real(6524.25)), Ok(MoneyE9(6_524_250_000_000)));
        assert_eq!(money(text_value("0.123456789")), Ok(MoneyE9(123_456_789)));
        for bad in [
            Value::Natural(9_223_372_037),
            Value::Natural(u64::MAX),
            Value::Negative(i64::MIN),
            Value::Real(1e300),
            text_value("0.1234567891"),
            text_value("1e3"),
            text_value("NaN"),
            Value::Bool(true),
        ] {
            assert!(money(bad.clone()).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn texts_are_counted_in_characters() {
        assert!(strategy(text_value(&"ü".repeat(64))).is_ok());
        assert!(strategy(text_value(&"ü".repeat(65))).is_err());
        assert!(strategy(text_value("")).is_err());
        assert!(strategy(text_value("a\u{0}b")).is_err());
    }
}

//! Exact prices and amounts in units of 1e-9, the convention of Databento's price fields.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Units in one: 1e9.
pub const UNITS_PER_ONE: i64 = 1_000_000_000;
/// Digits behind the point that can be kept.
pub const MAX_DECIMALS: usize = 9;

/// A price or an amount of money in units of 1e-9, exact.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MoneyE9(pub i64);

/// Why a number is not an amount.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAmount {
    /// NaN or an infinity.
    #[error("must be a finite number")]
    NotFinite,
    /// Beyond what 64 bits of 1e-9 hold.
    #[error("must lie between -9223372036.854775808 and 9223372036.854775807")]
    OutOfRange,
    /// A decimal string with more digits than can be kept exactly.
    #[error("has more than 9 decimals; send at most 9, or a JSON number to have it rounded")]
    TooManyDecimals,
    /// Not a decimal number at all.
    #[error("is not a decimal number such as \"6524.25\"")]
    Malformed,
}

impl MoneyE9 {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// Rounds a binary number half-even to 1e-9: clients compute in floats.
    ///
    /// The decimal that the client wrote is meant, so the shortest decimal of the float is what gets rounded.
    ///
    /// # Errors
    /// When the number is not finite or out of range.
    pub fn from_f64(value: f64) -> Result<Self, InvalidAmount> {
        if !value.is_finite() {
            return Err(InvalidAmount::NotFinite);
        }
        if value.abs() >= 9_223_372_036.854_776 {
            return Err(InvalidAmount::OutOfRange);
        }
        // Whole ticks of 1e-4 are exact in a float far beyond any price; the common case costs no formatting.
        let ticks = value * 1e4;
        if ticks == ticks.trunc() && ticks.abs() < 9e13 && ticks / 1e4 == value {
            #[allow(clippy::cast_possible_truncation)] // bounded just above
            return Ok(Self(ticks as i64 * 100_000));
        }
        Self::parse(&format!("{value}"), true)
    }

    /// Reads a decimal string exactly.
    ///
    /// # Errors
    /// When it is no decimal number, has more than 9 decimals or is out of range.
    pub fn from_decimal(text: &str) -> Result<Self, InvalidAmount> {
        Self::parse(text, false)
    }

    fn parse(text: &str, round: bool) -> Result<Self, InvalidAmount> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, decimals) = digits.split_once('.').unwrap_or((digits, ""));
        let all_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !all_digits(whole) || !all_digits(decimals) || digits.ends_with('.') {
            return Err(InvalidAmount::Malformed);
        }
        if decimals.len() > MAX_DECIMALS && !round {
            return Err(InvalidAmount::TooManyDecimals);
        }
        let whole: i128 = whole.parse().map_err(|_| InvalidAmount::OutOfRange)?;
        let (kept, rest) = decimals.split_at(decimals.len().min(MAX_DECIMALS));
        let mut units: i128 = 0;
        for digit in kept.bytes().chain(std::iter::repeat(b'0')).take(MAX_DECIMALS) {
            units = units * 10 + i128::from(digit - b'0');
        }
        let mut value = whole
            .checked_mul(i128::from(UNITS_PER_ONE))
            .and_then(|v| v.checked_add(units))
            .ok_or(InvalidAmount::OutOfRange)?;
        if rounds_up(rest, value % 2 != 0) {
            value += 1;
        }
        if negative {
            value = -value;
        }
        i64::try_from(value).map(Self).map_err(|_| InvalidAmount::OutOfRange)
    }

    /// The nearest float, for features and for answers.
    #[must_use]
    #[allow(clippy::cast_precision_loss)] // nearest is what is asked for
    pub fn to_f64(self) -> f64 {
        let whole = self.0 / UNITS_PER_ONE;
        let rest = self.0 % UNITS_PER_ONE;
        if rest == 0 { whole as f64 } else { self.0 as f64 / 1e9 }
    }
}

/// Half-even: whether the digits that are cut off carry one into the last digit kept.
fn rounds_up(rest: &str, odd: bool) -> bool {
    let mut digits = rest.bytes();
    match digits.next() {
        None => false,
        Some(first) if first != b'5' => first > b'5',
        Some(_) => odd || digits.any(|d| d != b'0'),
    }
}

impl fmt::Display for MoneyE9 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let units = self.0.unsigned_abs();
        let (whole, rest) = (units / UNITS_PER_ONE.unsigned_abs(), units % UNITS_PER_ONE.unsigned_abs());
        if rest == 0 {
            return write!(f, "{sign}{whole}");
        }
        let decimals = format!("{rest:09}");
        write!(f, "{sign}{whole}.{}", decimals.trim_end_matches('0'))
    }
}

impl fmt::Debug for MoneyE9 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn decimal_strings_are_exact() {
        assert_eq!(MoneyE9::from_decimal("6524.25"), Ok(MoneyE9(6_524_250_000_000)));
        assert_eq!(MoneyE9::from_decimal("-0.000000001"), Ok(MoneyE9(-1)));
        assert_eq!(MoneyE9::from_decimal("1.0000000001"), Err(InvalidAmount::TooManyDecimals));
        for bad in ["", "-", ".5", "1.", "1e3", "+1", "1,5", "NaN", "0x1", "1.2.3"] {
            assert_eq!(MoneyE9::from_decimal(bad), Err(InvalidAmount::Malformed), "{bad}");
        }
        assert_eq!(MoneyE9::from_decimal("9223372036.854775808"), Err(InvalidAmount::OutOfRange));
        assert_eq!(MoneyE9::from_decimal("-9223372036.854775808"), Ok(MoneyE9(i64::MIN)));
    }

    #[test]
    fn floats_round_half_even() {
        assert_eq!(MoneyE9::from_f64(0.1), Ok(MoneyE9(100_000_000)));
        assert_eq!(MoneyE9::from_f64(0.000_000_000_5), Ok(MoneyE9(0)));
        assert_eq!(MoneyE9::from_f64(0.000_000_001_5), Ok(MoneyE9(2)));
        assert_eq!(MoneyE9::from_f64(-0.000_000_002_5), Ok(MoneyE9(-2)));
        assert_eq!(MoneyE9::from_f64(f64::NAN), Err(InvalidAmount::NotFinite));
        assert_eq!(MoneyE9::from_f64(1e300), Err(InvalidAmount::OutOfRange));
    }

    proptest! {
        #[test]
        fn text_and_back(units in any::<i64>()) {
            prop_assert_eq!(MoneyE9::from_decimal(&MoneyE9(units).to_string()), Ok(MoneyE9(units)));
        }

        #[test]
        fn prices_survive_floats(ticks in -40_000_000_i64..40_000_000) {
            let exact = MoneyE9(ticks * 250_000_000 / 100);
            prop_assert_eq!(MoneyE9::from_f64(exact.to_f64()), Ok(exact));
        }
    }
}

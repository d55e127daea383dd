//! Parameters of the regimes of a book: parts of the day by exchange, and classes of volatility.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use hindcast_domain::Symbol;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::UnknownFold;
use crate::book::{Regime, RegimeRules, rules::SymbolRegimes};

/// Longest name of a part of the day, in bytes.
const MAX_NAME_BYTES: usize = 32;

/// How the regimes of some symbols are told apart. Fields are in the order of their names, which is the canonical one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegimeRule {
    /// Volatility is low below the first bound, high from the second on: ATR in parts per million of the price. Where
    /// they are terciles of a symbol's history, each class has a third of it.
    pub atr_ppm_bounds: [u32; 2],
    /// Parts of the local day, by rising start.
    pub day_parts: Vec<DayPart>,
    /// The symbols; none for all that no other rule names.
    pub symbols: Vec<Symbol>,
    /// The exchange's time zone as a POSIX rule, for example `CST6CDT,M3.2.0,M11.1.0`: unlike the name of a zone it
    /// means the same on every machine and for ever.
    pub time_zone: String,
}

/// A part of the day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DayPart {
    /// When it begins, local time, `HH:MM`. It ends where the next one begins.
    pub from: String,
    /// Its name.
    pub name: String,
}

/// What a new plan of version 2 begins with.
///
/// The zones are those of the exchanges of [`hindcast_domain::Instruments::default`]: Chicago for CME and CBOT, New York
/// for NYMEX. The bounds are the terciles of the first occurrences of the recorded ES signals that the targets are
/// measured on.
#[must_use]
pub fn default_regimes() -> Vec<RegimeRule> {
    let rule = |symbols: &[&str], time_zone: &str, parts: &[(&str, &str)]| RegimeRule {
        atr_ppm_bounds: DEFAULT_ATR_PPM_BOUNDS,
        day_parts: parts.iter().map(|(from, name)| DayPart { from: (*from).into(), name: (*name).into() }).collect(),
        symbols: symbols.iter().filter_map(|symbol| Symbol::new(symbol).ok()).collect(),
        time_zone: time_zone.to_owned(),
    };
    let equities =
        [("08:30", "open"), ("10:00", "midday"), ("13:30", "close"), ("15:15", "evening"), ("17:00", "overnight")];
    let energies =
        [("09:00", "open"), ("10:30", "midday"), ("13:30", "close"), ("14:30", "evening"), ("18:00", "overnight")];
    vec![
        rule(&["ES", "NQ", "RTY", "YM"], "CST6CDT,M3.2.0,M11.1.0", &equities),
        rule(&["CL"], "EST5EDT,M3.2.0,M11.1.0", &energies),
        rule(&[], "UTC0", &[("00:00", "night"), ("06:00", "morning"), ("12:00", "afternoon"), ("18:00", "evening")]),
    ]
}

/// Terciles of 650 signals of ES.
const DEFAULT_ATR_PPM_BOUNDS: [u32; 2] = [116, 232];

/// The rule of a symbol.
#[must_use]
pub fn rule_of<'r>(rules: &'r [RegimeRule], symbol: &str) -> Option<&'r RegimeRule> {
    let named = |rule: &&RegimeRule| rule.symbols.iter().any(|named| named.as_str() == symbol);
    rules.iter().find(named).or_else(|| rules.iter().find(|rule| rule.symbols.is_empty()))
}

pub(super) fn compiled(rules: &[RegimeRule]) -> Result<RegimeRules, UnknownFold> {
    let (mut by_symbol, mut others) = (BTreeMap::new(), None);
    for (place, rule) in rules.iter().enumerate() {
        let fault = |detail: String| UnknownFold::Regimes { place, detail };
        let compiled = Arc::new(rule.compiled().map_err(fault)?);
        if rule.symbols.is_empty() && others.replace(Arc::clone(&compiled)).is_some() {
            return Err(fault("is the second one without symbols; one is for all that no other names".to_owned()));
        }
        for symbol in &rule.symbols {
            if by_symbol.insert(symbol.as_str().into(), Arc::clone(&compiled)).is_some() {
                return Err(fault(format!("names {symbol}, which a rule has already")));
            }
        }
    }
    let missing = || UnknownFold::Regimes { place: rules.len(), detail: "is missing: one without symbols".to_owned() };
    Ok(RegimeRules { by_symbol, others: others.ok_or_else(missing)? })
}

impl RegimeRule {
    fn compiled(&self) -> Result<SymbolRegimes, String> {
        let [low, high] = self.atr_ppm_bounds;
        if low >= high {
            return Err(format!("has atr_ppm_bounds that do not rise: {low}, {high}"));
        }
        if !(1..=Regime::MAX_DAY_PARTS).contains(&self.day_parts.len()) {
            return Err(format!("has {} day_parts; 1 to {} are possible", self.day_parts.len(), Regime::MAX_DAY_PARTS));
        }
        let mut starts_minutes = Vec::with_capacity(self.day_parts.len());
        let mut names = BTreeSet::new();
        for DayPart { from, name } in &self.day_parts {
            let start = minute(from).ok_or_else(|| format!("has a day part from {from:?}, which is no HH:MM"))?;
            if starts_minutes.last().is_some_and(|last| *last >= start) {
                return Err(format!("has a day part from {from} that does not come after the one before"));
            }
            if !(1..=MAX_NAME_BYTES).contains(&name.len()) || !names.insert(name) {
                return Err(format!("has a day part {name:?}; names differ and have 1 to {MAX_NAME_BYTES} bytes"));
            }
            starts_minutes.push(start);
        }
        let zone = TimeZone::posix(&self.time_zone).map_err(|_| {
            format!("has the time_zone {:?}, which is no POSIX rule such as EST5EDT,M3.2.0,M11.1.0", self.time_zone)
        })?;
        Ok(SymbolRegimes { zone, starts_minutes, atr_ppm_bounds: [low.into(), high.into()] })
    }
}

/// Minute of the day of `HH:MM`.
fn minute(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':').filter(|(hours, minutes)| hours.len() == 2 && minutes.len() == 2)?;
    let number = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse::<u16>().ok())?;
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
}

#[cfg(test)]
mod tests {
    use hindcast_domain::{MoneyE9, TimestampUs};

    use super::*;
    use crate::book::{BookRules, FeatureSet, Volatility};

    fn rules(rules: &[RegimeRule]) -> BookRules {
        let regimes = Some(Arc::new(compiled(rules).unwrap()));
        BookRules { features: FeatureSet::ALL, regimes, ..BookRules::first(1, 1) }
    }

    fn part(symbol: &str, at: &str) -> String {
        let at = at.parse::<jiff::Timestamp>().unwrap().as_microsecond();
        let regime = rules(&default_regimes()).regime(symbol, TimestampUs(at), None, None);
        rule_of(&default_regimes(), symbol).unwrap().day_parts[regime.day_part()].name.clone()
    }

    #[test]
    fn parts_of_the_day_are_those_of_the_exchange() {
        // The opening of New York is 14:30 UTC in winter, 13:30 in summer; it changes on the second Sunday of March.
        for (symbol, at, expected) in [
            ("ES", "2024-01-16T14:29:59.999999Z", "overnight"),
            ("ES", "2024-01-16T14:30:00Z", "open"),
            ("ES", "2024-03-08T13:30:00Z", "overnight"),
            ("ES", "2024-03-11T13:30:00Z", "open"),
            ("ES", "2024-11-01T13:30:00Z", "open"),
            ("ES", "2024-11-04T13:30:00Z", "overnight"),
            ("YM", "2024-07-01T20:15:00Z", "evening"),
            ("YM", "2024-07-01T22:00:00Z", "overnight"),
            ("YM", "2024-07-02T04:59:00Z", "overnight"),
            ("YM", "2024-07-02T05:01:00Z", "overnight"),
            ("CL", "2024-07-02T13:00:00Z", "open"),
            ("GC", "2024-07-02T13:00:00Z", "afternoon"),
            ("GC", "1960-07-02T00:00:00Z", "night"),
        ] {
            assert_eq!(part(symbol, at), expected, "{symbol} {at}");
        }
        // No time is an error.
        for at in [i64::MIN, i64::MAX] {
            let _ = rules(&default_regimes()).regime("ES", TimestampUs(at), Some(f64::MAX), Some(MoneyE9(1)));
        }
    }

    #[test]
    fn volatility_is_atr_by_price() {
        let rules = rules(&default_regimes());
        let volatility = |atr, price: i64| {
            rules.regime("ES", TimestampUs(0), atr, Some(MoneyE9(price * 1_000_000_000))).volatility()
        };
        assert_eq!(volatility(Some(0.5), 6_500), Volatility::Low);
        assert_eq!(volatility(Some(1.0), 6_500), Volatility::Middle);
        assert_eq!(volatility(Some(1.6), 6_500), Volatility::High);
        assert_eq!(volatility(None, 6_500), Volatility::Unknown);
        assert_eq!(volatility(Some(1.0), 0), Volatility::Unknown);
        assert_eq!(volatility(Some(1.0), -5), Volatility::Unknown);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let refused = |change: &dyn Fn(&mut Vec<RegimeRule>)| {
            let mut rules = default_regimes();
            change(&mut rules);
            compiled(&rules).unwrap_err().to_string()
        };
        type Case = (&'static dyn Fn(&mut Vec<RegimeRule>), &'static str);
        let cases: [Case; 9] = [
            (&|rules| rules[0].atr_ppm_bounds = [5, 5], "atr_ppm_bounds that do not rise"),
            (&|rules| rules[1].day_parts.clear(), "0 day_parts"),
            (&|rules| rules[0].day_parts[1].from = "8:30".into(), "no HH:MM"),
            (&|rules| rules[0].day_parts[1].from = "24:00".into(), "no HH:MM"),
            (&|rules| rules[0].day_parts[1].from = "08:30".into(), "does not come after"),
            (&|rules| rules[0].day_parts[1].name = "open".into(), "names differ"),
            (&|rules| rules[0].time_zone = "America/Chicago".into(), "no POSIX rule"),
            (&|rules| rules[1].symbols.clear(), "second one without symbols"),
            (&|rules| drop(rules.pop()), "is missing"),
        ];
        for (change, expected) in cases {
            let error = refused(change);
            assert!(error.contains(expected) && error.starts_with("regimes of the projection book: rule "), "{error}");
        }
        assert!(refused(&|rules| rules[1].symbols = rules[0].symbols.clone()).contains("names ES"));
    }
}

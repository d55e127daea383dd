//! The instruments that are traded.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{MoneyE9, Symbol};

/// What one instrument is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Instrument {
    /// Smallest price step in units of 1e-9 index points or dollars.
    pub tick_size_e9: MoneyE9,
    /// What one tick of one contract is worth, in units of 1e-9 USD.
    pub tick_value_e9: MoneyE9,
}

/// All instruments by symbol.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Instruments(pub BTreeMap<Symbol, Instrument>);

impl Instruments {
    /// The instrument of a symbol.
    #[must_use]
    pub fn get(&self, symbol: &str) -> Option<&Instrument> {
        self.0.get(symbol)
    }

    /// The known symbols, separated by commas, for messages.
    #[must_use]
    pub fn names(&self) -> String {
        self.0.keys().map(Symbol::as_str).collect::<Vec<_>>().join(", ")
    }
}

impl Default for Instruments {
    /// The futures that the replaced system knew, with the contract specifications of CME Group and NYMEX.
    fn default() -> Self {
        let all = [
            ("ES", 250_000_000, 12_500_000_000),
            ("NQ", 250_000_000, 5_000_000_000),
            ("CL", 10_000_000, 10_000_000_000),
            ("YM", 1_000_000_000, 5_000_000_000),
            ("RTY", 100_000_000, 5_000_000_000),
        ];
        Self(
            all.into_iter()
                .filter_map(|(name, size, value)| {
                    let instrument = Instrument { tick_size_e9: MoneyE9(size), tick_value_e9: MoneyE9(value) };
                    Symbol::new(name).ok().map(|symbol| (symbol, instrument))
                })
                .collect(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_instruments() {
        assert_eq!(Instruments::default().names(), "CL, ES, NQ, RTY, YM");
        assert!(Instruments::default().get("GC").is_none());
    }
}

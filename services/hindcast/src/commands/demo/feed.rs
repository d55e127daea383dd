//! The market of a demo: bars of one or several symbols, minute by minute.

use std::path::Path;

use hindcast_domain::{Instrument, Instruments};

use crate::{
    exit::Failure,
    market::{Bar, file::BarsFile, synthetic::SyntheticMarket},
    report::table::thousands,
};

/// Minutes of a synthetic demo: sixty sessions of 23 hours.
const SYNTHETIC_BARS: u64 = 60 * 23 * 60;

const DEFAULT_SYMBOLS: [&str; 2] = ["ES", "NQ"];
const DEFAULT_SYMBOL_OF_FILE: &str = "ES";

/// Where bars come from.
pub(super) struct Feed {
    sources: Vec<Source>,
    played: u64,
    length: u64,
    what: String,
}

struct Source {
    symbol: String,
    instrument: Instrument,
    bars: Box<dyn Iterator<Item = Result<Bar, Failure>> + Send>,
}

/// The bars of one minute.
pub(super) struct Minute {
    bars: Vec<(String, Bar)>,
}

impl Minute {
    pub(super) fn of(&self, symbol: &str) -> Option<&Bar> {
        self.bars.iter().find(|(name, _)| name == symbol).map(|(_, bar)| bar)
    }
}

impl Feed {
    /// Seeded markets.
    pub(super) fn synthetic(symbols: &[String], instruments: &Instruments, seed: u64) -> Result<Self, Failure> {
        let default = DEFAULT_SYMBOLS.map(str::to_owned);
        let symbols = if symbols.is_empty() { &default } else { symbols };
        let mut sources: Vec<Source> = Vec::new();
        for symbol in symbols {
            if sources.iter().any(|source| source.symbol == *symbol) {
                return Err(Failure::usage(format!("{symbol} is there twice in --symbols")));
            }
            let instrument = instrument(symbol, instruments)?;
            let market = SyntheticMarket::new(symbol, instruments, seed).map_err(Failure::usage)?;
            sources.push(Source { symbol: symbol.clone(), instrument, bars: Box::new(market.map(Ok)) });
        }
        let what = format!("a synthetic market (seed {seed})");
        Ok(Self { sources, played: 0, length: SYNTHETIC_BARS, what })
    }

    /// The bars of a file, which are of one symbol.
    pub(super) fn of_file(path: &Path, symbols: &[String], instruments: &Instruments) -> Result<Self, Failure> {
        let symbol = match symbols {
            [] => DEFAULT_SYMBOL_OF_FILE,
            [symbol] => symbol.as_str(),
            _ => return Err(Failure::usage("a file of bars is of one symbol; name one with --symbols")),
        };
        let instrument = instrument(symbol, instruments)?;
        // Read once to tell how long it takes; the whole file is checked on the way, before anything is started.
        let mut length = 0;
        for bar in BarsFile::open(path).map_err(Failure::failed)? {
            bar.map_err(Failure::failed)?;
            length += 1;
        }
        let bars = BarsFile::open(path).map_err(Failure::failed)?.map(|bar| bar.map_err(Failure::failed));
        let sources = vec![Source { symbol: symbol.to_owned(), instrument, bars: Box::new(bars) }];
        Ok(Self { sources, played: 0, length, what: format!("{} minutes of {}", thousands(length), path.display()) })
    }

    /// The next minute; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Minute>, Failure> {
        if self.played >= self.length {
            return Ok(None);
        }
        let mut bars = Vec::with_capacity(self.sources.len());
        for source in &mut self.sources {
            if let Some(bar) = source.bars.next() {
                bars.push((source.symbol.clone(), bar?));
            }
        }
        if bars.is_empty() {
            return Ok(None);
        }
        self.played += 1;
        Ok(Some(Minute { bars }))
    }

    pub(super) fn symbols(&self) -> impl Iterator<Item = (String, &Instrument)> {
        self.sources.iter().map(|source| (source.symbol.clone(), &source.instrument))
    }

    /// There is always one.
    pub(super) fn first_symbol(&self) -> &str {
        self.sources.first().map_or(DEFAULT_SYMBOL_OF_FILE, |source| &source.symbol)
    }

    pub(super) fn played(&self) -> u64 {
        self.played
    }

    pub(super) fn length(&self) -> u64 {
        self.length
    }

    pub(super) fn describe(&self) -> &str {
        &self.what
    }
}

fn instrument(symbol: &str, instruments: &Instruments) -> Result<Instrument, Failure> {
    let unknown = || Failure::usage(format!("{symbol} is no instrument; there are {}", instruments.names()));
    instruments.get(symbol).cloned().ok_or_else(unknown)
}

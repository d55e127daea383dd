//! A synthetic market with something to learn.
//!
//! The price is a random walk that the session's volume-weighted average price (VWAP) pulls at. Per minute,
//! with `d` the distance of the price from VWAP, as a share:
//!
//! ```text
//! d' = d - PULL * pull * d + volatility * normal
//! pull = DAILY * cos(2 pi (hour - QUIETEST_HOUR) / 24) - ACTIVITY * log(volatility / usual) - SURGE * surge
//!        + STRETCH * |d|
//! ```
//!
//! Where `pull` is positive the price returns to VWAP; where it is negative it runs away. It depends on the hour, on
//! how volatile the market is (a slow process of its own; a strategy sees it in its average true range) and on surges
//! of volume (sudden, fading; seen in its volume ratio). A bot that always bets on the return wins a little more than
//! half of its trades; one that knows how trades under the same circumstances turned out can tell which half.
//!
//! The same seed gives the same bars on every machine: all functions are `libm`'s.

use hindcast_domain::{Instrument, Instruments, MoneyE9, TimestampUs};

use super::{Bar, MINUTE_US, random::Random};

/// Seconds since 1970 of Sunday, 4 January 2026, 23:00 UTC, when the first session begins.
const FIRST_SESSION_S: i64 = 1_767_567_600;
const SECOND_US: i64 = 1_000_000;
const DAY_MINUTES: u32 = 24 * 60;
/// Minutes of a session; the market rests for the hour that is left of the day.
const SESSION_MINUTES: u32 = 23 * 60;
const SESSIONS_A_WEEK: u32 = 5;
const DAYS_A_WEEK: u32 = 7;

/// Volatility of a usual minute, as a share of the price.
const USUAL_VOLATILITY: f64 = 0.000_2;
/// Share of the distance that a pull of 1 takes away within a minute.
const PULL: f64 = 0.07;
/// How far the hour moves the pull up and down.
const DAILY: f64 = 1.6;
/// Hour (UTC) at which the price returns most willingly.
const QUIETEST_HOUR: f64 = 3.0;
/// How much a market more volatile than usual weakens the pull.
const ACTIVITY: f64 = 1.0;
/// How much a surge of volume weakens the pull.
const SURGE: f64 = 0.6;
/// How much a distance strengthens the pull, per 1 (100 %): a market does not run away for ever.
const STRETCH: f64 = 150.0;
/// Steps within a minute, so that it has a high and a low.
const STEPS: u32 = 4;

/// Price at which each market begins and contracts of its usual minute.
const BEGINNINGS: [(&str, f64, f64); 5] = [
    ("ES", 6_500.0, 900.0),
    ("NQ", 24_000.0, 400.0),
    ("CL", 60.0, 250.0),
    ("YM", 46_000.0, 150.0),
    ("RTY", 2_400.0, 200.0),
];

/// The symbol has no synthetic market.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no synthetic market of {symbol:?}; there is one of each of ES, NQ, CL, YM, RTY")]
pub struct UnknownMarket {
    /// What was asked for.
    pub symbol: String,
}

/// The bars of one symbol, without end.
#[derive(Debug, Clone)]
pub struct SyntheticMarket {
    random: Random,
    tick: f64,
    usual_volume: f64,
    minute: u64,
    price: f64,
    log_volatility: f64,
    surge: f64,
    session_volume: f64,
    session_turnover: f64,
}

impl SyntheticMarket {
    /// The market of a symbol for a seed.
    ///
    /// # Errors
    /// When there is none of that symbol.
    pub fn new(symbol: &str, instruments: &Instruments, seed: u64) -> Result<Self, UnknownMarket> {
        let unknown = || UnknownMarket { symbol: symbol.to_owned() };
        let Instrument { tick_size_e9, .. } = instruments.get(symbol).ok_or_else(unknown)?;
        let (_, price, usual_volume) =
            BEGINNINGS.into_iter().find(|(known, ..)| *known == symbol).ok_or_else(unknown)?;
        Ok(Self {
            random: Random::new(seed, symbol),
            tick: tick_size_e9.to_f64(),
            usual_volume,
            minute: 0,
            price,
            log_volatility: 0.0,
            surge: 0.0,
            session_volume: 0.0,
            session_turnover: 0.0,
        })
    }

    fn begins_at(&self) -> TimestampUs {
        let session = self.minute / u64::from(SESSION_MINUTES);
        let within = self.minute % u64::from(SESSION_MINUTES);
        let week = session / u64::from(SESSIONS_A_WEEK);
        let day = week * u64::from(DAYS_A_WEEK) + session % u64::from(SESSIONS_A_WEEK);
        let minutes = day * u64::from(DAY_MINUTES) + within;
        let since_us = i64::try_from(minutes).unwrap_or(i64::MAX).saturating_mul(MINUTE_US);
        TimestampUs((FIRST_SESSION_S * SECOND_US).saturating_add(since_us))
    }

    /// The minute's circumstances: (pull, volatility as a share of the price).
    fn circumstances(&mut self, hour: f64) -> (f64, f64) {
        // Half of a change in volatility is gone after about 3 hours.
        self.log_volatility = 0.996 * self.log_volatility + 0.045 * self.random.normal();
        // A surge begins about every two hours and halves within 7 minutes.
        self.surge *= 0.9;
        if self.random.uniform() < 1.0 / 120.0 {
            self.surge += 1.0 + self.random.uniform();
        }
        let daily = DAILY * libm::cos(std::f64::consts::TAU * (hour - QUIETEST_HOUR) / 24.0);
        let pull = daily - ACTIVITY * self.log_volatility - SURGE * self.surge;
        (pull, USUAL_VOLATILITY * libm::exp(self.log_volatility))
    }

    fn vwap(&self) -> f64 {
        if self.session_volume > 0.0 { self.session_turnover / self.session_volume } else { self.price }
    }

    fn to_tick(&self, price: f64) -> f64 {
        libm::round(price / self.tick) * self.tick
    }
}

impl Iterator for SyntheticMarket {
    type Item = Bar;

    fn next(&mut self) -> Option<Bar> {
        let begins_at = self.begins_at();
        if self.minute.is_multiple_of(u64::from(SESSION_MINUTES)) {
            (self.session_volume, self.session_turnover, self.surge) = (0.0, 0.0, 0.0);
        }
        self.minute += 1;
        let (pull, volatility) = self.circumstances(f64::from(begins_at.hour_utc()));
        let vwap = self.vwap();
        let open = self.to_tick(self.price);
        let (mut high, mut low) = (open, open);
        for _ in 0..STEPS {
            let distance = (self.price - vwap) / vwap;
            let pull = pull + STRETCH * libm::fabs(distance);
            let step = -PULL / f64::from(STEPS) * pull * distance
                + volatility / f64::from(STEPS).sqrt() * self.random.normal();
            self.price *= 1.0 + step;
            let traded = self.to_tick(self.price);
            (high, low) = (high.max(traded), low.min(traded));
        }
        let close = self.to_tick(self.price);
        let volume =
            self.usual_volume * libm::exp(0.6 * self.surge + 0.5 * self.log_volatility + 0.25 * self.random.normal());
        let volume = volume.max(1.0).round();
        self.session_volume += volume;
        self.session_turnover += volume * (high + low + close) / 3.0;
        Some(Bar {
            begins_at,
            open_e9: MoneyE9::from_f64(open).ok()?,
            high_e9: MoneyE9::from_f64(high).ok()?,
            low_e9: MoneyE9::from_f64(low).ok()?,
            close_e9: MoneyE9::from_f64(close).ok()?,
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a whole number of contracts, at least 1
            volume: volume as u64,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn market(symbol: &str, seed: u64) -> SyntheticMarket {
        SyntheticMarket::new(symbol, &Instruments::default(), seed).unwrap()
    }

    #[test]
    fn the_same_seed_gives_the_same_market_for_ever() {
        let bars: Vec<Bar> = market("ES", 1).take(5_000).collect();
        assert!(bars.iter().copied().eq(market("ES", 1).take(5_000)));
        let shown: Vec<_> = [0, 1, 4_999].iter().map(|&n| format!("{:?}", bars[n])).collect();
        assert_eq!(shown, GOLDEN);
    }

    const GOLDEN: [&str; 3] = [
        "Bar { begins_at: TimestampUs(1767567600000000), open_e9: 6500, high_e9: 6502.25, low_e9: 6500, close_e9: 6501.75, volume: 792 }",
        "Bar { begins_at: TimestampUs(1767567660000000), open_e9: 6501.75, high_e9: 6502.75, low_e9: 6501, close_e9: 6501, volume: 1064 }",
        "Bar { begins_at: TimestampUs(1767878340000000), open_e9: 6647.5, high_e9: 6653.5, low_e9: 6647.25, close_e9: 6653.5, volume: 3499 }",
    ];

    #[test]
    fn seeds_and_symbols_differ() {
        let closes = |symbol, seed| market(symbol, seed).take(50).map(|bar| bar.close_e9).collect::<Vec<_>>();
        assert_ne!(closes("ES", 1), closes("ES", 2));
        assert_ne!(closes("YM", 1), closes("NQ", 1));
        let absent = SyntheticMarket::new("GC", &Instruments::default(), 1).unwrap_err();
        assert!(absent.to_string().contains("ES, NQ, CL, YM, RTY"), "{absent}");
    }

    #[test]
    fn bars_are_sound() {
        for (symbol, price, _) in BEGINNINGS {
            let tick = Instruments::default().get(symbol).unwrap().tick_size_e9;
            let mut last = TimestampUs(0);
            for bar in market(symbol, 3).take(60 * 1_380) {
                let prices = [bar.open_e9, bar.high_e9, bar.low_e9, bar.close_e9];
                assert!(prices.iter().all(|price| price.0 % tick.0 == 0), "{bar:?}");
                assert!(prices.iter().all(|price| (bar.low_e9..=bar.high_e9).contains(price)), "{bar:?}");
                assert!((0.5 * price..2.0 * price).contains(&bar.close_e9.to_f64()), "{bar:?}");
                assert!(bar.volume > 0 && bar.begins_at > last);
                last = bar.begins_at;
            }
        }
    }

    #[test]
    fn the_market_rests_daily_and_at_weekends() {
        let times: Vec<_> = market("ES", 1).take(6 * 1_380).map(|bar| bar.begins_at.0 / MINUTE_US).collect();
        let pauses: Vec<_> = times.windows(2).map(|pair| pair[1] - pair[0]).filter(|&pause| pause != 1).collect();
        assert_eq!(pauses, [61, 61, 61, 61, 2 * 1_440 + 61]);
    }
}

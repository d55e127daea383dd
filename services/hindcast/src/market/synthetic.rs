//! A synthetic market with something to learn.
//!
//! The price is a random walk that the session's volume-weighted average price (VWAP) pulls at. Per minute,
//! with `d` the distance of the price from VWAP, as a share:
//!
//! ```text
//! d' = d - PULL * pull * d + volatility * normal
//! pull = cos(2 pi (hour - QUIETEST_HOUR) / 24) - ACTIVITY * log(volatility / usual) - SURGE * surge
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
/// Share of the distance that the strongest pull takes away within a minute.
const PULL: f64 = 0.05;
/// Hour (UTC) at which the price returns most willingly.
const QUIETEST_HOUR: f64 = 3.0;
/// How much a market more volatile than usual weakens the pull.
const ACTIVITY: f64 = 1.0;
/// How much a surge of volume weakens the pull.
const SURGE: f64 = 0.6;
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
        let daily = libm::cos(std::f64::consts::TAU * (hour - QUIETEST_HOUR) / 24.0);
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
            // A price far away is always pulled back a little: a market does not run away for ever.
            let pull = pull + libm::fabs(distance) * 100.0;
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

//! What the users of a demo set differently.

/// Parameters of a VWAP/RSI strategy.
#[derive(Debug, Clone, PartialEq)]
pub struct Params {
    /// Name of the strategy, as it is reported.
    pub name: &'static str,
    /// Changes of price the RSI looks at.
    pub rsi_period: u16,
    /// At or below it the market counts as oversold; at or above 100 minus it as overbought.
    pub rsi_low: f64,
    /// How far from VWAP a price has to be, in percent.
    pub distance_percent: f64,
    /// Profit target: this share of the way back to VWAP.
    pub target_share: f64,
    /// Loss limit: this multiple of the way to the target.
    pub stop_share: f64,
    /// Minutes after which a trade is closed whatever it is worth.
    pub max_minutes: u16,
    /// Contracts.
    pub quantity: u32,
}

const FADE: Params = Params {
    name: "vwap-fade",
    rsi_period: 14,
    rsi_low: 38.0,
    distance_percent: 0.05,
    target_share: 0.6,
    stop_share: 1.0,
    max_minutes: 45,
    quantity: 1,
};

const OTHERS: [Params; 3] = [
    Params { name: "vwap-snap", rsi_period: 7, rsi_low: 25.0, target_share: 0.4, max_minutes: 20, quantity: 2, ..FADE },
    Params { name: "vwap-swing", rsi_low: 35.0, distance_percent: 0.09, target_share: 0.8, max_minutes: 90, ..FADE },
    Params {
        name: "vwap-scalp",
        rsi_period: 5,
        rsi_low: 20.0,
        target_share: 0.3,
        max_minutes: 15,
        quantity: 3,
        ..FADE
    },
];

impl Params {
    /// The strategies that the users of a demo run: the n-th user has the n-th, beginning anew after the last.
    #[must_use]
    pub fn of_user(number: usize) -> Self {
        std::iter::once(&FADE).chain(&OTHERS).nth(number % (1 + OTHERS.len())).unwrap_or(&FADE).clone()
    }
}

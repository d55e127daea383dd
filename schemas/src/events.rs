//! The four events, typed. Their wire form is the Avro schema of the same name; field order here is field order there.
//!
//! Text is borrowed from the record where that is possible, so that decoding a journal allocates nothing per field.

use std::borrow::Cow;

use hindcast_domain::{EventKind, Features, MoneyE9, Position, Side, TimestampUs};
use uuid::Uuid;

/// Most further features a signal can carry.
pub const MAX_EXTRA_FEATURES: usize = 32;

/// A bot saw a signal.
#[derive(Debug, Clone, PartialEq)]
pub struct SignalReceived<'a> {
    /// The client's own id if it gave one, else made by ingress.
    pub event_id: Uuid,
    /// Owner of the bot.
    pub user_id: Cow<'a, str>,
    /// Instrument.
    pub symbol: Cow<'a, str>,
    /// Which of the owner's bots.
    pub strategy: Option<Cow<'a, str>>,
    /// The client's time; equal to `received_at` if it sent none.
    pub occurred_at: TimestampUs,
    /// When ingress took it.
    pub received_at: TimestampUs,
    /// Place in a bulk import.
    pub import: Option<ImportPlace<'a>>,
    /// Direction.
    pub side: Side,
    /// Price at the signal. Absent from the oldest bots, which send a distance only.
    pub price_e9: Option<MoneyE9>,
    /// Relative strength index, 0 to 100.
    pub rsi: Option<f64>,
    /// Volume-weighted average price.
    pub vwap_e9: Option<MoneyE9>,
    /// (price - vwap) / vwap in percent, when both are known.
    pub vwap_distance_percent: Option<f64>,
    /// The same without its sign; all that some clients send.
    pub vwap_distance_abs_percent: Option<f64>,
    /// Contracts traded in the bar of the signal.
    pub volume: Option<f64>,
    /// Average true range, in price points.
    pub atr: Option<f64>,
    /// Volume as a multiple of its average.
    pub volume_ratio: Option<f64>,
    /// Further named features, sorted by name, each name once.
    pub features: Vec<(Cow<'a, str>, f64)>,
    /// Ask less bid, in price points. Since version 2.
    pub spread: Option<f64>,
    /// Trading session as the client names it. Since version 2.
    pub session: Option<Cow<'a, str>>,
}

/// Why a trade ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum ExitReason {
    /// The profit target was reached.
    Target,
    /// The stop was reached.
    Stop,
    /// The time allowed for the trade was over.
    Time,
    /// The signal turned.
    Signal,
    /// The session ended.
    Session,
    /// Somebody closed it by hand.
    Manual,
    /// Anything else.
    Other,
}

/// A trade was closed.
#[derive(Debug, Clone, PartialEq)]
pub struct TradeClosed<'a> {
    /// The client's own id if it gave one, else made by ingress.
    pub event_id: Uuid,
    /// Owner of the bot.
    pub user_id: Cow<'a, str>,
    /// Instrument.
    pub symbol: Cow<'a, str>,
    /// Which of the owner's bots.
    pub strategy: Option<Cow<'a, str>>,
    /// The client's time; equal to `received_at` if it sent none.
    pub occurred_at: TimestampUs,
    /// When ingress took it.
    pub received_at: TimestampUs,
    /// Place in a bulk import.
    pub import: Option<ImportPlace<'a>>,
    /// The signal it came from, if the client knows.
    pub signal_id: Option<Uuid>,
    /// The decision it came from, if the client knows.
    pub decision_id: Option<Uuid>,
    /// Direction.
    pub side: Side,
    /// Contracts.
    pub quantity: Option<f64>,
    /// Price at entry.
    pub entry_price_e9: MoneyE9,
    /// Price at exit.
    pub exit_price_e9: MoneyE9,
    /// Profit or loss in USD.
    pub pnl_e9: MoneyE9,
    /// When it was entered.
    pub entry_time: Option<TimestampUs>,
    /// When it was closed.
    pub exit_time: Option<TimestampUs>,
    /// Volume-weighted average price at entry.
    pub entry_vwap_e9: Option<MoneyE9>,
    /// Relative strength index at entry.
    pub entry_rsi: Option<f64>,
    /// Volume-weighted average price at exit.
    pub exit_vwap_e9: Option<MoneyE9>,
    /// Relative strength index at exit.
    pub exit_rsi: Option<f64>,
    /// Why it ended.
    pub exit_reason: Option<ExitReason>,
    /// Worst unrealised loss on the way, USD.
    pub max_adverse_e9: Option<MoneyE9>,
    /// Best unrealised profit on the way, USD.
    pub max_favourable_e9: Option<MoneyE9>,
    /// The outcome of a trade that was not taken: the model learns from it, totals of money don't count it.
    pub simulated: bool,
    /// Commissions and fees paid, USD; negative for a rebate. Since version 2.
    ///
    /// `pnl_e9` is taken as the client reports it, with or without them.
    pub fees_e9: Option<MoneyE9>,
}

/// A trade was busted or misreported: its effect is reversed.
///
/// Ingress copies what must be reversed from the trade, so that a fold that no longer holds the trade can still
/// reverse its sums.
#[derive(Debug, Clone, PartialEq)]
pub struct TradeVoided<'a> {
    /// [`hindcast_domain::void_event_id`] of the trade: a trade is voided once.
    pub event_id: Uuid,
    /// Owner of the bot.
    pub user_id: Cow<'a, str>,
    /// Instrument of the trade.
    pub symbol: Cow<'a, str>,
    /// Strategy of the trade.
    pub strategy: Option<Cow<'a, str>>,
    /// The client's time; equal to `received_at` if it sent none.
    pub occurred_at: TimestampUs,
    /// When ingress took it.
    pub received_at: TimestampUs,
    /// The trade that is taken back.
    pub trade_event_id: Uuid,
    /// Position at which that trade was first recorded.
    pub trade_position: Position,
    /// `occurred_at` of the trade.
    pub trade_occurred_at: TimestampUs,
    /// Profit or loss of the trade in USD.
    pub trade_pnl_e9: MoneyE9,
    /// Whether the trade was a simulated one.
    pub trade_simulated: bool,
    /// Why, in the client's words.
    pub reason: Option<Cow<'a, str>>,
}

/// Place of a record in a bulk import: sequences of one source rise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportPlace<'a> {
    /// Names the file, for example by its digest.
    pub source: Cow<'a, str>,
    /// Row within it, from 1.
    pub sequence: u64,
}

/// An event of the journal.
#[derive(Debug, Clone, PartialEq)]
pub enum Event<'a> {
    /// See [`SignalReceived`].
    Signal(SignalReceived<'a>),
    /// See [`TradeClosed`].
    Trade(TradeClosed<'a>),
    /// See [`TradeVoided`].
    Void(TradeVoided<'a>),
}

/// Name, version and digest of published settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingRef<'a> {
    /// Name, for example `kernel`.
    pub name: Cow<'a, str>,
    /// Version, from 1.
    pub version: u32,
    /// SHA-256 of its canonical JSON, in hex.
    pub digest: Cow<'a, str>,
}

/// What the policy made of a confidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Action {
    /// Take the trade.
    Take,
    /// Leave it.
    Skip,
}

/// A confidence was served, with all that it depended on.
#[derive(Debug, Clone, PartialEq)]
pub struct DecisionMade<'a> {
    /// [`hindcast_domain::decision_id`] of the signal.
    pub decision_id: Uuid,
    /// When it was made.
    pub decided_at: TimestampUs,
    /// The signal, whole; its user and symbol are the decision's.
    pub signal: SignalReceived<'a>,
    /// Fingerprint of the book generation it was scored on, in hex.
    pub generation: Cow<'a, str>,
    /// Whether there was a row; if not, `applied` is the progress of the partition read before looking.
    pub row_found: bool,
    /// Position of the last record folded into the row; `None` when nothing of the partition was folded yet.
    pub applied: Option<Position>,
    /// Offset of the last control record known to the process.
    pub control_offset: u64,
    /// The model.
    pub model: SettingRef<'a>,
    /// The policy.
    pub policy: SettingRef<'a>,
    /// The experiment it was part of.
    pub experiment: Option<Cow<'a, str>>,
    /// The arm of the experiment.
    pub arm: Option<Cow<'a, str>>,
    /// Probability that the trade wins, 0 to 1.
    pub confidence: f64,
    /// Lower end of the interval.
    pub interval_low: f64,
    /// Upper end of the interval.
    pub interval_high: f64,
    /// 0 for a signal like many before, 1 for one unlike any.
    pub novelty: f64,
    /// Closed trades the model looked at.
    pub experiences: u32,
    /// What the policy said.
    pub action: Action,
    /// Probability with which the policy says just that.
    pub propensity: f64,
}

macro_rules! common {
    ($self:ident, $field:ident) => {
        match $self {
            Self::Signal(e) => &e.$field,
            Self::Trade(e) => &e.$field,
            Self::Void(e) => &e.$field,
        }
    };
}

impl Event<'_> {
    /// Kind of the event.
    #[must_use]
    pub fn kind(&self) -> EventKind {
        match self {
            Self::Signal(_) => EventKind::Signal,
            Self::Trade(_) => EventKind::Trade,
            Self::Void(_) => EventKind::Void,
        }
    }

    /// Id of the event, unique per user and kind.
    #[must_use]
    pub fn event_id(&self) -> Uuid {
        *common!(self, event_id)
    }

    /// Owner.
    #[must_use]
    pub fn user_id(&self) -> &str {
        common!(self, user_id)
    }

    /// Instrument.
    #[must_use]
    pub fn symbol(&self) -> &str {
        common!(self, symbol)
    }

    /// The client's time.
    #[must_use]
    pub fn occurred_at(&self) -> TimestampUs {
        *common!(self, occurred_at)
    }

    /// Ingress' time.
    #[must_use]
    pub fn received_at(&self) -> TimestampUs {
        *common!(self, received_at)
    }

    /// Place in a bulk import; a void never has one.
    #[must_use]
    pub fn import(&self) -> Option<&ImportPlace<'_>> {
        match self {
            Self::Signal(e) => e.import.as_ref(),
            Self::Trade(e) => e.import.as_ref(),
            Self::Void(_) => None,
        }
    }
}

impl SignalReceived<'_> {
    /// What a model sees of this signal.
    #[must_use]
    pub fn model_features(&self) -> Features {
        let named_hour = self.features.iter().find(|(name, _)| name == "hour").map(|(_, value)| *value);
        Features {
            side: self.side,
            rsi: self.rsi,
            vwap_distance_abs_percent: self.vwap_distance_abs_percent,
            atr: self.atr,
            volume_ratio: self.volume_ratio,
            hour: named_hour.unwrap_or_else(|| f64::from(self.occurred_at.hour_utc())),
            spread: self.spread,
        }
    }
}

/// Distance of a price from VWAP in percent, signed; `None` without both or with a VWAP of zero.
#[must_use]
pub fn vwap_distance_percent(price: Option<MoneyE9>, vwap: Option<MoneyE9>) -> Option<f64> {
    let (price, vwap) = (price?.to_f64(), vwap?.to_f64());
    (vwap != 0.0).then(|| (price - vwap) / vwap * 100.0)
}

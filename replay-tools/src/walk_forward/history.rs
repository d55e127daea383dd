//! The books of a history that is being learned, and scores on them.

use std::borrow::Cow;

use hindcast_domain::{MoneyE9, Position, TimestampUs, ids::imported_event_id, time::HOUR_US};
use hindcast_fold::{
    admission::Verdict,
    book::Book,
    generation::{GenerationSet, UnknownFold},
    pipeline::{FoldParams, Folded, Input, fold_record},
};
use hindcast_schemas::{Event, SignalReceived, TradeClosed};
use hindcast_scoring::{Model, Score};

use super::{Experience, NoJudgement};
use crate::states::UserStates;

/// Whose history it is: anyone's.
const USER: &str = "walk-forward";

/// The books of what was learned so far.
pub(super) struct History {
    params: FoldParams,
    states: UserStates,
    rows: usize,
    next_offset: u64,
}

impl History {
    pub(super) fn new(generations: &GenerationSet) -> Result<Self, UnknownFold> {
        Ok(Self { params: generations.fold_params()?, states: UserStates::default(), rows: 0, next_offset: 0 })
    }

    /// Folds a signal and its outcome.
    pub(super) fn learn(&mut self, row: &Experience) -> Result<(), NoJudgement> {
        self.rows += 1;
        let signal = self.signal(row);
        let trade = self.trade(row, &signal);
        self.fold(Event::Signal(signal))?;
        self.fold(Event::Trade(trade))
    }

    /// The score of a signal on what was learned, and the win rate of the same book: even odds without any.
    pub(super) fn score(&self, model: &Model, row: &Experience) -> (Score, f64) {
        let empty = Book::default();
        let book = self.states.books.get(row.symbol.as_str()).unwrap_or(&empty);
        let signal = self.signal(row);
        let score = model.score(&model.prepare(book, signal.strategy.as_deref()), &signal.model_features());
        (score, win_rate(book))
    }

    fn fold(&mut self, event: Event<'_>) -> Result<(), NoJudgement> {
        self.next_offset += 1;
        let position = Position { epoch: 0, partition: 0, offset: self.next_offset };
        match fold_record(&mut self.states, &self.params, USER, &Input::Event(event), position) {
            Folded::Applied(Verdict::Fresh) => Ok(()),
            other => Err(NoJudgement::Refused { row: self.rows, verdict: format!("{other:?}") }),
        }
    }

    /// The signal that a bot would have sent. The market's time is not recorded but for the hour, which bots can send
    /// as a feature; so the rows are an hour apart.
    fn signal<'a>(&self, row: &'a Experience) -> SignalReceived<'a> {
        let at = TimestampUs(i64::try_from(self.rows).unwrap_or(i64::MAX).saturating_mul(HOUR_US));
        let distance_percent = row.vwap_distance * 100.0;
        SignalReceived {
            event_id: imported_event_id(USER, "signals", self.rows as u64),
            user_id: Cow::Borrowed(USER),
            symbol: Cow::Borrowed(row.symbol.as_str()),
            strategy: None,
            occurred_at: at,
            received_at: at,
            import: None,
            side: row.side,
            price_e9: MoneyE9::from_f64(row.entry_price).ok(),
            rsi: Some(row.rsi),
            vwap_e9: MoneyE9::from_f64(row.vwap).ok(),
            vwap_distance_percent: Some(distance_percent),
            vwap_distance_abs_percent: Some(distance_percent.abs()),
            volume: None,
            atr: Some(row.atr),
            volume_ratio: Some(row.volume_ratio),
            features: vec![(Cow::Borrowed("hour"), row.hour)],
            spread: None,
            session: None,
        }
    }

    /// Its outcome. The exit price is not recorded, and no book looks at it.
    fn trade<'a>(&self, row: &Experience, signal: &SignalReceived<'a>) -> TradeClosed<'a> {
        let entry_price_e9 = signal.price_e9.unwrap_or_default();
        TradeClosed {
            event_id: imported_event_id(USER, "trades", self.rows as u64),
            user_id: signal.user_id.clone(),
            symbol: signal.symbol.clone(),
            strategy: None,
            occurred_at: signal.occurred_at,
            received_at: signal.received_at,
            import: None,
            signal_id: Some(signal.event_id),
            decision_id: None,
            side: row.side,
            quantity: None,
            entry_price_e9,
            exit_price_e9: entry_price_e9,
            pnl_e9: MoneyE9::from_f64(row.pnl).unwrap_or_default(),
            entry_time: None,
            exit_time: None,
            entry_vwap_e9: None,
            entry_rsi: None,
            exit_vwap_e9: None,
            exit_rsi: None,
            exit_reason: None,
            max_adverse_e9: None,
            max_favourable_e9: None,
            simulated: !row.took_trade,
            fees_e9: None,
        }
    }
}

#[allow(clippy::cast_precision_loss)] // counts are far below 2^53
fn win_rate(book: &Book) -> f64 {
    let trades = book.taken.trades + book.simulated.trades;
    if trades == 0 { 0.5 } else { (book.taken.wins + book.simulated.wins) as f64 / trades as f64 }
}

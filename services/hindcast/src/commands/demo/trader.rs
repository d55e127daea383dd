//! One user's bot on one symbol: asks before it trades, reports how the trade closed.

use std::collections::BTreeMap;

use hindcast_domain::{MoneyE9, TimestampUs};
use uuid::Uuid;

use crate::{
    client::{
        Answer, Client,
        bodies::{Action, SignalBody, TradeBody},
    },
    exit::Failure,
    market::Bar,
    report::forecast::{BaseRate, Forecast},
    strategy::{Bot, Closed, Signal, Step},
};

/// One user's bot on one symbol.
pub(super) struct Trader {
    client: Client,
    user: String,
    symbol: String,
    bot: Bot,
    base: BaseRate,
    asked: Option<Asked>,
    /// The latest trade reported: the next question is asked of a history that has it.
    last_trade: Option<Answer>,
    forecasts: Vec<(TimestampUs, Forecast)>,
}

/// What was answered about the open trade's signal.
struct Asked {
    at: TimestampUs,
    event_id: Uuid,
    decision_id: Uuid,
    confidence: f64,
    base_rate: f64,
    action: Action,
}

impl Trader {
    pub(super) fn new(client: Client, user: String, symbol: String, bot: Bot) -> Self {
        let (base, forecasts) = (BaseRate::default(), Vec::new());
        Self { client, user, symbol, bot, base, asked: None, last_trade: None, forecasts }
    }

    pub(super) fn symbol(&self) -> &str {
        &self.symbol
    }

    pub(super) fn user(&self) -> &str {
        &self.user
    }

    pub(super) fn strategy(&self) -> &'static str {
        self.bot.params().name
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    pub(super) fn last_trade(&self) -> Option<&Answer> {
        self.last_trade.as_ref()
    }

    /// What was foretold and how it turned out, with the time of the signal.
    pub(super) fn forecasts(&self) -> &[(TimestampUs, Forecast)] {
        &self.forecasts
    }

    pub(super) async fn on_bar(&mut self, bar: Bar) -> Result<(), Failure> {
        match self.bot.on_bar(&bar) {
            Step::Wait => Ok(()),
            Step::Enter(signal) => self.ask(&signal).await,
            Step::Exit(closed) => self.report(&closed).await,
        }
    }

    /// Asks how much confidence the signal deserves. A signal that is skipped is followed on paper.
    async fn ask(&mut self, signal: &Signal) -> Result<(), Failure> {
        let body = SignalBody {
            event_id: Uuid::now_v7(),
            occurred_at: signal.at,
            symbol: &self.symbol,
            side: signal.side,
            price: signal.price_e9,
            rsi: signal.reading.rsi,
            vwap: signal.reading.vwap,
            #[allow(clippy::cast_precision_loss)] // contracts of a minute
            volume: Some(signal.volume as f64),
            atr: Some(signal.atr),
            volume_ratio: Some(signal.volume_ratio),
            strategy: Some(self.bot.params().name),
            features: BTreeMap::from([("stretch", signal.stretch)]),
        };
        let answer = self.client.confidence(&body, self.last_trade.as_ref()).await?;
        self.asked = Some(Asked {
            at: signal.at,
            event_id: answer.event_id,
            decision_id: answer.decision_id,
            confidence: answer.confidence,
            base_rate: self.base.value(),
            action: answer.action,
        });
        self.bot.enter(signal);
        Ok(())
    }

    async fn report(&mut self, closed: &Closed) -> Result<(), Failure> {
        let Some(asked) = self.asked.take() else { return Ok(()) };
        let body = TradeBody {
            event_id: Uuid::now_v7(),
            signal_id: asked.event_id,
            decision_id: Some(asked.decision_id),
            symbol: &self.symbol,
            side: closed.side,
            strategy: Some(self.bot.params().name),
            quantity: closed.quantity,
            entry_price: closed.entry_e9,
            exit_price: closed.exit_e9,
            pnl: closed.pnl_e9,
            entry_time: closed.entered_at,
            exit_time: closed.left_at,
            entry_vwap: closed.entry.vwap,
            entry_rsi: closed.entry.rsi,
            exit_vwap: closed.exit.vwap,
            exit_rsi: closed.exit.rsi,
            exit_reason: closed.reason.as_str(),
            max_adverse: closed.max_adverse_e9,
            max_favourable: closed.max_favourable_e9,
            simulated: asked.action == Action::Skip,
        };
        self.last_trade = Some(self.client.trade(&body).await?);
        let won = closed.pnl_e9 > MoneyE9::ZERO;
        self.forecasts.push((asked.at, Forecast { confidence: asked.confidence, base_rate: asked.base_rate, won }));
        self.base.push(won);
        Ok(())
    }
}

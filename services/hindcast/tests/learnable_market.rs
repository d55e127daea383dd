//! The synthetic market is worth a demo only if there is something to learn in it: the default model, fed through the
//! very folds that the service runs, has to beat the running base rate for every user.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // a test

use std::{borrow::Cow, collections::HashMap};

use hindcast::{
    market::synthetic::SyntheticMarket,
    report::forecast::{BaseRate, Brier, Forecast},
    strategy::{Bot, Closed, Params, Signal, Step},
};
use hindcast_domain::{Features, Instruments, MoneyE9, Position};
use hindcast_fold::{
    activity::Activity,
    admission::Admission,
    book::Book,
    generation::GenerationSet,
    pipeline::{FoldParams, Input, States, fold_record},
};
use hindcast_schemas::{Event, SignalReceived, TradeClosed, vwap_distance_percent};
use hindcast_scoring::published::{Model, PublishedModel};
use uuid::Uuid;

const USER: &str = "trader-1";

#[derive(Default)]
struct Views {
    admission: Admission,
    book: Book,
    activity: HashMap<i32, Activity>,
}

impl States for Views {
    fn admission(&mut self, _: &str) -> &mut Admission {
        &mut self.admission
    }
    fn book(&mut self, _: &str, _: &str) -> &mut Book {
        &mut self.book
    }
    fn activity(&mut self, _: &str, day: i32) -> &mut Activity {
        self.activity.entry(day).or_default()
    }
}

/// One user's bot, the views of its events and the model that reads them.
struct Learner {
    views: Views,
    params: FoldParams,
    model: Model,
    strategy: &'static str,
    events: u64,
    base: BaseRate,
    forecasts: Vec<Forecast>,
}

impl Learner {
    fn fold(&mut self, event: Event<'_>) {
        let position = Position { epoch: 1, partition: 0, offset: self.events };
        fold_record(&mut self.views, &self.params, USER, &Input::Event(event), position);
    }

    fn next_id(&mut self) -> Uuid {
        self.events += 1;
        Uuid::from_u128(u128::from(self.events))
    }

    fn on_signal(&mut self, signal: &Signal) -> (Uuid, f64) {
        let vwap = MoneyE9::from_f64(signal.reading.vwap).unwrap();
        let distance = vwap_distance_percent(Some(signal.price_e9), Some(vwap));
        let features = Features {
            side: signal.side,
            rsi: Some(signal.reading.rsi),
            vwap_distance_abs_percent: distance.map(f64::abs),
            atr: Some(signal.atr),
            volume_ratio: Some(signal.volume_ratio),
            hour: f64::from(signal.at.hour_utc()),
            spread: None,
        };
        let prepared = self.model.prepare(&self.views.book, Some(self.strategy));
        let confidence = self.model.score(&prepared, &features).confidence;
        let event_id = self.next_id();
        self.fold(Event::Signal(SignalReceived {
            event_id,
            user_id: Cow::Borrowed(USER),
            symbol: Cow::Borrowed("ES"),
            strategy: Some(Cow::Borrowed(self.strategy)),
            occurred_at: signal.at,
            received_at: signal.at,
            import: None,
            side: signal.side,
            price_e9: Some(signal.price_e9),
            rsi: Some(signal.reading.rsi),
            vwap_e9: Some(vwap),
            vwap_distance_percent: distance,
            vwap_distance_abs_percent: distance.map(f64::abs),
            volume: None,
            atr: Some(signal.atr),
            volume_ratio: Some(signal.volume_ratio),
            features: Vec::new(),
            spread: None,
            session: None,
        }));
        (event_id, confidence)
    }

    fn on_exit(&mut self, closed: &Closed, signal_id: Uuid, confidence: f64) {
        let won = closed.pnl_e9 > MoneyE9::ZERO;
        self.forecasts.push(Forecast { confidence, base_rate: self.base.value(), won });
        self.base.push(won);
        let event_id = self.next_id();
        self.fold(Event::Trade(TradeClosed {
            event_id,
            user_id: Cow::Borrowed(USER),
            symbol: Cow::Borrowed("ES"),
            strategy: Some(Cow::Borrowed(self.strategy)),
            occurred_at: closed.left_at,
            received_at: closed.left_at,
            import: None,
            signal_id: Some(signal_id),
            decision_id: None,
            side: closed.side,
            quantity: Some(f64::from(closed.quantity)),
            entry_price_e9: closed.entry_e9,
            exit_price_e9: closed.exit_e9,
            pnl_e9: closed.pnl_e9,
            entry_time: None,
            exit_time: None,
            entry_vwap_e9: None,
            entry_rsi: None,
            exit_vwap_e9: None,
            exit_rsi: None,
            exit_reason: None,
            max_adverse_e9: None,
            max_favourable_e9: None,
            simulated: false,
            fees_e9: None,
        }));
    }
}

/// What is learned from so many days of the market of a seed.
fn learn(user: usize, seed: u64, sessions: usize) -> Vec<Forecast> {
    let instruments = Instruments::default();
    let params = Params::of_user(user);
    let mut learner = Learner {
        views: Views::default(),
        params: GenerationSet::default().fold_params().unwrap(),
        model: PublishedModel::default_kernel().runnable().unwrap(),
        strategy: params.name,
        events: 0,
        base: BaseRate::default(),
        forecasts: Vec::new(),
    };
    let mut bot = Bot::new(params, instruments.get("ES").unwrap().clone());
    let mut open = None;
    for bar in SyntheticMarket::new("ES", &instruments, seed).unwrap().take(sessions * 23 * 60) {
        match bot.on_bar(&bar) {
            Step::Wait => {}
            Step::Enter(signal) => {
                open = Some(learner.on_signal(&signal));
                bot.enter(&signal);
            }
            Step::Exit(closed) => {
                let (signal_id, confidence) = open.take().unwrap();
                learner.on_exit(&closed, signal_id, confidence);
            }
        }
    }
    learner.forecasts
}

#[test]
fn confidence_beats_the_base_rate_for_every_user_and_gets_better() {
    let (mut young, mut grown) = (Vec::new(), Vec::new());
    for user in 0..4 {
        for seed in [1, 2, 3] {
            let forecasts = learn(user, seed, 60);
            let all = Brier::of(&forecasts).unwrap();
            assert!(all.n > 500 && all.gain > 0.004, "user {user}, seed {seed}: {all:?}");
            let (first, rest) = forecasts.split_at(50);
            young.extend_from_slice(first);
            grown.extend_from_slice(rest);
        }
    }
    let (young, grown) = (Brier::of(&young).unwrap(), Brier::of(&grown).unwrap());
    assert!(grown.gain > young.gain + 0.003, "after 50 trades {young:?}, later {grown:?}");
}

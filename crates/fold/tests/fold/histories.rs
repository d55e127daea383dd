//! Histories drawn at random: what several users tell, mistakes, repetitions and garbage among it.

use std::borrow::Cow;

use hindcast_domain::{
    Position, Side, TimestampUs, decision_id,
    time::{DAY_US, HOUR_US},
};
use hindcast_fold::{admission::Unusable, pipeline::Input};
use hindcast_schemas::{
    Event,
    events::{ImportPlace, SignalReceived, TradeClosed},
};
use proptest::prelude::*;

use crate::{
    events::{NOON_ISH, at, dollars, id, signal, trade, void_of},
    world::World,
};

/// Fewer than the signals that may wait and the trades that a ring holds by default.
pub(crate) const TOLD_AT_MOST: usize = 40;

/// One record of a history. Others are named by their place in it.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Nothing,
    Signal {
        who: Who,
        looks: Looks,
        imported: bool,
    },
    Trade {
        who: Who,
        looks: Looks,
        of_signal: Option<usize>,
        of_decision_on: Option<usize>,
        pnl: i8,
        simulated: bool,
    },
    /// Takes back an earlier trade.
    Void(usize),
    /// Tells an earlier event again.
    Repeat(usize),
    /// Tells something else under the id of an earlier event.
    Conflict(usize),
    /// A record of a user's key that is no event.
    Garbage(u8),
    /// An event under another user's key.
    WrongUser(u8),
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Who {
    user: u8,
    symbol: u8,
    day: u8,
}

/// What a join by price looks at: few values, so that many fit.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Looks {
    strategy: u8,
    short: bool,
    price: u8,
}

pub(crate) fn steps(at_most: usize) -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(step(at_most), 1..=at_most)
}

fn step(places: usize) -> impl Strategy<Value = Step> {
    let who = (few(2), few(2), few(2)).prop_map(|(user, symbol, day)| Who { user, symbol, day });
    let looks = (few(3), any::<bool>(), few(3)).prop_map(|(strategy, short, price)| Looks {
        strategy,
        short: short && price > 0,
        price,
    });
    let place = 0..places;
    let named = || prop::option::weighted(0.3, 0..places);
    prop_oneof![
        8 => (who.clone(), looks.clone(), prop::bool::weighted(0.2))
            .prop_map(|(who, looks, imported)| Step::Signal { who, looks, imported }),
        8 => (who, looks, named(), named(), any::<i8>(), prop::bool::weighted(0.2)).prop_map(
            |(who, looks, of_signal, of_decision_on, pnl, simulated)| Step::Trade {
                who, looks, of_signal, of_decision_on, pnl, simulated
            }
        ),
        2 => place.clone().prop_map(Step::Void),
        1 => place.clone().prop_map(Step::Repeat),
        1 => place.prop_map(Step::Conflict),
        1 => few(2).prop_map(Step::Garbage),
        1 => few(2).prop_map(Step::WrongUser),
    ]
}

/// Mostly 0, else something below `bound`.
fn few(bound: u8) -> impl Strategy<Value = u8> + Clone {
    prop_oneof![3 => Just(0), 1 => 0..bound]
}

/// The records of a history: whose key, what, where.
pub(crate) fn records(history: &[Step]) -> Vec<(String, Input<'static>, Position)> {
    let record = |place: usize| record(history, place).map(|(user, input)| (user, input, position(place)));
    (0..history.len()).filter_map(record).collect()
}

/// Tells a history, each record at its place even where nothing is told before it.
pub(crate) fn tell(mut world: World, history: &[Step]) -> World {
    for (user, input, position) in records(history) {
        world = world.when_read_at(&user, &input, position);
    }
    world
}

fn position(place: usize) -> Position {
    at(place as u64 * 3 + 1)
}

fn record(history: &[Step], place: usize) -> Option<(String, Input<'static>)> {
    let event_at = |earlier: usize| (earlier < place).then(|| event(history, earlier)).flatten();
    let under_its_own_key = |event: Event<'static>| (event.user_id().to_owned(), Input::Event(event));
    match &history[place] {
        Step::Nothing => None,
        Step::Signal { .. } | Step::Trade { .. } | Step::Void(_) => event(history, place).map(under_its_own_key),
        Step::Repeat(earlier) => event_at(*earlier).map(under_its_own_key),
        Step::Conflict(earlier) => match event_at(*earlier)? {
            Event::Signal(signal) => Some(Event::Signal(SignalReceived { rsi: Some(99.0), ..signal })),
            Event::Trade(trade) => Some(Event::Trade(TradeClosed { quantity: Some(99.0), ..trade })),
            Event::Void(_) => None,
        }
        .map(under_its_own_key),
        Step::Garbage(user) => {
            Some((user_name(*user), Input::Unusable { reason: Unusable::Undecodable, detail: String::new() }))
        }
        Step::WrongUser(user) => {
            let mut event = signal(place as u128);
            event.user_id = user_name(user + 1).into();
            Some((user_name(*user), Input::Event(Event::Signal(event))))
        }
    }
}

fn user_name(user: u8) -> String {
    format!("trader-{}", user + 1)
}

fn event(history: &[Step], place: usize) -> Option<Event<'static>> {
    match &history[place] {
        Step::Signal { who, looks, imported } => Some(Event::Signal(SignalReceived {
            user_id: user_name(who.user).into(),
            symbol: symbol(*who),
            strategy: strategy(*looks),
            occurred_at: TimestampUs(occurred_at(*who).0 + place as i64 % 12 * HOUR_US),
            atr: Some((place % 5) as f64 * 0.000_2),
            spread: (!place.is_multiple_of(3)).then_some(0.25),
            side: side(*looks),
            price_e9: Some(dollars(f64::from(looks.price))),
            rsi: Some(place as f64),
            import: imported.then(|| ImportPlace { source: "file".into(), sequence: place as u64 }),
            ..signal(place as u128)
        })),
        Step::Trade { .. } => trade_at(history, place).map(Event::Trade),
        Step::Void(earlier) if *earlier < place => {
            let trade = trade_at(history, *earlier)?;
            Some(Event::Void(void_of(&trade, position(*earlier))))
        }
        _ => None,
    }
}

fn trade_at(history: &[Step], place: usize) -> Option<TradeClosed<'static>> {
    let Step::Trade { who, looks, of_signal, of_decision_on, pnl, simulated } = &history[place] else { return None };
    let user = user_name(who.user);
    Some(TradeClosed {
        symbol: symbol(*who),
        strategy: strategy(*looks),
        occurred_at: occurred_at(*who),
        side: side(*looks),
        entry_price_e9: dollars(f64::from(looks.price)),
        entry_rsi: Some(place as f64),
        signal_id: of_signal.map(|signal| id(signal as u128)),
        decision_id: of_decision_on.map(|signal| decision_id(&user, id(signal as u128))),
        pnl_e9: dollars(f64::from(*pnl)),
        simulated: *simulated,
        user_id: user.into(),
        ..trade(place as u128)
    })
}

fn symbol(who: Who) -> Cow<'static, str> {
    if who.symbol == 0 { "ES".into() } else { "NQ".into() }
}

fn occurred_at(who: Who) -> TimestampUs {
    TimestampUs(NOON_ISH.0 + i64::from(who.day) * DAY_US)
}

fn strategy(looks: Looks) -> Option<Cow<'static, str>> {
    [None, Some("b"), Some("a")][usize::from(looks.strategy)].map(Cow::Borrowed)
}

fn side(looks: Looks) -> Side {
    if looks.short { Side::Short } else { Side::Long }
}

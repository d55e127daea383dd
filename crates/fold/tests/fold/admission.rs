//! What is fresh, what is a duplicate, what is unusable.

use hindcast_domain::{EventKind, TimestampUs};
use hindcast_fold::{
    admission::{Unusable, Verdict, content_hash},
    generation::AdmissionParams,
    pipeline::{FoldParams, Folded, Input, fold_record},
};
use hindcast_schemas::Event;

use crate::{
    events::{IntoEvent, NOON_ISH, SignalSays, TradeSays, USER, at, id, signal, trade, void_of},
    world::{World, given, given_nothing},
};

#[test]
fn a_repeated_event_counts_once() {
    given([signal(1)])
        .when(signal(1))
        .then(|world| {
            assert_eq!(world.verdict(), Verdict::Duplicate { first: Some(at(0)), conflicting: false });
            assert_eq!(world.book().signals, 1);
            assert_eq!(world.today().signals, 1);
        })
        .then(|world| {
            assert_eq!(world.admission().applied(), Some(at(1)), "every record moves the admission on");
            assert_eq!(world.book().applied(), Some(at(0)), "duplicates are not routed to the book");
            assert_eq!(world.today().applied(), Some(at(0)));
        });
}

#[test]
fn an_id_told_again_with_another_content_is_a_conflict() {
    given([signal(1)]).when(signal(1).rsi(29.0)).then(|world| {
        assert_eq!(world.verdict(), Verdict::Duplicate { first: Some(at(0)), conflicting: true });
        assert_eq!((world.admission().duplicates(), world.admission().conflicts()), (1, 1));
        assert_eq!(world.book().waiting[0].features.get().rsi, Some(28.0));
    });
}

#[test]
fn a_signal_and_a_trade_may_share_an_id() {
    given([signal(1)]).when(trade(1)).then(|world| {
        assert_eq!(world.verdict(), Verdict::Fresh);
        assert!(world.knows(EventKind::Signal, 1) && world.knows(EventKind::Trade, 1));
        assert!(!world.knows(EventKind::Void, 1));
    });
}

#[test]
fn another_users_ids_are_nobodys_business() {
    let mut other = signal(1);
    other.user_id = "trader-2".into();
    given([signal(1)]).when(other).then(|world| assert_eq!(world.verdict(), Verdict::Fresh));
}

#[test]
fn ids_beyond_the_window_are_forgotten() {
    let params = FoldParams { admission: AdmissionParams { window_ids: 3 }, ..FoldParams::default() };
    let world = (1..=4).map(signal).fold(World::with_params(params), World::when);
    assert!(!world.knows(EventKind::Signal, 1));
    world
        .when(signal(2))
        .then(|world| assert!(matches!(world.verdict(), Verdict::Duplicate { .. })))
        .when(signal(1))
        .then(|world| {
            assert_eq!(world.verdict(), Verdict::Fresh);
            assert_eq!(world.book().signals, 5);
        });
}

#[test]
fn an_import_run_again_adds_nothing_at_any_size() {
    let params = FoldParams { admission: AdmissionParams { window_ids: 2 }, ..FoldParams::default() };
    let import = || (1..=9).map(|row| signal(row.into()).imported("file", row));
    let world = import().chain(import()).fold(World::with_params(params), World::when);
    assert_eq!(world.book().signals, 9);
    assert_eq!(world.admission().import_sequence("file"), Some(9));
    assert_eq!(world.admission().import_sequence("other"), None);
    world
        .when(signal(10).imported("file", 3))
        .then(|world| assert_eq!(world.verdict(), Verdict::Duplicate { first: None, conflicting: false }))
        .when(signal(11).imported("other", 3))
        .then(|world| assert_eq!(world.verdict(), Verdict::Fresh));
}

#[test]
fn a_record_is_folded_once() {
    let mut world = given([signal(1)]);
    let before = world.memory.clone();
    let again = Input::Event(signal(2).event());
    let folded = fold_record(&mut world.memory, &world.params, USER, &again, at(0));
    assert_eq!(folded, Folded::Skipped);
    assert_eq!(world.memory, before);
}

#[test]
fn unusable_records_change_nothing_but_a_counter() {
    let undecodable = || Input::Unusable { reason: Unusable::Undecodable, detail: "no".to_owned() };
    given_nothing().when_read(USER, &undecodable()).then(|world| {
        assert_eq!(world.verdict(), Verdict::Rejected(Unusable::Undecodable));
        assert_eq!(world.admission().rejected(), 1);
        assert_eq!(world.admission().applied(), Some(at(0)));
        assert!(world.memory.books.is_empty() && world.memory.activities.is_empty());
    });
    given_nothing().when_read("trader-2", &Input::Event(signal(1).event())).then(|world| {
        assert_eq!(world.verdict(), Verdict::Rejected(Unusable::WrongUser));
        assert!(world.memory.books.is_empty());
    });
}

#[test]
fn impossible_values_are_unusable() {
    let changes: [fn(&mut Event<'static>); 10] = [
        |event| with_signal(event).rsi = Some(f64::NAN),
        |event| with_signal(event).rsi = Some(100.5),
        |event| with_signal(event).atr = Some(f64::INFINITY),
        |event| with_signal(event).vwap_distance_abs_percent = Some(-0.1),
        |event| with_signal(event).features = vec![("vix".into(), f64::NAN)],
        |event| with_signal(event).symbol = "es".into(),
        |event| *event = Event::Trade(hindcast_schemas::events::TradeClosed { quantity: Some(f64::NAN), ..trade(1) }),
        |event| *event = Event::Trade(hindcast_schemas::events::TradeClosed { entry_rsi: Some(-1.0), ..trade(1) }),
        |event| {
            let void = void_of(&trade(9), at(0));
            *event = Event::Void(hindcast_schemas::events::TradeVoided { event_id: id(5), ..void });
        },
        |event| *event = Event::Void(void_of(&trade(9), at(77))),
    ];
    for (n, change) in changes.into_iter().enumerate() {
        let mut event = signal(1).event();
        change(&mut event);
        given([trade(9)]).when(event.clone()).then(|world| {
            assert_eq!(world.verdict(), Verdict::Rejected(Unusable::Impossible), "{n}: {event:?}");
            assert!(world.book().waiting.is_empty());
        });
    }
    let mut bad_user = signal(1);
    bad_user.user_id = "a\0b".into();
    given_nothing().when(bad_user).then(|world| {
        assert_eq!(world.verdict(), Verdict::Rejected(Unusable::Impossible));
    });
}

fn with_signal<'a>(event: &'a mut Event<'static>) -> &'a mut hindcast_schemas::events::SignalReceived<'static> {
    match event {
        Event::Signal(signal) => signal,
        _ => panic!("a signal"),
    }
}

#[test]
fn a_rejected_record_leaves_its_id_free() {
    given([signal(1).rsi(101.0)]).when(signal(1)).then(|world| assert_eq!(world.verdict(), Verdict::Fresh));
}

#[test]
fn only_what_the_client_said_is_content() {
    let hash = |event: &Event<'_>| content_hash(event);
    let told = signal(1).event();
    let mut sent_again = signal(1);
    // The client gave no time, so ingress put its own in twice.
    sent_again.occurred_at = TimestampUs(NOON_ISH.0 + 5);
    sent_again.received_at = TimestampUs(NOON_ISH.0 + 5);
    assert_eq!(hash(&told), hash(&sent_again.event()));
    assert_eq!(hash(&told), hash(&signal(2).imported("file", 1).event()), "neither the id nor the import");

    let timed = |received_us: i64| {
        let mut signal = signal(1);
        signal.received_at = TimestampUs(NOON_ISH.0 + received_us);
        signal.event()
    };
    assert_eq!(hash(&timed(5)), hash(&timed(6)));
    assert_ne!(hash(&told), hash(&timed(5)), "a client that gives a time says more");
    assert_ne!(hash(&trade(1).event()), hash(&trade(1).simulated().event()));
    assert_ne!(hash(&trade(1).of_signal(1).event()), hash(&trade(1).of_decision_on(1).event()));
}

#[test]
fn content_hashes_never_change() {
    let mut long = signal(1).strategy("mean-reversion");
    long.features = (0..32).map(|n| (format!("feature-number-{n:02}").into(), f64::from(n))).collect();
    let hashes: Vec<_> =
        [signal(1).event(), long.event(), trade(1).of_signal(7).pnl(-12.5).event(), void_of(&trade(1), at(3)).event()]
            .iter()
            .map(|event| format!("{:016x}", content_hash(event)))
            .collect();
    assert_eq!(hashes, ["cc1fe44aed7bdec1", "ff82cfaa79d50711", "fcdd41c5746251d3", "28abf343647709ba"]);
}

//! Comparing sets of generations.

use std::{sync::Arc, time::Duration};

use hindcast_domain::{Position, void_event_id};
use hindcast_fold::{book::Book, generation::GenerationSet, keys};
use hindcast_replay_tools::{
    refold,
    reproject::{
        Effect, Patience, RowsOfProjection, Tolerance, Verdicts, Verification, compare_rows, effect_on_answers,
        other_verdicts,
    },
};
use hindcast_schemas::{DecisionMade, Event, TradeVoided};
use hindcast_views::{Row, RowWrite, TableName, ViewBatch, ViewStore, memory::MemoryViews};

use crate::world::{World, done, partition, shared, signal, trade};

const NO_PATIENCE: Patience = Patience(Duration::ZERO);

fn with_ring(ring_trades: u32) -> GenerationSet {
    let mut set = GenerationSet::default();
    set.book.params.ring_trades = ring_trades;
    set
}

/// A history of three users, of different lengths.
fn world() -> World {
    let world = World::new();
    for (user, rows) in [("trader-1", 60), ("trader-2", 5), ("trader-3", 25)] {
        world.history(user, "ES", 0..rows);
        world.history(user, "NQ", 1_000..1_003);
    }
    world
}

/// The rows of a set, changed as a test wants, in a store.
fn write(
    views: &MemoryViews,
    world: &World,
    set: &GenerationSet,
    change: impl Fn(&TableName, &[u8], Row) -> Option<Row>,
) {
    let refolded = refold(&*shared(world), &world.codec, set).unwrap();
    let rows = refolded.rows.into_iter().filter_map(|((table, key), row)| {
        let Row { applied, state } = change(&table, &key, row)?;
        Some(RowWrite { table, key, applied, state })
    });
    done(views.write(ViewBatch { rows: rows.collect(), ..ViewBatch::default() })).unwrap();
}

fn unchanged(_: &TableName, _: &[u8], row: Row) -> Option<Row> {
    Some(row)
}

fn compared(views: &MemoryViews, old: &GenerationSet, new: &GenerationSet) -> Vec<RowsOfProjection> {
    timed(compare_rows(views, old, new, NO_PATIENCE, |_| {}))
}

fn timed<T, E: std::fmt::Debug>(future: impl Future<Output = Result<T, E>>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(future).unwrap()
}

#[test]
fn sets_that_differ_in_the_ring_alone_agree_in_all_else() {
    let (world, views) = (world(), MemoryViews::new());
    let (old, new) = (GenerationSet::default(), with_ring(20));
    for set in [&old, &new] {
        write(&views, &world, set, unchanged);
    }
    let found = compared(&views, &old, &new);
    assert!(found.iter().all(RowsOfProjection::is_same), "{found:#?}");
    let counts: Vec<_> = found.iter().map(|rows| (rows.projection.as_str(), rows.compared)).collect();
    assert_eq!((counts[0], counts[2]), (("book", 6), ("admission", 3)));
    assert!(!found[0].not_compared.is_empty() && found[1].not_compared.is_empty());
}

/// What a fold with a mistake would have written.
#[test]
fn a_mistake_is_found_and_named() {
    let (world, views) = (world(), MemoryViews::new());
    let (old, new) = (GenerationSet::default(), with_ring(20));
    write(&views, &world, &old, unchanged);
    let mistaken = keys::book_key("trader-3", "ES");
    write(&views, &world, &new, |table, key, row| {
        if *key != *mistaken || !table.0.starts_with("book") {
            return Some(row);
        }
        let mut book = Book::decode(&row.state).unwrap();
        book.ring.iter_mut().rev().nth(2).unwrap().pnl_e9.0 += 1;
        let mut state = Vec::new();
        book.encode(&mut state);
        Some(Row { state, ..row })
    });
    let found = compared(&views, &old, &new);
    assert_eq!((found[0].different, found[0].compared), (1, 6), "{found:#?}");
    let difference = &found[0].differences[0];
    assert_eq!((difference.key.as_str(), difference.field.as_str()), ("trader-3 ES", "ring[-3].pnl_e9"));
    assert_ne!(difference.old, difference.new);
}

#[test]
fn rows_that_are_missing_or_of_another_position_are_told_apart() {
    let (world, views) = (world(), MemoryViews::new());
    let (old, new) = (GenerationSet::default(), with_ring(20));
    let of = |user: &str| keys::book_key(user, "ES");
    write(&views, &world, &old, |table, key, row| (*key != *of("trader-1") || !is_book(table)).then_some(row));
    write(&views, &world, &new, |table, key, row| match () {
        () if is_book(table) && *key == *of("trader-2") => None,
        () if is_book(table) && *key == *of("trader-3") => {
            Some(Row { applied: Position { offset: row.applied.offset + 1, ..row.applied }, ..row })
        }
        () => Some(row),
    });
    let found = compared(&views, &old, &new);
    let book = &found[0];
    assert_eq!((book.compared, book.only_old, book.only_new, book.unsettled), (3, 1, 1, 1), "{book:#?}");
    assert!(!book.is_same());
}

/// A row that the live projector moves meanwhile is compared once both are there.
#[test]
fn rows_settle() {
    let (world, views) = (world(), Arc::new(MemoryViews::new()));
    let (old, new) = (GenerationSet::default(), with_ring(20));
    write(&views, &world, &old, unchanged);
    world.history("trader-2", "ES", 500..501);
    write(&views, &world, &new, unchanged);
    let patience = Patience(Duration::from_secs(30));
    let found = timed(async {
        let comparing = compare_rows(&*views, &old, &new, patience, |_| {});
        let catching_up = async {
            tokio::time::sleep(Duration::from_millis(150)).await;
            let views = Arc::clone(&views);
            let rows = refold(&*shared(&world), &world.codec, &old).unwrap().rows.into_iter();
            let rows = rows.map(|((table, key), Row { applied, state })| RowWrite { table, key, applied, state });
            views.write(ViewBatch { rows: rows.collect(), ..ViewBatch::default() }).await.unwrap();
        };
        tokio::join!(comparing, catching_up).0
    });
    assert!(found.iter().all(RowsOfProjection::is_same), "{found:#?}");
}

fn is_book(table: &TableName) -> bool {
    table.0.starts_with("book")
}

#[test]
fn answers_are_derived_again_on_the_other_set() {
    let world = World::new();
    let mut decided = Vec::new();
    for row in 0..60 {
        let signal = signal("trader-1", "ES", row);
        let decision = world.decided(signal.clone(), world.end("trader-1"));
        world.event(&Event::Signal(signal.clone()));
        world.event(&Event::Trade(trade(&signal, row.is_multiple_of(3))));
        world.decision(&decision);
        decided.push(decision);
    }
    let log = shared(&world);
    let effect = |set: &GenerationSet, last| effect_on_answers(&*log, &world.codec, set, last).unwrap();
    let same = effect(&GenerationSet::default(), 1_000);
    assert_eq!((same.decisions, same.changed, same.flipped()), (60, 0, 0), "{same:#?}");
    assert_eq!(same.quantiles, [0.0; 7]);

    // With a ring of 10 the first ten trades are the same.
    let changed = effect(&with_ring(10), 1_000);
    assert_eq!(changed.decisions, 60);
    assert!((40..=49).contains(&changed.changed), "{changed:#?}");
    let largest = &changed.largest[0];
    let recorded = decided.iter().find(|decision| decision.decision_id == largest.decision_id).unwrap();
    assert_eq!((recorded.confidence, largest.user.as_str()), (largest.old_confidence, "trader-1"));
    let sizes: u64 = changed.sizes.iter().map(|(_, count)| count).sum();
    assert_eq!(sizes, 60);
    assert!(changed.quantiles.is_sorted() && changed.mean_absolute_change > 0.0);
    assert_eq!(effect(&with_ring(10), 7).decisions, 7, "the last ones");

    // A retry is recorded again; the last record is the decision.
    for confidence in [0.25, 0.125] {
        world.decision(&DecisionMade { confidence, ..decided[59].clone() });
    }
    let repeated = effect(&GenerationSet::default(), 1_000);
    assert_eq!((repeated.decisions, repeated.changed), (60, 1), "{repeated:#?}");
    assert_eq!(repeated.largest[0].old_confidence, 0.125);
    assert_eq!(effect(&with_ring(10), 7).decisions, 7);
}

#[test]
fn records_with_another_verdict_are_listed() {
    let world = World::new();
    let repeated = Event::Trade(trade(&signal("trader-1", "ES", 1), true));
    world.event(&repeated);
    world.history("trader-1", "ES", 10..20);
    let again = world.event(&repeated);
    let (old, mut new) = (GenerationSet::default(), GenerationSet::default());
    let none = other_verdicts(&*shared(&world), &world.codec, &old, &with_ring(5)).unwrap();
    assert_eq!(none, Verdicts::default(), "the admission is the same");
    new.admission.params.window_ids = 4;
    let found = other_verdicts(&*shared(&world), &world.codec, &old, &new).unwrap();
    assert_eq!((found.different, found.listed.len()), (1, 1));
    let listed = &found.listed[0];
    assert_eq!((listed.position.as_str(), &*listed.old, &*listed.new), (&*again.to_string(), "duplicate", "used"));
}

/// Where a window ends decides whether a void of a trade that was never told is known to void nothing.
#[test]
fn records_that_only_one_set_rejects_are_listed() {
    let world = World::new();
    world.history("trader-1", "ES", 0..20);
    let never_told = trade(&signal("trader-1", "ES", 900), true);
    let void = TradeVoided {
        event_id: void_event_id("trader-1", never_told.event_id),
        user_id: never_told.user_id.clone(),
        symbol: never_told.symbol.clone(),
        strategy: None,
        occurred_at: never_told.occurred_at,
        received_at: never_told.received_at,
        trade_event_id: never_told.event_id,
        trade_position: Position { epoch: 0, partition: partition("trader-1"), offset: 1 },
        trade_occurred_at: never_told.occurred_at,
        trade_pnl_e9: never_told.pnl_e9,
        trade_simulated: false,
        reason: None,
    };
    let position = world.event(&Event::Void(void)).to_string();
    let (wide, mut narrow) = (GenerationSet::default(), GenerationSet::default());
    narrow.admission.params.window_ids = 4;
    let rejected = "rejected: nothing-to-void";
    for (old, new, verdicts) in [(&wide, &narrow, (rejected, "used")), (&narrow, &wide, ("used", rejected))] {
        let found = other_verdicts(&*shared(&world), &world.codec, old, new).unwrap();
        assert_eq!(found.different, 1, "{found:?}");
        let listed = &found.listed[0];
        assert_eq!((&*listed.position, (&*listed.old, &*listed.new)), (&*position, verdicts));
    }
}

#[test]
fn a_report_is_judged_and_can_be_looked_at() {
    let hostile = "<script>alert('x')</script>";
    let row = hindcast_replay_tools::reproject::RowDifference {
        key: hostile.to_owned(),
        field: "taken.trades".to_owned(),
        old: "1".to_owned(),
        new: "2".to_owned(),
    };
    let rows = RowsOfProjection {
        projection: "book".to_owned(),
        compared: 9,
        different: 1,
        differences: vec![row],
        ..RowsOfProjection::default()
    };
    let effect =
        Effect { decisions: 100, skip_to_take: 3, sizes: vec![(Some(0.1), 97), (None, 3)], ..Effect::default() };
    let found = |tolerance| Verification {
        old: "old".to_owned(),
        new: "new".to_owned(),
        next_offsets: vec![1, 2],
        rows: vec![rows.clone()],
        effect: effect.clone(),
        verdicts: Verdicts::default(),
        tolerance,
        within_tolerance: false,
    };
    assert!(!found(Tolerance::default()).judged().within_tolerance);
    let lax = Tolerance { different_rows: 1, ..Tolerance::default() };
    assert!(found(lax).judged().within_tolerance);
    assert!(!found(Tolerance { flipped_share: 0.02, ..lax }).judged().within_tolerance);
    let page = found(lax).judged().html();
    assert!(!page.contains(hostile) && page.contains("&lt;script&gt;"), "{page}");
    assert!(page.contains("within tolerance") && page.contains("<svg"));
}

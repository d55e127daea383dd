//! Folding from scratch, and comparing a view store with it.

use hindcast_domain::Position;
use hindcast_fold::{generation::GenerationSet, keys};
use hindcast_journal::Topic;
use hindcast_replay_tools::{
    ReplayError, durable_ends, refold,
    refold::{Difference, Refolded},
    refold_to,
};
use hindcast_views::{Progress, Row, RowWrite, TableName, ViewBatch, ViewStore, memory::MemoryViews};

use crate::world::{World, done, partition, shared};

fn busy_world() -> World {
    let world = World::new();
    for (user, symbol, rows) in
        [("trader-1", "ES", 0..40), ("trader-2", "ES", 0..30), ("trader-1", "NQ", 100..110), ("trader-3", "CL", 0..5)]
    {
        world.history(user, symbol, rows);
        world.rubbish(user);
    }
    world.history("trader-1", "ES", 10..50);
    world
}

fn refolded(world: &World) -> Refolded {
    refold(shared(world).as_ref(), &world.codec, &GenerationSet::default()).unwrap()
}

/// A store at rest that holds what was folded.
fn store_of(world: &World, refolded: &Refolded) -> MemoryViews {
    let views = MemoryViews::new();
    let rows = refolded
        .rows
        .iter()
        .map(|((table, key), row)| RowWrite {
            table: table.clone(),
            key: key.clone(),
            applied: row.applied,
            state: row.state.clone(),
        })
        .collect();
    let journal_id = hindcast_journal::Log::identity(&world.log).journal_id;
    let progress = refolded
        .tables
        .iter()
        .flat_map(|table| {
            refolded
                .folded_to
                .values()
                .map(move |&(position, next_offset)| (table.clone(), Progress { journal_id, next_offset, position }))
        })
        .collect();
    done(views.write(ViewBatch { rows, progress, from_offset: 0 })).unwrap();
    views
}

#[test]
fn rows_are_what_the_fold_makes() {
    let world = busy_world();
    let refolded = refolded(&world);
    let set = GenerationSet::default();
    let row = |table: String, key: Vec<u8>| refolded.rows.get(&(TableName(table.into()), key)).unwrap();
    let mut rows = 0;
    for p in 0..crate::world::PARTITIONS {
        let mut folded = world.folded(&set, p, u64::MAX);
        for ((user, symbol), book) in &folded.books {
            let mut state = Vec::new();
            book.encode(&mut state);
            let applied = book.applied().unwrap();
            assert_eq!(row(set.book_table(), keys::book_key(user, symbol)), &Row { applied, state });
            rows += 1;
        }
        for ((user, day), activity) in &folded.activities {
            let mut state = Vec::new();
            activity.encode(&mut state);
            let applied = activity.applied().unwrap();
            assert_eq!(row(set.activity_table(), keys::activity_key(user, *day)), &Row { applied, state });
            rows += 1;
        }
        // Admissions count the unusable records too, which the loop of this test leaves out.
        for user in std::mem::take(&mut folded.admissions).into_keys() {
            row(set.admission_table(), keys::admission_key(&user));
            rows += 1;
        }
    }
    assert_eq!(refolded.rows.len(), rows);
    assert_eq!(refolded.records, 2 * (40 + 30 + 10 + 5 + 40) + 4 + 2, "with rubbish and one genesis a partition");
}

#[test]
fn a_prefix_is_folded_as_far_as_asked() {
    let world = World::new();
    world.history("trader-1", "ES", 0..20);
    let before = refolded(&world);
    let ends = durable_ends(&world.log, Topic::Journal);
    world.history("trader-1", "ES", 20..40);
    assert_ne!(refolded(&world), before);
    assert_eq!(refold_to(&world.log, &world.codec, &GenerationSet::default(), &ends).unwrap(), before);
    let beyond: Vec<u64> = ends.iter().map(|end| end + 1_000).collect();
    let error = refold_to(&world.log, &world.codec, &GenerationSet::default(), &beyond).unwrap_err();
    assert!(matches!(error, ReplayError::TooShort { .. }), "{error}");
}

#[test]
fn a_store_that_holds_the_same_is_the_same() {
    let world = busy_world();
    let refolded = refolded(&world);
    let comparison = done(refolded.compare(&store_of(&world, &refolded))).unwrap();
    assert!(comparison.is_same(), "{comparison:?}");
    assert_eq!(comparison.same, refolded.rows.len() as u64);
}

#[test]
fn every_kind_of_difference_is_found() {
    let world = busy_world();
    let truth = refolded(&world);
    let table = TableName(GenerationSet::default().book_table().into());
    let key = keys::book_key("trader-1", "ES");
    let of = |change: &dyn Fn(&mut Refolded)| {
        let mut other = truth.clone();
        change(&mut other);
        let comparison = done(truth.compare(&store_of(&world, &other))).unwrap();
        assert_eq!(comparison.different, comparison.differences.len() as u64);
        comparison.differences
    };
    let book = (table.clone(), key.clone());

    let missing = of(&|other| drop(other.rows.remove(&book)));
    assert_eq!(missing, [Difference::Missing { table: table.clone(), key: key.clone() }]);

    let ghost = keys::book_key("trader-9", "ES");
    let row = truth.rows[&book].clone();
    let unexpected = of(&|other| drop(other.rows.insert((table.clone(), ghost.clone()), row.clone())));
    assert_eq!(unexpected, [Difference::Unexpected { table: table.clone(), key: ghost }]);

    let state = of(&|other| other.rows.get_mut(&book).unwrap().state[9] ^= 1);
    assert_eq!(state, [Difference::State { table: table.clone(), key: key.clone(), first_byte: 9 }]);
    let longer = of(&|other| other.rows.get_mut(&book).unwrap().state.push(0));
    assert_eq!(longer.len(), 1);

    let found = Position { epoch: 0, partition: partition("trader-1"), offset: 1 };
    let applied = of(&|other| other.rows.get_mut(&book).unwrap().applied = found);
    assert_eq!(applied, [Difference::Applied { table, key, expected: row.applied, found }]);
    assert!(applied[0].to_string().contains("trader-1"), "{}", applied[0]);

    let behind = of(&|other| other.folded_to.get_mut(&0).unwrap().1 -= 1);
    assert_eq!(behind.len(), 3, "{behind:?}");
    let never = of(&|other| other.folded_to.retain(|partition, _| *partition != 1));
    assert!(never.iter().all(|d| matches!(d, Difference::Progress { partition: 1, found: None, .. })), "{never:?}");
}

use hindcast_domain::Position;
use hindcast_fold::{
    admission::Unusable,
    pipeline::{FoldParams, Input, fold_record},
};

use super::*;

/// Has a user fold something, so that it holds changed states.
fn change(held: &mut HeldStates, user: &str, offset: u64) {
    let states = held.get_or_begin(user).unwrap();
    let input = Input::Unusable { reason: Unusable::Undecodable, detail: String::new() };
    let position = Position { epoch: 0, partition: 0, offset };
    fold_record(states, &FoldParams::default(), user, &input, position);
    states.changed = true;
    let mut touched = vec![Arc::clone(&states.name)];
    held.recount(&mut touched);
}

fn name(user: u64) -> Arc<str> {
    format!("user-{user:04}").into()
}

#[test]
fn the_least_recently_used_are_forgotten_once_they_are_written() {
    let mut held = HeldStates::new(20_000);
    for user in 0..1_000 {
        change(&mut held, &name(user), user);
    }
    assert!(held.is_over_limit() && held.is_much_changed());
    held.shrink();
    assert!((0..1_000).all(|user| held.get(&name(user)).is_some()), "nothing that the store does not have is lost");

    held.written(&mut (0..1_000).map(name).collect());
    assert!(!held.is_much_changed());
    held.get(&name(0));
    held.shrink();
    assert!(!held.is_over_limit());
    assert!(held.get(&name(0)).is_some(), "used just now");
    assert!(held.get(&name(1)).is_none(), "not used for longest");
    assert!(held.get(&name(999)).is_some());
}

#[test]
fn counts_come_back_to_nothing() {
    let mut held = HeldStates::new(0);
    for user in 0..50 {
        change(&mut held, &name(user), user);
        change(&mut held, &name(user / 2), 100 + user);
    }
    held.written(&mut (0..50).map(name).collect());
    held.shrink();
    assert_eq!((held.bytes, held.changed_bytes), (0, 0));
    change(&mut held, &name(1), 1_000);
    held.forget_all();
    assert!(held.get(&name(1)).is_none());
    assert_eq!((held.bytes, held.changed_bytes), (0, 0));
}

#[test]
fn rows_come_with_admissions_last() {
    let set = hindcast_fold::generation::GenerationSet::default();
    let tables = Tables::of(&set);
    let mut held = HeldStates::new(1 << 20);
    for user in 0..3 {
        change(&mut held, &name(user), user);
        held.get(&name(user)).unwrap().put_book("ES", hindcast_fold::book::Book::default());
    }
    let rows = held.changed_rows(&[name(0), name(2)], &tables);
    // Books that nothing was routed to are no rows.
    assert_eq!(rows.len(), 2);
    assert!(rows.iter().all(|row| row.table == tables.admission));
    assert_eq!(rows[1].key, b"user-0002");
}

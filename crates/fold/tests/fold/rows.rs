//! Rows come back as the states they were made of, and any bytes are a row or an error.

use hindcast_fold::{activity::Activity, admission::Admission, book::Book, pipeline::FoldParams};
use proptest::prelude::*;

use crate::{
    histories::{steps, tell},
    world::{World, bytes, second_fold},
};

/// What decoding gives is a state like any other: it encodes, and comes back equal.
fn decodes_or_not(row: &[u8]) {
    if let Ok(state) = Admission::decode(row) {
        assert_eq!(Admission::decode(&bytes(|into| state.encode(into))).as_ref(), Ok(&state));
    }
    if let Ok(state) = Book::decode(row) {
        assert_eq!(Book::decode(&bytes(|into| state.encode(into))).as_ref(), Ok(&state));
    }
    if let Ok(state) = Activity::decode(row) {
        assert_eq!(Activity::decode(&bytes(|into| state.encode(into))).as_ref(), Ok(&state));
    }
}

/// Parameters of each version of the fold of books.
fn versions() -> impl Strategy<Value = FoldParams> {
    prop_oneof![Just(FoldParams::default()), Just(second_fold(256, 64))]
}

proptest! {
    #[test]
    fn states_come_back(history in steps(80), params in versions()) {
        let memory = tell(World::with_params(params), &history).memory;
        for state in memory.admissions.values() {
            prop_assert!(Admission::decode(&bytes(|into| state.encode(into))).as_ref() == Ok(state), "{state:?}");
        }
        for state in memory.books.values() {
            prop_assert!(Book::decode(&bytes(|into| state.encode(into))).as_ref() == Ok(state), "{state:?}");
        }
        for state in memory.activities.values() {
            prop_assert!(Activity::decode(&bytes(|into| state.encode(into))).as_ref() == Ok(state), "{state:?}");
        }
    }

    #[test]
    fn any_bytes_are_a_row_or_an_error(mut row: Vec<u8>) {
        decodes_or_not(&row);
        for version in [1, 2] {
            if let Some(first) = row.first_mut() {
                *first = version;
            }
            decodes_or_not(&row);
        }
    }

    #[test]
    fn damaged_rows_are_rows_or_errors(
        history in steps(30),
        place in any::<prop::sample::Index>(),
        damage in 1..=u8::MAX,
        cut in any::<prop::sample::Index>(),
        params in versions(),
    ) {
        for ((projection, _), (_, row)) in tell(World::with_params(params), &history).memory.rows() {
            let mut damaged = row.clone();
            damaged[place.index(row.len())] ^= damage;
            decodes_or_not(&damaged);
            let cut = &row[..cut.index(row.len())];
            let refused = match projection {
                "admission" => Admission::decode(cut).is_err(),
                "book" => Book::decode(cut).is_err(),
                _ => Activity::decode(cut).is_err(),
            };
            prop_assert!(refused);
        }
    }
}

#[test]
fn empty_states_are_rows_too() {
    assert_eq!(Admission::decode(&bytes(|into| Admission::default().encode(into))), Ok(Admission::default()));
    assert_eq!(Book::decode(&bytes(|into| Book::default().encode(into))), Ok(Book::default()));
    assert_eq!(Activity::decode(&bytes(|into| Activity::default().encode(into))), Ok(Activity::default()));
    assert!(Book::decode(&[]).is_err());
}

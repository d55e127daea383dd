//! Ids of events whose clients gave them none.

use uuid::Uuid;

/// Makes ids of the events of one request: a UUIDv7 and its neighbours, for fresh randomness costs more than an event.
#[derive(Debug, Default)]
pub(crate) struct EventIds {
    last: Option<Uuid>,
}

/// The bits of a UUIDv7 that are random and below all others.
const LOW_BITS: u128 = (1 << 62) - 1;

impl EventIds {
    /// An id that no other event has.
    pub(crate) fn next(&mut self) -> Uuid {
        let next = match self.last {
            None => Uuid::now_v7(),
            Some(last) => {
                let bits = last.as_u128();
                Uuid::from_u128(bits & !LOW_BITS | (bits + 1) & LOW_BITS)
            }
        };
        self.last = Some(next);
        next
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ids_are_uuids_of_version_7_and_differ() {
        let mut ids = EventIds::default();
        let made: HashSet<_> = (0..1_000).map(|_| ids.next()).collect();
        assert_eq!(made.len(), 1_000);
        assert!(made.iter().all(|id| id.get_version_num() == 7 && id.get_variant() == uuid::Variant::RFC4122));
        let mut last = EventIds { last: Some(Uuid::from_u128(LOW_BITS)) };
        assert_eq!(last.next(), Uuid::nil(), "carries nothing into the version");
    }
}

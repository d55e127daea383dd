//! The latest event ids of a user.

use std::collections::VecDeque;

use hashbrown::HashTable;
use hindcast_domain::{EventKind, Position};
use uuid::Uuid;

use crate::encoding::{Put, Rest};

/// Bytes of an encoded id at least.
const LEAST_ENCODED_BYTES: usize = 1 + 2 + 16 + 8;

/// An event that took effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) position: Position,
    pub(super) event_id: Uuid,
    /// Hash of its content.
    pub(super) content: u64,
    pub(super) kind: EventKind,
}

/// The latest events that took effect, oldest first, each (kind, id) once.
#[derive(Debug, Clone, Default)]
pub(super) struct Window {
    seen: VecDeque<Seen>,
    /// Made when the first id is pushed: most rows are decoded only to be looked at once or twice.
    index: Option<Index>,
}

/// Finds an id without looking at all of them.
#[derive(Debug, Clone)]
struct Index {
    /// Numbers of ids, counted on from whatever the oldest one had.
    numbers: HashTable<u32>,
    /// Number of the oldest id.
    oldest: u32,
}

/// The index only mirrors what is seen.
impl PartialEq for Window {
    fn eq(&self, other: &Self) -> bool {
        self.seen == other.seen
    }
}

impl Window {
    pub(super) fn len(&self) -> u64 {
        u64::try_from(self.seen.len()).unwrap_or(u64::MAX)
    }

    pub(super) fn oldest(&self) -> Option<Position> {
        self.seen.front().map(|seen| seen.position)
    }

    pub(super) fn find(&self, kind: EventKind, event_id: Uuid) -> Option<&Seen> {
        match &self.index {
            None => self.seen.iter().rev().find(|seen| seen.event_id == event_id && seen.kind == kind),
            Some(index) => {
                let number = index.numbers.find(hash(kind, event_id), |number| {
                    index.seen(&self.seen, *number).is_some_and(|seen| seen.event_id == event_id && seen.kind == kind)
                })?;
                index.seen(&self.seen, *number)
            }
        }
    }

    /// Makes the index now, for whoever looks for many ids in a decoded window.
    pub(super) fn make_index(&mut self) {
        self.index.get_or_insert_with(|| Index::of(&self.seen));
    }

    /// Remembers an event that is not in the window, and forgets the oldest ones beyond `limit`.
    pub(super) fn push(&mut self, seen: Seen, limit: u32) {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let index = self.index.get_or_insert_with(|| Index::of(&self.seen));
        while self.seen.len() >= limit.max(1) {
            if let Some(oldest) = self.seen.pop_front() {
                index.forget_oldest(&oldest);
            }
        }
        self.seen.push_back(seen);
        index.insert_newest(&self.seen);
    }

    pub(super) fn encode(&self, previous: &mut Position, into: &mut Vec<u8>) {
        into.length(self.seen.len());
        into.reserve(self.seen.len() * (LEAST_ENCODED_BYTES + 2));
        for seen in &self.seen {
            into.byte(seen.kind.code());
            into.position(previous, seen.position);
            into.uuid(seen.event_id);
            into.put(&seen.content.to_le_bytes());
        }
    }

    pub(super) fn take(previous: &mut Position, rest: &mut Rest<'_>) -> Option<Self> {
        let count = rest.count(LEAST_ENCODED_BYTES)?;
        let mut seen = VecDeque::with_capacity(count);
        for _ in 0..count {
            seen.push_back(Seen {
                kind: EventKind::from_code(rest.byte()?)?,
                position: rest.position(previous)?,
                event_id: rest.uuid()?,
                content: u64::from_le_bytes(*rest.array()?),
            });
        }
        Some(Self { seen, index: None })
    }

    pub(super) fn heap_bytes(&self) -> usize {
        let index = self.index.as_ref().map_or(0, |index| index.numbers.capacity() * (size_of::<u32>() + 1));
        self.seen.capacity() * size_of::<Seen>() + index
    }
}

impl Index {
    fn of(seen: &VecDeque<Seen>) -> Self {
        let mut index = Self { numbers: HashTable::with_capacity(seen.len() + 1), oldest: 0 };
        for (number, seen) in (0_u32..).zip(seen) {
            // Each id is there once, so none has to be looked for; growing is never needed.
            index.numbers.insert_unique(hash(seen.kind, seen.event_id), number, |_| 0);
        }
        index
    }

    fn seen<'a>(&self, seen: &'a VecDeque<Seen>, number: u32) -> Option<&'a Seen> {
        seen.get(usize::try_from(number.wrapping_sub(self.oldest)).unwrap_or(usize::MAX))
    }

    fn forget_oldest(&mut self, oldest: &Seen) {
        let number = self.oldest;
        if let Ok(entry) = self.numbers.find_entry(hash(oldest.kind, oldest.event_id), |found| *found == number) {
            entry.remove();
        }
        self.oldest = self.oldest.wrapping_add(1);
    }

    fn insert_newest(&mut self, seen: &VecDeque<Seen>) {
        let Some(newest) = seen.back() else { return };
        let oldest = self.oldest;
        let place = u32::try_from(seen.len() - 1).unwrap_or(u32::MAX);
        let rehash = |number: &u32| {
            let place = usize::try_from(number.wrapping_sub(oldest)).unwrap_or(usize::MAX);
            seen.get(place).map_or(0, |seen| hash(seen.kind, seen.event_id))
        };
        self.numbers.insert_unique(hash(newest.kind, newest.event_id), oldest.wrapping_add(place), rehash);
    }
}

/// Mixes an id into a hash. Clients choose their ids, and may choose ones that collide: at worst their own ids are
/// looked through one by one, of which there are no more than the window holds.
fn hash(kind: EventKind, event_id: Uuid) -> u64 {
    let (high, low) = event_id.as_u64_pair();
    let mixed = (high ^ u64::from(kind.code())).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ low;
    let wide = u128::from(mixed) * 0xd6e8_feb8_6659_fd93;
    #[allow(clippy::cast_possible_truncation)] // the halves are wanted
    {
        (wide >> 64) as u64 ^ wide as u64
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn seen(id: u128) -> Seen {
        let offset = u64::try_from(id & 0xffff).unwrap();
        Seen {
            position: Position { epoch: 0, partition: 0, offset },
            event_id: Uuid::from_u128(id),
            content: 1,
            kind: EventKind::Trade,
        }
    }

    proptest! {
        #[test]
        fn the_index_finds_what_a_search_finds(ids: Vec<u8>, limit in 1..20_u32, decoded_at in 0..100_usize) {
            let mut window = Window::default();
            let mut plain: VecDeque<u8> = VecDeque::new();
            for (n, id) in ids.into_iter().enumerate() {
                if n == decoded_at {
                    window = Window { seen: window.seen.clone(), index: None };
                }
                prop_assert_eq!(window.find(EventKind::Trade, Uuid::from_u128(id.into())).is_some(), plain.contains(&id));
                prop_assert!(window.find(EventKind::Signal, Uuid::from_u128(id.into())).is_none());
                if !plain.contains(&id) {
                    window.push(seen(id.into()), limit);
                    plain.push_back(id);
                    if plain.len() > usize::try_from(limit).unwrap() {
                        plain.pop_front();
                    }
                }
                prop_assert_eq!(window.seen.len(), plain.len());
                prop_assert_eq!(window.index.as_ref().map_or(plain.len(), |index| index.numbers.len()), plain.len());
            }
        }
    }

    #[test]
    fn numbers_may_wrap() {
        let mut window = Window::default();
        window.push(seen(1), 3);
        let index = window.index.as_mut().unwrap();
        index.numbers.clear();
        index.oldest = u32::MAX - 1;
        index.insert_newest(&window.seen);
        for id in 2..20 {
            window.push(seen(id), 3);
            assert!(window.find(EventKind::Trade, Uuid::from_u128(id)).is_some());
            assert!(window.find(EventKind::Trade, Uuid::from_u128(id - 1)).is_some());
        }
        assert_eq!(window.index.as_ref().unwrap().numbers.len(), 3);
    }
}

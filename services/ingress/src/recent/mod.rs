//! The latest events that clients identified, in memory: those under way and those just acknowledged.
//!
//! Views know an event only after it was projected; a client that sends it again before that is told by these. What is
//! forgotten here costs nothing but space in the journal: the fold counts an event once however often it was stored.

mod claims;
mod flight;

use std::{
    collections::{HashMap, VecDeque},
    hash::{BuildHasher, BuildHasherDefault, Hasher, RandomState},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use hindcast_domain::EventKind;
use uuid::Uuid;

pub(crate) use claims::Claims;
pub(crate) use flight::Flight;

/// Names an event of a user: a keyed hash of 128 bits, so that nobody can make two events of the same name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct RecentId(u128);

/// The latest events that clients identified.
#[derive(Debug)]
pub(crate) struct Recent {
    keys: [RandomState; 2],
    shards: Vec<Mutex<Shard>>,
    ids_per_shard: usize,
}

/// Enough that two requests seldom want the same.
const SHARDS: usize = 16;

#[derive(Debug, Default)]
struct Shard {
    entries: HashMap<RecentId, Known, BuildHasherDefault<AsItIs>>,
    /// In order of arrival.
    order: VecDeque<RecentId>,
}

/// An event that was taken in.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    /// The append it is part of.
    pub(crate) flight: Arc<Flight>,
    /// Its place among the records of the append.
    pub(crate) index: usize,
    /// Hash of its content.
    pub(crate) content: u64,
}

impl Recent {
    /// Room for that many ids.
    pub(crate) fn new(ids: usize) -> Self {
        Self {
            keys: [RandomState::new(), RandomState::new()],
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            ids_per_shard: ids.div_ceil(SHARDS).max(1),
        }
    }

    /// Names an event of a user.
    pub(crate) fn id(&self, user: &str, kind: EventKind, event_id: Uuid) -> RecentId {
        let [high, low] = self.keys.each_ref().map(|key| {
            let mut hasher = key.build_hasher();
            hasher.write(event_id.as_bytes());
            hasher.write_u8(kind.code());
            hasher.write(user.as_bytes());
            hasher.finish()
        });
        RecentId(u128::from(high) << 64 | u128::from(low))
    }

    /// The event, if it is under way or was acknowledged.
    pub(crate) fn find(&self, id: RecentId) -> Option<Known> {
        self.shard(id)?.entries.get(&id).filter(|known| known.may_be_stored()).cloned()
    }

    /// Makes an event known, or tells that it is known already.
    fn claim(&self, id: RecentId, new: Known) -> Result<(), Known> {
        let Some(mut shard) = self.shard(id) else { return Ok(()) };
        if let Some(known) = shard.entries.get(&id).filter(|known| known.may_be_stored()) {
            return Err(known.clone());
        }
        if shard.order.len() >= self.ids_per_shard
            && let Some(oldest) = shard.order.pop_front()
        {
            shard.entries.remove(&oldest);
        }
        shard.order.push_back(id);
        shard.entries.insert(id, new);
        Ok(())
    }

    /// Forgets an event whose append failed.
    fn forget(&self, id: RecentId, flight: &Arc<Flight>) {
        if let Some(mut shard) = self.shard(id)
            && shard.entries.get(&id).is_some_and(|known| Arc::ptr_eq(&known.flight, flight))
        {
            shard.entries.remove(&id);
        }
    }

    fn shard(&self, id: RecentId) -> Option<MutexGuard<'_, Shard>> {
        let index = usize::try_from(id.0 >> 64).unwrap_or(usize::MAX) % SHARDS;
        // Nothing in a shard is half done when a panic leaves it: at worst an id is missing.
        self.shards.get(index).map(|shard| shard.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Known {
    fn may_be_stored(&self) -> bool {
        !matches!(self.flight.outcome(), Some(Err(_)))
    }
}

/// Takes a name that is a hash as its own hash.
#[derive(Debug, Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(byte);
        }
    }

    #[allow(clippy::cast_possible_truncation)] // the low half is as good as the high one, which chose the shard
    fn write_u128(&mut self, hash: u128) {
        self.0 = hash as u64;
    }
}

#[cfg(test)]
mod tests {
    use hindcast_domain::Position;
    use hindcast_journal::LogError;

    use super::*;

    fn new_event(flight: &Arc<Flight>) -> Known {
        Known { flight: Arc::clone(flight), index: 0, content: 1 }
    }

    #[test]
    fn an_event_is_named_by_user_kind_and_id() {
        let recent = Recent::new(100);
        let id = Uuid::from_u128(1);
        let one = recent.id("user-1", EventKind::Trade, id);
        assert_eq!(one, recent.id("user-1", EventKind::Trade, id));
        assert_ne!(one, recent.id("user-2", EventKind::Trade, id));
        assert_ne!(one, recent.id("user-1", EventKind::Signal, id));
        assert_ne!(one, recent.id("user-1", EventKind::Trade, Uuid::from_u128(2)));
    }

    #[test]
    fn an_event_is_claimed_once_until_its_append_fails() {
        let recent = Recent::new(100);
        let id = recent.id("user-1", EventKind::Trade, Uuid::from_u128(1));
        let (first, second) = (Arc::new(Flight::default()), Arc::new(Flight::default()));
        assert!(recent.find(id).is_none());
        assert!(recent.claim(id, new_event(&first)).is_ok());
        assert!(Arc::ptr_eq(&recent.claim(id, new_event(&second)).unwrap_err().flight, &first));
        first.land(Err(LogError::not_stored("full")));
        assert!(recent.find(id).is_none());
        assert!(recent.claim(id, new_event(&second)).is_ok());
        // Whoever failed must not take away what came after.
        recent.forget(id, &first);
        assert!(recent.find(id).is_some());
        second.land(Ok(vec![Position { epoch: 0, partition: 0, offset: 1 }]));
        assert!(recent.find(id).is_some());
    }

    #[test]
    fn the_oldest_are_forgotten() {
        let recent = Recent::new(64);
        let flight = Arc::new(Flight::default());
        let ids: Vec<_> = (0..1_000).map(|n| recent.id("user-1", EventKind::Trade, Uuid::from_u128(n))).collect();
        for &id in &ids {
            assert!(recent.claim(id, new_event(&flight)).is_ok());
        }
        let kept: Vec<_> = ids.iter().filter(|&&id| recent.find(id).is_some()).collect();
        assert!(kept.len() <= 64, "{}", kept.len());
        assert!(recent.find(ids[999]).is_some());
        assert!(recent.find(ids[0]).is_none());
    }
}

//! How far each bulk import has come.

use xxhash_rust::xxh3::xxh3_128;

use crate::encoding::{Put, Rest};

/// How many import sources of a user are remembered; the one not heard of for longest is forgotten first.
pub const MAX_SOURCES: usize = 64;

/// Bytes of an encoded source at least.
const LEAST_ENCODED_BYTES: usize = 17;

/// The highest sequence of each import source, the source heard of last at the end.
///
/// Sources are kept by the hash of their name: a name can be long, and whoever makes two names collide spoils only an
/// import of their own.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Sources(Vec<Source>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Source {
    name_hash: u128,
    highest: u64,
}

impl Sources {
    pub(super) fn highest(&self, source: &str) -> Option<u64> {
        if self.0.is_empty() {
            return None;
        }
        let name_hash = xxh3_128(source.as_bytes());
        self.0.iter().rev().find(|known| known.name_hash == name_hash).map(|known| known.highest)
    }

    /// Hears of a sequence; whether it is higher than all before.
    pub(super) fn raise(&mut self, source: &str, sequence: u64) -> bool {
        let name_hash = xxh3_128(source.as_bytes());
        if let Some(known) = self.0.last_mut().filter(|known| known.name_hash == name_hash) {
            return known.raise(sequence);
        }
        match self.0.iter().rposition(|known| known.name_hash == name_hash) {
            Some(index) => {
                let mut known = self.0.remove(index);
                let is_higher = known.raise(sequence);
                self.0.push(known);
                is_higher
            }
            None => {
                if self.0.len() >= MAX_SOURCES {
                    self.0.remove(0);
                }
                self.0.push(Source { name_hash, highest: sequence });
                true
            }
        }
    }

    pub(super) fn encode(&self, into: &mut Vec<u8>) {
        into.length(self.0.len());
        for source in &self.0 {
            into.put(&source.name_hash.to_le_bytes());
            into.varint(source.highest);
        }
    }

    pub(super) fn take(rest: &mut Rest<'_>) -> Option<Self> {
        let count = rest.count(LEAST_ENCODED_BYTES)?;
        if count > MAX_SOURCES {
            return None;
        }
        let mut sources = Vec::with_capacity(count);
        for _ in 0..count {
            let name_hash = u128::from_le_bytes(*rest.array()?);
            sources.push(Source { name_hash, highest: rest.varint()? });
        }
        Some(Self(sources))
    }

    pub(super) fn heap_bytes(&self) -> usize {
        self.0.capacity() * size_of::<Source>()
    }
}

impl Source {
    fn raise(&mut self, sequence: u64) -> bool {
        let is_higher = sequence > self.highest;
        self.highest = self.highest.max(sequence);
        is_higher
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_source_not_heard_of_for_longest_is_forgotten() {
        let mut sources = Sources::default();
        for n in 0..MAX_SOURCES {
            assert!(sources.raise(&format!("file-{n}"), 10));
        }
        assert!(!sources.raise("file-0", 10), "heard of again");
        assert!(sources.raise("one more", 1));
        assert_eq!(sources.highest("file-0"), Some(10));
        assert_eq!(sources.highest("file-1"), None);
        assert_eq!(sources.0.len(), MAX_SOURCES);
    }

    #[test]
    fn a_lower_sequence_changes_nothing() {
        let mut sources = Sources::default();
        assert!(sources.raise("file", 7));
        assert!(!sources.raise("file", 3));
        assert_eq!(sources.highest("file"), Some(7));
        assert!(sources.raise("file", 8));
    }
}

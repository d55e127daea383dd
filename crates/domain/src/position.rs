//! Where a record stands in a log.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// The place of a journal record, given once: (epoch, partition, offset).
///
/// Within a partition positions are ordered by epoch, then offset. Offsets need not be dense. A restored record keeps
/// the position it was first given; records appended after a restore have a higher epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Position {
    /// Raised by one each time a journal is restored.
    pub epoch: u8,
    /// The partition of the record's key.
    pub partition: u16,
    /// The offset within the partition.
    pub offset: u64,
}

/// Why a text is not a position.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a position reads EPOCH-PARTITION-OFFSET, for example 0-3-1234")]
pub struct InvalidPosition;

impl Position {
    /// What orders positions of one partition.
    #[must_use]
    pub fn order(self) -> (u8, u64) {
        (self.epoch, self.offset)
    }

    /// Whether this position is at or before another of the same partition.
    #[must_use]
    pub fn is_at_or_before(self, other: Self) -> bool {
        debug_assert_eq!(self.partition, other.partition, "positions of different partitions have no order");
        self.order() <= other.order()
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.epoch, self.partition, self.offset)
    }
}

impl FromStr for Position {
    type Err = InvalidPosition;

    fn from_str(text: &str) -> Result<Self, InvalidPosition> {
        let mut parts = text.split('-');
        let position = (|| {
            Some(Self {
                epoch: parts.next()?.parse().ok()?,
                partition: parts.next()?.parse().ok()?,
                offset: parts.next()?.parse().ok()?,
            })
        })();
        match (position, parts.next()) {
            (Some(position), None) => Ok(position),
            _ => Err(InvalidPosition),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_back() {
        let position = Position { epoch: 1, partition: 7, offset: u64::MAX };
        assert_eq!(position.to_string().parse(), Ok(position));
        for bad in ["", "1-2", "1-2-3-4", "256-0-0", "-1-0-0", "a-b-c"] {
            assert_eq!(bad.parse::<Position>(), Err(InvalidPosition), "{bad}");
        }
    }

    #[test]
    fn a_higher_epoch_comes_later() {
        let old = Position { epoch: 0, partition: 0, offset: 99 };
        let new = Position { epoch: 1, partition: 0, offset: 3 };
        assert!(old.is_at_or_before(new));
        assert!(!new.is_at_or_before(old));
    }
}

//! An append on its way to the writer.

use hindcast_domain::Position;
use tokio::sync::oneshot;

use super::format::{CHUNK_BYTES, encode_record, encoded_bytes_at_most};
use crate::{LogError, NewRecord, layout::Layout};

/// Consecutive records of one slot, encoded; at most a chunk's worth unless a single record is larger.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) slot: usize,
    pub(crate) records: u32,
    pub(crate) bytes: Vec<u8>,
}

/// Where a record of an append will stand: the `nth` of those the append brings to its slot.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) slot: usize,
    pub(crate) partition: u16,
    pub(crate) nth: u64,
}

/// The records of one append, encoded on the caller's thread so that the writer only copies.
#[derive(Debug)]
pub(crate) struct Encoded {
    pub(crate) segments: Vec<Segment>,
    /// By record, in the order given.
    pub(crate) places: Vec<Place>,
    pub(crate) bytes: usize,
}

/// An append waiting to be written.
#[derive(Debug)]
pub(crate) struct Pending {
    pub(crate) encoded: Encoded,
    pub(crate) reply: oneshot::Sender<Result<Vec<Position>, LogError>>,
}

impl Encoded {
    /// # Errors
    /// When a record names a partition that doesn't exist; then none is taken.
    pub(crate) fn new(records: &[NewRecord], layout: Layout) -> Result<Self, LogError> {
        let mut encoded = Self { segments: Vec::new(), places: Vec::with_capacity(records.len()), bytes: 0 };
        // The segment each slot's records go to at present, and how many the slot got so far.
        let mut filling: Vec<(usize, usize, u64)> = Vec::new();
        for record in records {
            let slot = layout
                .slot(record.topic, record.partition)
                .ok_or_else(|| LogError::no_such_partition(record.topic, record.partition))?;
            let at = match filling.iter().position(|&(filled, ..)| filled == slot) {
                Some(at) => at,
                None => {
                    // Most appends bring a slot one record, or many: room for the first at once.
                    let bytes = Vec::with_capacity(encoded_bytes_at_most(record));
                    encoded.segments.push(Segment { slot, records: 0, bytes });
                    filling.push((slot, encoded.segments.len() - 1, 0));
                    filling.len() - 1
                }
            };
            let Some((_, current, so_far)) = filling.get_mut(at) else { continue };
            encoded.places.push(Place { slot, partition: record.partition, nth: *so_far });
            *so_far += 1;
            let about = record.key.len() + record.value.len();
            if encoded
                .segments
                .get(*current)
                .is_some_and(|segment| segment.records > 0 && segment.bytes.len() + about > CHUNK_BYTES)
            {
                encoded.segments.push(Segment { slot, records: 0, bytes: Vec::new() });
                *current = encoded.segments.len() - 1;
            }
            if let Some(segment) = encoded.segments.get_mut(*current) {
                encode_record(record, None, &mut segment.bytes);
                segment.records += 1;
            }
        }
        encoded.bytes = encoded.segments.iter().map(|segment| segment.bytes.len()).sum();
        Ok(encoded)
    }
}

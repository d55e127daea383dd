//! Keeps memtables small without ever running into fjall's own limits.

use std::{thread, time::Duration};

use fjall::{AbstractTree, Keyspace, PersistMode};

use super::{Chunk, MEMTABLE_BYTES, Open, failed};
use crate::LogError;

/// fjall blocks commits at four sealed memtables or twenty runs that were not compacted yet; one more of each can
/// appear while a commit is on its way.
const MOST_SEALED: usize = 2;
const MOST_RUNS: usize = 10;
/// Flushes waiting, over all partitions: bounds the memory of sealed memtables.
const MOST_FLUSHES: usize = 4;

impl Open {
    /// To be called before a commit: seals memtables that are full, and the largest if all together take too much.
    pub(super) fn make_room(&self, chunks: &[Chunk], memtables_bytes: u64) -> Result<(), LogError> {
        let mut looked_at = None;
        for chunk in chunks {
            if looked_at.replace(chunk.slot) == Some(chunk.slot) {
                continue;
            }
            let keyspace = self.keyspace(chunk.slot)?;
            if active_bytes(keyspace) >= MEMTABLE_BYTES {
                self.seal(keyspace)?;
            }
        }
        if self.database.write_buffer_size() >= memtables_bytes
            && let Some(largest) = self.keyspaces.iter().max_by_key(|keyspace| active_bytes(keyspace))
            && self.keyspaces.iter().all(|keyspace| keyspace.sealed_memtable_count() == 0)
        {
            self.seal(largest)?;
        }
        Ok(())
    }

    /// Seals a memtable and has it flushed in the background, as soon as not too many are waiting for that.
    fn seal(&self, keyspace: &Keyspace) -> Result<(), LogError> {
        while keyspace.sealed_memtable_count() >= MOST_SEALED
            || keyspace.tree.l0_run_count() >= MOST_RUNS
            || self.database.outstanding_flushes() >= MOST_FLUSHES
        {
            // Fails if the flushing thread died.
            self.database.persist(PersistMode::Buffer).map_err(|e| failed("write to", &e))?;
            thread::sleep(Duration::from_millis(1));
        }
        keyspace.rotate_memtable().map(drop).map_err(|e| failed("write to", &e))
    }
}

fn active_bytes(keyspace: &Keyspace) -> u64 {
    keyspace.tree.active_memtable().size()
}

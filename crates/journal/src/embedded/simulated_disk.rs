//! A disk in memory whose power can be cut and which can be full.

use std::{
    collections::BTreeMap,
    sync::{Arc, Condvar, Mutex, MutexGuard},
    thread,
    time::Duration,
};

use rand::{RngExt, SeedableRng, rngs::StdRng};

use super::storage::{Chunk, Storage, Visit};
use crate::LogError;

type Chunks = BTreeMap<(usize, u64), Vec<u8>>;

/// The disk; clones are the same one.
#[derive(Clone)]
pub(crate) struct SimulatedDisk {
    state: Arc<Mutex<State>>,
    gate: Arc<(Mutex<bool>, Condvar)>,
}

struct State {
    rng: StdRng,
    /// What is surely there after a power cut.
    synced: Chunks,
    /// What readers find: the above and what was written since.
    visible: Chunks,
    /// Groups written and not synced, which a power cut or a reopening may or may not leave.
    unsynced: Vec<Vec<Chunk>>,
    syncs: u64,
    slowest_sync_us: u64,
    /// Chance that a commit fails.
    failing: f64,
    /// Reopenings that fail after a failed commit.
    down_for: u32,
    full: bool,
    /// A write failed and the disk was not reopened since.
    broken: bool,
    cut: bool,
}

impl SimulatedDisk {
    pub(crate) fn new(seed: u64) -> Self {
        Self::holding(seed, Chunks::new())
    }

    fn holding(seed: u64, chunks: Chunks) -> Self {
        let state = State {
            rng: StdRng::seed_from_u64(seed),
            synced: chunks.clone(),
            visible: chunks,
            unsynced: Vec::new(),
            syncs: 0,
            slowest_sync_us: 0,
            failing: 0.0,
            down_for: 0,
            full: false,
            broken: false,
            cut: false,
        };
        Self { state: Arc::new(Mutex::new(state)), gate: Arc::new((Mutex::new(true), Condvar::new())) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Commits fail at seeded moments: some before the write, some after it, some in the sync.
    pub(crate) fn fail_at_times(&self, chance: f64) {
        self.lock().failing = chance;
    }

    pub(crate) fn sync_slowly(&self, slowest_us: u64) {
        self.lock().slowest_sync_us = slowest_us;
    }

    pub(crate) fn set_full(&self, full: bool) {
        self.lock().full = full;
    }

    /// While the gate is shut, a sync doesn't return.
    pub(crate) fn set_gate(&self, open: bool) {
        *self.gate.0.lock().unwrap() = open;
        self.gate.1.notify_all();
    }

    pub(crate) fn syncs(&self) -> u64 {
        self.lock().syncs
    }

    /// The synced chunks of a slot vanish, as no disk should let them.
    pub(crate) fn lose(&self, slot: usize) {
        let mut state = self.lock();
        state.synced.retain(|&(of, _), _| of != slot);
        state.visible.retain(|&(of, _), _| of != slot);
    }

    /// From now on nothing reaches the disk any more.
    pub(crate) fn cut_power(&self) {
        self.lock().cut = true;
    }

    /// The disk after power came back: what was synced, and perhaps some of the groups that were not.
    pub(crate) fn after_power_cut(&self) -> Self {
        let mut state = self.lock();
        let surviving = state.some_unsynced();
        let mut chunks = state.synced.clone();
        insert(&mut chunks, surviving);
        let seed = state.rng.random();
        Self::holding(seed, chunks)
    }
}

impl State {
    /// A batch that is not whole is dropped by the storage, and so is all that comes behind it.
    fn some_unsynced(&mut self) -> Vec<Chunk> {
        let groups = std::mem::take(&mut self.unsynced);
        let survivors = self.rng.random_range(0..=groups.len());
        groups.into_iter().take(survivors).flatten().collect()
    }

    fn fails(&mut self) -> bool {
        let chance = self.failing;
        self.rng.random_bool(chance)
    }

    fn break_down(&mut self) {
        self.broken = true;
        self.down_for = self.rng.random_range(0..3);
    }
}

fn insert(into: &mut Chunks, chunks: Vec<Chunk>) {
    into.extend(chunks.into_iter().map(|chunk| ((chunk.slot, chunk.last_offset), chunk.bytes)));
}

impl Storage for SimulatedDisk {
    fn commit(&self, chunks: Vec<Chunk>) -> Result<(), LogError> {
        let pause = {
            let mut state = self.lock();
            assert!(!state.broken, "written to before it was reopened");
            if state.fails() {
                state.break_down();
                return Err(LogError::not_stored("failed before the write"));
            }
            if state.full {
                state.break_down();
                return Err(LogError::unknown("no space left on device"));
            }
            insert(&mut state.visible, chunks.clone());
            state.unsynced.push(chunks);
            if state.fails() {
                state.break_down();
                return Err(LogError::unknown("failed in the write"));
            }
            let slowest = state.slowest_sync_us;
            Duration::from_micros(state.rng.random_range(0..=slowest))
        };
        thread::sleep(pause);
        drop(self.gate.1.wait_while(self.gate.0.lock().unwrap(), |open| !*open).unwrap());
        let mut state = self.lock();
        if state.cut || state.fails() {
            state.break_down();
            return Err(LogError::unknown("failed in the sync"));
        }
        state.syncs += 1;
        for group in std::mem::take(&mut state.unsynced) {
            insert(&mut state.synced, group);
        }
        Ok(())
    }

    fn reopen(&self) -> Result<(), LogError> {
        let mut state = self.lock();
        if state.full || state.cut {
            return Err(LogError::not_stored("no space left on device"));
        }
        if state.down_for > 0 {
            state.down_for -= 1;
            return Err(LogError::not_stored("still failing"));
        }
        let surviving = state.some_unsynced();
        insert(&mut state.synced, surviving);
        state.visible = state.synced.clone();
        state.broken = false;
        Ok(())
    }

    fn last_offset(&self, slot: usize) -> Result<Option<u64>, LogError> {
        let state = self.lock();
        Ok(state.visible.range((slot, 0)..=(slot, u64::MAX)).next_back().map(|(&(_, last), _)| last))
    }

    fn scan(&self, slot: usize, from_offset: u64, visit: Visit<'_>) -> Result<(), LogError> {
        let found: Vec<_> = {
            let state = self.lock();
            let range = state.visible.range((slot, from_offset)..=(slot, u64::MAX));
            range.map(|(&(_, last), chunk)| (last, chunk.clone())).collect()
        };
        for (last, chunk) in found {
            if !visit(last, &chunk)? {
                break;
            }
        }
        Ok(())
    }
}

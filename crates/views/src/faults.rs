//! A view store that fails now and then, by a seed, in every way that the port allows.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use crate::{Pending, Progress, Row, TableName, ViewBatch, ViewError, ViewStore};

/// How often what goes wrong: chances between 0 and 1, looked at one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ViewFaults {
    /// A call fails and nothing happened.
    pub fail_before: f64,
    /// A write happens and fails all the same.
    pub fail_after: f64,
    /// The first rows of a write are stored, then it fails: rows are ahead of progress.
    pub torn: f64,
    /// A write fails now and happens later, after others: what a timed-out request to a cluster may do.
    pub late: f64,
    /// A write happens twice.
    pub twice: f64,
    /// Longest random delay of a call.
    pub delay: Duration,
}

impl ViewFaults {
    /// A bit of everything: about a third of the writes and a tenth of the reads go wrong.
    #[must_use]
    pub fn some_of_all() -> Self {
        Self { fail_before: 0.1, fail_after: 0.1, torn: 0.1, late: 0.1, twice: 0.1, delay: Duration::from_micros(200) }
    }
}

/// A view store that fails now and then, by a seed.
pub struct FaultyViews {
    inner: Arc<dyn ViewStore>,
    faults: ViewFaults,
    random: Mutex<SplitMix>,
    /// Writes that will happen after a later one.
    late: Mutex<Vec<ViewBatch>>,
    injected: AtomicU64,
}

#[derive(Clone, Copy, PartialEq)]
enum Fault {
    None,
    Before,
    After,
    Torn,
    Late,
    Twice,
}

impl FaultyViews {
    /// Lets calls to `inner` go wrong; the same seed and calls give the same faults.
    #[must_use]
    pub fn new(inner: Arc<dyn ViewStore>, seed: u64, faults: ViewFaults) -> Self {
        let (random, late) = (Mutex::new(SplitMix(seed)), Mutex::default());
        Self { inner, faults, random, late, injected: AtomicU64::new(0) }
    }

    /// How many calls went wrong, so that a test can tell that some did.
    #[must_use]
    pub fn injected(&self) -> u64 {
        self.injected.load(Ordering::Relaxed)
    }

    /// Chooses what happens to a call, how long it is delayed, and a number below 1 for the fault's own use.
    fn draw(&self, chances: &[(Fault, f64)]) -> (Fault, Duration, f64) {
        let mut random = locked(&self.random);
        let (mut draw, own) = (random.next_f64(), random.next_f64());
        let delay = self.faults.delay.mul_f64(random.next_f64());
        for &(fault, chance) in chances {
            if draw < chance {
                self.injected.fetch_add(1, Ordering::Relaxed);
                return (fault, delay, own);
            }
            draw -= chance;
        }
        (Fault::None, delay, own)
    }

    async fn before_reading(&self) -> Result<(), ViewError> {
        let (fault, delay, _) = self.draw(&[(Fault::Before, self.faults.fail_before)]);
        pause(delay).await;
        if fault == Fault::Before { Err(injected("before a read")) } else { Ok(()) }
    }

    async fn write_badly(&self, mut batch: ViewBatch) -> Result<(), ViewError> {
        let (fault, delay, own) = self.draw(&[
            (Fault::Before, self.faults.fail_before),
            (Fault::After, self.faults.fail_after),
            (Fault::Torn, self.faults.torn),
            (Fault::Late, self.faults.late),
            (Fault::Twice, self.faults.twice),
        ]);
        pause(delay).await;
        let earlier = std::mem::take(&mut *locked(&self.late));
        let result = match fault {
            Fault::None => self.inner.write(batch).await,
            Fault::Before => Err(injected("before a write")),
            Fault::After => self.inner.write(batch).await.and_then(|()| Err(injected("after a write"))),
            Fault::Twice => match self.inner.write(batch.clone()).await {
                Ok(()) => self.inner.write(batch).await,
                error => error,
            },
            Fault::Torn => {
                #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
                batch.rows.truncate((own * (batch.rows.len() + 1) as f64) as usize);
                batch.progress.clear();
                self.inner.write(batch).await.and_then(|()| Err(injected("within a write")))
            }
            Fault::Late => {
                locked(&self.late).push(batch);
                Err(injected("before a write that happens later"))
            }
        };
        for batch in earlier {
            self.inner.write(batch).await?;
        }
        result
    }
}

impl ViewStore for FaultyViews {
    fn read(&self, table: &TableName, keys: Vec<Vec<u8>>) -> Pending<'_, Vec<Option<Row>>> {
        let table = table.clone();
        Box::pin(async move {
            self.before_reading().await?;
            self.inner.read(&table, keys).await
        })
    }

    fn write(&self, batch: ViewBatch) -> Pending<'_, ()> {
        Box::pin(self.write_badly(batch))
    }

    fn progress(&self, table: &TableName, partition: u16) -> Pending<'_, Option<Progress>> {
        let table = table.clone();
        Box::pin(async move {
            self.before_reading().await?;
            self.inner.progress(&table, partition).await
        })
    }

    fn scan(&self, table: &TableName, after: Option<Vec<u8>>, limit: usize) -> Pending<'_, Vec<(Vec<u8>, Row)>> {
        let table = table.clone();
        Box::pin(async move {
            self.before_reading().await?;
            self.inner.scan(&table, after, limit).await
        })
    }

    fn drop_table(&self, table: &TableName) -> Pending<'_, ()> {
        let table = table.clone();
        Box::pin(async move {
            let (before, after) = (self.faults.fail_before, self.faults.fail_after);
            let (fault, delay, _) = self.draw(&[(Fault::Before, before), (Fault::After, after)]);
            pause(delay).await;
            // Nobody writes to it any more, not even late.
            locked(&self.late).iter_mut().for_each(|batch| batch.rows.retain(|row| row.table != table));
            locked(&self.late).iter_mut().for_each(|batch| batch.progress.retain(|(other, _)| *other != table));
            match fault {
                Fault::Before => Err(injected("before a drop")),
                Fault::After => self.inner.drop_table(&table).await.and_then(|()| Err(injected("after a drop"))),
                _ => self.inner.drop_table(&table).await,
            }
        })
    }

    fn health(&self) -> Result<(), String> {
        self.inner.health()
    }
}

fn injected(when: &str) -> ViewError {
    ViewError::retryable(format!("injected fault {when}"))
}

async fn pause(delay: Duration) {
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The generator of Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators" (2014).
struct SplitMix(u64);

impl SplitMix {
    fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// At least 0, below 1.
    #[allow(clippy::cast_precision_loss)] // 53 bits
    fn next_f64(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

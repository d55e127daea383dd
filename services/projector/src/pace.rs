//! How fast a rebuild may go.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// How long a batch waits at a time while those who serve are behind, and how often in a row at most: a rebuild gets on
/// under any load.
const YIELD: Duration = Duration::from_millis(50);
const MOST_YIELDS: u32 = 20;

/// Holds a rebuild back: to a rate, and while the projection that is read from is behind.
pub struct Pace {
    seconds_per_record: Option<f64>,
    /// When the next batch may be folded.
    next: Mutex<Instant>,
    is_live_behind: Box<dyn Fn() -> bool + Send + Sync>,
}

impl Pace {
    /// At most `max_rate` records a second over all threads, and less while `is_live_behind` says so.
    #[must_use]
    pub fn new(max_rate: Option<u32>, is_live_behind: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self {
            seconds_per_record: max_rate.map(|rate| 1.0 / f64::from(rate.max(1))),
            next: Mutex::new(Instant::now()),
            is_live_behind: Box::new(is_live_behind),
        }
    }

    /// Waits until so many more records may be folded.
    #[allow(clippy::cast_precision_loss)] // a batch is small
    pub(crate) async fn wait(&self, records: usize) {
        for _ in 0..MOST_YIELDS {
            if !(self.is_live_behind)() {
                break;
            }
            tokio::time::sleep(YIELD).await;
        }
        let Some(seconds_per_record) = self.seconds_per_record else { return };
        let turn = {
            let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
            let turn = (*next).max(Instant::now());
            *next = turn + Duration::from_secs_f64(seconds_per_record * records as f64);
            turn
        };
        tokio::time::sleep_until(turn.into()).await;
    }
}

impl fmt::Debug for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pace").field("seconds_per_record", &self.seconds_per_record).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_rate_is_kept_over_batches() {
        let pace = Pace::new(Some(1_000), || false);
        let start = tokio::time::Instant::now();
        // The pace takes the real clock, which stands still here but for what the test lets pass.
        for _ in 0..4 {
            pace.wait(500).await;
        }
        assert!(start.elapsed() >= Duration::from_millis(1_400), "{:?}", start.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_serves_goes_first_but_not_for_ever() {
        static ASKED: AtomicU32 = AtomicU32::new(0);
        let pace = Pace::new(None, || ASKED.fetch_add(1, Ordering::Relaxed) < 3);
        pace.wait(1).await;
        assert_eq!(ASKED.load(Ordering::Relaxed), 4);
        let start = tokio::time::Instant::now();
        Pace::new(None, || true).wait(1).await;
        assert_eq!(start.elapsed(), YIELD * MOST_YIELDS);
    }
}

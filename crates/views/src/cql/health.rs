//! Whether rows can be written at present.

use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, Ordering},
};

/// What the last requests told.
#[derive(Debug, Default)]
pub(super) struct Health {
    broken: AtomicBool,
    why: Mutex<Option<String>>,
}

impl Health {
    pub(super) fn broke(&self, why: &str) {
        let mut stored = self.why();
        if stored.is_none() {
            tracing::error!(why, "rows can't be written");
        }
        *stored = Some(why.to_owned());
        self.broken.store(true, Ordering::Release);
    }

    /// A row was written.
    pub(super) fn went_well(&self) {
        // Hardly ever: the lock is not worth taking for each row.
        if self.broken.load(Ordering::Acquire) {
            let mut stored = self.why();
            if stored.take().is_some() {
                tracing::info!("rows can be written again");
            }
            self.broken.store(false, Ordering::Release);
        }
    }

    pub(super) fn current(&self) -> Result<(), String> {
        if !self.broken.load(Ordering::Acquire) {
            return Ok(());
        }
        self.why().clone().map_or(Ok(()), Err)
    }

    fn why(&self) -> MutexGuard<'_, Option<String>> {
        self.why.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

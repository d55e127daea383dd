//! Keeps what happens to every request from filling the log.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Lets some lines pass each second and counts the others.
#[derive(Debug)]
pub(crate) struct LineLimit {
    lines_per_second: u32,
    window: Mutex<Window>,
}

#[derive(Debug)]
struct Window {
    began: Instant,
    lines: u32,
    left_out: u64,
}

impl LineLimit {
    pub(crate) fn new(lines_per_second: u32) -> Self {
        Self { lines_per_second, window: Mutex::new(Window { began: Instant::now(), lines: 0, left_out: 0 }) }
    }

    /// Whether to write a line, and how many were left out before it.
    pub(crate) fn admit(&self) -> Option<u64> {
        self.admit_at(Instant::now())
    }

    fn admit_at(&self, now: Instant) -> Option<u64> {
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        if now.saturating_duration_since(window.began) >= Duration::from_secs(1) {
            window.began = now;
            window.lines = 0;
        }
        if window.lines == self.lines_per_second {
            window.left_out += 1;
            return None;
        }
        window.lines += 1;
        Some(std::mem::take(&mut window.left_out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_is_told_with_the_next_line() {
        let limit = LineLimit::new(2);
        let start = Instant::now();
        let admitted: Vec<_> = (0..5).map(|_| limit.admit_at(start)).collect();
        assert_eq!(admitted, [Some(0), Some(0), None, None, None]);
        assert_eq!(limit.admit_at(start + Duration::from_secs(2)), Some(3));
        assert_eq!(limit.admit_at(start + Duration::from_secs(2)), Some(0));
    }
}

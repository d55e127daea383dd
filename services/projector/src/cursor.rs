//! Where the projection of one partition stands.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use hindcast_domain::Position;
use hindcast_journal::Topic;
use hindcast_views::Progress;
use prometheus::{Gauge, IntGauge};
use tokio::sync::watch;

use crate::{ProjectorPorts, config::ProjectorConfig};

pub(crate) struct Cursor {
    pub(crate) partition: u16,
    /// Next record to fold.
    pub(crate) next_offset: u64,
    /// Last record folded.
    pub(crate) position: Option<Position>,
    /// What the stored progress says.
    pub(crate) written_offset: u64,
    /// When the oldest folded record without written rows was folded.
    pub(crate) unwritten_since: Option<Instant>,
    /// Users whose states differ from the store.
    pub(crate) changed_users: Vec<Box<str>>,
    /// Durable end of the journal's partition.
    pub(crate) end: watch::Receiver<u64>,
    /// Not to be touched before, because something was not available.
    pub(crate) paused_until: Option<Instant>,
    pub(crate) pause: Duration,
    /// When the last record folded was received, microseconds since 1970.
    pub(crate) last_timestamp_us: i64,
    /// The last attempt to write rows failed: nothing is folded before they are written.
    pub(crate) write_failed: bool,
    lag_events: IntGauge,
    lag_seconds: Gauge,
}

const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

impl Cursor {
    pub(crate) fn new(ports: &ProjectorPorts, partition: u16, stored: Option<Progress>) -> Self {
        let name = partition.to_string();
        let next_offset = stored.map_or(0, |progress| progress.next_offset);
        Self {
            partition,
            next_offset,
            position: stored.map(|progress| progress.position),
            written_offset: next_offset,
            unwritten_since: None,
            changed_users: Vec::new(),
            end: ports.log.durable_end(Topic::Journal, partition),
            paused_until: None,
            pause: FIRST_PAUSE,
            last_timestamp_us: 0,
            write_failed: false,
            lag_events: ports.metrics.lag_events.with_label_values(&[&name]),
            lag_seconds: ports.metrics.lag_seconds.with_label_values(&[&name]),
        }
    }

    pub(crate) fn has_unread(&mut self) -> bool {
        *self.end.borrow_and_update() > self.next_offset
    }

    pub(crate) fn unread(&self) -> u64 {
        self.end.borrow().saturating_sub(self.next_offset)
    }

    pub(crate) fn is_paused(&self) -> bool {
        self.paused_until.is_some_and(|until| Instant::now() < until)
    }

    /// Something is not available: wait, longer each time in a row.
    pub(crate) fn pause(&mut self) {
        self.paused_until = Some(Instant::now() + self.pause);
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
    }

    pub(crate) fn went_well(&mut self) {
        self.paused_until = None;
        self.pause = FIRST_PAUSE;
    }

    /// When rows have to be written, if there is something to write.
    pub(crate) fn write_due(&self, config: &ProjectorConfig) -> Option<Instant> {
        let far_behind = self.unread() > config.read_records as u64;
        let wait_ms = if far_behind { config.catch_up_flush_interval_ms } else { config.flush_interval_ms };
        self.unwritten_since.map(|since| since + Duration::from_millis(wait_ms))
    }

    /// Tells how far the written rows are behind the journal.
    pub(crate) fn tell_lag(&self) {
        let behind = self.end.borrow().saturating_sub(self.written_offset);
        let age_us = if behind == 0 || self.last_timestamp_us == 0 {
            0
        } else {
            now_us().saturating_sub(self.last_timestamp_us).max(0)
        };
        self.lag_events.set(i64::try_from(behind).unwrap_or(i64::MAX));
        self.lag_seconds.set(Duration::from_micros(age_us.unsigned_abs()).as_secs_f64());
    }
}

fn now_us() -> i64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_1970.as_micros()).unwrap_or(i64::MAX)
}

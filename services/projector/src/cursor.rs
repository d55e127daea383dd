//! Where the projection of one partition stands.

use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use hindcast_domain::Position;
use hindcast_journal::{NewRecord, Record, Topic};
use hindcast_views::Progress;
use prometheus::{Gauge, IntGauge};
use tokio::sync::watch;

use crate::{ProjectorPorts, ahead::Ahead, config::ProjectorConfig};

pub(crate) struct Cursor {
    pub(crate) partition: u16,
    /// Whether the stored progress was read; nothing is folded before.
    pub(crate) opened: bool,
    /// Next record to fold.
    pub(crate) next_offset: u64,
    /// Last record folded.
    pub(crate) position: Option<Position>,
    /// What the stored progress says, as far as this thread knows.
    pub(crate) written_offset: u64,
    /// When the oldest folded record without written rows was folded.
    pub(crate) unwritten_since: Option<Instant>,
    /// Whether it catches up: what is folded then is written as soon as the end is reached.
    catches_up: bool,
    /// Users whose states differ from the store.
    pub(crate) changed_users: Vec<Arc<str>>,
    /// Dead letters to publish before the progress that covers their records.
    pub(crate) notices: Vec<NewRecord>,
    /// Durable end of the journal's partition.
    pub(crate) end: watch::Receiver<u64>,
    /// The last write failed, and nobody knows whether it happened: nothing is folded before that is settled.
    pub(crate) in_doubt: bool,
    /// Whether stored progress is ahead of what is known of the journal.
    pub(crate) ahead: Ahead,
    /// Not to be touched before, because something was not available.
    paused_until: Option<Instant>,
    pause: Duration,
    /// When the last record folded was received, microseconds since 1970.
    last_timestamp_us: i64,
    /// When the oldest record without written rows was received, as far as it is known.
    oldest_timestamp_us: Option<i64>,
    lag_events: IntGauge,
    lag_seconds: Gauge,
}

/// Every projector writes what it has at offsets that are a multiple of this, unless it is far behind. Two sets of
/// generations that are kept up meet there: a user who sends all the time has rows of the same position in both, which
/// a comparison can wait for.
const MEETING_RECORDS: u64 = 2_048;
/// How long rows wait to be written unless it is set: readers in other processes, who can't ask for them, wait as long.
const FLUSH_INTERVAL_MS: u64 = 250;
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

impl Cursor {
    pub(crate) fn new(ports: &ProjectorPorts, generation: &str, partition: u16) -> Self {
        let name = partition.to_string();
        Self {
            partition,
            opened: false,
            next_offset: 0,
            position: None,
            written_offset: 0,
            unwritten_since: None,
            catches_up: false,
            changed_users: Vec::new(),
            notices: Vec::new(),
            end: ports.log.durable_end(Topic::Journal, partition),
            in_doubt: false,
            ahead: Ahead::default(),
            paused_until: None,
            pause: FIRST_PAUSE,
            last_timestamp_us: 0,
            oldest_timestamp_us: None,
            lag_events: ports.metrics.lag_events.with_label_values(&[generation, &name]),
            lag_seconds: ports.metrics.lag_seconds.with_label_values(&[generation, &name]),
        }
    }

    /// Goes on from stored progress, whatever was folded before.
    pub(crate) fn open(&mut self, stored: Option<Progress>) {
        self.opened = true;
        self.next_offset = stored.map_or(0, |progress| progress.next_offset);
        self.position = stored.map(|progress| progress.position);
        self.written_offset = self.next_offset;
    }

    /// Forgets where it stands: stored progress has to be read again.
    pub(crate) fn close(&mut self) {
        self.opened = false;
        self.in_doubt = false;
        self.unwritten_since = None;
        self.catches_up = false;
        self.changed_users.clear();
        self.notices.clear();
    }

    /// Takes note that some records, the next ones, were folded.
    pub(crate) fn folded(&mut self, records: &[Record]) {
        if let Some((first, last)) = records.first().zip(records.last()) {
            self.oldest_timestamp_us.get_or_insert(first.timestamp_us);
            self.next_offset = last.offset + 1;
            self.position = Some(last.position);
            self.last_timestamp_us = last.timestamp_us;
            self.unwritten_since.get_or_insert_with(Instant::now);
        }
    }

    /// Takes note that rows and progress were written.
    pub(crate) fn written(&mut self) {
        self.in_doubt = false;
        self.unwritten_since = None;
        self.written_offset = self.next_offset;
        self.catches_up &= self.unread() > 0;
        // The next record is not read yet; it was received hardly later than the last.
        self.oldest_timestamp_us = (self.unread() > 0).then_some(self.last_timestamp_us);
    }

    pub(crate) fn unread(&self) -> u64 {
        self.end.borrow().saturating_sub(self.next_offset)
    }

    /// Whether more is unread than one read takes.
    pub(crate) fn is_far_behind(&self, config: &ProjectorConfig) -> bool {
        self.unread() > config.read_records as u64
    }

    /// Records until all projectors write.
    pub(crate) fn until_meeting(&self, config: &ProjectorConfig) -> u64 {
        if self.is_far_behind(config) { u64::MAX } else { MEETING_RECORDS - self.next_offset % MEETING_RECORDS }
    }

    /// Whether all projectors write here.
    pub(crate) fn is_at_meeting(&self, config: &ProjectorConfig) -> bool {
        let is_there = self.unwritten_since.is_some() && self.next_offset.is_multiple_of(MEETING_RECORDS);
        is_there && !self.is_far_behind(config)
    }

    /// Takes note that records will be folded now.
    pub(crate) fn begins_to_fold(&mut self, config: &ProjectorConfig) {
        self.catches_up |= self.is_far_behind(config);
    }

    pub(crate) fn paused_until(&self) -> Option<Instant> {
        self.paused_until.filter(|until| Instant::now() < *until)
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
        let wait_ms = match self.unread() {
            _ if self.is_far_behind(config) => config.catch_up_flush_interval_ms,
            0 if self.catches_up => 0,
            _ => config.flush_interval_ms.unwrap_or(FLUSH_INTERVAL_MS),
        };
        self.unwritten_since.map(|since| since + Duration::from_millis(wait_ms))
    }

    /// Tells how far the written rows are behind the journal.
    pub(crate) fn tell_lag(&self) {
        let behind = self.end.borrow().saturating_sub(self.written_offset);
        let age_us = self.oldest_timestamp_us.map_or(0, |oldest| now_us().saturating_sub(oldest).max(0));
        self.lag_events.set(i64::try_from(behind).unwrap_or(i64::MAX));
        self.lag_seconds.set(Duration::from_micros(age_us.unsigned_abs()).as_secs_f64());
    }
}

fn now_us() -> i64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_1970.as_micros()).unwrap_or(i64::MAX)
}

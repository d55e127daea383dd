//! The loop of one projector thread.

use std::{
    collections::BTreeSet,
    pin::Pin,
    sync::Arc,
    time::{Duration, Instant},
};

use futures::future::select_all;
use hindcast_facts::{Journaled, read_journaled};
use hindcast_fold::{
    activity::Activity,
    admission::{Admission, Verdict},
    book::Book,
    generation::GenerationSet,
    keys,
    pipeline::{FoldParams, Folded, fold_record},
};
use hindcast_journal::{LogError, ReadLimit, Record, Topic};
use hindcast_views::{Progress, TableName, ViewBatch, ViewError, ViewStore};
use tokio::sync::watch;

use crate::{
    ProjectorPorts,
    config::ProjectorConfig,
    cursor::Cursor,
    dead_letters,
    states::{HeldStates, Tables},
};

/// Why a projector gives up. Everything that can pass by itself is retried instead.
#[derive(Debug, thiserror::Error)]
pub enum ProjectorError {
    /// The views were folded from another journal.
    #[error(
        "partition {partition}: the views were folded from journal {stored}, the log is journal {found}; \
         give the views of this journal, or an empty store to fold it anew"
    )]
    AnotherJournal {
        /// The partition.
        partition: u16,
        /// Journal named by the stored progress.
        stored: uuid::Uuid,
        /// Journal of the log.
        found: uuid::Uuid,
    },
    /// The views are ahead of the journal.
    #[error("partition {partition}: the views were folded up to offset {stored}, but the journal ends at {end}")]
    AheadOfJournal {
        /// The partition.
        partition: u16,
        /// Next offset by the stored progress.
        stored: u64,
        /// Durable end of the journal.
        end: u64,
    },
    /// A row of the store is damaged.
    #[error("a row of {table} can't be decoded: {detail}; drop the table and project it anew")]
    DamagedRow {
        /// The table.
        table: String,
        /// What is wrong.
        detail: String,
    },
    /// The generation asks for a fold that this version does not have.
    #[error("{0}")]
    UnknownFold(String),
    /// No runtime could be made for the thread.
    #[error("no runtime for the projector's thread: {0}")]
    Runtime(std::io::Error),
    /// A bug.
    #[error("a projector thread panicked")]
    Panicked,
}

/// What stops a step for now.
enum Hindrance {
    ForNow(String),
    ForGood(ProjectorError),
}

impl From<ViewError> for Hindrance {
    fn from(error: ViewError) -> Self {
        Self::ForNow(error.to_string())
    }
}

impl From<LogError> for Hindrance {
    fn from(error: LogError) -> Self {
        Self::ForNow(error.to_string())
    }
}

/// Records decoded at a time: states are read from the store once for all of them.
const CHUNK_RECORDS: usize = 256;
const READ_BYTES: usize = 8 << 20;
/// With fewer records than these waiting, it is worth to wait a moment for more.
const BUSY_RECORDS: u64 = 256;

struct Worker {
    ports: ProjectorPorts,
    params: FoldParams,
    tables: Tables,
    config: ProjectorConfig,
    cursors: Vec<Cursor>,
    states: HeldStates,
    records: Vec<Record>,
}

pub(crate) fn run(
    ports: ProjectorPorts,
    generations: GenerationSet,
    partitions: &[u16],
    config: ProjectorConfig,
    mut stopped: watch::Receiver<bool>,
) -> Result<(), ProjectorError> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().build().map_err(ProjectorError::Runtime)?;
    runtime.block_on(async {
        let params = generations.fold_params().map_err(|error| ProjectorError::UnknownFold(error.to_string()))?;
        let mut worker = Worker {
            params,
            tables: Tables::of(&generations),
            cursors: Vec::new(),
            states: HeldStates::new(config.state_bytes),
            records: Vec::new(),
            ports,
            config,
        };
        for &partition in partitions {
            tokio::select! {
                cursor = worker.open(partition) => worker.cursors.push(cursor?),
                _ = stopped.wait_for(|stop| *stop) => return Ok(()),
            }
        }
        worker.follow(stopped).await
    })
}

impl Worker {
    /// Reads how far a partition is projected; goes on trying while the store is not available.
    async fn open(&self, partition: u16) -> Result<Cursor, ProjectorError> {
        let mut attempt = Cursor::new(&self.ports, partition, None);
        loop {
            match self.stored_progress(partition).await {
                Ok(stored) => {
                    let identity = self.ports.log.identity();
                    if let Some(progress) = stored {
                        if progress.journal_id != identity.journal_id {
                            let (stored, found) = (progress.journal_id, identity.journal_id);
                            return Err(ProjectorError::AnotherJournal { partition, stored, found });
                        }
                        let end = *attempt.end.borrow();
                        if progress.next_offset > end {
                            let stored = progress.next_offset;
                            return Err(ProjectorError::AheadOfJournal { partition, stored, end });
                        }
                        self.ports.board.publish(partition, progress);
                    }
                    return Ok(Cursor::new(&self.ports, partition, stored));
                }
                Err(error) => {
                    self.ports.metrics.retries.inc();
                    tracing::warn!(partition, %error, "progress can't be read; trying again");
                    tokio::time::sleep(attempt.pause).await;
                    attempt.pause();
                }
            }
        }
    }

    /// The progress that all tables of the set have reached.
    async fn stored_progress(&self, partition: u16) -> Result<Option<Progress>, ViewError> {
        let mut least: Option<Progress> = None;
        for table in self.tables.all() {
            let Some(progress) = self.ports.views.progress(table, partition).await? else { return Ok(None) };
            if least.is_none_or(|least| progress.next_offset < least.next_offset) {
                least = Some(progress);
            }
        }
        Ok(least)
    }

    async fn follow(&mut self, mut stopped: watch::Receiver<bool>) -> Result<(), ProjectorError> {
        let mut wants = self.ports.board.wants();
        loop {
            for index in 0..self.cursors.len() {
                self.attempt(index, false).await?;
            }
            if *stopped.borrow_and_update() {
                for index in 0..self.cursors.len() {
                    self.attempt(index, true).await?;
                }
                return Ok(());
            }
            wants.borrow_and_update();
            if self.cursors.iter().all(|cursor| cursor.is_paused() || cursor.unread() < BUSY_RECORDS) {
                self.wait(&mut stopped, &mut wants).await;
            }
        }
    }

    /// Folds what is new of one partition and writes rows when it is time, or `now`. A failure that can pass by itself
    /// pauses the partition; the others go on.
    async fn attempt(&mut self, index: usize, now: bool) -> Result<(), ProjectorError> {
        if self.cursors.get(index).is_none_or(Cursor::is_paused) && !now {
            return Ok(());
        }
        let result = self.step(index, now).await;
        let Some(cursor) = self.cursors.get_mut(index) else { return Ok(()) };
        match result {
            Ok(()) => cursor.went_well(),
            Err(Hindrance::ForGood(error)) => return Err(error),
            Err(Hindrance::ForNow(why)) => {
                tracing::warn!(partition = cursor.partition, why, "projection pauses; trying again");
                self.ports.metrics.retries.inc();
                cursor.pause();
            }
        }
        Ok(())
    }

    async fn step(&mut self, index: usize, now: bool) -> Result<(), Hindrance> {
        if self.cursors.get(index).is_some_and(|cursor| cursor.write_failed) {
            // Folding on while rows can't be written would hold more and more of them.
            self.write(index).await?;
        }
        let Some(cursor) = self.cursors.get_mut(index) else { return Ok(()) };
        if cursor.has_unread() && !now {
            let mut records = std::mem::take(&mut self.records);
            records.clear();
            let limit = ReadLimit { records: self.config.read_records, bytes: READ_BYTES };
            let (partition, from) = (cursor.partition, cursor.next_offset);
            let next = self.ports.log.read(Topic::Journal, partition, from, limit, &mut records)?;
            let result = self.fold(index, &records, next).await;
            self.records = records;
            result?;
        }
        let Some(cursor) = self.cursors.get(index) else { return Ok(()) };
        let due = cursor.write_due(&self.config).is_some_and(|due| now || due <= Instant::now());
        let wanted = cursor.next_offset > cursor.written_offset
            && self.ports.board.wanted_end(cursor.partition) > cursor.written_offset;
        if due || wanted {
            self.write(index).await?;
        }
        if let Some(cursor) = self.cursors.get(index) {
            cursor.tell_lag();
        }
        Ok(())
    }

    async fn fold(&mut self, index: usize, records: &[Record], next: u64) -> Result<(), Hindrance> {
        for chunk in records.chunks(CHUNK_RECORDS) {
            let mut decoded = Vec::with_capacity(chunk.len());
            for record in chunk {
                match decode(&self.ports, record) {
                    Ok(input) => decoded.push(input),
                    Err(hindrance) => {
                        // What was decoded before it can be folded; the partition goes on from the other.
                        let folded = decoded.len();
                        self.fold_decoded(index, chunk.get(..folded).unwrap_or_default(), &decoded).await?;
                        return Err(hindrance);
                    }
                }
            }
            self.fold_decoded(index, chunk, &decoded).await?;
            if self.states.is_over_limit() {
                for index in 0..self.cursors.len() {
                    self.write(index).await?;
                }
                self.states.shrink();
            }
        }
        if let Some(cursor) = self.cursors.get_mut(index) {
            cursor.next_offset = cursor.next_offset.max(next);
        }
        Ok(())
    }

    async fn fold_decoded(
        &mut self,
        index: usize,
        records: &[Record],
        inputs: &[Journaled<'_>],
    ) -> Result<(), Hindrance> {
        self.load_missing(inputs).await?;
        let Some(cursor) = self.cursors.get_mut(index) else { return Ok(()) };
        let mut notices = Vec::new();
        for (record, input) in records.iter().zip(inputs) {
            if let Journaled::Ownerless = input {
                tracing::warn!(position = %record.position, "a record's key is no user id; it changes nothing");
            }
            if let Journaled::Fact { user, input } = input
                && let Some(states) = self.states.user(user)
            {
                let folded = fold_record(states, &self.params, user, input, record.position);
                if !states.listed && folded != Folded::Skipped {
                    states.listed = true;
                    cursor.changed_users.push(Box::from(*user));
                }
                if let Folded::Applied(Verdict::Rejected(reason)) = &folded {
                    self.ports.metrics.rejected.with_label_values(&[reason.as_str()]).inc();
                    notices.push(dead_letters::notice(record, reason, input.detail()));
                }
            }
            cursor.next_offset = record.offset + 1;
            cursor.position = Some(record.position);
            cursor.last_timestamp_us = record.timestamp_us;
            cursor.unwritten_since.get_or_insert_with(Instant::now);
        }
        for input in inputs {
            if let Journaled::Fact { user, .. } = input {
                self.states.recount(user);
            }
        }
        self.ports.metrics.records.inc_by(records.len() as u64);
        while !notices.is_empty() {
            // Notices are durable before the progress that covers their records; states can't be folded twice, so
            // this is repeated here rather than by folding again.
            match self.ports.log.append(notices.clone()).await {
                Ok(_) => notices.clear(),
                Err(error) => {
                    tracing::warn!(%error, "dead letters can't be written; trying again");
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
            }
        }
        Ok(())
    }

    /// Reads from the store the rows that some records touch and that are not held, so that folding never waits.
    async fn load_missing(&mut self, inputs: &[Journaled<'_>]) -> Result<(), Hindrance> {
        let (mut admissions, mut books, mut activities) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for input in inputs {
            if let Journaled::Fact { user, input } = input
                && let Some(states) = self.states.user(user)
            {
                if !states.has_admission() {
                    admissions.insert(*user);
                }
                books.extend(input.symbol().filter(|symbol| !states.has_book(symbol)).map(|symbol| (*user, symbol)));
                activities.extend(input.day().filter(|day| !states.has_activity(*day)).map(|day| (*user, day)));
            }
        }
        let views = &self.ports.views;
        let key = |user: &&str| keys::admission_key(user);
        for (user, state) in load(views, &self.tables.admission, admissions, key, Admission::decode).await? {
            self.states.user(user).map(|states| states.put_admission(state));
        }
        let key = |(user, symbol): &(&str, &str)| keys::book_key(user, symbol);
        for ((user, symbol), state) in load(views, &self.tables.book, books, key, Book::decode).await? {
            self.states.user(user).map(|states| states.put_book(symbol, state));
        }
        let key = |(user, day): &(&str, i32)| keys::activity_key(user, *day);
        for ((user, day), state) in load(views, &self.tables.activity, activities, key, Activity::decode).await? {
            self.states.user(user).map(|states| states.put_activity(day, state));
        }
        Ok(())
    }

    /// Writes the changed rows of a partition, then its progress, and tells the readers.
    async fn write(&mut self, index: usize) -> Result<(), Hindrance> {
        let Some(cursor) = self.cursors.get_mut(index) else { return Ok(()) };
        let Some(position) = cursor.position.filter(|_| cursor.unwritten_since.is_some()) else { return Ok(()) };
        let progress =
            Progress { journal_id: self.ports.log.identity().journal_id, next_offset: cursor.next_offset, position };
        let rows = self.states.changed_rows(&cursor.changed_users, &self.tables);
        let written = rows.len() as u64;
        cursor.write_failed = true;
        let timer = self.ports.metrics.flush_seconds.start_timer();
        let progress_of_tables = self.tables.all().map(|table| (table.clone(), progress)).into();
        self.ports
            .views
            .write(ViewBatch { rows, progress: progress_of_tables, from_offset: cursor.written_offset })
            .await?;
        timer.observe_duration();
        cursor.write_failed = false;
        self.ports.metrics.rows.inc_by(written);
        self.states.written(&cursor.changed_users);
        cursor.changed_users.clear();
        cursor.unwritten_since = None;
        cursor.written_offset = cursor.next_offset;
        self.ports.board.publish(cursor.partition, progress);
        Ok(())
    }

    /// Waits for new records, for a reader, for the time to write, or for the end of a pause.
    async fn wait(&mut self, stopped: &mut watch::Receiver<bool>, wants: &mut watch::Receiver<u64>) {
        let now = Instant::now();
        let wake = self
            .cursors
            .iter()
            .filter_map(|cursor| match cursor.paused_until.filter(|until| *until > now) {
                Some(until) => Some(until),
                None => cursor.write_due(&self.config),
            })
            .min()
            .unwrap_or(now + Duration::from_millis(500));
        let mut rises: Vec<Pin<Box<dyn Future<Output = ()> + '_>>> = vec![Box::pin(std::future::pending())];
        for cursor in self.cursors.iter_mut().filter(|cursor| !cursor.is_paused()) {
            rises.push(Box::pin(async {
                if cursor.unread() == 0 && cursor.end.changed().await.is_err() {
                    // The log is gone: there is nothing to wait for any more but the order to stop.
                    std::future::pending::<()>().await;
                }
            }));
        }
        tokio::select! {
            _ = select_all(rises) => tokio::time::sleep(Duration::from_micros(self.config.linger_us)).await,
            _ = wants.changed() => {}
            _ = stopped.changed() => {}
            () = tokio::time::sleep_until(wake.into()) => {}
        }
    }
}

fn decode<'a>(ports: &ProjectorPorts, record: &'a Record) -> Result<Journaled<'a>, Hindrance> {
    read_journaled(&ports.codec, record).map_err(|error| Hindrance::ForNow(error.to_string()))
}

/// Reads the rows of some keys; a key without a row has the state that everything begins with.
async fn load<K, T: Default, E: std::fmt::Display>(
    views: &Arc<dyn ViewStore>,
    table: &TableName,
    wanted: BTreeSet<K>,
    key: impl Fn(&K) -> Vec<u8>,
    decode: impl Fn(&[u8]) -> Result<T, E>,
) -> Result<Vec<(K, T)>, Hindrance> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let rows = views.read(table, wanted.iter().map(key).collect()).await?;
    wanted
        .into_iter()
        .zip(rows)
        .map(|(key, row)| match row.map(|row| decode(&row.state)) {
            None => Ok((key, T::default())),
            Some(Ok(state)) => Ok((key, state)),
            Some(Err(error)) => {
                let (table, detail) = (table.0.to_string(), error.to_string());
                Err(Hindrance::ForGood(ProjectorError::DamagedRow { table, detail }))
            }
        })
        .collect()
}

//! From states to rows.

use std::time::Instant;

use hindcast_journal::{ReadLimit, Topic};
use hindcast_views::{Progress, ViewBatch, ViewError};

use crate::{
    error::{Hindrance, ProjectorError},
    worker::Worker,
};

impl Worker {
    /// Reads how far a partition is projected, and goes on from there.
    pub(crate) async fn open(&mut self, index: usize) -> Result<(), Hindrance> {
        let Some(cursor) = self.cursors.get(index) else { return Ok(()) };
        let (partition, end) = (cursor.partition, *cursor.end.borrow());
        let stored = self.stored_progress(partition).await?;
        let found = self.ports.log.identity().journal_id;
        match stored {
            Some(Progress { journal_id: stored, .. }) if stored != found => {
                return Err(Hindrance::ForGood(ProjectorError::AnotherJournal { partition, stored, found }));
            }
            Some(Progress { next_offset: stored, .. }) if stored > end => return Err(self.is_ahead(index, stored, end)),
            Some(progress) => self.ports.board.publish(partition, progress),
            None => self.ports.board.retract(partition),
        }
        if let Some(cursor) = self.cursors.get_mut(index) {
            cursor.ahead.is_over();
            cursor.open(stored);
        }
        Ok(())
    }

    /// What it means that stored progress is beyond the end of a partition that this process knows.
    fn is_ahead(&mut self, index: usize, stored: u64, end: u64) -> Hindrance {
        let Some(cursor) = self.cursors.get_mut(index) else {
            return Hindrance::ForNow("the partition is gone".into());
        };
        let (log, partition) = (&self.ports.log, cursor.partition);
        let one = ReadLimit { records: 1, bytes: 0 };
        // That there is nothing there is only said by a log that has heard of the end lately.
        let told = log.read(Topic::Journal, partition, stored, one, &mut Vec::new());
        if cursor.ahead.is_fault(log.is_shared(), told.is_ok(), Instant::now()) {
            Hindrance::ForGood(ProjectorError::AheadOfJournal { partition, stored, end })
        } else {
            Hindrance::ForNow(format!("the views are at offset {stored}, the journal's end is known as {end}"))
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

    /// Writes the changed rows of a partition, then its progress, and tells the readers.
    pub(crate) async fn write(&mut self, index: usize) -> Result<(), Hindrance> {
        self.settle(index).await?;
        let Some(cursor) = self.cursors.get_mut(index) else { return Ok(()) };
        let Some(position) = cursor.position.filter(|_| cursor.unwritten_since.is_some()) else { return Ok(()) };
        if !cursor.notices.is_empty() {
            // Durable before the progress that covers their records, so that none is ever missing.
            self.ports.log.append(cursor.notices.clone()).await?;
            cursor.notices.clear();
        }
        let journal_id = self.ports.log.identity().journal_id;
        let progress = Progress { journal_id, next_offset: cursor.next_offset, position };
        let rows = self.states.changed_rows(&cursor.changed_users, &self.tables);
        let written = rows.len() as u64;
        let progress_of_tables = self.tables.all().map(|table| (table.clone(), progress)).into();
        let batch = ViewBatch { rows, progress: progress_of_tables, from_offset: cursor.written_offset };
        cursor.in_doubt = true;
        let timer = self.ports.metrics.flush_seconds.start_timer();
        self.ports.views.write(batch).await?;
        timer.observe_duration();
        cursor.written();
        self.states.written(&mut cursor.changed_users);
        self.ports.metrics.rows.inc_by(written);
        self.ports.board.publish(cursor.partition, progress);
        Ok(())
    }

    /// After a failed write: whether the store still has what it acknowledged before. A store that was begun anew
    /// doesn't, and what is held in memory is no continuation of what it has.
    async fn settle(&mut self, index: usize) -> Result<(), Hindrance> {
        let Some(cursor) = self.cursors.get(index).filter(|cursor| cursor.in_doubt) else { return Ok(()) };
        let stored = self.stored_progress(cursor.partition).await?.map_or(0, |progress| progress.next_offset);
        if stored >= cursor.written_offset {
            return Ok(());
        }
        let (partition, written) = (cursor.partition, cursor.written_offset);
        tracing::warn!(partition, written, stored, "the view store lost rows; folding again from its progress");
        self.states.forget_all();
        self.cursors.iter_mut().for_each(crate::cursor::Cursor::close);
        Err(Hindrance::ForNow("the view store lost rows".into()))
    }
}

//! The loop of one projector thread.

use std::{
    pin::Pin,
    sync::Arc,
    time::{Duration, Instant},
};

use futures::future::select_all;
use hindcast_domain::partition_of;
use hindcast_fold::{generation::GenerationSet, pipeline::FoldParams};
use hindcast_journal::{ReadLimit, Record, Topic};
use tokio::sync::watch;

use crate::{
    ProjectorPorts,
    config::ProjectorConfig,
    cursor::Cursor,
    error::{Hindrance, ProjectorError},
    orders::{Order, Ordered, Written},
    states::HeldStates,
    tables::Tables,
    turns::Turns,
};

const READ_BYTES: usize = 8 << 20;
/// With fewer records than these waiting, it is worth to wait a moment for more.
const BUSY_RECORDS: u64 = 256;

/// What one thread works with; see [`crate::fold`], [`crate::load`] and [`crate::write`] for what it does.
pub(crate) struct Worker {
    pub(crate) ports: ProjectorPorts,
    pub(crate) params: FoldParams,
    pub(crate) tables: Tables,
    pub(crate) config: ProjectorConfig,
    pub(crate) cursors: Vec<Cursor>,
    pub(crate) states: HeldStates,
    /// Users whose memory has to be counted anew.
    pub(crate) touched: Vec<Arc<str>>,
    records: Vec<Record>,
    turns: Turns,
    ordered: Ordered,
    /// Name of the set of generations, as metrics tell it.
    generation: String,
}

/// Whether a thread is to end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    NotYet,
    /// Write what is folded first.
    Finish,
    /// At once: whoever could give an order is gone.
    Abandon,
}

impl Worker {
    pub(crate) fn new(
        ports: ProjectorPorts,
        generations: &GenerationSet,
        params: FoldParams,
        partitions: &[u16],
        config: ProjectorConfig,
        ordered: Ordered,
    ) -> Self {
        let generation = generations.fingerprint();
        Self {
            params,
            tables: Tables::of(generations),
            cursors: partitions.iter().map(|partition| Cursor::new(&ports, &generation, *partition)).collect(),
            states: HeldStates::new(config.state_bytes),
            touched: Vec::new(),
            records: Vec::new(),
            turns: Turns::default(),
            generation,
            ordered,
            ports,
            config,
        }
    }

    /// Follows the journal until told to stop.
    pub(crate) async fn run(&mut self, mut stopped: watch::Receiver<bool>) -> Result<(), ProjectorError> {
        let mut wants = self.ports.board.wants();
        loop {
            while let Ok(order) = self.ordered.try_recv() {
                self.obey(order).await?;
            }
            self.turns.pass(&self.cursors, &self.config);
            for index in 0..self.cursors.len() {
                match end(&mut stopped) {
                    End::NotYet => self.attempt(index).await?,
                    End::Finish => return self.finish().await,
                    End::Abandon => return Ok(()),
                }
            }
            if self.cursors.is_empty() {
                match end(&mut stopped) {
                    End::NotYet => {}
                    End::Finish | End::Abandon => return Ok(()),
                }
            }
            wants.borrow_and_update();
            let idle =
                |cursor: &Cursor| cursor.paused_until().is_some() || (cursor.opened && cursor.unread() < BUSY_RECORDS);
            if self.cursors.iter().all(idle)
                && let Some(order) = self.wait(&mut stopped, &mut wants).await
            {
                self.obey(order).await?;
            }
        }
    }

    /// Gains or loses partitions.
    async fn obey(&mut self, order: Order) -> Result<(), ProjectorError> {
        match order {
            Order::Take(partitions) => {
                self.drop_partitions(&partitions);
                self.cursors
                    .extend(partitions.iter().map(|partition| Cursor::new(&self.ports, &self.generation, *partition)));
            }
            Order::GiveUp(partitions, reply) => {
                let written = self.write_out(&partitions).await?;
                self.drop_partitions(&partitions);
                // Whoever asked may have lost patience.
                let _ = reply.try_send(written);
            }
            Order::Forget(partitions, reply) => {
                self.drop_partitions(&partitions);
                let _ = reply.try_send(Written::new());
            }
        }
        Ok(())
    }

    /// Writes what is folded of some partitions as far as that is possible at once; tells how far they are stored.
    async fn write_out(&mut self, partitions: &[u16]) -> Result<Written, ProjectorError> {
        let mut written = Written::new();
        for index in 0..self.cursors.len() {
            if !self.cursors.get(index).is_some_and(|cursor| partitions.contains(&cursor.partition)) {
                continue;
            }
            match self.write(index).await {
                Ok(()) => {}
                Err(Hindrance::ForGood(error)) => return Err(error),
                Err(Hindrance::ForNow(why)) => {
                    tracing::warn!(why, "rows of a partition given up are not written; the next owner folds them");
                }
            }
            written.extend(
                self.cursors.get(index).filter(|cursor| cursor.opened).map(|c| (c.partition, c.written_offset)),
            );
        }
        Ok(written)
    }

    /// Forgets partitions and every state of their users: another projector may change the rows meanwhile.
    fn drop_partitions(&mut self, partitions: &[u16]) {
        let count = self.ports.log.identity().partitions;
        self.cursors.retain(|cursor| {
            let stays = !partitions.contains(&cursor.partition);
            if !stays {
                self.ports.metrics.forget_lag(&self.generation, cursor.partition);
            }
            stays
        });
        self.states.forget(|user| partitions.contains(&partition_of(user.as_bytes(), count)));
    }

    /// Writes what is folded, as far as that is possible at once.
    async fn finish(&mut self) -> Result<(), ProjectorError> {
        for index in 0..self.cursors.len() {
            match self.write(index).await {
                Ok(()) => {}
                Err(Hindrance::ForGood(error)) => return Err(error),
                Err(Hindrance::ForNow(why)) => {
                    tracing::warn!(why, "some rows are not written at the end; they will be folded again");
                }
            }
        }
        Ok(())
    }

    /// Folds what is new of one partition and writes rows when it is time. A failure that can pass by itself pauses the
    /// partition; the others go on.
    async fn attempt(&mut self, index: usize) -> Result<(), ProjectorError> {
        if let Some(cursor) = self.cursors.get(index).filter(|cursor| cursor.paused_until().is_some()) {
            cursor.tell_lag();
            return Ok(());
        }
        let result = self.step(index).await;
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
        cursor.tell_lag();
        Ok(())
    }

    async fn step(&mut self, index: usize) -> Result<(), Hindrance> {
        let Some(cursor) = self.cursors.get(index) else { return Ok(()) };
        if !cursor.opened {
            self.open(index).await?;
        } else if cursor.in_doubt {
            // Folding on while rows can't be written would hold more and more of them.
            self.write(index).await?;
        }
        if self.cursors.get(index).is_some_and(|cursor| self.turns.may_fold(index, cursor, &self.config)) {
            self.fold_next(index).await?;
        }
        if self.cursors.get(index).is_some_and(|cursor| self.is_to_write(cursor)) {
            self.write(index).await?;
        }
        Ok(())
    }

    async fn fold_next(&mut self, index: usize) -> Result<(), Hindrance> {
        let Some(cursor) = self.cursors.get_mut(index) else { return Ok(()) };
        if *cursor.end.borrow_and_update() <= cursor.next_offset {
            return Ok(());
        }
        cursor.begins_to_fold(&self.config);
        let mut records = std::mem::take(&mut self.records);
        records.clear();
        let most = usize::try_from(cursor.until_meeting(&self.config)).unwrap_or(usize::MAX);
        let most = most.min(self.config.read_records);
        let limit = ReadLimit { records: most, bytes: READ_BYTES };
        let (partition, from) = (cursor.partition, cursor.next_offset);
        let result = match self.ports.log.read(Topic::Journal, partition, from, limit, &mut records) {
            Ok(next) => self.fold(index, &records).await.map(|()| next),
            Err(error) => Err(error.into()),
        };
        let read = records.len();
        self.records = records;
        let next = result?;
        if let Some(pace) = &self.ports.pace {
            pace.wait(read).await;
        }
        if let Some(cursor) = self.cursors.get_mut(index) {
            // Offsets need not be dense: the log may know that nothing stands before a later one.
            cursor.next_offset = cursor.next_offset.max(next);
        }
        Ok(())
    }

    /// Whether rows of a partition have to be written now: it is time, or a reader waits for what is folded.
    fn is_to_write(&self, cursor: &Cursor) -> bool {
        if cursor.write_due(&self.config).is_some_and(|due| due <= Instant::now()) || cursor.is_at_meeting(&self.config)
        {
            return true;
        }
        let wanted_end = self.ports.board.wanted_end(cursor.partition);
        let is_wanted = wanted_end > cursor.written_offset && cursor.next_offset > cursor.written_offset;
        // What a reader wants and is in the journal already is folded first: one write instead of two.
        is_wanted && (cursor.next_offset >= wanted_end || cursor.unread() == 0)
    }

    /// Waits for new records, for a reader, for the time to write, or for the end of a pause.
    /// An order that comes meanwhile is returned.
    async fn wait(&mut self, stopped: &mut watch::Receiver<bool>, wants: &mut watch::Receiver<u64>) -> Option<Order> {
        let wake = self
            .cursors
            .iter()
            .filter_map(|cursor| cursor.paused_until().or_else(|| cursor.write_due(&self.config)))
            .min()
            .unwrap_or_else(|| Instant::now() + Duration::from_millis(500));
        let mut rises: Vec<Pin<Box<dyn Future<Output = ()> + Send + '_>>> = vec![Box::pin(std::future::pending())];
        for cursor in self.cursors.iter_mut().filter(|cursor| cursor.paused_until().is_none()) {
            rises.push(Box::pin(async {
                if cursor.unread() == 0 && cursor.end.changed().await.is_err() {
                    // The log is gone: there is nothing to wait for any more but the order to stop.
                    std::future::pending::<()>().await;
                }
            }));
        }
        let linger = Duration::from_micros(self.config.linger_us);
        let rise = async {
            select_all(rises).await;
            tokio::time::sleep(linger).await;
        };
        tokio::select! {
            () = rise => None,
            _ = wants.changed() => None,
            _ = stopped.changed() => None,
            () = tokio::time::sleep_until(wake.into()) => None,
            Some(order) = self.ordered.recv() => Some(order),
        }
    }
}

fn end(stopped: &mut watch::Receiver<bool>) -> End {
    if *stopped.borrow_and_update() {
        End::Finish
    } else if stopped.has_changed().is_err() {
        End::Abandon
    } else {
        End::NotYet
    }
}

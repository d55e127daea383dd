//! Sends the items of a file, in batches and in their order.

use std::collections::VecDeque;

use super::item::{Item, Kind};
use crate::{
    client::{
        Client, RetryLimits,
        bodies::{BatchError, BatchResult},
    },
    exit::Failure,
};

/// Events of one batch.
const BATCH_ITEMS: usize = 500;
/// Bytes of one batch: below the largest body that is taken, 1 MiB.
const BATCH_BYTES: usize = 900 * 1024;

/// How many of what were sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Sent {
    pub(super) signals: u64,
    pub(super) trades: u64,
    pub(super) new: u64,
    pub(super) duplicates: u64,
}

/// Why sending stopped.
#[derive(Debug)]
pub(super) struct Stopped {
    pub(super) why: Failure,
    /// Items of the last batch that were refused.
    pub(super) failed: u64,
}

/// Collects items and sends them.
#[derive(Debug)]
pub(super) struct Sender<'a> {
    client: &'a Client,
    waiting: VecDeque<Item>,
    waiting_bytes: usize,
    sent: Sent,
}

impl<'a> Sender<'a> {
    pub(super) fn new(client: &'a Client) -> Self {
        Self { client, waiting: VecDeque::with_capacity(BATCH_ITEMS), waiting_bytes: 0, sent: Sent::default() }
    }

    pub(super) fn sent(&self) -> Sent {
        self.sent
    }

    /// Takes an item; sends what was waiting when a batch is full.
    pub(super) async fn push(&mut self, item: Item) -> Result<(), Stopped> {
        let bytes = item.json.len() + 1;
        if self.waiting.len() >= BATCH_ITEMS || self.waiting_bytes + bytes > BATCH_BYTES {
            self.flush().await?;
        }
        self.waiting_bytes += bytes;
        self.waiting.push_back(item);
        Ok(())
    }

    /// Sends all that is waiting.
    ///
    /// An item that was refused for a while is sent again together with all after it: the journal counts the highest
    /// place of an import, so an item must never come after its successors. What came through already is a duplicate
    /// then.
    pub(super) async fn flush(&mut self) -> Result<(), Stopped> {
        let mut attempts = RetryLimits::bulk().begin();
        while !self.waiting.is_empty() {
            let mut body = Vec::with_capacity(self.waiting_bytes);
            for item in &self.waiting {
                body.extend_from_slice(&item.json);
                body.push(b'\n');
            }
            let answer = self.client.events(body).await.map_err(|error| stopped(Failure::from(error), 0))?;
            if answer.results.len() != self.waiting.len() {
                let (asked, got) = (self.waiting.len(), answer.results.len());
                let why = format!("the server answered {got} of {asked} events; nothing more was sent, import again");
                return Err(stopped(Failure::failed(why), 0));
            }
            let refused = answer.results.iter().position(|result| !result.is_stored());
            let stored = refused.unwrap_or(answer.results.len());
            for result in answer.results.iter().take(stored) {
                self.count(result);
            }
            let Some(refusal) = refused.and_then(|place| answer.results.get(place)) else { break };
            let failed = answer.results.iter().filter(|result| !result.is_stored()).count();
            let wait = if refusal.is_temporary() { attempts.next_wait(None) } else { None };
            let Some(wait) = wait else {
                let line = self.waiting.front().map_or(0, |item| item.line);
                let why = format!("line {line} was refused: {}; {}", told(refusal), self.what_now(refusal));
                let why = Failure::failed(why);
                return Err(stopped(why, u64::try_from(failed).unwrap_or(u64::MAX)));
            };
            tokio::time::sleep(wait).await;
        }
        Ok(())
    }

    fn what_now(&self, refusal: &BatchResult) -> &'static str {
        match refusal.status {
            403 => "the key in HINDCAST_API_KEY has to be one of the user that --user names",
            _ if self.sent == Sent::default() => "nothing is stored",
            _ => "what came before it is stored, importing again goes on from there",
        }
    }

    fn count(&mut self, result: &BatchResult) {
        let Some(item) = self.waiting.pop_front() else { return };
        self.waiting_bytes = self.waiting_bytes.saturating_sub(item.json.len() + 1);
        match item.kind {
            Kind::Signal => self.sent.signals += 1,
            Kind::Trade => self.sent.trades += 1,
        }
        if result.duplicate {
            self.sent.duplicates += 1;
        } else {
            self.sent.new += 1;
        }
    }
}

fn stopped(why: Failure, failed: u64) -> Stopped {
    Stopped { why, failed }
}

fn told(result: &BatchResult) -> String {
    let Some(BatchError { title, detail, errors }) = &result.error else {
        return format!("status {}", result.status);
    };
    let mut text = format!("{title} ({})", result.status);
    if !detail.is_empty() {
        text.push_str(&format!(": {detail}"));
    }
    for fault in errors {
        text.push_str(&format!("; {} {}", fault.pointer, fault.detail));
    }
    text
}

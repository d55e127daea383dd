//! How far each partition is durable.

use tokio::sync::watch;

/// One past the last durable record of each slot. They only rise.
#[derive(Debug)]
pub(crate) struct Ends(Vec<watch::Sender<u64>>);

impl Ends {
    pub(crate) fn new(slots: usize) -> Self {
        Self((0..slots).map(|_| watch::channel(0).0).collect())
    }

    pub(crate) fn get(&self, slot: usize) -> u64 {
        self.0.get(slot).map_or(0, |end| *end.borrow())
    }

    pub(crate) fn watch(&self, slot: usize) -> Option<watch::Receiver<u64>> {
        self.0.get(slot).map(watch::Sender::subscribe)
    }

    pub(crate) fn raise(&self, slot: usize, to: u64) {
        if let Some(end) = self.0.get(slot) {
            end.send_if_modified(|end| {
                let rises = to > *end;
                if rises {
                    *end = to;
                }
                rises
            });
        }
    }
}

//! What one request has made known and must answer for.

use std::sync::Arc;

use hindcast_domain::Position;
use hindcast_journal::LogError;

use super::{Flight, Known, Recent, RecentId};

/// The events that one request has made known. Whatever becomes of the request, everyone who waits for one of them
/// learns of it: dropped before the append, they are not stored.
#[derive(Debug)]
pub(crate) struct Claims {
    recent: Arc<Recent>,
    flight: Arc<Flight>,
    ids: Vec<RecentId>,
}

impl Claims {
    /// None yet.
    pub(crate) fn new(recent: &Arc<Recent>) -> Self {
        Self { recent: Arc::clone(recent), flight: Arc::default(), ids: Vec::new() }
    }

    /// Makes an event known that will stand at a place among the records of the append.
    ///
    /// # Errors
    /// The event, if it is known already, maybe as another one of the same append.
    pub(crate) fn claim(&mut self, id: RecentId, content: u64, index: usize) -> Result<(), Known> {
        self.recent.claim(id, Known { flight: Arc::clone(&self.flight), index, content })?;
        self.ids.push(id);
        Ok(())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// The append they are part of.
    pub(crate) fn flight(&self) -> Arc<Flight> {
        Arc::clone(&self.flight)
    }

    /// Tells what became of them.
    pub(crate) fn land(mut self, result: Result<Vec<Position>, LogError>) {
        self.settle(result);
    }

    fn settle(&mut self, result: Result<Vec<Position>, LogError>) {
        let failed = result.is_err();
        self.flight.land(result);
        for id in self.ids.drain(..).filter(|_| failed) {
            self.recent.forget(id, &self.flight);
        }
    }
}

impl Drop for Claims {
    fn drop(&mut self) {
        if !self.ids.is_empty() {
            self.settle(Err(LogError::not_stored("the request that carried the event was given up")));
        }
    }
}

#[cfg(test)]
mod tests {
    use hindcast_domain::EventKind;
    use uuid::Uuid;

    use super::*;

    #[tokio::test]
    async fn claims_that_are_given_up_are_told_to_those_who_wait() {
        let recent = Arc::new(Recent::new(100));
        let id = recent.id("user-1", EventKind::Trade, Uuid::from_u128(1));
        let mut claims = Claims::new(&recent);
        claims.claim(id, 1, 0).unwrap();
        let known = Claims::new(&recent).claim(id, 1, 0).unwrap_err();
        drop(claims);
        assert!(known.flight.landed().await.is_err());
        assert!(Claims::new(&recent).claim(id, 1, 0).is_ok());
    }
}

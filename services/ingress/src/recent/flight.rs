//! One append and what became of it, for everyone who waits for one of its events.

use std::sync::OnceLock;

use hindcast_domain::Position;
use hindcast_journal::LogError;
use tokio::sync::Notify;

/// One append and what became of it.
#[derive(Debug, Default)]
pub(crate) struct Flight {
    landed: OnceLock<Result<Vec<Position>, LogError>>,
    landing: Notify,
}

impl Flight {
    /// Tells everyone who waits. The first call counts.
    pub(super) fn land(&self, result: Result<Vec<Position>, LogError>) {
        // Set already: a flight that was given up, whose append nobody can have started.
        let _ = self.landed.set(result);
        self.landing.notify_waiters();
    }

    /// What became of it, if that is known.
    pub(super) fn outcome(&self) -> Option<&Result<Vec<Position>, LogError>> {
        self.landed.get()
    }

    /// Waits until it is known what became of it.
    pub(crate) async fn landed(&self) -> Result<&[Position], LogError> {
        loop {
            let landing = self.landing.notified();
            if let Some(result) = self.landed.get() {
                return result.as_deref().map_err(LogError::clone);
            }
            landing.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test]
    async fn all_who_wait_learn_of_it_and_so_do_those_who_come_later() {
        let flight = Arc::new(Flight::default());
        let waiting: Vec<_> = (0..4)
            .map(|_| {
                let flight = Arc::clone(&flight);
                tokio::spawn(async move { flight.landed().await.map(<[Position]>::to_vec) })
            })
            .collect();
        tokio::task::yield_now().await;
        let position = Position { epoch: 0, partition: 1, offset: 2 };
        flight.land(Ok(vec![position]));
        flight.land(Err(LogError::unknown("too late")));
        for waiter in waiting {
            assert_eq!(waiter.await.unwrap().unwrap(), [position]);
        }
        assert_eq!(flight.landed().await.unwrap(), [position]);
    }
}

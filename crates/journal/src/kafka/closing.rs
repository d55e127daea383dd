//! Closes consumers where nobody waits for it.
//!
//! Closing one waits for the client library's threads, and these may wait for each other for ever when a broker is
//! lost at the wrong moment (librdkafka issue 5476). Whoever lets go of a consumer must not be held up by that: such a
//! consumer is left behind with a thread of its own, until the process ends.

use std::{sync::mpsc, thread, time::Duration};

/// How long the end of a log waits for its consumers.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// Tells when what was let go of is closed: it is dropped then.
pub(super) struct Closing(mpsc::Receiver<()>);

/// Lets go of something that may take for ever to close.
pub(super) fn close_apart<T: Send + 'static>(closed: T) -> Closing {
    let (done, is_done) = mpsc::channel();
    let closing = move || {
        drop(closed);
        drop(done);
    };
    if let Err(error) = thread::Builder::new().name("kafka-close".to_owned()).spawn(closing) {
        // It was closed right here, with the thread that could not be started.
        tracing::warn!(%error, "no thread to close a consumer of Kafka on");
    }
    Closing(is_done)
}

impl Closing {
    /// Waits until it is closed; false if that takes longer than anybody can wait.
    pub(super) fn wait(self) -> bool {
        self.within(PATIENCE)
    }

    /// Waits that long until it is closed.
    pub(super) fn within(self, patience: Duration) -> bool {
        !matches!(self.0.recv_timeout(patience), Err(mpsc::RecvTimeoutError::Timeout))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes for ever to close.
    struct Stuck;

    impl Drop for Stuck {
        fn drop(&mut self) {
            loop {
                thread::park();
            }
        }
    }

    #[test]
    fn what_can_be_closed_is_waited_for_and_what_is_stuck_is_left() {
        assert!(close_apart("anything").wait());
        let stuck = close_apart(Stuck);
        assert!(matches!(stuck.0.recv_timeout(Duration::from_millis(50)), Err(mpsc::RecvTimeoutError::Timeout)));
    }
}

//! When and how a process ends: one wish, seen by everyone.

use std::{future::Future, io};

use tokio::sync::watch;

/// The wish to stop; clones share it.
#[derive(Debug, Clone)]
pub struct Shutdown {
    wished: watch::Sender<bool>,
}

impl Default for Shutdown {
    fn default() -> Self {
        Self { wished: watch::Sender::new(false) }
    }
}

impl Shutdown {
    /// Nobody wishes to stop yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Wishes to stop. Can't be taken back.
    pub fn trigger(&self) {
        self.wished.send_replace(true);
    }

    /// Whether someone wishes to stop.
    #[must_use]
    pub fn is_triggered(&self) -> bool {
        *self.wished.borrow()
    }

    /// Resolves once someone wishes to stop.
    pub fn wait(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut wished = self.wished.subscribe();
        async move {
            // The sender lives in every clone; with all of them gone nobody can wish for anything else.
            let _ = wished.wait_for(|wished| *wished).await;
        }
    }

    /// Triggers on the first SIGTERM or SIGINT. A second one ends the process at once, as an impatient operator wants.
    ///
    /// # Errors
    /// When the signals can't be caught.
    #[cfg(unix)]
    pub fn on_signals(&self) -> io::Result<()> {
        use tokio::signal::unix::{SignalKind, signal};
        let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let shutdown = self.clone();
        tokio::spawn(async move {
            let next = async |terminate: &mut tokio::signal::unix::Signal,
                              interrupt: &mut tokio::signal::unix::Signal| {
                tokio::select! {
                    _ = terminate.recv() => "SIGTERM",
                    _ = interrupt.recv() => "SIGINT",
                }
            };
            let signal = next(&mut terminate, &mut interrupt).await;
            tracing::info!(signal, "stopping: no new connections, requests under way are finished");
            shutdown.trigger();
            let signal = next(&mut terminate, &mut interrupt).await;
            tracing::warn!(signal, "asked a second time: ending at once");
            std::process::exit(1);
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn everyone_sees_the_wish_before_and_after() {
        let shutdown = Shutdown::new();
        let early = shutdown.wait();
        assert!(!shutdown.is_triggered());
        shutdown.clone().trigger();
        early.await;
        shutdown.wait().await;
        assert!(shutdown.is_triggered());
    }
}

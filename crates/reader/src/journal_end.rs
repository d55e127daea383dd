//! Positions that a client has from another process, and that this one has yet to hear of.

use std::time::Duration;

use hindcast_journal::Log;
use tokio::sync::watch;

/// How long the end of a log is worth waiting for: not at all if this process alone writes to it.
pub fn patience(log: &dyn Log, if_shared: Duration) -> Duration {
    if log.is_shared() { if_shared } else { Duration::ZERO }
}

/// Whether there is a durable record at an offset, given where its partition ends; waits as long for the end to get
/// there. What it denies is beyond the end of the journal, as after it was restored. On a cluster ends are heard of within
/// milliseconds, and asked for once a second whatever happens; a busy machine takes longer for either.
pub async fn reaches(mut end: watch::Receiver<u64>, offset: u64, patience: Duration) -> bool {
    let risen = tokio::time::timeout(patience, end.wait_for(|end| offset < *end)).await;
    risen.is_ok_and(|risen| risen.is_ok())
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(2);

    #[tokio::test(start_paused = true)]
    async fn the_end_is_waited_for_but_not_for_ever() {
        let (end, known) = watch::channel(5);
        let began = Instant::now();
        assert!(reaches(known.clone(), 4, PATIENCE).await);
        assert_eq!(began.elapsed(), Duration::ZERO);
        assert!(!reaches(known.clone(), 5, PATIENCE).await);
        assert_eq!(began.elapsed(), PATIENCE);
        let rising = tokio::spawn(async move {
            tokio::time::sleep(PATIENCE / 2).await;
            end.send_replace(6);
            end
        });
        assert!(reaches(known.clone(), 5, PATIENCE).await);
        drop(rising.await.unwrap());
        assert!(!reaches(known, 6, PATIENCE).await, "nobody will tell any more");
        assert_eq!(began.elapsed(), PATIENCE + PATIENCE / 2);
    }
}

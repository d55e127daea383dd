//! Learns from the store how far partitions are projected that a projector elsewhere owns.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use hindcast_views::{TableName, ViewStore};

use crate::progress::ProgressBoard;

/// How often progress is read when nobody waits for it: it tells how far answers are behind.
const QUIET: Duration = Duration::from_millis(250);
/// How often while a reader waits, and for how long after it began to.
const HURRY: Duration = Duration::from_millis(10);
const HURRY_FOR: Duration = Duration::from_secs(2);

/// Brings the board up to date once.
///
/// # Errors
/// When the store can't be read; the board keeps what it had.
pub async fn read_progress(
    views: &dyn ViewStore,
    board: &ProgressBoard,
    table: &TableName,
) -> Result<(), hindcast_views::ViewError> {
    for partition in (0..board.partitions()).filter(|partition| !board.is_own(*partition)) {
        read_one(views, board, table, partition).await?;
    }
    Ok(())
}

/// Keeps the board up to date for ever: spawn it, and abort it at the end.
pub async fn follow(views: Arc<dyn ViewStore>, board: Arc<ProgressBoard>, table: TableName) {
    let mut wants = board.wants();
    let mut hurry_until = Instant::now();
    let mut quiet_since = Instant::now();
    let mut is_failing = false;
    loop {
        let is_hurried = Instant::now() < hurry_until;
        let is_quiet_over = quiet_since.elapsed() >= QUIET;
        for partition in (0..board.partitions()).filter(|partition| !board.is_own(*partition)) {
            if !(is_quiet_over || is_hurried && board.is_wanted(partition)) {
                continue;
            }
            match read_one(&*views, &board, &table, partition).await {
                Ok(()) => is_failing = false,
                Err(error) => {
                    if !std::mem::replace(&mut is_failing, true) {
                        tracing::warn!(%error, "progress can't be read; answers are as far behind as they say or more");
                    }
                    // The others would fail as well, each after its time.
                    break;
                }
            }
        }
        if is_quiet_over {
            quiet_since = Instant::now();
        }
        let pause = if is_hurried { HURRY } else { QUIET.saturating_sub(quiet_since.elapsed()) };
        if let Ok(Ok(())) = tokio::time::timeout(pause, wants.changed()).await {
            hurry_until = Instant::now() + HURRY_FOR;
        }
    }
}

async fn read_one(
    views: &dyn ViewStore,
    board: &ProgressBoard,
    table: &TableName,
    partition: u16,
) -> Result<(), hindcast_views::ViewError> {
    let found = views.progress(table, partition).await?;
    if board.is_own(partition) || found == board.current(partition) {
        return Ok(());
    }
    match found {
        Some(progress) => board.publish(partition, progress),
        None => board.retract(partition),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use hindcast_domain::Position;
    use hindcast_views::{Progress, ViewBatch, memory::MemoryViews};

    use super::*;

    fn progress(partition: u16, offset: u64) -> Progress {
        let position = Position { epoch: 0, partition, offset };
        Progress { journal_id: uuid::Uuid::nil(), next_offset: offset + 1, position }
    }

    #[tokio::test]
    async fn readers_wait_for_what_is_projected_elsewhere() {
        let (views, table) = (Arc::new(MemoryViews::default()), TableName("book-1".into()));
        let board = Arc::new(ProgressBoard::new(2));
        board.own(0);
        let store: Arc<dyn ViewStore> = Arc::clone(&views) as _;
        let following = tokio::spawn(follow(Arc::clone(&store), Arc::clone(&board), table.clone()));
        let wanted = progress(1, 7).position;
        let write = |partition, offset| {
            let written = vec![(table.clone(), progress(partition, offset))];
            store.write(ViewBatch { progress: written, ..ViewBatch::default() })
        };
        write(0, 3).await.unwrap();
        let (waited, written) = tokio::join!(board.wait(wanted, Duration::from_secs(5)), write(1, 9));
        written.unwrap();
        assert_eq!(waited, Ok(progress(1, 9)));
        assert_eq!(board.current(0), None, "an own partition's projector tells about it");
        board.disown(0);
        read_progress(&*store, &board, &table).await.unwrap();
        assert_eq!(board.current(0), Some(progress(0, 3)));
        following.abort();
    }
}

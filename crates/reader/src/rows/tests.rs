use hindcast_journal::{LogIdentity, NewRecord, RecordType, memory::MemoryLog};
use hindcast_views::{RowWrite, ViewBatch, memory::MemoryViews};
use prometheus::IntCounter;
use uuid::Uuid;

use super::*;

const PARTITION: u16 = 1;
const EPOCH: u8 = 2;

/// A state that is its own bytes; those of a damaged row are no text.
#[derive(Debug, PartialEq, Eq)]
struct Text(String);

impl FromRow for Text {
    fn from_row(bytes: &[u8]) -> Result<Self, String> {
        String::from_utf8(bytes.to_vec()).map(Text).map_err(|error| error.to_string())
    }

    fn memory_bytes(&self) -> usize {
        self.0.len()
    }
}

fn log() -> MemoryLog {
    MemoryLog::with_identity(LogIdentity { journal_id: Uuid::from_u128(1), epoch: EPOCH, partitions: 2 })
}

struct World {
    log: MemoryLog,
    views: Arc<MemoryViews>,
    board: Arc<ProgressBoard>,
    hits: IntCounter,
    misses: IntCounter,
    reader: RowReader<Text>,
}

impl World {
    /// With a journal that has records at offsets 1 and up beside its genesis record.
    async fn new(config: RowReaderConfig, records: usize) -> Self {
        Self::on(log(), config, records).await
    }

    async fn on(log: MemoryLog, config: RowReaderConfig, records: usize) -> Self {
        let views = Arc::new(MemoryViews::new());
        let board = Arc::new(ProgressBoard::new(2));
        let (hits, misses) = (IntCounter::new("hits", "h").unwrap(), IntCounter::new("misses", "h").unwrap());
        let store: Arc<dyn ViewStore> = Arc::<MemoryViews>::clone(&views);
        let reader = RowReader::new(store, &log, config, hits.clone(), misses.clone());
        let world = Self { log, views, board, hits, misses, reader };
        world.append(records).await;
        world
    }

    async fn append(&self, records: usize) {
        for _ in 0..records {
            let record = NewRecord {
                topic: Topic::Journal,
                partition: PARTITION,
                key: b"user-1"[..].into(),
                record_type: RecordType::Signal,
                timestamp_us: 1,
                traceparent: None,
                value: Vec::new(),
            };
            self.log.append(vec![record]).await.unwrap();
        }
    }

    /// Writes a row of that offset, then tells of it.
    async fn project(&self, offset: u64, state: &[u8]) {
        let applied = at(offset);
        let row = RowWrite { table: table(), key: b"key".to_vec(), applied, state: state.to_vec() };
        self.views.write(ViewBatch { rows: vec![row], ..ViewBatch::default() }).await.unwrap();
        self.board.publish(PARTITION, progress(offset));
    }

    async fn read(&self, min_position: Option<Position>) -> Result<Arc<CachedRow<Text>>, ReadError> {
        self.reader.read(Source { table: &table(), board: &self.board }, b"key", PARTITION, min_position).await
    }

    async fn text(&self, min_position: Option<Position>) -> String {
        self.read(min_position).await.unwrap().state.as_ref().unwrap().0.clone()
    }
}

fn table() -> TableName {
    TableName("t".into())
}

fn at(offset: u64) -> Position {
    Position { epoch: EPOCH, partition: PARTITION, offset }
}

fn progress(offset: u64) -> Progress {
    Progress { journal_id: Uuid::from_u128(1), next_offset: offset + 1, position: at(offset) }
}

fn patient() -> RowReaderConfig {
    RowReaderConfig { max_age_ms: 3_600_000, min_position_timeout_ms: 60_000, ..RowReaderConfig::default() }
}

#[tokio::test]
async fn a_young_row_is_read_once() {
    let world = World::new(patient(), 10).await;
    world.project(3, b"three").await;
    for _ in 0..5 {
        assert_eq!(world.text(None).await, "three");
    }
    // There is a newer one, but the cached one is young.
    world.project(4, b"four").await;
    assert_eq!(world.text(None).await, "three");
    assert_eq!((world.hits.get(), world.misses.get()), (5, 1));
    let row = world.read(None).await.unwrap();
    assert_eq!((row.applied, row.progress), (Some(at(3)), Some(progress(3))));
    assert_eq!(world.reader.behind(&row, PARTITION), 7, "offsets 4 to 10");
}

#[tokio::test]
async fn an_old_row_is_used_only_while_nothing_was_projected_since() {
    let world = World::new(RowReaderConfig { max_age_ms: 0, ..patient() }, 10).await;
    world.project(3, b"three").await;
    assert_eq!(world.text(None).await, "three");
    tokio::time::sleep(Duration::from_millis(2)).await;
    assert_eq!(world.text(None).await, "three");
    assert_eq!((world.hits.get(), world.misses.get()), (1, 1));
    world.project(4, b"four").await;
    assert_eq!(world.text(None).await, "four");
    assert_eq!((world.hits.get(), world.misses.get()), (1, 2));
}

#[tokio::test]
async fn own_writes_are_waited_for_and_no_older_row_is_used() {
    let world = World::new(patient(), 10).await;
    world.project(3, b"three").await;
    assert_eq!(world.text(None).await, "three");
    let (text, ()) = tokio::join!(world.text(Some(at(7))), async {
        tokio::time::sleep(Duration::from_millis(5)).await;
        assert_eq!(world.board.wanted_end(PARTITION), 8, "the projector learns what is waited for");
        world.project(6, b"six").await;
        tokio::time::sleep(Duration::from_millis(5)).await;
        world.project(8, b"eight").await;
    });
    assert_eq!(text, "eight");
    // What was read covers it, and everything before it.
    assert_eq!(world.text(Some(at(7))).await, "eight");
    assert_eq!(world.text(Some(at(2))).await, "eight");
    assert_eq!((world.hits.get(), world.misses.get()), (2, 2));
}

#[tokio::test]
async fn waiting_ends() {
    let world = World::new(RowReaderConfig { min_position_timeout_ms: 5, ..patient() }, 10).await;
    let read = world.read(Some(at(7))).await;
    assert!(matches!(read, Err(ReadError::NotYet(NotYet { reached: None, .. }))), "{read:?}");
    world.project(3, b"three").await;
    let read = world.read(Some(at(7))).await;
    let reached = Some(at(3));
    assert!(matches!(read, Err(ReadError::NotYet(NotYet { reached: r, wanted })) if r == reached && wanted == at(7)));
}

#[tokio::test(start_paused = true)]
async fn what_another_process_wrote_is_waited_for() {
    let began = tokio::time::Instant::now();
    let own = World::new(patient(), 10).await;
    assert!(matches!(own.read(Some(at(11))).await, Err(ReadError::BeyondEnd(_))));
    assert_eq!(began.elapsed(), Duration::ZERO, "a process knows the end of a log that it alone writes to");

    let shared = World::on(log().shared(), patient(), 10).await;
    assert!(matches!(shared.read(Some(at(11))).await, Err(ReadError::BeyondEnd(_))));
    assert_eq!(began.elapsed(), END_PATIENCE);
    let (_, text) = tokio::join!(
        async {
            tokio::time::sleep(END_PATIENCE / 2).await;
            shared.append(1).await;
            shared.project(11, b"eleven").await;
        },
        shared.text(Some(at(11)))
    );
    assert_eq!(text, "eleven");
}

#[tokio::test]
async fn positions_that_can_not_come_are_refused() {
    let world = World::new(patient(), 10).await;
    world.project(10, b"ten").await;
    assert_eq!(world.text(Some(at(10))).await, "ten");
    assert!(matches!(world.read(Some(at(11))).await, Err(ReadError::BeyondEnd(_))));
    assert!(matches!(world.read(Some(at(u64::MAX))).await, Err(ReadError::BeyondEnd(_))));
    for foreign in [Position { partition: 0, ..at(1) }, Position { epoch: EPOCH + 1, ..at(1) }] {
        let read = world.read(Some(foreign)).await;
        assert!(matches!(read, Err(ReadError::Foreign { wanted, .. }) if wanted == foreign), "{read:?}");
    }
    assert_eq!(world.board.wanted_end(PARTITION), 0, "nobody is asked to hurry for them");
}

/// A restored journal holds records at their first positions; their offsets are no cursors of it.
#[tokio::test]
async fn positions_of_an_earlier_epoch_are_reached_by_their_order() {
    let world = World::new(patient(), 10).await;
    world.project(2, b"two").await;
    let restored = Position { epoch: EPOCH - 1, ..at(1_000_000) };
    assert_eq!(world.text(Some(restored)).await, "two");
}

#[tokio::test]
async fn absence_is_known_up_to_the_progress_before_looking() {
    let world = World::new(patient(), 10).await;
    world.board.publish(PARTITION, progress(5));
    let row = world.read(None).await.unwrap();
    assert_eq!((&row.state, row.applied, row.progress), (&None, None, Some(progress(5))));
    // It is cached like any other.
    assert_eq!(world.read(Some(at(5))).await.unwrap().progress, Some(progress(5)));
    assert_eq!((world.hits.get(), world.misses.get()), (1, 1));
    world.project(6, b"six").await;
    assert_eq!(world.text(Some(at(6))).await, "six");
}

#[tokio::test]
async fn damage_is_told_and_not_cached() {
    let world = World::new(patient(), 10).await;
    world.project(3, &[0xff]).await;
    for _ in 0..2 {
        let read = world.read(None).await;
        assert!(matches!(&read, Err(ReadError::Damaged { table, .. }) if table == "t"), "{read:?}");
    }
    world.project(4, b"four").await;
    assert_eq!(world.text(None).await, "four");
}

#[tokio::test]
async fn the_cache_is_bounded() {
    let cache_bytes = 100_000;
    let world = World::new(RowReaderConfig { cache_bytes, ..patient() }, 10).await;
    let state = vec![b'x'; 1_000];
    let rows = (0..1_000_u32)
        .map(|n| RowWrite { table: table(), key: n.to_be_bytes().to_vec(), applied: at(1), state: state.clone() })
        .collect();
    world.views.write(ViewBatch { rows, ..ViewBatch::default() }).await.unwrap();
    for n in 0..1_000_u32 {
        world
            .reader
            .read(Source { table: &table(), board: &world.board }, &n.to_be_bytes(), PARTITION, None)
            .await
            .unwrap();
    }
    assert!(world.reader.cache.weight() <= cache_bytes);
    assert!(world.reader.cache.weight() > cache_bytes / 2, "{}", world.reader.cache.weight());
}

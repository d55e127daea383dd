//! What stays of several writes, by the store's own timestamps.

use super::*;
use crate::proxy::Proxy;

/// Where the position stands in a write's timestamp is part of what is stored.
#[tokio::test]
async fn a_rows_timestamp_is_its_position() {
    let config = config();
    let store = open(&config).await;
    let applied = Position { epoch: 2, partition: 3, offset: 77 };
    store.write(rows([RowWrite { applied, ..row(b"k", 0) }])).await.unwrap();
    store.write(folded(0, 12)).await.unwrap();
    let text = format!("SELECT key, WRITETIME(value), TTL(value) FROM \"{}\".\"t\"", config.keyspace);
    let answer = raw().await.query_unpaged(text, ()).await.unwrap().into_rows_result().unwrap();
    let mut found: Vec<(Vec<u8>, i64, Option<i32>)> = answer.rows().unwrap().map(Result::unwrap).collect();
    found.retain(|(key, ..)| key != b"h");
    found.sort();
    assert_eq!(found, [(b"p\0\x03".to_vec(), 12 << 4, None), (b"rk".to_vec(), (2 << 42) | (77 << 4), None)]);
}

#[tokio::test]
async fn an_offset_that_does_not_fit_is_refused_and_nothing_is_written() {
    let store = open(&config()).await;
    for batch in [rows([row(b"first", 1), row(b"k", 1 << 38)]), folded(0, (1 << 38) + 1), folded(0, 1 << 38)] {
        let refused = store.write(batch).await.unwrap_err();
        assert!(!refused.retryable && refused.detail.contains("2^38"), "{refused}");
    }
    assert_eq!(stored_offset(&store, b"first").await, None);
    assert_eq!(stored_offset(&store, b"k").await, None);
    assert_eq!(store.progress(&table("t"), 3).await.unwrap(), None);
    store.write(rows([row(b"k", (1 << 38) - 1)])).await.unwrap();
    assert_eq!(stored_offset(&store, b"k").await, Some((1 << 38) - 1));
}

/// A projector that was stopped goes on after another one took its partition: its write is on its way and arrives last.
#[tokio::test]
async fn an_older_write_that_arrives_late_loses() {
    let config = config();
    let proxy = Proxy::start(node()).await;
    let zombie = CqlViewsConfig { nodes: vec![proxy.address.to_string()], request_timeout_ms: 400, ..config.clone() };
    let (zombie, heir) = (open(&zombie).await, open(&config).await);
    write_at_last(&zombie, folded(0, 10)).await;

    proxy.stop(true);
    let late = zombie.write(rows([row(b"k", 12), row(b"only late", 12)])).await.unwrap_err();
    assert!(late.retryable && late.detail.contains("no answer"), "{late}");
    heir.write(folded(10, 20)).await.unwrap();
    proxy.stop(false);
    for _ in 0..100 {
        if stored_offset(&heir, b"only late").await.is_some() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(stored_offset(&heir, b"only late").await, Some(12), "the late write did arrive");
    assert_eq!(stored_offset(&heir, b"k").await, Some(19));
    assert_eq!(heir.progress(&table("t"), 3).await.unwrap().unwrap().next_offset, 20);

    // And what it does with all its knowledge changes nothing either.
    write_at_last(&zombie, folded(10, 15)).await;
    assert_eq!(stored_offset(&heir, b"k").await, Some(19));
    assert_eq!(heir.progress(&table("t"), 3).await.unwrap().unwrap().next_offset, 20);
}

/// Progress of an earlier journal that is written late doesn't take the later one's place.
#[tokio::test]
async fn journals_take_turns() {
    let store = open(&config()).await;
    let of = |journal: u128, next_offset| {
        let mut batch = folded(0, next_offset);
        batch.progress[0].1.journal_id = uuid::Uuid::from_u128(journal);
        batch
    };
    for (journal, next_offset) in [(1, 30), (2, 4), (2, 3), (3, 9), (1, 2)] {
        store.write(of(journal, next_offset)).await.unwrap();
        let found = store.progress(&table("t"), 3).await.unwrap().unwrap();
        let expected = if (journal, next_offset) == (2, 3) { 4 } else { next_offset };
        assert_eq!((found.journal_id.as_u128(), found.next_offset), (journal, expected));
    }
}

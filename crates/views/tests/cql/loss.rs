//! A store that lost what it had acknowledged.

use super::*;

async fn change_schema(text: String) {
    raw().await.query_unpaged(text, ()).await.unwrap();
}

/// A projector whose store was begun anew must not go on from where it was: what came before would be missing for ever.
#[tokio::test]
async fn nothing_is_built_on_a_lost_keyspace() {
    let config = config();
    let (store, reader) = (open(&config).await, open(&config).await);
    store.write(folded(0, 10)).await.unwrap();
    assert_eq!(stored_offset(&reader, b"k").await, Some(9));
    change_schema(format!("DROP KEYSPACE \"{}\"", config.keyspace)).await;

    for _ in 0..20 {
        let refused = store.write(folded(10, 12)).await.unwrap_err();
        assert!(refused.retryable, "{refused}");
        assert_eq!(store.progress(&table("t"), 3).await.unwrap(), None);
        assert_eq!(stored_offset(&store, b"k").await, None);
    }
    assert_eq!(stored_offset(&reader, b"k").await, None);
    assert_eq!(reader.progress(&table("t"), 3).await.unwrap(), None);
    // Folding from the start fills it again, for everybody.
    store.write(folded(0, 12)).await.unwrap();
    assert_eq!(stored_offset(&store, b"k").await, Some(11));
    assert_eq!(stored_offset(&reader, b"k").await, Some(11));
}

/// A generation's progress goes with its table, so one that is built again begins from nothing.
#[tokio::test]
async fn a_dropped_table_takes_its_progress_along() {
    let config = config();
    let store = open(&config).await;
    store.write(folded(0, 10)).await.unwrap();
    change_schema(format!("DROP TABLE \"{}\".\"t\"", config.keyspace)).await;
    assert_eq!(store.progress(&table("t"), 3).await.unwrap(), None);
    assert!(store.write(folded(10, 12)).await.unwrap_err().detail.contains("progress is 0"));
    store.write(folded(0, 4)).await.unwrap();
    assert_eq!(stored_offset(&store, b"k").await, Some(3), "nothing of the old table is left to outlive the new one");
}

/// Only rows are there: a batch that came without progress is no sign that something was folded.
#[tokio::test]
async fn rows_alone_are_no_progress() {
    let store = open(&config()).await;
    store.write(rows([row(b"k", 50)])).await.unwrap();
    assert!(store.write(folded(51, 60)).await.is_err());
    assert_eq!(stored_offset(&store, b"k").await, Some(50));
}

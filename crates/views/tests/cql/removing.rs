//! Removing a keyspace that was made to be thrown away, and the driver without the adapter.

use hindcast_views::cql::{bare::BareInserts, remove};

use super::*;

#[tokio::test]
async fn nothing_is_left_of_a_removed_keyspace() {
    let config = config();
    let store = open(&config).await;
    store.write(folded(0, 1)).await.unwrap();
    drop(store);
    remove(&config).await.unwrap();
    remove(&config).await.unwrap_or_else(|error| panic!("what is gone already is no error: {error}"));
    let absent = CqlViewsConfig { create_keyspace: false, ..config };
    assert!(CqlViews::open(&absent).await.unwrap_err().to_string().contains("has no keyspace"));
}

#[tokio::test]
async fn bare_inserts_are_rows_by_version() {
    let config = config();
    let inserts = BareInserts::open(&config, &table("bare")).await.unwrap();
    inserts.insert(b"k", b"newer", 5).await.unwrap();
    inserts.insert(b"k", b"older", 3).await.unwrap();
    let text = format!("SELECT value FROM \"{}\".\"bare\"", config.keyspace);
    let rows = raw().await.query_unpaged(text, ()).await.unwrap().into_rows_result().unwrap();
    assert_eq!(rows.single_row::<(Vec<u8>,)>().unwrap().0, b"newer");
    remove(&config).await.unwrap();
}

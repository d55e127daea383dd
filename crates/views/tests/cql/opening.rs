//! Opening the store, and tables that are made by several processes at once.

use hindcast_views::cql::OpenError;
use tokio::net::TcpListener;

use super::*;

#[tokio::test]
async fn a_store_that_is_not_there_is_told_of_in_time() {
    // Nothing listens at the first; the second takes connections and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    for node in ["127.0.0.1:1".to_owned(), silent.local_addr().unwrap().to_string()] {
        let since = Instant::now();
        let config = CqlViewsConfig { nodes: vec![node.clone()], connect_timeout_ms: 500, ..config() };
        let refused = CqlViews::open(&config).await.unwrap_err().to_string();
        assert!(since.elapsed() < Duration::from_secs(4), "{:?}", since.elapsed());
        assert!(refused.starts_with(&format!("the view store at {node} can't be reached")), "{refused}");
        assert!(!refused.contains('\n'), "{refused}");
    }
}

#[tokio::test]
async fn a_bad_configuration_is_told_of() {
    let good = config();
    for (bad, part) in [
        (CqlViewsConfig { nodes: Vec::new(), ..good.clone() }, "nodes"),
        (CqlViewsConfig { keyspace: "A".into(), ..good.clone() }, "keyspace"),
        (CqlViewsConfig { keyspace: "a\"; DROP KEYSPACE b".into(), ..good.clone() }, "keyspace"),
        (CqlViewsConfig { in_flight: 0, ..good.clone() }, "in_flight"),
        (CqlViewsConfig { write_queue: 0, ..good.clone() }, "write_queue"),
        (CqlViewsConfig { request_timeout_ms: 0, ..good.clone() }, "request_timeout_ms"),
        (CqlViewsConfig { datacenter: Some("nowhere".into()), ..good.clone() }, "datacenter nowhere"),
        (CqlViewsConfig { username: Some("me".into()), ..good.clone() }, "password_file"),
        (
            CqlViewsConfig { username: Some("me".into()), password_file: Some("/not/there".into()), ..good.clone() },
            "password_file /not/there",
        ),
        (CqlViewsConfig { ca_file: Some("/not/there".into()), ..good.clone() }, "ca_file"),
    ] {
        let refused = CqlViews::open(&bad).await.unwrap_err();
        assert!(matches!(refused, OpenError::Config(_)) && refused.to_string().contains(part), "{refused}");
    }
}

#[tokio::test]
async fn a_keyspace_is_looked_at() {
    let config = config();
    let forbidden = CqlViewsConfig { create_keyspace: false, ..config.clone() };
    let refused = CqlViews::open(&forbidden).await.unwrap_err().to_string();
    assert!(refused.contains("make it: CREATE KEYSPACE"), "{refused}");
    drop(open(&config).await);
    drop(open(&forbidden).await);

    let more = CqlViewsConfig { replication_factor: 3, ..config.clone() };
    let refused = CqlViews::open(&more).await.unwrap_err().to_string();
    assert!(refused.contains("keeps 1 copies") && refused.contains("replication_factor is 3"), "{refused}");
    let text = format!("ALTER KEYSPACE \"{}\" WITH durable_writes = false", config.keyspace);
    raw().await.query_unpaged(text, ()).await.unwrap();
    let refused = CqlViews::open(&config).await.unwrap_err().to_string();
    assert!(refused.contains("durable_writes"), "{refused}");
}

#[tokio::test]
async fn readers_make_no_tables_and_writers_may_be_forbidden_to() {
    let config = config();
    let store = open(&CqlViewsConfig { create_tables: false, ..config.clone() }).await;
    assert_eq!(stored_offset(&store, b"k").await, None);
    let refused = store.write(folded(0, 2)).await.unwrap_err();
    assert!(refused.retryable && refused.detail.contains("make it: CREATE TABLE"), "{refused}");
    let writer = open(&config).await;
    writer.write(folded(0, 2)).await.unwrap();
    assert_eq!(stored_offset(&store, b"k").await, Some(1), "a table that comes later is seen");
    store.write(folded(2, 4)).await.unwrap();

    let text = format!("ALTER TABLE \"{}\".\"t\" WITH default_time_to_live = 60", config.keyspace);
    raw().await.query_unpaged(text, ()).await.unwrap();
    let refused = open(&config).await.write(folded(4, 6)).await.unwrap_err();
    assert!(refused.detail.contains("default_time_to_live"), "{refused}");
}

#[tokio::test]
async fn a_name_that_is_none_is_refused() {
    let store = open(&config()).await;
    for name in ["Book", "a_b", "a\" b", ""] {
        let refused = store.read(&table(name), vec![b"k".to_vec()]).await.unwrap_err();
        assert!(!refused.retryable, "{refused}");
    }
}

/// Several processes start at once on an empty cluster.
#[tokio::test]
async fn sessions_that_make_the_same_at_once_agree() {
    let config = config();
    let stores = futures::future::join_all((0..4).map(|_| open(&config))).await;
    let writing = stores.iter().enumerate().map(|(n, store)| {
        let n = u64::try_from(n).unwrap();
        let mut batch = folded(0, n + 1);
        batch.progress.push((table("u"), batch.progress[0].1));
        batch.rows.push(RowWrite { table: table("u"), key: n.to_be_bytes().to_vec(), ..row(b"", n) });
        store.write(batch)
    });
    for written in futures::future::join_all(writing).await {
        written.unwrap();
    }
    for store in &stores {
        assert_eq!(stored_offset(store, b"k").await, Some(3));
        assert_eq!(store.scan(&table("u"), None, 10).await.unwrap().len(), 4);
        assert_eq!(store.progress(&table("u"), 3).await.unwrap().unwrap().next_offset, 4);
    }
}

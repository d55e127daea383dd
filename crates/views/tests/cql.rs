//! The contract suite on a real CQL store, and what only such a store has to guarantee.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // a test

use std::sync::Arc;

use hindcast_views::{
    cql::{CqlViews, CqlViewsConfig},
    faults::{FaultyViews, ViewFaults},
};

/// A keyspace of its own for each test.
fn config() -> CqlViewsConfig {
    let node = std::env::var("HINDCAST_TEST_CQL")
        .expect("HINDCAST_TEST_CQL names a CQL store, host:port; start one with `cargo xtask services up`");
    let keyspace = format!("t_{}", uuid::Uuid::now_v7().simple());
    CqlViewsConfig { nodes: vec![node], keyspace, ..CqlViewsConfig::default() }
}

async fn open(config: &CqlViewsConfig) -> CqlViews {
    CqlViews::open(config).await.unwrap()
}

mod plain {
    use super::*;
    hindcast_views::view_store_contract!((open(&config()).await, ()));
}

mod with_faults {
    use super::*;
    hindcast_views::view_store_contract!({
        let store = Arc::new(open(&config()).await);
        (FaultyViews::new(store, 3, ViewFaults::some_of_all()), ())
    });
}

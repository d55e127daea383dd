//! The contract suite on every adapter, and again under seeded faults.

#![allow(clippy::unwrap_used)] // tests

use std::{path::Path, sync::Arc};

use hindcast_views::{
    ViewStore,
    embedded::{EmbeddedViews, EmbeddedViewsConfig},
    faults::{FaultyViews, ViewFaults},
    memory::MemoryViews,
};

fn embedded(dir: &Path) -> EmbeddedViews {
    EmbeddedViews::open(dir, &EmbeddedViewsConfig::default()).unwrap()
}

fn faulty(inner: Arc<dyn ViewStore>, seed: u64) -> FaultyViews {
    FaultyViews::new(inner, seed, ViewFaults::some_of_all())
}

mod in_memory {
    use super::*;
    hindcast_views::view_store_contract!((MemoryViews::new(), ()));
}

mod in_memory_with_faults {
    use super::*;
    hindcast_views::view_store_contract!((faulty(Arc::new(MemoryViews::new()), 1), ()));
}

mod on_disk {
    use super::*;
    hindcast_views::view_store_contract!({
        let dir = tempfile::tempdir().unwrap();
        (embedded(dir.path()), dir)
    });
}

mod on_disk_with_faults {
    use super::*;
    hindcast_views::view_store_contract!({
        let dir = tempfile::tempdir().unwrap();
        (faulty(Arc::new(embedded(dir.path())), 2), dir)
    });
}

//! Steps of changing a projection, as an operator takes them.

use std::time::{Duration, Instant};

use hindcast_fold::generation::GenerationSet;
use serde_json::Value;

use super::{
    ADMIN_KEY, Http,
    run::{Run, hindcast},
};

pub const PATH: &str = "/admin/v1/reprojections";

/// Trades that a book of [`changed`] keeps.
pub const RING_TRADES: u32 = 32;
/// What [`changed`] differs in from the default: by code, and by parameter.
pub const CHANGES: [&str; 4] = ["--set", "book.fold_version=2", "--set", "book.params.ring_trades=32"];

/// The set that tests change to.
pub fn changed() -> GenerationSet {
    let mut set = GenerationSet::default();
    set.book.fold_version = 2;
    set.book.params.ring_trades = RING_TRADES;
    set.book.complete();
    set
}

/// `hindcast --json reproject …`.
pub async fn step(url: &str, arguments: &[&str]) -> Run {
    let arguments = [&["--json", "reproject"], arguments].concat();
    hindcast(&arguments, &[("HINDCAST_URL", url), ("HINDCAST_API_KEY", ADMIN_KEY)]).await
}

/// Takes a step that has to succeed; returns its answer.
pub async fn done(url: &str, arguments: &[&str]) -> Value {
    let run = step(url, arguments).await;
    assert_eq!(run.code, 0, "{arguments:?}: {run:?}");
    run.json()
}

/// Plans the change to [`changed`].
pub async fn plan(url: &str, more: &[&str]) -> Run {
    step(url, &[&["plan"], &CHANGES[..], more].concat()).await
}

/// Plans the change to [`changed`] again, whatever was done of it; there is nothing to plan once it is active.
pub async fn plan_again(url: &str) {
    let run = plan(url, &[]).await;
    assert!(run.code == 0 || run.stderr.contains("differ in nothing from the active set"), "{run:?}");
}

/// Where a set stands, as an operator is told.
pub async fn stage(http: &Http, operator: &str, name: &str) -> String {
    let known = http.get(&format!("{PATH}/{name}"), operator).await;
    known.json()["stage"].as_str().unwrap_or("not known").to_owned()
}

/// Waits until every set that is kept up has everything.
pub async fn until_no_lag(http: &Http) {
    let operator = http.operator().await;
    let since = Instant::now();
    loop {
        let sets = http.get(PATH, &operator).await.json();
        let lags = sets["reprojections"].as_array().unwrap().iter().map(|set| set["lag_events"].as_u64().unwrap());
        if lags.sum::<u64>() == 0 {
            return;
        }
        assert!(since.elapsed() < Duration::from_secs(60), "{sets}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

//! Waits for what takes long, with a bar on a terminal.

use std::time::Duration;

use hindcast_replay_tools::reproject::Verification;
use serde_json::Value;

use super::{
    PATH,
    answers::{Comparison, Reprojection},
    read,
};
use crate::{
    client::{Call, Client},
    exit::Failure,
    progress,
};

/// Between two looks; far below the rate limit of a key.
const PAUSE: Duration = Duration::from_secs(1);

/// Waits until history is folded; `set` is what the system answered last.
pub(super) async fn until_built(client: &Client, name: &str, mut set: Value) -> Result<Value, Failure> {
    let mut bars: Option<progress::Parts> = None;
    loop {
        let seen: Reprojection = read(set.clone())?;
        let count = seen.partitions.len();
        let bars = bars.get_or_insert_with(|| progress::Parts::new(count, "partition", "events"));
        bars.set(seen.partitions.iter().map(|partition| (partition.next_offset, partition.journal_end)));
        match seen.stage.as_str() {
            "planned" | "building" => {}
            "dropped" => {
                bars.clear();
                return Err(Failure::failed(format!("{name} was dropped meanwhile")));
            }
            _ => {
                bars.clear();
                return Ok(set);
            }
        }
        tokio::time::sleep(PAUSE).await;
        set = client.fetch(&Call::get(format!("{PATH}/{name}"))).await?;
    }
}

/// Waits until a comparison is done.
pub(super) async fn until_verified(client: &Client, name: &str) -> Result<Verification, Failure> {
    let bar = progress::bar(0, "rows");
    loop {
        let comparison: Comparison = client.fetch(&Call::get(format!("{PATH}/{name}/verification"))).await?;
        bar.set_position(comparison.compared_rows);
        bar.set_length(comparison.compared_rows);
        match (comparison.state.as_str(), comparison.report) {
            ("running", _) => {}
            ("done", Some(report)) => {
                bar.finish_and_clear();
                return Ok(report);
            }
            _ => {
                bar.abandon();
                let detail = comparison.detail.unwrap_or_else(|| "no report was given".to_owned());
                return Err(Failure::failed(format!("the verification failed: {detail}; take this step again")));
            }
        }
        tokio::time::sleep(PAUSE / 4).await;
    }
}

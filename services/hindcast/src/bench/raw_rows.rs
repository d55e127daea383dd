//! Prepared inserts through the CQL driver and nothing around it: what the store takes.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use hindcast_views::{
    TableName,
    cql::{CqlViewsConfig, bare::BareInserts},
};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use tokio::task::JoinSet;

use super::{BenchError, counted_views::Written};

/// Inserts that are not answered yet, at any time.
pub(super) const IN_FLIGHT: usize = 128;
/// Rows are written over and over, as those of active users are.
const KEYS: u64 = 10_000;
const WARM_UP: Duration = Duration::from_secs(1);

/// Rows a second of the size that was written.
pub(super) async fn per_second(
    config: &CqlViewsConfig,
    written: Written,
    measure: Duration,
) -> Result<f64, BenchError> {
    let inserts = BareInserts::open(config, &TableName("raw".into())).await;
    let inserts = Arc::new(inserts.map_err(|error| BenchError(error.to_string()))?);
    let (begin, end) = (Instant::now() + WARM_UP, Instant::now() + WARM_UP + measure);
    let mut tasks = JoinSet::new();
    for task in 0..IN_FLIGHT as u64 {
        let inserts = Arc::clone(&inserts);
        let mut rng = StdRng::seed_from_u64(task);
        let state: Vec<u8> = (0..written.state_bytes).map(|_| rng.random()).collect();
        let mut key = vec![0; written.key_bytes.max(size_of::<u64>())];
        tasks.spawn(async move {
            let mut counted = 0_u64;
            for number in 0_u64.. {
                let nth = (number * IN_FLIGHT as u64 + task) % KEYS;
                key.iter_mut().zip(nth.to_be_bytes()).for_each(|(byte, of_number)| *byte = of_number);
                let version = i64::try_from(number).unwrap_or(i64::MAX);
                inserts.insert(&key, &state, version).await.map_err(|error| BenchError(error.to_string()))?;
                let now = Instant::now();
                if now >= end {
                    break;
                }
                counted += u64::from(now >= begin);
            }
            Ok::<_, BenchError>(counted)
        });
    }
    let mut counted = 0;
    while let Some(joined) = tasks.join_next().await {
        counted += joined.map_err(|error| BenchError(error.to_string()))??;
    }
    Ok(counted as f64 / measure.as_secs_f64())
}

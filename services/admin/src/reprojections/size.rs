//! How large a set of generations is.

use std::sync::Arc;

use hindcast_control::GenerationTables;
use hindcast_service_kit::problem::Problem;
use hindcast_views::TableName;
use serde::Serialize;
use utoipa::ToSchema;

use crate::state::Shared;

/// Rows counted of each table; more are not counted.
const COUNTED_ROWS: usize = 20_000;
const PAGE_ROWS: usize = 128;

/// Rows of a set and what they take.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub(crate) struct SetSize {
    /// Rows in all its tables.
    pub(super) rows: u64,
    /// Bytes of their states.
    pub(super) bytes: u64,
    /// Whether these are all; of a large table only a part is counted.
    pub(super) is_exact: bool,
}

/// Counts.
pub(super) async fn of(state: &Shared, tables: &GenerationTables) -> Result<SetSize, Problem> {
    let mut size = SetSize { rows: 0, bytes: 0, is_exact: true };
    for table in tables.all() {
        let table = TableName(Arc::clone(table));
        let (mut counted, mut after) = (0, None);
        loop {
            let page = state.ports.views.scan(&table, after.take(), PAGE_ROWS).await?;
            counted += page.len();
            size.bytes += page.iter().map(|(_, row)| row.state.len() as u64).sum::<u64>();
            after = page.last().map(|(key, _)| key.clone());
            if page.len() < PAGE_ROWS {
                break;
            }
            if counted >= COUNTED_ROWS {
                size.is_exact = false;
                break;
            }
        }
        size.rows += counted as u64;
    }
    Ok(size)
}

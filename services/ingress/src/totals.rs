//! Totals of a user over all symbols, as `save_trade` answers them.

use std::{sync::Arc, time::Duration};

use futures::future::try_join_all;
use hindcast_control::GenerationTables;
use hindcast_domain::Position;
use hindcast_fold::keys;
use hindcast_reader::{ProgressBoard, Source};
use hindcast_service_kit::problem::Problem;
use hindcast_views::TableName;

use crate::state::IngressState;

/// Totals of a user over all symbols.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Totals {
    /// Closed trades that were taken.
    pub(crate) trades: u64,
    /// Those with a profit.
    pub(crate) wins: u64,
    /// Durable records of the user's partition that they don't cover.
    pub(crate) behind: u64,
}

impl Totals {
    /// Part of the trades that won; 0 without trades.
    #[allow(clippy::cast_precision_loss)] // counts far below 2^53
    pub(crate) fn win_rate(&self) -> f64 {
        if self.trades == 0 { 0.0 } else { self.wins as f64 / self.trades as f64 }
    }
}

impl IngressState {
    /// Totals that count everything up to a position, if the projection reaches it in time, else those there are;
    /// `None` if the views can't be read. A write that succeeded does not fail for its totals.
    pub(crate) async fn totals(&self, user: &str, up_to: Option<Position>) -> Option<Totals> {
        let patience = Duration::from_millis(self.config.totals_timeout_ms);
        let read = async {
            // One set of generations for all of it.
            let generations = self.generations()?;
            let board = self.ports.boards.of(&generations.name);
            let reached = match up_to {
                Some(position) => board.wait(position, patience).await.is_ok(),
                None => false,
            };
            self.read_totals(&generations, &board, user, up_to.filter(|_| reached)).await
        };
        match read.await {
            Ok(totals) => Some(totals),
            Err(problem) => {
                tracing::warn!(detail = problem.detail, internal = problem.internal, "totals can't be read");
                None
            }
        }
    }

    async fn read_totals(
        &self,
        generations: &GenerationTables,
        board: &ProgressBoard,
        user: &str,
        min_position: Option<Position>,
    ) -> Result<Totals, Problem> {
        let table = TableName(Arc::clone(&generations.book_table));
        let partition = self.partition(user);
        let rows = try_join_all(self.ports.instruments.0.keys().map(|symbol| {
            let (source, key) = (Source { table: &table, board }, keys::book_key(user, symbol.as_str()));
            async move { self.books.read(source, &key, partition, min_position).await }
        }))
        .await?;
        Ok(rows.iter().fold(Totals::default(), |sum, row| {
            let taken = row.state.as_ref().map(|row| row.0.taken).unwrap_or_default();
            Totals {
                trades: sum.trades + taken.trades,
                wins: sum.wins + taken.wins,
                behind: sum.behind.max(self.books.behind(row, partition)),
            }
        }))
    }
}

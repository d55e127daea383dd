//! View rows that ingress looks at.

use std::sync::Arc;

use hindcast_domain::Position;
use hindcast_fold::{admission::Admission, book::Book, keys};
use hindcast_reader::{CachedRow, FromRow, Source};
use hindcast_service_kit::problem::Problem;
use hindcast_views::TableName;

use crate::state::IngressState;

/// Which events of a user are known.
#[derive(Debug)]
pub(crate) struct AdmissionRow(pub(crate) Admission);

/// What a user traded in one symbol.
#[derive(Debug)]
pub(crate) struct BookRow(pub(crate) Book);

impl FromRow for AdmissionRow {
    fn from_row(bytes: &[u8]) -> Result<Self, String> {
        // A batch looks for hundreds of ids in it.
        Admission::decode(bytes).map(|row| Self(row.with_index())).map_err(|error| error.to_string())
    }

    fn memory_bytes(&self) -> usize {
        self.0.memory_bytes()
    }
}

impl FromRow for BookRow {
    fn from_row(bytes: &[u8]) -> Result<Self, String> {
        Book::decode(bytes).map(Self).map_err(|error| error.to_string())
    }

    fn memory_bytes(&self) -> usize {
        self.0.memory_bytes()
    }
}

impl IngressState {
    /// Which events of a user are known, up to a position at least if one is given.
    pub(crate) async fn admission(
        &self,
        user: &str,
        min_position: Option<Position>,
    ) -> Result<Arc<CachedRow<AdmissionRow>>, Problem> {
        let generations = self.generations()?;
        let table = TableName(Arc::clone(&generations.admission_table));
        let board = self.ports.boards.of(&generations.name);
        let source = Source { table: &table, board: &board };
        let key = keys::admission_key(user);
        Ok(self.admissions.read(source, &key, self.partition(user), min_position).await?)
    }
}

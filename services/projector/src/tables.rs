//! The tables of a set of generations.

use hindcast_fold::generation::GenerationSet;
use hindcast_views::TableName;

/// Names of the tables that are written.
#[derive(Debug, Clone)]
pub(crate) struct Tables {
    pub(crate) admission: TableName,
    pub(crate) book: TableName,
    pub(crate) activity: TableName,
}

impl Tables {
    pub(crate) fn of(generations: &GenerationSet) -> Self {
        Self {
            admission: TableName(generations.admission_table().into()),
            book: TableName(generations.book_table().into()),
            activity: TableName(generations.activity_table().into()),
        }
    }

    pub(crate) fn all(&self) -> [&TableName; 3] {
        [&self.book, &self.activity, &self.admission]
    }
}

//! How far each set of generations is projected.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use arc_swap::ArcSwap;

use crate::progress::ProgressBoard;

/// A board for each set of generations, made when it is first asked for. Sets are few and change seldom; asking takes no
/// lock.
#[derive(Debug)]
pub struct Boards {
    partitions: u16,
    boards: ArcSwap<HashMap<Arc<str>, Arc<ProgressBoard>>>,
    /// Held while one is added.
    adding: Mutex<()>,
}

impl Boards {
    /// No boards yet, of a journal with so many partitions.
    #[must_use]
    pub fn new(partitions: u16) -> Self {
        Self { partitions, boards: ArcSwap::default(), adding: Mutex::default() }
    }

    /// The board of a set, by the set's name.
    #[must_use]
    pub fn of(&self, set: &Arc<str>) -> Arc<ProgressBoard> {
        if let Some(board) = self.boards.load().get(set) {
            return Arc::clone(board);
        }
        let _adding = self.adding.lock().unwrap_or_else(PoisonError::into_inner);
        let mut boards = HashMap::clone(&self.boards.load());
        let board = boards.entry(Arc::clone(set)).or_insert_with(|| Arc::new(ProgressBoard::new(self.partitions)));
        let board = Arc::clone(board);
        self.boards.store(Arc::new(boards));
        board
    }

    /// Partitions there are.
    #[must_use]
    pub fn partitions(&self) -> u16 {
        self.partitions
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_set_has_one_board() {
        let boards = Boards::new(3);
        let (one, other) = (Arc::from("one"), Arc::from("other"));
        assert!(Arc::ptr_eq(&boards.of(&one), &boards.of(&one)));
        assert!(!Arc::ptr_eq(&boards.of(&one), &boards.of(&other)));
        assert_eq!(boards.of(&one).partitions(), 3);
    }
}

//! Folds the journal into view rows.

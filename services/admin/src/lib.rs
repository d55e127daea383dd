//! Keys, status and dead letters for operators.

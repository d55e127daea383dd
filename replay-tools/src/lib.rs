//! Reads history: typed replay, verification of views and decisions, walk-forward evaluation.

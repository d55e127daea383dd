//! Answers how much confidence a signal deserves, and records every answer.

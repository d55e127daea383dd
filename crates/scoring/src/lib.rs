//! Models as pure functions of features and a book; policies; walk-forward judgement.

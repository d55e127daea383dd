//! Takes signals, trades and corrections over HTTP and appends them to the journal.

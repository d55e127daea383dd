//! Keys of view rows, ordered as what they name: all rows of a user stand together.

/// Key of a user's admission.
#[must_use]
pub fn admission_key(_user: &str) -> Vec<u8> {
    todo!()
}

/// Key of the book of a user and a symbol.
#[must_use]
pub fn book_key(_user: &str, _symbol: &str) -> Vec<u8> {
    todo!()
}

/// Key of the activity of a user on a day, counted from 1970-01-01 in UTC.
#[must_use]
pub fn activity_key(_user: &str, _day: i32) -> Vec<u8> {
    todo!()
}

/// What all keys of a user's books and activities begin with, for scans.
#[must_use]
pub fn user_prefix(_user: &str) -> Vec<u8> {
    todo!()
}

/// The user of an admission's key.
#[must_use]
pub fn parse_admission_key(_key: &[u8]) -> Option<&str> {
    todo!()
}

/// User and symbol of a book's key.
#[must_use]
pub fn parse_book_key(_key: &[u8]) -> Option<(&str, &str)> {
    todo!()
}

/// User and day of an activity's key.
#[must_use]
pub fn parse_activity_key(_key: &[u8]) -> Option<(&str, i32)> {
    todo!()
}

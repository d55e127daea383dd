//! Keys of view rows. They are ordered as what they name: by user, then by symbol or by day.
//!
//! A user id has no zero byte (no event of another user id is ever fresh, so none gets a row of a book or a day), which
//! is why one byte ends it. Days are counted from 1970-01-01 in UTC and stand big-endian with the sign turned, so that
//! bytes are ordered as days are.

const END_OF_USER: u8 = 0;
const SIGN_BIT: u32 = 1 << 31;

/// Key of a user's admission.
#[must_use]
pub fn admission_key(user: &str) -> Vec<u8> {
    user.as_bytes().to_vec()
}

/// Key of the book of a user and a symbol.
#[must_use]
pub fn book_key(user: &str, symbol: &str) -> Vec<u8> {
    of_user(user, symbol.as_bytes())
}

/// Key of the activity of a user on a day.
#[must_use]
pub fn activity_key(user: &str, day: i32) -> Vec<u8> {
    of_user(user, &(day.cast_unsigned() ^ SIGN_BIT).to_be_bytes())
}

/// What all keys of a user's books and activities begin with, for scans.
#[must_use]
pub fn user_prefix(user: &str) -> Vec<u8> {
    of_user(user, &[])
}

/// The user of an admission's key; `None` when it is no such key.
#[must_use]
pub fn parse_admission_key(key: &[u8]) -> Option<&str> {
    str::from_utf8(key).ok()
}

/// User and symbol of a book's key; `None` when it is no such key.
#[must_use]
pub fn parse_book_key(key: &[u8]) -> Option<(&str, &str)> {
    let (user, symbol) = split(key)?;
    Some((user, str::from_utf8(symbol).ok()?))
}

/// User and day of an activity's key; `None` when it is no such key.
#[must_use]
pub fn parse_activity_key(key: &[u8]) -> Option<(&str, i32)> {
    let (user, day) = split(key)?;
    let day = u32::from_be_bytes(day.try_into().ok()?) ^ SIGN_BIT;
    Some((user, day.cast_signed()))
}

fn of_user(user: &str, rest: &[u8]) -> Vec<u8> {
    let mut key = Vec::with_capacity(user.len() + 1 + rest.len());
    key.extend_from_slice(user.as_bytes());
    key.push(END_OF_USER);
    key.extend_from_slice(rest);
    key
}

fn split(key: &[u8]) -> Option<(&str, &[u8])> {
    let end = key.iter().position(|&byte| byte == END_OF_USER)?;
    let (user, rest) = key.split_at_checked(end)?;
    Some((str::from_utf8(user).ok()?, rest.get(1..)?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn keys_are_ordered_as_what_they_name(
            a in ("[a-zA-Z0-9_.-]{5,9}", "[A-Z0-9./-]{1,4}", any::<i32>()),
            b in ("[a-zA-Z0-9_.-]{5,9}", "[A-Z0-9./-]{1,4}", any::<i32>()),
        ) {
            prop_assert_eq!(book_key(&a.0, &a.1).cmp(&book_key(&b.0, &b.1)), (&a.0, &a.1).cmp(&(&b.0, &b.1)));
            prop_assert_eq!(activity_key(&a.0, a.2).cmp(&activity_key(&b.0, b.2)), (&a.0, a.2).cmp(&(&b.0, b.2)));
            prop_assert_eq!(admission_key(&a.0).cmp(&admission_key(&b.0)), a.0.cmp(&b.0));
        }

        #[test]
        fn keys_can_be_read(user in "[a-zA-Z0-9_.-]{5,9}", symbol in "[A-Z0-9./-]{1,16}", day: i32) {
            let (book, activity, admission) = (book_key(&user, &symbol), activity_key(&user, day), admission_key(&user));
            prop_assert_eq!(parse_book_key(&book), Some((user.as_str(), symbol.as_str())));
            prop_assert_eq!(parse_activity_key(&activity), Some((user.as_str(), day)));
            prop_assert_eq!(parse_admission_key(&admission), Some(user.as_str()));
            prop_assert!(book_key(&user, &symbol).starts_with(&user_prefix(&user)));
        }

        #[test]
        fn any_bytes_are_a_key_or_none(key: Vec<u8>) {
            if let Some((user, symbol)) = parse_book_key(&key) {
                prop_assert_eq!(book_key(user, symbol), key.clone());
            }
            if let Some((user, day)) = parse_activity_key(&key) {
                prop_assert_eq!(activity_key(user, day), key);
            }
        }
    }

    #[test]
    fn keys_never_change() {
        assert_eq!(book_key("trader-1", "ES"), b"trader-1\0ES");
        assert_eq!(activity_key("trader-1", 1), b"trader-1\0\x80\0\0\x01");
        assert_eq!(activity_key("trader-1", -1), b"trader-1\0\x7f\xff\xff\xff");
    }
}

//! Who and what an event is about.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Longest symbol of an instrument, in bytes.
pub const MAX_SYMBOL_BYTES: usize = 16;
/// Shortest user id, in characters.
pub const MIN_USER_ID_CHARS: usize = 5;
/// Longest user id, in characters.
pub const MAX_USER_ID_CHARS: usize = 100;

/// The namespace of all name-based UUIDs of Hindcast: drawn once, never to change.
const NAMESPACE: Uuid = Uuid::from_u128(0x8f6c_36f2_7f0b_5a0e_9d43_1c2a_6b7e_55d1);

/// Why a text is not an identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidId {
    /// The user id is too short, too long or has other characters.
    #[error("a user id has 5 to 100 characters, each a letter, a digit, '_', '-' or '.'")]
    UserId,
    /// The symbol is empty, too long or has other characters.
    #[error("a symbol has 1 to 16 characters, each an upper-case letter, a digit, '.', '-' or '/'")]
    Symbol,
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $valid:path, $error:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Box<str>);

        impl $name {
            /// Takes a text that is a valid identifier.
            ///
            /// # Errors
            /// When the text is not one; the message says what one looks like.
            pub fn new(text: &str) -> Result<Self, InvalidId> {
                Self::check(text)?;
                Ok(Self(text.into()))
            }

            /// Whether a text is a valid identifier, without keeping it.
            ///
            /// # Errors
            /// When the text is not one; the message says what one looks like.
            pub fn check(text: &str) -> Result<(), InvalidId> {
                if $valid(text) { Ok(()) } else { Err($error) }
            }

            /// Whether a text is a valid identifier, for those who only look at it.
            #[must_use]
            pub fn is_valid(text: &str) -> bool {
                $valid(text)
            }

            /// The identifier as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(text: String) -> Result<Self, InvalidId> {
                Self::new(&text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0.into()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

text_id!(
    /// The owner of bots: everything is kept, scored and limited per user.
    UserId,
    is_user_id,
    InvalidId::UserId
);
text_id!(
    /// The instrument that is traded, such as `ES`.
    Symbol,
    is_symbol,
    InvalidId::Symbol
);

fn is_user_id(text: &str) -> bool {
    (MIN_USER_ID_CHARS..=MAX_USER_ID_CHARS).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'))
}

fn is_symbol(text: &str) -> bool {
    (1..=MAX_SYMBOL_BYTES).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'/'))
}

/// What kind of journal event an id belongs to; identity is (kind, `event_id`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EventKind {
    /// A signal was received.
    Signal,
    /// A trade was closed.
    Trade,
    /// A trade was taken back.
    Void,
}

impl EventKind {
    /// The kind as one byte, as it stands in view rows.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Signal => 1,
            Self::Trade => 2,
            Self::Void => 3,
        }
    }

    /// The kind of a byte of [`EventKind::code`].
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::Signal),
            2 => Some(Self::Trade),
            3 => Some(Self::Void),
            _ => None,
        }
    }
}

/// The id of the decision on a signal: UUIDv5 of (user, `event_id`).
///
/// It seeds whatever the policy draws, and lets a fold join a trade to its signal by decision without reading the
/// decisions.
#[must_use]
pub fn decision_id(user_id: &str, signal_event_id: Uuid) -> Uuid {
    derived_id(b"decision", user_id, signal_event_id)
}

/// The event id of a trade's void: one trade can be voided once, however often that is asked for.
#[must_use]
pub fn void_event_id(user_id: &str, trade_event_id: Uuid) -> Uuid {
    derived_id(b"void", user_id, trade_event_id)
}

/// The event id of one row of a bulk import, so that importing it again gives the same ids.
#[must_use]
pub fn imported_event_id(user_id: &str, source: &str, sequence: u64) -> Uuid {
    let name = format!("import\n{user_id}\n{source}\n{sequence}");
    Uuid::new_v5(&NAMESPACE, name.as_bytes())
}

fn derived_id(purpose: &[u8], user_id: &str, event_id: Uuid) -> Uuid {
    let mut name = [0_u8; 8 + 1 + MAX_USER_ID_CHARS + 1 + 16];
    let mut length = 0;
    for part in [purpose, b"\n", user_id.as_bytes(), b"\n", event_id.as_bytes().as_slice()] {
        let Some(target) = name.get_mut(length..length + part.len()) else {
            // Only a user id longer than any valid one comes here; it still gets an id of its own.
            let long = [purpose, b"\n", user_id.as_bytes(), b"\n", event_id.as_bytes().as_slice()].concat();
            return Uuid::new_v5(&NAMESPACE, &long);
        };
        target.copy_from_slice(part);
        length += part.len();
    }
    Uuid::new_v5(&NAMESPACE, name.get(..length).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_ids_and_symbols_have_a_shape() {
        assert!(UserId::new("trader-1").is_ok());
        for bad in ["", "abcd", "with space", "ümlaut", &"x".repeat(101)] {
            assert_eq!(UserId::new(bad), Err(InvalidId::UserId), "{bad}");
        }
        assert!(Symbol::new("ES").is_ok());
        for bad in ["", "es", "ES ", &"E".repeat(17)] {
            assert_eq!(Symbol::new(bad), Err(InvalidId::Symbol), "{bad}");
        }
    }

    #[test]
    fn derived_ids_never_change() {
        let event = Uuid::from_u128(0x0192_0000_0000_7000_8000_0000_0000_0001);
        let longest = "u".repeat(MAX_USER_ID_CHARS);
        assert_eq!(decision_id("trader-1", event).to_string(), "25ecff36-f300-5608-bd49-7574df3a82eb");
        assert_ne!(decision_id("trader-1", event), void_event_id("trader-1", event));
        assert_ne!(decision_id("trader-1", event), decision_id("trader-2", event));
        assert_ne!(decision_id(&longest, event), decision_id(&longest[1..], event));
        assert_eq!(imported_event_id("trader-1", "file", 7), imported_event_id("trader-1", "file", 7));
    }
}

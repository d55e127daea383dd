//! API keys: `hc_ROUTE_SECRET`.

use hindcast_domain::UserId;
use sha2::{Digest, Sha256};

/// A key that was just drawn. The secret is shown to its owner once and kept nowhere.
#[derive(Clone)]
pub struct NewKey {
    /// Public id.
    pub id: String,
    /// The whole key, `hc_ROUTE_SECRET`.
    pub secret: String,
    /// SHA-256 of the whole key: what is stored of it.
    pub sha256: [u8; 32],
}

/// Draws a key for a user.
///
/// ROUTE is the same in all keys of a user, so that a proxy which hashes on it sends them to one replica, where they
/// share one limit; it is a hash, so that a key does not tell whose it is. SECRET is 256 random bits.
///
/// # Errors
/// When the system has no randomness to give.
pub fn new_key(user: &UserId) -> Result<NewKey, getrandom::Error> {
    let mut random = [0_u8; 42];
    getrandom::fill(&mut random)?;
    let (id, secret) = random.split_at(10);
    Ok(key_of(user, id, secret))
}

impl NewKey {
    /// A key whose secret somebody else drew, such as that of a system set up by programs. Its id is derived from it.
    #[must_use]
    pub fn brought(secret: &str) -> Self {
        let sha256 = digest(secret);
        Self { id: format!("k{}", base32(sha256.get(..10).unwrap_or_default())), secret: secret.to_owned(), sha256 }
    }
}

fn key_of(user: &UserId, id: &[u8], secret: &[u8]) -> NewKey {
    let secret = format!("hc_{}_{}", route_of(user), base32(secret));
    NewKey { id: format!("k{}", base32(id)), sha256: digest(&secret), secret }
}

const ROUTE_BYTES: usize = 5;

/// The ROUTE of all of a user's keys.
pub(crate) fn route_of(user: &UserId) -> String {
    let mut hash = Sha256::new();
    hash.update(b"route\n");
    hash.update(user.as_str());
    let digest: [u8; 32] = hash.finalize().into();
    base32(digest.get(..ROUTE_BYTES).unwrap_or_default())
}

/// SHA-256 of a whole key.
pub(crate) fn digest(key: &str) -> [u8; 32] {
    Sha256::digest(key).into()
}

/// SHA-256 of a whole key as 64 hex digits, as control stores it.
#[must_use]
pub fn sha256_hex(sha256: &[u8; 32]) -> String {
    use std::fmt::Write;
    let mut hex = String::with_capacity(64);
    for byte in sha256 {
        // Writing to a string does not fail.
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

/// Letters and digits of RFC 4648, in lower case, without padding: nothing that a shell, a URL or a double click splits.
fn base32(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let mut text = String::with_capacity(bytes.len().div_ceil(5) * 8);
    let (mut buffer, mut bits) = (0_u32, 0_u32);
    let mut push = |five: u32| text.extend(ALPHABET.get(five as usize & 31).map(|&letter| char::from(letter)));
    for &byte in bytes {
        buffer = (buffer << 8) | u32::from(byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            push(buffer >> bits);
        }
    }
    if bits > 0 {
        push(buffer << (5 - bits));
    }
    text
}

impl std::fmt::Debug for NewKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewKey").field("id", &self.id).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base32_of_rfc_4648() {
        for (bytes, text) in [("", ""), ("f", "my"), ("fo", "mzxq"), ("foob", "mzxw6yq"), ("foobar", "mzxw6ytboi")] {
            assert_eq!(base32(bytes.as_bytes()), text);
        }
    }

    #[test]
    fn keys_of_a_user_share_their_route_and_nothing_else() {
        let (user, other) = (UserId::new("trader-1").unwrap(), UserId::new("trader-2").unwrap());
        let (a, b, c) = (new_key(&user).unwrap(), new_key(&user).unwrap(), new_key(&other).unwrap());
        let parts = |key: &NewKey| key.secret.split('_').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(parts(&a).len(), 3);
        assert_eq!(parts(&a)[..2], parts(&b)[..2]);
        assert_ne!(parts(&a)[1], parts(&c)[1]);
        assert_ne!(parts(&a)[2], parts(&b)[2]);
        assert_eq!(parts(&a)[2].len(), 52);
        assert_ne!(a.id, b.id);
        assert_eq!(a.sha256, digest(&a.secret));
        assert!(!format!("{a:?}").contains(&a.secret));
    }

    #[test]
    fn routes_never_change() {
        assert_eq!(route_of(&UserId::new("trader-1").unwrap()), "wbadyr4s");
    }

    #[test]
    fn hex() {
        assert!(sha256_hex(&[0xa5; 32]).starts_with("a5a5"));
        assert_eq!(sha256_hex(&[1; 32]).len(), 64);
    }
}

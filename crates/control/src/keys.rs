//! API keys as the control topic tells them. Secrets are not in it, only their digests.

use std::{collections::HashMap, sync::Arc};

use hindcast_domain::{TimestampUs, UserId};

/// One API key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Public id.
    pub id: Box<str>,
    /// Whose requests it authenticates.
    pub user_id: UserId,
    /// Names of the scopes.
    pub scopes: Vec<Box<str>>,
    /// SHA-256 of the whole key.
    pub sha256: [u8; 32],
    /// When it was created.
    pub created_at: TimestampUs,
    /// When it stops working.
    pub expires_at: Option<TimestampUs>,
    /// Its own rate limit.
    pub requests_per_minute: Option<u32>,
    /// When it was revoked.
    pub revoked_at: Option<TimestampUs>,
}

/// All keys, by id and by digest.
#[derive(Debug, Default)]
pub struct ApiKeys {
    by_id: HashMap<Box<str>, Arc<ApiKey>>,
    by_sha256: HashMap<[u8; 32], Arc<ApiKey>>,
}

impl ApiKeys {
    /// The key with a digest, revoked or not.
    #[must_use]
    pub fn by_sha256(&self, sha256: &[u8; 32]) -> Option<Arc<ApiKey>> {
        self.by_sha256.get(sha256).cloned()
    }

    /// The key with an id, revoked or not.
    #[must_use]
    pub fn by_id(&self, id: &str) -> Option<Arc<ApiKey>> {
        self.by_id.get(id).cloned()
    }

    /// All keys, by time of creation.
    #[must_use]
    pub fn list(&self) -> Vec<Arc<ApiKey>> {
        let mut keys: Vec<_> = self.by_id.values().cloned().collect();
        keys.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
        keys
    }

    /// Whether there is none at all, as on a first start.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    pub(crate) fn insert(&mut self, key: ApiKey) {
        let key = Arc::new(key);
        self.by_sha256.insert(key.sha256, Arc::clone(&key));
        self.by_id.insert(key.id.clone(), key);
    }

    pub(crate) fn revoke(&mut self, key: &ApiKey, at: TimestampUs) {
        self.insert(ApiKey { revoked_at: Some(at), ..key.clone() });
    }
}

/// Reads the 64 hex digits of a SHA-256.
pub(crate) fn sha256_from_hex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0_u8; 32];
    // Checked apart, because the parser of numbers takes a sign as well.
    if text.len() != 64 || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_64_hex_digits() {
        assert_eq!(sha256_from_hex(&"A5".repeat(32)), Some([0xa5; 32]));
        for bad in ["", &"a5".repeat(31), &"a5".repeat(33), &"+5".repeat(32), &"g5".repeat(32), &"ü".repeat(32)] {
            assert_eq!(sha256_from_hex(bad), None, "{bad}");
        }
    }
}

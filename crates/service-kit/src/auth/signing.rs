//! The keys that sign tokens.

use std::path::Path;

/// Why signing keys can't be used.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct SigningKeyError(String);

/// The key that signs tokens and the earlier ones whose tokens may still be about.
pub struct SigningKeys {}

impl SigningKeys {
    /// Reads the keys of a secret file.
    ///
    /// # Errors
    /// When it can't be read, others may read it, or it holds no keys.
    pub fn load(_file: &Path) -> Result<Self, SigningKeyError> {
        todo!()
    }

    /// Reads the keys of a file that is made, readable for its owner only, if it is not there.
    ///
    /// # Errors
    /// As [`Self::load`], or when it can't be made.
    pub fn load_or_create(_file: &Path) -> Result<Self, SigningKeyError> {
        todo!()
    }
}

//! Reads a configuration.

use std::path::Path;

use serde::{Serialize, de::DeserializeOwned};

use super::{ConfigError, Validate};

/// Reads a configuration: `file`, then the environment (`HINDCAST_INGRESS__LISTEN` for `ingress.listen`), then
/// `overrides` (flags, say), the later over the earlier.
///
/// # Errors
/// With everything that is wrong, not just the first of it.
pub fn load<T>(_file: Option<&Path>, _overrides: &impl Serialize) -> Result<T, ConfigError>
where
    T: DeserializeOwned + Validate,
{
    todo!()
}

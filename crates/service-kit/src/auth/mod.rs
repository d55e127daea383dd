//! Who is asking, what they may do, and how often.
//!
//! In order, each step cheaper than what it protects: an address that failed too often is turned away before any key is
//! looked up; the credentials are checked; then the user's own limit is charged.

mod addresses;
mod api_key;
mod caller;
mod config;
mod credentials;
mod gate;
mod limits;
mod routes;
mod scope;
mod signing;
mod tokens;

pub use api_key::{NewKey, new_key, sha256_hex};
pub use caller::Caller;
pub use config::AuthConfig;
pub use gate::Gate;
pub use routes::{IssuedToken, router};
pub use scope::{Scope, ScopeSet, UnknownScope};
pub use signing::{SigningKeyError, SigningKeys};

//! Tokens: JWTs signed with EdDSA that name the API key they were issued for.

use std::sync::Arc;

use hindcast_control::ApiKey;
use jsonwebtoken::{Algorithm, Header, Validation, decode, decode_header, encode};
use quick_cache::sync::Cache;
use serde::{Deserialize, Serialize};

use super::{
    AuthConfig, SigningKeys, api_key,
    scope::{Scope, ScopeSet},
};

/// What a token says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Claims {
    /// The user.
    pub(crate) sub: String,
    /// Id of the API key that it was issued for; with the key it ends.
    pub(crate) key_id: String,
    /// The ROUTE of the user's keys, so that a proxy sends requests with tokens where those with keys go. Nothing here
    /// reads it; tokens of earlier versions have none.
    #[serde(default)]
    pub(crate) route: String,
    /// What it allows.
    pub(crate) scopes: Vec<String>,
    /// When it was issued, seconds since 1970.
    pub(crate) iat: u64,
    /// When it ends, seconds since 1970.
    pub(crate) exp: u64,
    /// Who issued it.
    pub(crate) iss: String,
    /// Whom it is for.
    pub(crate) aud: String,
}

/// A token that was verified.
#[derive(Debug)]
pub(crate) struct Verified {
    pub(crate) user_id: Box<str>,
    pub(crate) key_id: Box<str>,
    pub(crate) scopes: ScopeSet,
    pub(crate) expires_s: u64,
}

/// Why a token is refused. Its text is for clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadToken {
    #[error("the token has expired")]
    Expired,
    #[error("the token is not valid")]
    Invalid,
}

/// Verified tokens that are remembered; about 300 bytes each.
const REMEMBERED_TOKENS: usize = 20_000;
/// A clock of another replica may be ahead by this much, seconds.
const CLOCK_SKEW_S: u64 = 60;

/// Issues and verifies tokens.
pub(crate) struct Tokens {
    keys: SigningKeys,
    validation: Validation,
    /// Verifying costs a hundred times what the rest of authentication does. By digest, so that no token is kept.
    verified: Cache<[u8; 32], Arc<Verified>>,
    issuer: String,
    audience: String,
    lifetime_s: u32,
}

impl Tokens {
    pub(crate) fn new(keys: SigningKeys, config: &AuthConfig) -> Self {
        // Only this algorithm: a token that names another, or none, is not looked at any further.
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.set_issuer(&[&config.issuer]);
        validation.set_audience(&[&config.audience]);
        validation.leeway = 0;
        validation.validate_nbf = true;
        Self {
            keys,
            validation,
            verified: Cache::new(REMEMBERED_TOKENS),
            issuer: config.issuer.clone(),
            audience: config.audience.clone(),
            lifetime_s: config.token_lifetime_s,
        }
    }

    pub(crate) fn keys(&self) -> &SigningKeys {
        &self.keys
    }

    /// A token for a key, that ends with the key if that is sooner; and how long it is valid, seconds.
    pub(crate) fn issue(
        &self,
        key: &ApiKey,
        scopes: ScopeSet,
        now_s: u64,
    ) -> Result<(String, u32), jsonwebtoken::errors::Error> {
        let key_ends_in_s = key
            .expires_at
            .map(|at| u64::try_from(at.0 / 1_000_000).unwrap_or(0).saturating_sub(now_s))
            .and_then(|left| u32::try_from(left).ok());
        let lifetime_s = self.lifetime_s.min(key_ends_in_s.unwrap_or(u32::MAX));
        let claims = Claims {
            sub: key.user_id.as_str().to_owned(),
            key_id: key.id.to_string(),
            route: api_key::route_of(&key.user_id),
            scopes: scopes.iter().map(Scope::name).map(str::to_owned).collect(),
            iat: now_s,
            exp: now_s + u64::from(lifetime_s),
            iss: self.issuer.clone(),
            aud: self.audience.clone(),
        };
        Ok((self.sign(&claims)?, lifetime_s))
    }

    pub(crate) fn sign(&self, claims: &Claims) -> Result<String, jsonwebtoken::errors::Error> {
        let (kid, key) = self.keys.signing();
        let header = Header { kid: Some(kid.to_owned()), ..Header::new(Algorithm::EdDSA) };
        encode(&header, claims, key)
    }

    /// What a token says, if it is one of ours and has not ended. Whether its key is still good is not looked at.
    pub(crate) fn verify(&self, token: &str, now_s: u64) -> Result<Arc<Verified>, BadToken> {
        let digest = api_key::digest(token);
        if let Some(verified) = self.verified.get(&digest) {
            if verified.expires_s > now_s {
                return Ok(verified);
            }
            self.verified.remove(&digest);
            return Err(BadToken::Expired);
        }
        let verified = Arc::new(self.verify_signature(token, now_s)?);
        self.verified.insert(digest, Arc::clone(&verified));
        Ok(verified)
    }

    fn verify_signature(&self, token: &str, now_s: u64) -> Result<Verified, BadToken> {
        let header = decode_header(token).map_err(|_| BadToken::Invalid)?;
        let key = header.kid.and_then(|kid| self.keys.verifying(&kid)).ok_or(BadToken::Invalid)?;
        let claims = decode::<Claims>(token, key, &self.validation).map_err(|error| match error.kind() {
            jsonwebtoken::errors::ErrorKind::ExpiredSignature => BadToken::Expired,
            _ => BadToken::Invalid,
        })?;
        let Claims { sub, key_id, scopes, iat, exp, .. } = claims.claims;
        if exp <= now_s {
            return Err(BadToken::Expired);
        }
        if iat > now_s + CLOCK_SKEW_S {
            return Err(BadToken::Invalid);
        }
        Ok(Verified { user_id: sub.into(), key_id: key_id.into(), scopes: ScopeSet::of_names(scopes), expires_s: exp })
    }
}

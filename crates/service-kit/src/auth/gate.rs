//! The gate that every authenticated request passes.

use std::{fmt, num::NonZeroU32, sync::Arc};

use hindcast_control::{ApiKey, Control};
use hindcast_domain::TimestampUs;
use http::{HeaderMap, StatusCode, request::Parts};
use subtle::ConstantTimeEq;

use super::{
    AuthConfig, Caller, IssuedToken, ScopeSet, SigningKeys,
    addresses::Addresses,
    api_key,
    credentials::{Credentials, credentials},
    limits::Limits,
    tokens::Tokens,
};
use crate::{clock::now_us, problem::Problem, telemetry::RequestContext};

/// Checks credentials and limits.
pub struct Gate {
    control: Arc<Control>,
    tokens: Tokens,
    limits: Limits,
    addresses: Addresses,
}

impl Gate {
    /// A gate for the keys of control.
    #[must_use]
    pub fn new(control: Arc<Control>, signing: SigningKeys, config: &AuthConfig) -> Arc<Self> {
        Arc::new(Self {
            control,
            tokens: Tokens::new(signing, config),
            limits: Limits::new(config),
            addresses: Addresses::new(config),
        })
    }

    /// Authenticates a request and charges its user with one.
    ///
    /// # Errors
    /// 401 without good credentials, 429 beyond a limit, 503 while it is not known which keys are good.
    pub fn admit(&self, parts: &Parts) -> Result<Caller, Problem> {
        let address = self.addresses.of(parts);
        self.addresses.check(address)?;
        let caller = self.authenticate(&parts.headers, now_us()).inspect_err(|problem| {
            if problem.status == StatusCode::UNAUTHORIZED {
                self.addresses.failed(address);
            }
        })?;
        if let Some(context) = parts.extensions.get::<RequestContext>() {
            context.tell_user(caller.user_id());
        }
        self.limits.charge(&caller.key, NonZeroU32::MIN)?;
        Ok(caller)
    }

    /// Charges the caller with a further cost, as of a batch.
    ///
    /// # Errors
    /// 429 when it is more than the limit allows now.
    pub fn charge(&self, caller: &Caller, cost: u32) -> Result<(), Problem> {
        NonZeroU32::new(cost).map_or(Ok(()), |cost| self.limits.charge(&caller.key, cost))
    }

    /// Exchanges the caller's API key for a token.
    ///
    /// # Errors
    /// 403 for a caller that came with a token: a token must not outlive itself.
    pub fn issue_token(&self, caller: &Caller) -> Result<IssuedToken, Problem> {
        if caller.via_token {
            return Err(Problem::forbidden("a token is issued for an API key, not for another token"));
        }
        let (access_token, expires_in) = self
            .tokens
            .issue(&caller.key, caller.scopes, seconds(now_us()))
            .map_err(|error| Problem::internal(format!("a token can't be signed: {error}")))?;
        Ok(IssuedToken { access_token, token_type: "Bearer", expires_in })
    }

    /// The keys that sign tokens.
    #[must_use]
    pub fn signing_keys(&self) -> &SigningKeys {
        self.tokens.keys()
    }

    fn authenticate(&self, headers: &HeaderMap, now: TimestampUs) -> Result<Caller, Problem> {
        if !self.control.is_fresh() {
            return Err(Problem::unavailable("the settings could not be read lately, so no key can be checked"));
        }
        match credentials(headers)? {
            Credentials::Key(key) => {
                let key = self.key_of(key).ok_or_else(|| Problem::unauthorized("the API key is not known"))?;
                check_validity(&key, now)?;
                let scopes = ScopeSet::of_names(&key.scopes);
                Ok(Caller { key, via_token: false, scopes })
            }
            Credentials::Token(token) => {
                let verified =
                    self.tokens.verify(token, seconds(now)).map_err(|bad| Problem::unauthorized(bad.to_string()))?;
                let key = self
                    .control
                    .key_by_id(&verified.key_id)
                    .filter(|key| key.user_id.as_str() == &*verified.user_id)
                    .ok_or_else(|| Problem::unauthorized("the token's API key is not known"))?;
                check_validity(&key, now)?;
                let scopes = ScopeSet::of_names(&key.scopes).and(verified.scopes);
                Ok(Caller { key, via_token: true, scopes })
            }
        }
    }

    fn key_of(&self, secret: &str) -> Option<Arc<ApiKey>> {
        let sha256 = api_key::digest(secret);
        // How long the lookup takes tells at most something about digests. Whether it is the key is decided in constant
        // time.
        self.control.key_by_sha256(&sha256).filter(|key| key.sha256.ct_eq(&sha256).into())
    }
}

fn check_validity(key: &ApiKey, now: TimestampUs) -> Result<(), Problem> {
    if key.revoked_at.is_some() {
        return Err(Problem::unauthorized("the API key was revoked"));
    }
    if key.expires_at.is_some_and(|at| at <= now) {
        return Err(Problem::unauthorized("the API key has expired"));
    }
    Ok(())
}

fn seconds(at: TimestampUs) -> u64 {
    u64::try_from(at.0 / 1_000_000).unwrap_or(0)
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate").finish_non_exhaustive()
    }
}

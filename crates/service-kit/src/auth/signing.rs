//! The keys that sign tokens, in a secret file.
//!
//! The file is JSON: `{"keys": [{"kid": "...", "seed": "..."}, ...]}`, a seed being the 64 hex digits of an Ed25519
//! private key. The first key signs, all of them verify: to rotate, put a new key first, restart, and take the old one
//! out once its last token has expired. Replicas share the file.

use std::{
    fmt,
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::Path,
};

use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey,
    jwk::{Jwk, JwkSet, PublicKeyUse},
};
use serde::{Deserialize, Serialize};

/// Why signing keys can't be used. Never tells what is in them.
#[derive(Debug, thiserror::Error)]
pub enum SigningKeyError {
    /// The file can't be read or made.
    #[error("{file}: {error}")]
    Io {
        /// The file.
        file: String,
        /// What the system says.
        error: io::Error,
    },
    /// The file holds no usable keys.
    #[error("{file}: {fault}")]
    Unusable {
        /// The file.
        file: String,
        /// What is wrong with it.
        fault: &'static str,
    },
}

/// The key that signs tokens and the earlier ones whose tokens may still be about.
pub struct SigningKeys {
    kid: String,
    signing: EncodingKey,
    verifying: Vec<(String, DecodingKey)>,
    public: JwkSet,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyFile {
    keys: Vec<StoredKey>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredKey {
    kid: String,
    seed: String,
}

/// Before the seed in the PKCS #8 encoding of an Ed25519 private key (RFC 8410, section 7).
const PKCS8_HEAD: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

impl SigningKeys {
    /// Reads the keys of a secret file.
    ///
    /// # Errors
    /// When it can't be read, everyone may read it, or it holds no usable keys.
    pub fn load(file: &Path) -> Result<Self, SigningKeyError> {
        let io_error = |error| SigningKeyError::Io { file: file.display().to_string(), error };
        let unusable = |fault| SigningKeyError::Unusable { file: file.display().to_string(), fault };
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(file).map_err(io_error)?.permissions().mode();
            if mode & 0o007 != 0 {
                return Err(unusable("everyone may read it; take that right away (chmod o= FILE)"));
            }
        }
        let text = fs::read(file).map_err(io_error)?;
        let stored: KeyFile = serde_json::from_slice(&text)
            .map_err(|_| unusable("it is not JSON of the form {\"keys\": [{\"kid\": ..., \"seed\": ...}]}"))?;
        Self::of(stored).map_err(unusable)
    }

    /// Reads the keys of a file that is made first, readable for its owner only, if it is not there.
    ///
    /// # Errors
    /// As [`Self::load`], or when it can't be made.
    pub fn load_or_create(file: &Path) -> Result<Self, SigningKeyError> {
        if !file.try_exists().unwrap_or(true) {
            create(file).map_err(|error| SigningKeyError::Io { file: file.display().to_string(), error })?;
        }
        Self::load(file)
    }

    fn of(stored: KeyFile) -> Result<Self, &'static str> {
        let mut keys = Vec::with_capacity(stored.keys.len());
        for StoredKey { kid, seed } in stored.keys {
            let seed = seed_of(&seed).ok_or("a seed is not 64 hex digits")?;
            if kid.is_empty() || keys.iter().any(|(other, _): &(String, EncodingKey)| *other == kid) {
                return Err("every key needs a kid of its own");
            }
            let der = [PKCS8_HEAD.as_slice(), &seed].concat();
            keys.push((kid, EncodingKey::from_ed_der(&der)));
        }
        let mut verifying = Vec::with_capacity(keys.len());
        let mut public = JwkSet { keys: Vec::with_capacity(keys.len()) };
        for (kid, key) in &keys {
            let mut jwk = Jwk::from_encoding_key(key, Algorithm::EdDSA).map_err(|_| "a seed is not an Ed25519 key")?;
            jwk.common.key_id = Some(kid.clone());
            jwk.common.public_key_use = Some(PublicKeyUse::Signature);
            let decoding = DecodingKey::from_jwk(&jwk).map_err(|_| "a seed is not an Ed25519 key")?;
            verifying.push((kid.clone(), decoding));
            public.keys.push(jwk);
        }
        let (kid, signing) = keys.into_iter().next().ok_or("there is no key in it")?;
        Ok(Self { kid, signing, verifying, public })
    }

    /// The public keys, as a JSON Web Key Set.
    #[must_use]
    pub fn public(&self) -> &JwkSet {
        &self.public
    }

    pub(crate) fn signing(&self) -> (&str, &EncodingKey) {
        (&self.kid, &self.signing)
    }

    pub(crate) fn verifying(&self, kid: &str) -> Option<&DecodingKey> {
        self.verifying.iter().find(|(other, _)| other == kid).map(|(_, key)| key)
    }
}

impl fmt::Debug for SigningKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKeys").field("kid", &self.kid).finish_non_exhaustive()
    }
}

fn seed_of(hex: &str) -> Option<[u8; 32]> {
    let mut seed = [0_u8; 32];
    if hex.len() != 64 || !hex.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    for (byte, digits) in seed.iter_mut().zip(hex.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(seed)
}

/// Written beside and renamed, so that a crash leaves a whole file or none.
fn create(file: &Path) -> io::Result<()> {
    let (mut kid, mut seed) = ([0_u8; 8], [0_u8; 32]);
    getrandom::fill(&mut kid).and_then(|()| getrandom::fill(&mut seed)).map_err(io::Error::other)?;
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let stored = KeyFile { keys: vec![StoredKey { kid: hex(&kid), seed: hex(&seed) }] };
    let beside = file.with_extension("new");
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut written = options.open(&beside)?;
    written.write_all(&serde_json::to_vec(&stored).map_err(io::Error::other)?)?;
    written.sync_all()?;
    fs::rename(&beside, file)?;
    if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Key and public key of RFC 8032, section 7.1, test 1.
    const SEED: &str = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
    const PUBLIC: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

    #[test]
    fn the_public_keys_belong_to_the_seeds() {
        let keys = SigningKeys::of(KeyFile {
            keys: vec![
                StoredKey { kid: "new".to_owned(), seed: "01".repeat(32) },
                StoredKey { kid: "old".to_owned(), seed: SEED.to_owned() },
            ],
        })
        .unwrap();
        assert_eq!(keys.signing().0, "new");
        assert!(keys.verifying("old").is_some() && keys.verifying("other").is_none());
        let public = serde_json::to_value(keys.public()).unwrap();
        assert_eq!(
            public["keys"][1],
            serde_json::json!({"kty": "OKP", "use": "sig", "alg": "EdDSA", "kid": "old", "crv": "Ed25519", "x": PUBLIC})
        );
        assert!(!public.to_string().contains(SEED) && !format!("{keys:?}").contains(SEED));
    }

    #[test]
    fn a_file_is_made_once_and_for_its_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("signing-keys.json");
        assert!(matches!(SigningKeys::load(&file), Err(SigningKeyError::Io { .. })));
        let made = SigningKeys::load_or_create(&file).unwrap();
        assert_eq!(SigningKeys::load_or_create(&file).unwrap().public(), made.public());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
            fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
            let error = SigningKeys::load(&file).unwrap_err().to_string();
            assert!(error.contains("everyone may read it"), "{error}");
        }
    }

    #[test]
    fn unusable_files_say_why() {
        let folder = tempfile::tempdir().unwrap();
        let twice = format!(r#"{{"keys": [{{"kid": "a", "seed": "{SEED}"}}, {{"kid": "a", "seed": "{SEED}"}}]}}"#);
        for (text, fault) in [
            ("", "not JSON of the form"),
            (r#"{"keys": []}"#, "no key in it"),
            (r#"{"keys": [{"kid": "a", "seed": "+1"}]}"#, "64 hex digits"),
            (twice.as_str(), "a kid of its own"),
        ] {
            let file = folder.path().join("keys.json");
            fs::write(&file, text).unwrap();
            #[cfg(unix)]
            fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
            let error = SigningKeys::load(&file).unwrap_err().to_string();
            assert!(error.contains(fault) && !error.contains(SEED), "{error}");
        }
    }
}

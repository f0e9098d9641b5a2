//! Bearer tokens: signed JSON web tokens (RFC 7519), by asymmetric keys from a file (RFC 7517).

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use std::{fs, io};

use arc_swap::ArcSwap;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;

use super::Refusal;

/// How far the clocks of issuer and server may differ.
const LEEWAY: Duration = Duration::from_secs(30);
/// Longest token that is looked at, in bytes.
const LONGEST: usize = 8 * 1024;

/// Where keys come from and what tokens must say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokensFile {
    /// File of a JSON web key set.
    pub keys: PathBuf,
    /// Who must have issued a token (`iss`).
    pub issuer: String,
    /// For whom it must be (`aud`).
    pub audience: String,
}

/// Why a file gives no keys.
#[derive(Debug, thiserror::Error)]
pub enum TokensError {
    /// It cannot be read.
    #[error("{}: {}", .0.display(), .1)]
    Unreadable(PathBuf, io::Error),
    /// It is no key set.
    #[error("{}: this is no JSON web key set: {}", .0.display(), .1)]
    Malformed(PathBuf, serde_json::Error),
    /// A key of it, by position, is not accepted.
    #[error("{}: key {}: {}", .0.display(), .1, .2)]
    Key(PathBuf, usize, &'static str),
    /// It holds no key.
    #[error("{}: there is no key in this set", .0.display())]
    Empty(PathBuf),
}

/// Verifies tokens by the keys that were last found sound.
#[derive(Debug)]
pub struct Tokens {
    file: TokensFile,
    keys: ArcSwap<Keys>,
}

#[derive(Debug)]
struct Keys {
    text: Vec<u8>,
    keys: Vec<Key>,
}

#[derive(Debug)]
struct Key {
    id: String,
    public: DecodingKey,
    algorithms: Vec<Algorithm>,
}

/// What is read of a verified token.
#[derive(Deserialize)]
struct Claims {
    sub: String,
    /// Seconds since 1970.
    exp: f64,
    nbf: Option<f64>,
}

impl Tokens {
    /// Reads the keys.
    ///
    /// # Errors
    /// [`TokensError`] names the file and what is wrong with it.
    pub fn load(file: TokensFile) -> Result<Self, TokensError> {
        let keys = ArcSwap::from_pointee(keys(&file.keys, read(&file.keys)?)?);
        Ok(Self { file, keys })
    }

    /// Reads the keys again, if they changed and are sound; `false` when they did not change.
    ///
    /// # Errors
    /// [`TokensError`]; the keys that were loaded before stay in use.
    pub fn reload(&self) -> Result<bool, TokensError> {
        let text = read(&self.file.keys)?;
        if text == self.keys.load().text {
            return Ok(false);
        }
        self.keys.store(keys(&self.file.keys, text)?.into());
        Ok(true)
    }

    /// The subject of the token in an `authorization` header.
    pub(super) fn subject(&self, authorization: &str, now: SystemTime) -> Result<String, Refusal> {
        let (scheme, token) = authorization.split_once(' ').ok_or(Refusal::Malformed)?;
        if !scheme.eq_ignore_ascii_case("bearer") || token.len() > LONGEST {
            return Err(Refusal::Malformed);
        }
        let token = token.trim();
        let header = decode_header(token).map_err(|_| Refusal::Malformed)?;
        let id = header.kid.ok_or(Refusal::UnknownKey)?;
        let keys = self.keys.load();
        let key = keys.keys.iter().find(|key| key.id == id).ok_or(Refusal::UnknownKey)?;
        let claims = decode::<Claims>(token, &key.public, &self.validation(key));
        let claims = claims.map_err(|error| refusal(&error))?;
        is_current(&claims.claims, now)?;
        Ok(claims.claims.sub)
    }

    /// Everything but the time, which is ours: the library reads the system's clock.
    fn validation(&self, key: &Key) -> Validation {
        let mut validation = Validation::new(key.algorithms[0]);
        validation.algorithms.clone_from(&key.algorithms);
        validation.validate_exp = false;
        validation.set_issuer(&[&self.file.issuer]);
        validation.set_audience(&[&self.file.audience]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the library may add errors")]
fn refusal(error: &jsonwebtoken::errors::Error) -> Refusal {
    match error.kind() {
        ErrorKind::InvalidSignature => Refusal::Signature,
        ErrorKind::InvalidIssuer
        | ErrorKind::InvalidAudience
        | ErrorKind::MissingRequiredClaim(_) => Refusal::Claims,
        _ => Refusal::Malformed,
    }
}

fn is_current(claims: &Claims, now: SystemTime) -> Result<(), Refusal> {
    let now = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs_f64();
    let leeway = LEEWAY.as_secs_f64();
    // A number that is none compares with nothing, and refuses.
    let has_begun = claims.nbf.is_none_or(|from| from - leeway <= now);
    if has_begun && now < claims.exp + leeway { Ok(()) } else { Err(Refusal::Expired) }
}

fn read(path: &Path) -> Result<Vec<u8>, TokensError> {
    fs::read(path).map_err(|error| TokensError::Unreadable(path.into(), error))
}

fn keys(path: &Path, text: Vec<u8>) -> Result<Keys, TokensError> {
    let set: JwkSet = serde_json::from_slice(&text)
        .map_err(|error| TokensError::Malformed(path.into(), error))?;
    let mut keys: Vec<Key> = Vec::new();
    for (position, own) in set.keys.iter().enumerate() {
        let fault = |reason| TokensError::Key(path.into(), position, reason);
        let key = key(own).map_err(fault)?;
        if keys.iter().any(|other| other.id == key.id) {
            return Err(fault("another key has the same id (kid)"));
        }
        keys.push(key);
    }
    if keys.is_empty() {
        return Err(TokensError::Empty(path.into()));
    }
    Ok(Keys { text, keys })
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the library may add kinds")]
fn key(own: &Jwk) -> Result<Key, &'static str> {
    let id = own.common.key_id.clone().ok_or("it has no id (kid)")?;
    let own_kind: &[Algorithm] = match &own.algorithm {
        AlgorithmParameters::RSA(_) => AlgorithmFamily::Rsa.algorithms(),
        AlgorithmParameters::EllipticCurve(curve) => match curve.curve {
            EllipticCurve::P256 => &[Algorithm::ES256],
            EllipticCurve::P384 => &[Algorithm::ES384],
            _ => return Err("its curve is not supported; use P-256, P-384 or Ed25519"),
        },
        AlgorithmParameters::OctetKeyPair(_) => &[Algorithm::EdDSA],
        _ => return Err("a shared secret is not accepted; use an RSA, EC or Ed25519 public key"),
    };
    let named = own.common.key_algorithm.map(Algorithm::try_from);
    let algorithms = match named {
        None => own_kind.to_vec(),
        Some(Ok(named)) if own_kind.contains(&named) => vec![named],
        Some(_) => return Err("its algorithm (alg) does not fit its kind (kty)"),
    };
    let public = DecodingKey::from_jwk(own).map_err(|_| "its numbers are not a key")?;
    Ok(Key { id, public, algorithms })
}

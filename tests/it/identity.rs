//! Certificates, keys and tokens of a hospital that does not exist.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, PKCS_ECDSA_P256_SHA256,
    SanType, date_time_ymd,
};
use serde_json::{Value, json};
use tempfile::TempDir;

pub(crate) const ISSUER: &str = "https://tokens.hospital.example";
pub(crate) const AUDIENCE: &str = "heel-origin";

/// An authority that signs certificates.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, key()).unwrap())
    }

    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    /// Certificate and private key for a DNS name or, with a scheme, for a URI.
    pub(crate) fn signs(&self, name: &str) -> (String, String) {
        self.signs_until(name, 4096)
    }

    /// The same, with a certificate that ends when a year begins.
    pub(crate) fn signs_until(&self, name: &str, year: i32) -> (String, String) {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.not_after = date_time_ymd(year, 1, 1);
        let name = if name.contains("://") {
            SanType::URI(name.try_into().unwrap())
        } else {
            SanType::DnsName(name.try_into().unwrap())
        };
        params.subject_alt_names = vec![name];
        let key = key();
        (params.signed_by(&key, &self.0).unwrap().pem(), key.serialize_pem())
    }
}

fn key() -> KeyPair {
    KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap()
}

/// A folder for files of one test.
pub(crate) struct Files(TempDir);

impl Files {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// Writes a file and returns its path.
    pub(crate) fn write(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}

/// What signs tokens.
pub(crate) struct Signer {
    pub(crate) id: &'static str,
    pub(crate) key: EncodingKey,
}

impl Signer {
    pub(crate) fn new(id: &'static str) -> Self {
        Self { id, key: EncodingKey::from_ec_der(&key().serialize_der()) }
    }

    /// Its public key.
    pub(crate) fn jwk(&self) -> Jwk {
        let mut jwk = Jwk::from_encoding_key(&self.key, Algorithm::ES256).unwrap();
        jwk.common.key_id = Some(self.id.to_owned());
        jwk
    }

    pub(crate) fn sign(&self, claims: &Value) -> String {
        let mut header = Header::new(Algorithm::ES256);
        header.kid = Some(self.id.to_owned());
        encode(&header, claims, &self.key).unwrap()
    }
}

/// The public keys of signers, as a file holds them.
pub(crate) fn key_set(signers: &[&Signer]) -> String {
    let keys = signers.iter().map(|signer| signer.jwk()).collect();
    serde_json::to_string(&JwkSet { keys }).unwrap()
}

pub(crate) fn seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()
}

/// Claims that are in order for an hour.
pub(crate) fn claims(subject: &str) -> Value {
    let ends = seconds(SystemTime::now() + Duration::from_hours(1));
    json!({ "sub": subject, "iss": ISSUER, "aud": AUDIENCE, "exp": ends })
}

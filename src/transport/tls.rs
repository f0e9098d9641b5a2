//! TLS 1.2 and 1.3 with certificates that can be renewed while the server runs.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use sha2::{Digest as _, Sha256};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject as _};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{self, RootCertStore, ServerConfig, version};
use tokio_rustls::server::TlsStream;

use super::peer;

/// Files of an identity and of the authorities that vouch for callers, in PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The server's certificate, then those that lead to its authority.
    pub certificate: PathBuf,
    /// Its private key.
    pub private_key: PathBuf,
    /// Authorities of callers' certificates, and whether a caller needs one; `None` asks for none.
    pub clients: Option<(PathBuf, ClientCertificates)>,
}

/// Whether a caller needs a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientCertificates {
    /// Without one no connection is made.
    Required,
    /// One is verified where it is shown; callers without one may use a token.
    Allowed,
}

/// Why files give no encryption.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("{}: {}", .0.display(), .1)]
    Unreadable(PathBuf, io::Error),
    /// A file holds nothing of its kind.
    #[error("{}: no {} in PEM is in this file", .0.display(), .1)]
    Empty(PathBuf, &'static str),
    /// A file is no sound PEM.
    #[error("{}: the PEM is broken or ends too early", .0.display())]
    Malformed(PathBuf),
    /// Certificate and key are unfit, or do not belong together.
    #[error("{} and {}: {}; the key must be that of the first certificate", .0.display(), .1.display(), .2)]
    Identity(PathBuf, PathBuf, rustls::Error),
    /// The authorities of callers are unfit.
    #[error("{}: {}", .0.display(), .1)]
    Authorities(PathBuf, String),
}

/// Encryption by the certificates that were last found sound.
#[derive(Debug)]
pub struct Tls {
    files: TlsFiles,
    current: ArcSwap<Loaded>,
}

#[derive(Debug)]
struct Loaded {
    config: Arc<ServerConfig>,
    /// Digest of what the files held.
    digest: Vec<u8>,
    /// When the server's certificate ends, in seconds since 1970.
    ends: i64,
}

/// Bytes of the files. No `Debug`: one of them is a key.
struct Read {
    certificate: Vec<u8>,
    private_key: Vec<u8>,
    authorities: Option<Vec<u8>>,
}

impl Read {
    fn digest(&self) -> Vec<u8> {
        let parts = [Some(&self.certificate), Some(&self.private_key), self.authorities.as_ref()];
        let mut digest = Sha256::new();
        for part in parts.into_iter().flatten() {
            digest.update(Sha256::digest(part));
        }
        digest.finalize().to_vec()
    }
}

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    /// [`TlsError`] names the file and what is wrong with it.
    pub fn load(files: TlsFiles) -> Result<Self, TlsError> {
        let current = ArcSwap::from_pointee(load(&files, &read(&files)?)?);
        Ok(Self { files, current })
    }

    /// Reads the files again and takes them for new connections, if they changed and are sound; `false` when they did not change.
    ///
    /// # Errors
    /// [`TlsError`]; what was loaded before stays in use.
    pub fn reload(&self) -> Result<bool, TlsError> {
        let read = read(&self.files)?;
        if read.digest() == self.current.load().digest {
            return Ok(false);
        }
        self.current.store(Arc::new(load(&self.files, &read)?));
        Ok(true)
    }

    /// When the server's certificate ends, in seconds since 1970; 0 where it cannot be read.
    #[must_use]
    pub fn ends(&self) -> i64 {
        self.current.load().ends
    }

    /// Encrypts a connection; beside it the names of the caller's certificate.
    pub(super) async fn accept(
        &self,
        stream: TcpStream,
    ) -> io::Result<(TlsStream<TcpStream>, Vec<String>)> {
        let acceptor = TlsAcceptor::from(Arc::clone(&self.current.load().config));
        let stream = acceptor.accept(stream).await?;
        let shown = stream.get_ref().1.peer_certificates();
        let names = shown.and_then(<[_]>::first).map(peer::names).unwrap_or_default();
        Ok((stream, names))
    }
}

fn read(files: &TlsFiles) -> Result<Read, TlsError> {
    let bytes =
        |path: &Path| std::fs::read(path).map_err(|error| TlsError::Unreadable(path.into(), error));
    Ok(Read {
        certificate: bytes(&files.certificate)?,
        private_key: bytes(&files.private_key)?,
        authorities: files.clients.as_ref().map(|(path, _)| bytes(path)).transpose()?,
    })
}

fn load(files: &TlsFiles, read: &Read) -> Result<Loaded, TlsError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let chain = certificates(&files.certificate, &read.certificate)?;
    let key = PrivateKeyDer::from_pem_slice(&read.private_key).map_err(|error| {
        let file = files.private_key.clone();
        if matches!(error, pem::Error::NoItemsFound) {
            TlsError::Empty(file, "private key")
        } else {
            TlsError::Malformed(file)
        }
    })?;
    let identity =
        |error| TlsError::Identity(files.certificate.clone(), files.private_key.clone(), error);
    let ends = chain.first().map(peer::ends).unwrap_or_default();
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[&version::TLS13, &version::TLS12])
        .map_err(identity)?;
    let builder = match files.clients.as_ref().zip(read.authorities.as_ref()) {
        None => builder.with_no_client_auth(),
        Some(((path, need), authorities)) => {
            let unfit =
                |error: &dyn ToString| TlsError::Authorities(path.clone(), error.to_string());
            let mut roots = RootCertStore::empty();
            for authority in certificates(path, authorities)? {
                roots.add(authority).map_err(|error| unfit(&error))?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider);
            let verifier = match need {
                ClientCertificates::Required => verifier,
                ClientCertificates::Allowed => verifier.allow_unauthenticated(),
            };
            builder.with_client_cert_verifier(verifier.build().map_err(|error| unfit(&error))?)
        }
    };
    let mut config = builder.with_single_cert(chain, key).map_err(identity)?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(Loaded { config: Arc::new(config), digest: read.digest(), ends })
}

fn certificates(path: &Path, bytes: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(bytes).collect();
    let read = read.map_err(|_| TlsError::Malformed(path.into()))?;
    if read.is_empty() {
        return Err(TlsError::Empty(path.into(), "certificate"));
    }
    Ok(read)
}

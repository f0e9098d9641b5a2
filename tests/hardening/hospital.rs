//! A hospital's files, what its configuration says of them, and connections to its server.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};

use crate::identity::{AUDIENCE, Authority, Files, ISSUER, Signer, key_set};

/// Certificate and private key, in PEM.
pub(crate) type Shown = (String, String);

/// A hospital that does not exist.
pub(crate) struct Hospital {
    pub(crate) files: Files,
    pub(crate) authority: Authority,
    pub(crate) signer: Signer,
}

impl Hospital {
    pub(crate) fn new() -> Self {
        let (files, authority, signer) = (Files::new(), Authority::new(), Signer::new("one"));
        let (certificate, key) = authority.signs("localhost");
        files.write("server.pem", &certificate);
        files.write("server.key", &key);
        files.write("authority.pem", &authority.pem());
        files.write("keys.json", &key_set(&[&signer]));
        Self { files, authority, signer }
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.files.path(name).to_str().unwrap().to_owned()
    }

    /// Free ports and files that are read again on SIGHUP only.
    pub(crate) fn ports() -> &'static str {
        "server.listen = \"127.0.0.1:0\"\nadmin.listen = \"127.0.0.1:0\"\nreload.check_ms = 0\n"
    }

    pub(crate) fn tls(&self, certificates: &str) -> String {
        let (certificate, key) = (self.path("server.pem"), self.path("server.key"));
        let authorities = self.path("authority.pem");
        format!(
            "[tls]\ncertificate = \"{certificate}\"\nprivate_key = \"{key}\"\n\
             client_authorities = \"{authorities}\"\nclient_certificates = \"{certificates}\"\n"
        )
    }

    /// A clinic may score, a reader may read, an administrator may do everything.
    pub(crate) fn access(&self, has_certificates: bool) -> String {
        let keys = self.path("keys.json");
        let tokens = format!(
            "[access.tokens]\nkeys = \"{keys}\"\nissuer = \"{ISSUER}\"\naudience = \"{AUDIENCE}\"\n"
        );
        let callers = [("clinic", "score"), ("reader", "knowledge"), ("chief", "admin")];
        let callers = callers.map(|(name, role)| {
            let names =
                if has_certificates { format!("\"dns:{name}.example\"") } else { String::new() };
            format!(
                "[[access.callers]]\nname = \"{name}\"\nroles = [\"{role}\"]\n\
                 subjects = [\"{name}\"]\ncertificates = [{names}]\n"
            )
        });
        tokens + &callers.concat()
    }

    /// All of it.
    pub(crate) fn configuration(&self, certificates: &str) -> String {
        [Self::ports(), &self.tls(certificates), &self.access(true)].concat()
    }

    /// A channel over TLS, with a certificate or without.
    pub(crate) async fn connect(
        &self,
        address: SocketAddr,
        shown: Option<Shown>,
    ) -> Result<Channel, tonic::transport::Error> {
        let authority = Certificate::from_pem(self.authority.pem());
        let mut tls = ClientTlsConfig::new().ca_certificate(authority).domain_name("localhost");
        if let Some((certificate, key)) = shown {
            tls = tls.identity(Identity::from_pem(certificate, key));
        }
        let endpoint = Endpoint::from_shared(format!("https://{address}")).unwrap();
        endpoint.tls_config(tls).unwrap().connect().await
    }

    /// One handshake for a server name: the word of the refusal, or none where the server began to speak.
    pub(crate) async fn handshake(
        &self,
        address: SocketAddr,
        shown: Option<Shown>,
        name: &str,
    ) -> Result<(), String> {
        let mut roots = RootCertStore::empty();
        roots
            .add(CertificateDer::from_pem_slice(self.authority.pem().as_bytes()).unwrap())
            .unwrap();
        let provider = Arc::new(aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider);
        let config = config.with_safe_default_protocol_versions().unwrap();
        let config = config.with_root_certificates(roots);
        let mut config = match shown {
            None => config.with_no_client_auth(),
            Some((certificate, key)) => {
                let chain = CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap();
                let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
                config.with_client_auth_cert(vec![chain], key).unwrap()
            }
        };
        config.alpn_protocols = vec![b"h2".to_vec()];
        let connector = TlsConnector::from(Arc::new(config));
        let name = ServerName::try_from(name.to_owned()).unwrap();
        let stream = TcpStream::connect(address).await.unwrap();
        let shaken = async {
            let mut stream = connector.connect(name, stream).await?;
            // With TLS 1.3 the client learns of a refusal when it reads.
            stream.read_exact(&mut [0]).await
        };
        let shaken = timeout(Duration::from_secs(5), shaken).await.map_err(|_| "silence")?;
        shaken.map(drop).map_err(|error| error.to_string())
    }
}

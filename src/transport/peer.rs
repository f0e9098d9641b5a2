//! Who is at the other end of a connection.

use std::net::SocketAddr;

use tokio_rustls::rustls::pki_types::CertificateDer;
use x509_parser::extensions::GeneralName;
use x509_parser::parse_x509_certificate;

/// The other end of a connection. Every request of it carries this as an extension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// Its address.
    pub address: SocketAddr,
    /// Subject alternative names of its verified certificate, such as `dns:clinic.example` or `uri:spiffe://hospital/clinic`; empty
    /// without one.
    pub names: Vec<String>,
}

impl Peer {
    /// A peer without a certificate.
    #[must_use]
    pub const fn new(address: SocketAddr) -> Self {
        Self { address, names: Vec::new() }
    }

    pub(super) fn named(self, names: Vec<String>) -> Self {
        Self { names, ..self }
    }
}

/// When a certificate ends, in seconds since 1970; 0 where it cannot be read.
pub(super) fn ends(certificate: &CertificateDer<'_>) -> i64 {
    let read = parse_x509_certificate(certificate);
    read.map_or(0, |(_, certificate)| certificate.validity().not_after.timestamp())
}

/// The subject alternative names of a certificate. What cannot be read names nobody.
pub(super) fn names(certificate: &CertificateDer<'_>) -> Vec<String> {
    let Ok((_, certificate)) = parse_x509_certificate(certificate) else { return Vec::new() };
    let Ok(Some(names)) = certificate.subject_alternative_name() else { return Vec::new() };
    let name = |name: &GeneralName<'_>| {
        if let GeneralName::DNSName(name) = name {
            Some(format!("dns:{}", name.to_ascii_lowercase()))
        } else if let GeneralName::URI(name) = name {
            Some(format!("uri:{name}"))
        } else if let GeneralName::RFC822Name(name) = name {
            Some(format!("email:{name}"))
        } else {
            None
        }
    };
    names.value.general_names.iter().filter_map(name).collect()
}

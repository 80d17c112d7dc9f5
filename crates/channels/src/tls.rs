//! Whom we trust when we connect.

use std::sync::{Arc, LazyLock};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

/// Vouched for by Mozilla's roots or the system's, where those can be read: an operator who added one there means it. Read
/// when a first peer is to be trusted: a start waits for no folder of a hundred files.
static AUTHORITIES: LazyLock<Result<Arc<WebPkiServerVerifier>, String>> = LazyLock::new(|| {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    authorities(roots)
});

/// TLS 1.2 and 1.3 through ring, trusting Mozilla's roots, the system's and, if given, the certificates in `extra` (PEM):
/// as authorities, and as the peer's own.
///
/// # Errors
/// In words: `extra` holds no certificate, or one that cannot be read.
pub(crate) fn client_config(extra: Option<&[u8]>) -> Result<ClientConfig, String> {
    let named = extra.map(certificates).transpose()?.unwrap_or_default();
    let mut roots = RootCertStore::empty();
    for certificate in &named {
        roots
            .add(certificate.clone())
            .map_err(|error| format!("it holds an unusable certificate: {error}"))?;
    }
    let named_authorities = if roots.is_empty() { None } else { Some(authorities(roots)?) };
    let provider = Arc::new(ring::default_provider());
    let trusted =
        Trusted { named, named_authorities, algorithms: provider.signature_verification_algorithms };
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(trusted))
        .with_no_client_auth();
    Ok(config)
}

fn authorities(roots: RootCertStore) -> Result<Arc<WebPkiServerVerifier>, String> {
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::new(ring::default_provider()))
        .build()
        .map_err(|error| error.to_string())
}

/// Trusts whom an authority vouches for, and the very certificates that were named, whatever they say of themselves: plain
/// `openssl req -x509` makes an authority's, perhaps without the host's name. That the peer holds the key is checked of all.
#[derive(Debug)]
struct Trusted {
    named: Vec<CertificateDer<'static>>,
    named_authorities: Option<Arc<WebPkiServerVerifier>>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for Trusted {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if self.named.contains(certificate) {
            return Ok(ServerCertVerified::assertion());
        }
        if let Some(authorities) = &self.named_authorities {
            let verified = authorities.verify_server_cert(certificate, intermediates, name, ocsp, now);
            // Whom they know by another name, or no longer, nobody else need look at.
            if !matches!(verified, Err(Error::InvalidCertificate(CertificateError::UnknownIssuer))) {
                return verified;
            }
        }
        let authorities = AUTHORITIES.as_ref().map_err(|why| Error::General(why.clone()))?;
        authorities.verify_server_cert(certificate, intermediates, name, ocsp, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    // A byte order mark, as some editors put it before a text, would hide the first one.
    let pem = pem.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(pem);
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(|error| format!("it is not readable as PEM: {error}"))?;
    if certificates.is_empty() { Err("it holds no certificate".to_owned()) } else { Ok(certificates) }
}

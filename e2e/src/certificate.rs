//! A certificate authority of the test's own, and a certificate for this machine.

use std::fs;
use std::path::PathBuf;

use anyhow::Result;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tempfile::TempDir;

/// The files, for as long as this lives.
#[derive(Debug)]
pub struct Certificate {
    folder: TempDir,
}

impl Certificate {
    /// Makes an authority and has it sign a certificate for `localhost` and `127.0.0.1`.
    ///
    /// # Errors
    /// The files cannot be made.
    pub fn new() -> Result<Self> {
        let authority_key = KeyPair::generate()?;
        let mut authority = CertificateParams::new(Vec::new())?;
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority_pem = authority.self_signed(&authority_key)?.pem();
        let key = KeyPair::generate()?;
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let signed =
            CertificateParams::new(names)?.signed_by(&key, &Issuer::new(authority, authority_key))?;

        let certificate = Self { folder: tempfile::tempdir()? };
        fs::write(certificate.authority(), authority_pem)?;
        fs::write(certificate.chain(), signed.pem())?;
        fs::write(certificate.key(), key.serialize_pem())?;
        Ok(certificate)
    }

    /// The authority's certificate (PEM): who trusts it trusts the server.
    #[must_use]
    pub fn authority(&self) -> PathBuf {
        self.folder.path().join("authority.pem")
    }

    /// The server's certificate (PEM).
    #[must_use]
    pub fn chain(&self) -> PathBuf {
        self.folder.path().join("server.pem")
    }

    /// The server's private key (PEM).
    #[must_use]
    pub fn key(&self) -> PathBuf {
        self.folder.path().join("server.key")
    }
}

//! The SDK's client, as one machine needs it: everything from the settings, nothing looked up over the network.

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_sdk_sns::Client;
use aws_sdk_sns::config::retry::RetryConfig;
use aws_sdk_sns::config::timeout::TimeoutConfig;
use aws_sdk_sns::config::{BehaviorVersion, Builder, Region, SharedHttpClient};
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::dns::{DnsFuture, ResolveDns, ResolveDnsError};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use webpki_root_certs::TLS_SERVER_ROOT_CERTS;

use crate::Secret;
use crate::dns::look_up;
use crate::sms::SmsSettings;

/// The account at AWS, and the sender of its messages.
#[derive(Debug, Clone)]
pub struct SnsSettings {
    /// The region whose SNS sends.
    pub region: String,
    /// Who we are.
    pub keys: AwsKeys,
    /// Where SNS is, if it is not Amazon's own.
    pub endpoint_url: Option<String>,
    /// The name that receivers see as the sender, where their country has that.
    pub sender_id: Option<String>,
    /// What is the same for every provider.
    pub sms: SmsSettings,
}

/// Keys of an IAM user or role that may `sns:Publish` to phone numbers.
#[derive(Debug, Clone)]
pub struct AwsKeys {
    /// The key's name.
    pub access_key_id: String,
    /// What proves it.
    pub secret_access_key: Secret,
    /// For temporary keys.
    pub session_token: Option<Secret>,
}

pub(super) fn client(settings: &SnsSettings) -> Client {
    let config = Builder::new()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(settings.region.clone()))
        .credentials_provider(credentials(&settings.keys))
        .timeout_config(timeouts(settings.sms.timeout))
        // Whether to try again is not the library's to decide: a repeat may be charged twice.
        .retry_config(RetryConfig::disabled())
        .http_client(http_client(settings.sms.timeout));
    let config = match &settings.endpoint_url {
        Some(url) => config.endpoint_url(url),
        None => config,
    };
    Client::from_conf(config.build())
}

fn credentials(keys: &AwsKeys) -> Credentials {
    let AwsKeys { access_key_id, secret_access_key, session_token } = keys;
    let token = session_token.as_ref().map(|token| token.reveal().to_owned());
    Credentials::new(access_key_id, secret_access_key.reveal(), token, None, "configuration")
}

fn timeouts(timeout: Duration) -> TimeoutConfig {
    TimeoutConfig::builder().connect_timeout(timeout).operation_timeout(timeout.saturating_mul(2)).build()
}

/// Looks names up as all our channels do.
#[derive(Debug, Clone)]
struct Resolver(Duration);

impl ResolveDns for Resolver {
    fn resolve_dns<'a>(&'a self, name: &'a str) -> DnsFuture<'a> {
        DnsFuture::new(async move {
            let found = look_up(name, 0, self.0).await.map_err(ResolveDnsError::new)?;
            Ok(found.into_iter().map(|address| address.ip()).collect())
        })
    }
}

fn http_client(timeout: Duration) -> SharedHttpClient {
    let tls = TlsContext::builder().with_trust_store(roots()).build().unwrap_or_default();
    let builder = aws_smithy_http_client::Builder::new();
    builder
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .tls_context(tls)
        .build_with_resolver(Resolver(timeout))
}

/// Mozilla's root certificates, as all our channels trust them.
fn roots() -> TrustStore {
    let pem = |root: &_| {
        format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", BASE64_STANDARD.encode(root))
    };
    TrustStore::empty().with_pem_certificate(TLS_SERVER_ROOT_CERTS.iter().map(pem).collect::<String>())
}

//! The SDK's clients, as a Lambda function needs them: everything from the environment that Lambda sets, nothing looked
//! up over the network, so that they are made at once when the function starts. What takes time to make is made once and
//! shared: both services are called through one pool of connections that trusts one set of root certificates.

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Region, SharedHttpClient};
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::http::{HttpConnectorSettings, SharedHttpConnector, http_client_fn};
use aws_types::SdkConfig;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use webpki_root_certs::TLS_SERVER_ROOT_CERTS;

/// How long opening a connection may take.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// How long one attempt at a call may take.
pub const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(3);
/// How long a call may take with all its attempts.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(10);
/// How often a call is attempted where trying again is safe.
const MAX_SDK_ATTEMPTS: u32 = 3;

/// A client could not be made: the environment lacks what Lambda always sets.
#[derive(Debug, thiserror::Error)]
#[error("the environment variable {0} is not set")]
pub struct ConnectError(&'static str);

/// A client for each service.
#[derive(Debug, Clone)]
pub struct Clients {
    /// Speaks to DynamoDB.
    pub dynamodb: aws_sdk_dynamodb::Client,
    /// Speaks to SNS.
    pub sns: aws_sdk_sns::Client,
}

/// The clients, from `AWS_REGION`, `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`, and, where a service
/// is not Amazon's own, `AWS_ENDPOINT_URL_DYNAMODB`, `AWS_ENDPOINT_URL_SNS` or `AWS_ENDPOINT_URL`.
///
/// # Errors
/// The region or the credentials are not set.
pub fn clients(env: &impl Fn(&str) -> Option<String>) -> Result<Clients, ConnectError> {
    let shared = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(region(env)?)
        .credentials_provider(SharedCredentialsProvider::new(credentials(env)?))
        .timeout_config(timeouts())
        .retry_config(RetryConfig::standard().with_max_attempts(MAX_SDK_ATTEMPTS))
        .http_client(http_client())
        .build();
    let at = |variable: &str| {
        let mut config = shared.to_builder();
        config.set_endpoint_url(endpoint(env, variable));
        config.build()
    };
    Ok(Clients {
        dynamodb: aws_sdk_dynamodb::Client::new(&at("AWS_ENDPOINT_URL_DYNAMODB")),
        sns: aws_sdk_sns::Client::new(&at("AWS_ENDPOINT_URL_SNS")),
    })
}

fn region(env: &impl Fn(&str) -> Option<String>) -> Result<Region, ConnectError> {
    required(env, "AWS_REGION").map(Region::new)
}

/// The credentials of the function's role. Lambda renews them by starting the function anew.
fn credentials(env: &impl Fn(&str) -> Option<String>) -> Result<Credentials, ConnectError> {
    let id = required(env, "AWS_ACCESS_KEY_ID")?;
    let secret = required(env, "AWS_SECRET_ACCESS_KEY")?;
    Ok(Credentials::new(id, secret, set(env, "AWS_SESSION_TOKEN"), None, "environment"))
}

fn endpoint(env: &impl Fn(&str) -> Option<String>, of_service: &str) -> Option<String> {
    set(env, of_service).or_else(|| set(env, "AWS_ENDPOINT_URL"))
}

fn required(env: &impl Fn(&str) -> Option<String>, name: &'static str) -> Result<String, ConnectError> {
    set(env, name).ok_or(ConnectError(name))
}

/// A variable that is set to nothing counts as not set.
fn set(env: &impl Fn(&str) -> Option<String>, name: &str) -> Option<String> {
    env(name).filter(|value| !value.is_empty())
}

fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(CALL_TIMEOUT)
        .build()
}

/// One connector for every call. The library's own client would make one for each service and settings, another for
/// each only to see that it can, and read the root certificates again for each of them.
fn http_client() -> SharedHttpClient {
    let tls = TlsContext::builder().with_trust_store(roots()).build().unwrap_or_default();
    let connector = Connector::builder()
        .connector_settings(HttpConnectorSettings::builder().connect_timeout(CONNECT_TIMEOUT).build())
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .tls_context(tls)
        .build();
    let connector = SharedHttpConnector::new(connector);
    http_client_fn(move |_, _| connector.clone())
}

/// Mozilla's root certificates, as they were when this was built. The library would look for the system's, file by file,
/// for a third of the time that the function takes to start.
fn roots() -> TrustStore {
    let pem = |root: &_| {
        format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", BASE64_STANDARD.encode(root))
    };
    TrustStore::empty().with_pem_certificate(TLS_SERVER_ROOT_CERTS.iter().map(pem).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lambda(name: &str) -> Option<String> {
        let value = match name {
            "AWS_REGION" => "eu-central-1",
            "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => "secret",
            "AWS_ENDPOINT_URL" => "http://127.0.0.1:8000",
            "AWS_ENDPOINT_URL_SNS" | "AWS_SESSION_TOKEN" => "",
            _ => return None,
        };
        Some(value.to_owned())
    }

    #[test]
    fn what_lambda_sets_is_enough() {
        let Clients { dynamodb, sns } = clients(&lambda).unwrap();
        assert_eq!(dynamodb.config().region().unwrap().as_ref(), "eu-central-1");
        assert_eq!(sns.config().region().unwrap().as_ref(), "eu-central-1");
    }

    #[test]
    fn an_environment_without_region_or_credentials_is_refused_by_the_name_of_what_is_missing() {
        for missing in ["AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
            let env = |name: &str| lambda(name).filter(|_| name != missing);
            assert!(clients(&env).unwrap_err().to_string().contains(missing));
        }
    }

    #[test]
    fn the_endpoint_of_one_service_stands_before_that_of_all() {
        let env = |name: &str| (name == "AWS_ENDPOINT_URL_SNS").then(|| "http://sns".to_owned());
        assert_eq!(endpoint(&env, "AWS_ENDPOINT_URL_SNS").as_deref(), Some("http://sns"));
        assert_eq!(endpoint(&lambda, "AWS_ENDPOINT_URL_SNS").as_deref(), Some("http://127.0.0.1:8000"));
    }
}

//! Where the emulators are, and how they are spoken to: plain HTTP, without an SDK.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::client;

/// The region that everything is in.
pub const REGION: &str = "us-east-1";

/// Its date and signature are no one's: the emulators read the region in it and check nothing.
const AUTHORIZATION: &str = "AWS4-HMAC-SHA256 Credential=emulator/20260101/us-east-1/service/aws4_request, \
                             SignedHeaders=host, Signature=0";

/// The URL of DynamoDB Local.
///
/// # Errors
/// The emulators do not run.
pub fn dynamodb() -> Result<String> {
    variable("ORDERBELL_TEST_DYNAMODB")
}

/// The URL of moto.
///
/// # Errors
/// The emulators do not run.
pub fn moto() -> Result<String> {
    variable("ORDERBELL_TEST_MOTO")
}

/// The program of the Runtime Interface Emulator.
///
/// # Errors
/// The emulators do not run.
pub fn runtime_interface_emulator() -> Result<PathBuf> {
    variable("ORDERBELL_TEST_RIE").map(PathBuf::from)
}

/// The Lambda program: the one that `ORDERBELL_LAMBDA` names, or cargo's debug build.
#[must_use]
pub fn bootstrap() -> PathBuf {
    let built = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/debug/bootstrap");
    env::var_os("ORDERBELL_LAMBDA").map_or_else(built, PathBuf::from)
}

/// What the AWS SDK in a function needs to know beside its endpoints.
#[must_use]
pub fn credentials() -> [(&'static str, String); 3] {
    [
        ("AWS_REGION", REGION.to_owned()),
        ("AWS_ACCESS_KEY_ID", "emulator".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "emulator".to_owned()),
    ]
}

/// Calls an operation of DynamoDB's JSON protocol, such as `DynamoDB_20120810.GetItem`.
///
/// # Errors
/// It answers with an error, whose text stands in ours.
pub async fn call_dynamodb(target: &str, input: &Value) -> Result<Value> {
    let request = client::http()?
        .post(dynamodb()?)
        .header("authorization", AUTHORIZATION)
        .header("content-type", "application/x-amz-json-1.0")
        .header("x-amz-target", target)
        .body(input.to_string());
    let response = request.send().await.with_context(|| target.to_owned())?;
    let status = response.status();
    let text = response.text().await?;
    ensure!(status.is_success(), "{target}: {status}: {text}");
    Ok(serde_json::from_str(&text)?)
}

/// Calls an operation of SNS's query protocol, and gives the XML of its answer.
///
/// # Errors
/// It answers with an error, whose text stands in ours.
pub async fn call_sns(action: &str, parameters: &[(&str, &str)]) -> Result<String> {
    let form = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("Action", action), ("Version", "2010-03-31")])
        .extend_pairs(parameters)
        .finish();
    let request = client::http()?
        .post(moto()?)
        .header("authorization", AUTHORIZATION.replace("/service/", "/sns/"))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form);
    let response = request.send().await.with_context(|| action.to_owned())?;
    let status = response.status();
    let text = response.text().await?;
    ensure!(status.is_success(), "{action}: {status}: {text}");
    Ok(text)
}

fn variable(name: &str) -> Result<String> {
    env::var(name).with_context(|| format!("{name}: `cargo xtask emulators -- COMMAND` sets it"))
}

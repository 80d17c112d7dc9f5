//! What Twilio and the program know of each other, and Twilio's reports of what became of a message.
//!
//! Source: Twilio, "Track outbound message status" and "Validating signatures from Twilio".

use anyhow::{Result, ensure};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use reqwest::Method;
use sha1::Sha1;

use crate::client::Client;
use crate::program::Settings;
use crate::receiver::Reply;

/// The account's token, which signs reports.
const AUTH_TOKEN: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";
/// The address that the program is said to have, so that it asks for reports: it must be a public one.
pub const PUBLIC_URL: &str = "https://orders.example.com";

/// Its answer to a message that it takes.
pub const TAKEN: Reply = Reply::Json(
    201,
    r#"{"sid": "SM0123456789abcdef0123456789abcdef", "status": "queued", "num_segments": "1"}"#,
);

/// The program's settings to send text messages through the API at `api_url`.
#[must_use]
pub fn settings(api_url: &str) -> Settings {
    vec![
        ("ORDERBELL_PUBLIC_URL", PUBLIC_URL.to_owned()),
        ("ORDERBELL_SMS_PROVIDER", "twilio".to_owned()),
        ("ORDERBELL_SMS_ACCOUNT_SID", format!("AC{AUTH_TOKEN}")),
        ("ORDERBELL_SMS_AUTH_TOKEN", AUTH_TOKEN.to_owned()),
        ("ORDERBELL_SMS_FROM", "+14155550100".to_owned()),
        ("ORDERBELL_SMS_MAX_PARTS", "6".to_owned()),
        ("ORDERBELL_SMS_API_URL", api_url.to_owned()),
    ]
}

/// Reports that the message `sid` came to `status`, to the path and query of the callback that was asked for.
///
/// # Errors
/// The program did not take it.
pub async fn report(client: &Client, callback: &str, sid: &str, status: &str) -> Result<()> {
    let form = [("MessageSid", sid), ("MessageStatus", status)];
    let request = client.request(Method::POST, callback).form(&form);
    let request = request.header("x-twilio-signature", signature(&format!("{PUBLIC_URL}{callback}"), &form));
    let answer = client.send(request).await?;
    ensure!(answer.status == 204, "a receipt was answered {}: {}", answer.status, answer.body);
    Ok(())
}

/// Over the URL and the form's fields, which stand in the order of their names.
fn signature(url: &str, form: &[(&str, &str)]) -> String {
    let mac = <Hmac<Sha1> as KeyInit>::new_from_slice(AUTH_TOKEN.as_bytes()).expect("a key of any length");
    let mac = form
        .iter()
        .fold(mac.chain_update(url), |mac, (name, value)| mac.chain_update(name).chain_update(value));
    BASE64_STANDARD.encode(mac.finalize().into_bytes())
}

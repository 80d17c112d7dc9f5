//! Whether a webhook is signed as its receiver expects: judged by a library of the Standard Webhooks project other than
//! the one that the program uses.

use std::io::Write;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::peers::{python, script};
use crate::receiver::Received;

const HEADERS: [&str; 3] = ["webhook-id", "webhook-timestamp", "webhook-signature"];

/// Verifies a request with the subscription's secret (`whsec_…`).
///
/// # Errors
/// The signature is wrong or too old; the verifier's words stand in the error.
pub fn verify(secret: &str, received: &Received) -> Result<()> {
    let headers: Value =
        HEADERS.iter().map(|name| ((*name).to_owned(), json!(received.header(name)))).collect();
    let question = json!({"secret": secret, "headers": headers, "body": received.body});
    let mut verifier = Command::new(python())
        .arg(script("verify_webhook.py"))
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("starting the verifier; `cargo xtask test` installs what it needs")?;
    verifier.stdin.take().context("its input")?.write_all(question.to_string().as_bytes())?;
    let output = verifier.wait_with_output()?;
    ensure!(output.status.success(), "not signed: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

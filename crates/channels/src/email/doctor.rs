//! Walks the way to a relay step by step and says, in a person's words, what fails and what to check.

mod advice;

use domain::endpoint::EmailAddress;

use super::compose::ascii_domain;
use super::fault::{Fault, Stage};
use super::line::Trail;
use super::relay::Relay;
use super::settings::SmtpSettings;
use super::transaction::{Needs, Session};
use advice::advice;

/// One step of the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Its name: `settings`, `name`, `connect`, `TLS`, `greeting`, `AUTH`, `MAIL FROM`, `RCPT TO`.
    pub name: &'static str,
    /// What was found; or what failed and what to check.
    pub result: Result<String, String>,
}

/// Goes as far as RCPT TO (as far as MAIL FROM without a recipient), takes it back and says goodbye: nothing is sent.
/// Ends with the first step that fails.
pub async fn examine(settings: &SmtpSettings, recipient: Option<&EmailAddress>) -> Vec<Step> {
    let relay = match Relay::new(settings.clone()) {
        Ok(relay) => relay,
        Err(invalid) => return vec![Step { name: "settings", result: Err(invalid.to_string()) }],
    };
    let mut trail = Trail::new();
    let walked = walk(&relay, recipient, &mut trail).await;
    let passed = trail.into_iter().map(|(stage, found)| Step { name: stage.name(), result: Ok(found) });
    let failed =
        walked.err().map(|fault| Step { name: fault.stage.name(), result: Err(advice(settings, &fault)) });
    passed.chain(failed).collect()
}

async fn walk(relay: &Relay, recipient: Option<&EmailAddress>, trail: &mut Trail) -> Result<(), Fault> {
    let sender = relay.settings.from.address();
    recipient.map_or(Ok(()), |recipient| relay.require_known(recipient))?;
    let recipient = recipient.map(ascii_domain).transpose()?;
    let international_address = recipient.as_ref().is_some_and(|address| !address.user().is_ascii());
    let mut session = Session::open(relay, trail).await?;
    let needs = Needs { international_address, eight_bits: international_address, size: 0 };
    let answer = session.mail_from(sender, needs).await?;
    trail.push((Stage::MailFrom, answer));
    if let Some(recipient) = recipient {
        let answer = session.recipient(&recipient).await?;
        trail.push((Stage::Recipient, answer));
    }
    session.quit().await;
    Ok(())
}

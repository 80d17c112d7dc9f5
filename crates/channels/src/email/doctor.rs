//! Walks the way to a relay step by step and says, in a person's words, what fails and what to check.

use domain::endpoint::EmailAddress;

use super::compose::ascii_domain;
use super::fault::{Cause, Fault, Stage};
use super::line::Trail;
use super::relay::Relay;
use super::settings::{SmtpSettings, TlsMode};
use super::transaction::{Needs, Session};

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
    let recipient = recipient.map(ascii_domain).transpose()?;
    let international_address = recipient.as_ref().is_some_and(|address| !address.user().is_ascii());
    let mut session = Session::open(relay, trail).await?;
    let needs = Needs { international_address, eight_bits: international_address };
    let answer = session.mail_from(sender, needs).await?;
    trail.push((Stage::MailFrom, answer));
    if let Some(recipient) = recipient {
        let answer = session.recipient(&recipient).await?;
        trail.push((Stage::Recipient, answer));
    }
    session.reset().await?;
    session.quit().await;
    Ok(())
}

fn advice(settings: &SmtpSettings, fault: &Fault) -> String {
    let SmtpSettings { host, port, from, tls, .. } = settings;
    let check = match (fault.stage, &fault.cause) {
        (Stage::Name, _) => format!("The name {host} was not found. Check its spelling and this machine's DNS."),
        (Stage::Connect, _) => format!(
            "Nothing answers at {host}, port {port}. Check the port (587 for STARTTLS, 465 for implicit TLS) and \
             whether a firewall or the hosting company blocks outgoing mail."
        ),
        (Stage::Greeting, _) => greeting_advice(*tls, *port),
        (Stage::Tls, cause) => tls_advice(*tls, cause),
        (Stage::Auth, Cause::Refused { .. }) => {
            "The server refuses the login. Check user and password; many providers want an app password here."
                .to_owned()
        }
        (Stage::Auth, _) => "The login did not work. Check whether this port takes logins at all.".to_owned(),
        (Stage::MailFrom, _) => format!(
            "The server does not let us send as {from}. Check that this account may use that address, and whether \
             the server wants a login."
        ),
        (Stage::Recipient, _) => {
            "The server does not take mail for that recipient. Check the address, and whether this account may send \
             to other domains."
                .to_owned()
        }
        (Stage::Data | Stage::Content | Stage::Reset, _) => {
            "The server went astray after all was said. Try again; then ask its operator.".to_owned()
        }
    };
    format!("{check} ({fault})")
}

fn greeting_advice(tls: TlsMode, port: u16) -> String {
    match tls {
        TlsMode::Implicit => {
            format!("TLS works, but no mail server greets us at port {port}. Check the port.")
        }
        TlsMode::StartTls | TlsMode::None => format!(
            "Something answers at port {port}, but does not greet as a mail server does. If the port expects TLS from \
             the first byte (465 does), choose implicit TLS."
        ),
    }
}

fn tls_advice(tls: TlsMode, cause: &Cause) -> String {
    match (tls, cause) {
        (_, Cause::NotOffered(_)) => {
            "The server does not offer STARTTLS. Check the port; if it is 465, choose implicit TLS."
                .to_owned()
        }
        (TlsMode::Implicit, _) => {
            "No TLS connection came about. If the port is 587 or 25, choose STARTTLS; if the \
                                   server's certificate is from a private authority, name its CA file; the \
                                   certificate must be valid for the host name."
                .to_owned()
        }
        _ => {
            "STARTTLS failed. If the server's certificate is from a private authority, name its CA file; the \
              certificate must be valid for the host name."
                .to_owned()
        }
    }
}

//! Walks the way to a relay step by step and says, in a person's words, what fails and what to check.

use domain::endpoint::EmailAddress;

use super::compose::ascii_domain;
use super::refusal::{RefusalSubject, refusal_subject};
use super::settings::{Credentials, SmtpAuth, SmtpSettings, TlsMode};
use super::smtp_connection::CompletedStages;
use super::smtp_relay::SmtpRelay;
use super::smtp_session::{MailRequirements, SmtpSession};
use super::stage_error::{Cause, SERVICE_CLOSING, Stage, StageError};

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
    let relay = match SmtpRelay::new(settings.clone()) {
        Ok(relay) => relay,
        Err(invalid) => return vec![Step { name: "settings", result: Err(invalid.to_string()) }],
    };
    let mut completed = CompletedStages::new();
    let walked = walk(&relay, recipient, &mut completed).await;
    let passed = completed.into_iter().map(|(stage, found)| Step { name: stage.name(), result: Ok(found) });
    let failed =
        walked.err().map(|error| Step { name: error.stage.name(), result: Err(advice(settings, &error)) });
    passed.chain(failed).collect()
}

async fn walk(
    relay: &SmtpRelay,
    recipient: Option<&EmailAddress>,
    completed: &mut CompletedStages,
) -> Result<(), StageError> {
    let sender = relay.settings.from.address();
    recipient.map_or(Ok(()), |recipient| relay.require_known(recipient))?;
    let recipient = recipient.map(ascii_domain).transpose()?;
    let international_address = recipient.as_ref().is_some_and(|address| !address.user().is_ascii());
    let mut session = SmtpSession::open(relay, completed).await?;
    let requirements = MailRequirements { international_address, eight_bits: international_address, size: 0 };
    let reply = session.mail_from(sender, requirements).await?;
    completed.push((Stage::MailFrom, reply));
    if let Some(recipient) = recipient {
        let reply = session.recipient(&recipient).await?;
        completed.push((Stage::Recipient, reply));
    }
    session.quit().await;
    Ok(())
}

/// In a person's words: what the error means, what to check, and the error itself.
fn advice(settings: &SmtpSettings, error: &StageError) -> String {
    let check = match &error.cause {
        Cause::Refused { code, text } => refused(settings, error.stage, *code, text),
        Cause::TooLarge { .. } => "The server takes no mail of that size.".to_owned(),
        cause => unanswered(settings, error.stage, cause),
    };
    format!("{check} ({error})")
}

/// What to check where there was no reply, or none that makes sense, or what is needed is not offered.
fn unanswered(settings: &SmtpSettings, stage: Stage, cause: &Cause) -> String {
    let SmtpSettings { host, port, tls, .. } = settings;
    match stage {
        Stage::Name => format!("The name {host} was not found. Check its spelling and this machine's DNS."),
        Stage::Connect => format!(
            "Nothing answers at {host}, port {port}. Check the port (587 for STARTTLS, 465 for implicit TLS) and \
             whether a firewall or the hosting company blocks outgoing mail."
        ),
        Stage::Greeting => no_greeting(*tls, *port),
        Stage::Tls => no_tls(*tls, cause).to_owned(),
        Stage::Token => {
            "There is no token to log in with. Check smtp.token_url, smtp.client_id, smtp.client_secret, \
                         smtp.scope and smtp.refresh_token."
                .to_owned()
        }
        Stage::Auth if matches!(cause, Cause::NotOffered(_)) => no_login(settings).to_owned(),
        Stage::Auth => "The login did not work. Check whether this port takes logins at all.".to_owned(),
        Stage::Recipient if matches!(cause, Cause::NotOffered(_) | Cause::Unwritable(_)) => {
            "The server cannot take mail for that address, as it is written.".to_owned()
        }
        Stage::MailFrom | Stage::Recipient | Stage::Data | Stage::Content | Stage::Reset => {
            "The server went astray in the middle. Try again; then ask its operator.".to_owned()
        }
    }
}

fn no_greeting(tls: TlsMode, port: u16) -> String {
    if tls == TlsMode::Implicit {
        return "The server does not greet as a mail server does. Check host and port.".to_owned();
    }
    format!(
        "The server does not greet as a mail server does. If port {port} wants TLS from the first byte (465 does), \
         choose implicit TLS."
    )
}

fn no_tls(tls: TlsMode, cause: &Cause) -> &'static str {
    match (tls, cause) {
        (_, Cause::NotOffered(_)) => {
            "The server does not offer STARTTLS. Check the port; if it is 465, choose implicit TLS."
        }
        (TlsMode::Implicit, _) => {
            "No TLS connection came about. If the port is 587 or 25, choose STARTTLS; if the server's certificate is \
             from a private authority or its own, name that in the CA file; else the certificate must be valid for the \
             host name."
        }
        _ => {
            "STARTTLS failed. If the server's certificate is from a private authority or its own, name that in the CA \
             file; else the certificate must be valid for the host name."
        }
    }
}

fn no_login(settings: &SmtpSettings) -> &'static str {
    match &settings.credentials {
        Some(Credentials { auth: SmtpAuth::Token(_), .. }) => {
            "The server takes no tokens here. Check host and port, and whether it wants a password."
        }
        _ => {
            "The server takes no password here. Check host and port (587 or 465 is for clients, 25 for servers), and \
             whether it wants a token: then set smtp.token_url."
        }
    }
}

/// What the code says (RFC 5321, 4.2.3; RFC 4954, 6; RFC 3207, 4), at that step.
fn refused(settings: &SmtpSettings, stage: Stage, code: u16, text: &str) -> String {
    let from = &settings.from;
    if let Some(words) = microsofts(settings, text) {
        return words.to_owned();
    }
    let words = match (code, stage) {
        (SERVICE_CLOSING, _) => {
            "The server hangs up for now: it is busy or being restarted, or has had too much from us. Nothing is wrong \
             with the settings; try again in a few minutes. Mail that waits goes out by itself."
        }
        (454, Stage::Tls) => "The server has no TLS at the moment, which is its own fault. Try again later.",
        (454, Stage::Auth) => {
            "The server cannot check logins at the moment, or had too many. That says nothing of the password; try \
             again later."
        }
        (500 | 502, Stage::Greeting | Stage::Auth | Stage::Tls) => {
            "The server does not know that command here: it is hardly the one for sending mail with an account. Check \
             host and port (587 for STARTTLS, 465 for implicit TLS)."
        }
        (501 | 504, Stage::Greeting) => {
            "The server does not take the name that we greet with. Set smtp.hello_name to this machine's full host name."
        }
        (_, Stage::Auth) => return login_refused(settings, code).to_owned(),
        (530 | 538, _) => {
            "The server wants a login or TLS first. Set smtp.username and smtp.password, and smtp.tls."
        }
        (
            400..=499,
            Stage::Greeting | Stage::Tls | Stage::MailFrom | Stage::Data | Stage::Content | Stage::Reset,
        ) => "The server puts us off for now. Try again in a few minutes; if it stays so, ask its operator.",
        (_, Stage::Greeting) => {
            "The server does not want to talk to this machine: its address may be on a blocklist, or only known \
             machines may come. Use the host that your mail provider names for sending, with its port and a login."
        }
        (_, Stage::Tls) => "The server refuses TLS. Check host and port, or ask its operator.",
        (_, Stage::MailFrom) => {
            return format!(
                "The server does not let us send as {from}. Check that this account may use that address, and whether \
                 the server wants a login."
            );
        }
        (_, Stage::Recipient) => recipient_refused(code, text),
        _ => {
            "The server refuses the mail itself. What it says of it is all there is to know; ask its operator."
        }
    };
    words.to_owned()
}

/// What Microsoft 365 means by 5.7.139 and 5.7.30, which it says of several things, and of logins at MAIL FROM too; `None`
/// where it means what others mean. Its words are as people met them; Microsoft lists none.
fn microsofts(settings: &SmtpSettings, text: &str) -> Option<&'static str> {
    let words = text.to_lowercase();
    let says = |part: &str| words.contains(part);
    if !words.split_whitespace().any(|word| matches!(word, "5.7.139" | "5.7.30")) {
        return None;
    }
    if says("smtpclientauthentication is disabled") {
        return Some(
            "SMTP AUTH is switched off for this mailbox or the whole organization, so that neither a password nor a token \
             helps. Have the administrator allow it for the mailbox (in its mail apps: Authenticated SMTP).",
        );
    }
    if says("credentials were incorrect") {
        return None;
    }
    Some(if logs_in_by_token(settings) {
        "The organization's security policy refuses this login, though it is by token. Have the administrator look \
             for it among the sign-ins and allow it."
    } else {
        "The server takes no password here (Microsoft 365 switches basic authentication off, or the organization's \
             security policy forbids it), so that another password does not help. Set smtp.token_url, smtp.client_id, \
             smtp.client_secret and smtp.scope, so that the program logs in by token."
    })
}

fn logs_in_by_token(settings: &SmtpSettings) -> bool {
    matches!(&settings.credentials, Some(Credentials { auth: SmtpAuth::Token(_), .. }))
}

fn login_refused(settings: &SmtpSettings, code: u16) -> &'static str {
    match code {
        _ if logs_in_by_token(settings) => {
            "The server refuses the token. Check that smtp.username is the mailbox, that the application may send mail \
             for it, and that SMTP AUTH is allowed for it; and smtp.scope."
        }
        534 | 538 => {
            "The server wants another way to log in, or TLS first. Check smtp.tls; many want an app password here."
        }
        400..=499 => {
            "The server cannot check logins at the moment. Try again later; that says nothing of the password."
        }
        500..=504 => {
            "The server does not take this way to log in. Check host and port, and what the provider says of it."
        }
        _ => {
            "The server refuses the login. Check user and password; many providers want an app password here."
        }
    }
}

fn recipient_refused(code: u16, text: &str) -> &'static str {
    match (refusal_subject(code, text), code) {
        (RefusalSubject::Sender, _) => {
            "The server takes no mail from us for that recipient, whatever the address: it is about this account, this \
             machine or how much was sent. Check whether it wants a login, and whether this account may send to other \
             domains."
        }
        _ if is_of_the_mailbox(code, text) => {
            "The server knows the address, but its mailbox takes nothing: it is full or switched off. Only its owner can \
             mend that."
        }
        (_, 400..=499) => {
            "The server asks us to come again later. Many ask strangers so at first (greylisting): that says nothing of \
             the address. The program tries again by itself; here, try again in a few minutes."
        }
        (_, 500 | 502..=504) => {
            "The server did not expect that command, which says nothing of the address. Check host and port; then ask its \
             operator."
        }
        (_, 501 | 553) => "The server does not read the address as one. Check how it is written.",
        (RefusalSubject::Delivery, _) => {
            "The server does not take mail for that recipient. Check the address."
        }
        (RefusalSubject::Unclear, _) => {
            "The server refuses, and does not say whether it is about the recipient or about us. Check whether this \
             account may send to other domains, try another recipient, and ask its operator."
        }
    }
}

/// Whether it is the mailbox that is full or switched off (RFC 3463, 3.3), and nothing is wrong with the address.
fn is_of_the_mailbox(code: u16, text: &str) -> bool {
    let enhanced = text.split_whitespace().next().unwrap_or_default();
    code == 552 || matches!(enhanced, "4.2.1" | "4.2.2" | "5.2.1" | "5.2.2")
}

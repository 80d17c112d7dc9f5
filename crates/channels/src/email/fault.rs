//! What can go wrong on the way to a relay, and whose failure it is.

use std::fmt;
use std::io;
use std::time::Duration;

use domain::attempt::{Outcome, OutcomeKind, Scope};

use super::reply::{About, about};
use crate::want::in_words;

/// The steps of handing over one mail, in their order (with STARTTLS, the greeting comes before TLS).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Name,
    Connect,
    Tls,
    Greeting,
    /// Getting a token to log in with.
    Token,
    Auth,
    MailFrom,
    Recipient,
    Data,
    Content,
    Reset,
}

/// The step that failed, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) stage: Stage,
    pub(super) cause: Cause,
}

/// How a step failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cause {
    /// The relay answered 4yz or 5yz.
    Refused { code: u16, text: String },
    /// It did not answer in time.
    TimedOut(Duration),
    /// The line was lost, or what came over it made no sense.
    Broken(String),
    /// The relay does not offer what the step needs.
    NotOffered(&'static str),
    /// The mail cannot be written as mails must be.
    Unwritable(String),
    /// The mail is larger than the relay takes, both in bytes.
    TooLarge { size: usize, most: usize },
}

/// The relay is about to hang up (RFC 5321, 3.8).
pub(super) const CLOSING: u16 = 421;

/// Does one stage's work within `limit`.
pub(super) async fn within<T, E: Into<Cause>>(
    limit: Duration,
    stage: Stage,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, Fault> {
    match tokio::time::timeout(limit, work).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => Err(Fault { stage, cause: error.into() }),
        Err(_) => Err(Fault { stage, cause: Cause::TimedOut(limit) }),
    }
}

impl Fault {
    /// The outcome of an attempt that this ended.
    pub(super) fn outcome(&self) -> Outcome {
        Outcome { status: self.status(), ..Outcome::new(self.kind(), self.to_string()) }
    }

    /// The code of the relay's refusal.
    pub(super) fn status(&self) -> Option<u16> {
        match self.cause {
            Cause::Refused { code, .. } => Some(code),
            _ => None,
        }
    }

    /// Up to MAIL FROM it is the channel's; then a refusal is whose it says, a lost line the channel's; once the content
    /// was on its way, only an answer tells.
    pub(super) fn kind(&self) -> OutcomeKind {
        match (self.stage, &self.cause) {
            (_, Cause::Refused { code: CLOSING, .. }) => OutcomeKind::Transient(Scope::Channel),
            (_, Cause::Unwritable(_) | Cause::TooLarge { .. }) | (Stage::Recipient, Cause::NotOffered(_)) => {
                OutcomeKind::Permanent(Scope::Delivery)
            }
            (Stage::Recipient | Stage::Data | Stage::Content, Cause::Refused { code, text }) => {
                match (about(*code, text), code) {
                    (About::Us, _) => OutcomeKind::Transient(Scope::Channel),
                    (About::Delivery, 500..=599) => OutcomeKind::Permanent(Scope::Delivery),
                    (About::Unclear, 500..=599) => OutcomeKind::Permanent(Scope::Unclear),
                    _ => OutcomeKind::Transient(Scope::Delivery),
                }
            }
            (Stage::Content, _) => OutcomeKind::Unknown,
            _ => OutcomeKind::Transient(Scope::Channel),
        }
    }

    /// Whether the line can be used again after a RSET: the relay said no to a recipient or a mail, and stays.
    pub(super) fn leaves_the_line_usable(&self) -> bool {
        matches!(self.cause, Cause::Refused { .. }) && !self.is_about_us()
    }

    /// Whether it is the channel's: then what the relay thinks of us may stay with a line for as long as that is open.
    pub(super) fn is_about_us(&self) -> bool {
        self.kind().scope() == Some(Scope::Channel)
    }
}

impl Stage {
    /// Its name, for a person who may know SMTP.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Connect => "connect",
            Self::Tls => "TLS",
            Self::Greeting => "greeting",
            Self::Token => "token",
            Self::Auth => "AUTH",
            Self::MailFrom => "MAIL FROM",
            Self::Recipient => "RCPT TO",
            Self::Data => "DATA",
            Self::Content => "content",
            Self::Reset => "RSET",
        }
    }
}

impl fmt::Display for Fault {
    /// The relay's own answer, or the step and what happened.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stage = self.stage.name();
        match &self.cause {
            Cause::Refused { code, text } => f.write_str(format!("{code} {text}").trim_end()),
            Cause::TimedOut(limit) => write!(f, "{stage}: no answer within {} s", limit.as_secs_f32()),
            Cause::Broken(why) | Cause::Unwritable(why) => write!(f, "{stage}: {why}"),
            Cause::NotOffered(what) => write!(f, "{stage}: the server does not offer {what}"),
            Cause::TooLarge { size, most } => {
                write!(f, "the mail has {size} bytes, and the server takes no more than {most}")
            }
        }
    }
}

impl From<io::Error> for Cause {
    fn from(error: io::Error) -> Self {
        Self::Broken(in_words(&error))
    }
}

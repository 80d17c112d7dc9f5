//! The stages of handing a mail to a relay, how one fails, and whose failure that is.

use std::fmt;
use std::io;
use std::time::Duration;

use domain::attempt::{Outcome, OutcomeKind, Scope};

use super::refusal::{RefusalSubject, refusal_subject};
use crate::local_resources::describe;

/// The stages of handing over one mail, in their order (with STARTTLS, the greeting comes before TLS).
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

/// The stage that failed, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StageError {
    pub(super) stage: Stage,
    pub(super) cause: Cause,
}

/// How a stage failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cause {
    /// The relay answered 4yz or 5yz.
    Refused { code: u16, text: String },
    /// It did not answer in time.
    TimedOut(Duration),
    /// The connection was lost, or what came over it made no sense.
    Broken(String),
    /// The relay does not offer what the stage needs.
    NotOffered(&'static str),
    /// The mail cannot be written as mails must be.
    Unwritable(String),
    /// The mail is larger than the relay takes, both in bytes.
    TooLarge { size: usize, most: usize },
}

/// The relay is about to hang up (RFC 5321, 3.8).
pub(super) const SERVICE_CLOSING: u16 = 421;

/// Does one stage's work within `limit`.
pub(super) async fn within<T, E: Into<Cause>>(
    limit: Duration,
    stage: Stage,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, StageError> {
    match tokio::time::timeout(limit, work).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => Err(StageError { stage, cause: error.into() }),
        Err(_) => Err(StageError { stage, cause: Cause::TimedOut(limit) }),
    }
}

impl StageError {
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

    /// The outcome's kind. Up to MAIL FROM a failure is the channel's; then a refusal is whose it says and a lost connection
    /// the channel's; once the content was on its way, only a reply tells.
    pub(super) fn kind(&self) -> OutcomeKind {
        match (self.stage, &self.cause) {
            (_, Cause::Refused { code: SERVICE_CLOSING, .. }) => OutcomeKind::Transient(Scope::Channel),
            (_, Cause::Unwritable(_) | Cause::TooLarge { .. }) | (Stage::Recipient, Cause::NotOffered(_)) => {
                OutcomeKind::Permanent(Scope::Delivery)
            }
            (Stage::Recipient | Stage::Data | Stage::Content, Cause::Refused { code, text }) => {
                match (refusal_subject(*code, text), code) {
                    (RefusalSubject::Sender, _) => OutcomeKind::Transient(Scope::Channel),
                    (RefusalSubject::Delivery, 500..=599) => OutcomeKind::Permanent(Scope::Delivery),
                    (RefusalSubject::Unclear, 500..=599) => OutcomeKind::Permanent(Scope::Unclear),
                    _ => OutcomeKind::Transient(Scope::Delivery),
                }
            }
            (Stage::Content, _) => OutcomeKind::Unknown,
            _ => OutcomeKind::Transient(Scope::Channel),
        }
    }

    /// Whether the session can be used again after a RSET: the relay said no to a recipient or a mail, and stays.
    pub(super) fn leaves_session_usable(&self) -> bool {
        matches!(self.cause, Cause::Refused { .. }) && !self.is_channel_failure()
    }

    /// Whether the relay fell silent, hung up or made no sense while a mail was named to it.
    pub(super) fn is_out_of_step(&self) -> bool {
        matches!(self.stage, Stage::MailFrom | Stage::Recipient | Stage::Data)
            && matches!(self.cause, Cause::TimedOut(_) | Cause::Broken(_))
    }

    /// Whether it is the channel's: then what the relay thinks of us may stay with a session for as long as that is open.
    pub(super) fn is_channel_failure(&self) -> bool {
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

impl fmt::Display for StageError {
    /// The relay's own reply, or the stage and what happened.
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
        Self::Broken(describe(&error))
    }
}

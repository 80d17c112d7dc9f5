//! Mail, handed over to a relay by SMTP.

mod capabilities;
mod compose;
pub mod doctor;
mod fitting;
mod forms;
mod login;
mod refusal;
mod reply;
mod settings;
mod smtp_connection;
mod smtp_relay;
mod smtp_session;
mod smtp_stream;
mod stage_error;
mod token;
mod words;

use application::ports::{Channel, ChannelRules, Message, Sent};
use async_trait::async_trait;
use domain::attempt::{Outcome, OutcomeKind};
use domain::endpoint::{Endpoint, Protocol};

pub use settings::{Credentials, InvalidSettings, Sender, SmtpAuth, SmtpSettings, TlsMode, TokenSettings};

use crate::outcomes::masked;
use compose::{Mail, ascii_domain, compose};
use smtp_connection::CompletedStages;
use smtp_relay::SmtpRelay;
use smtp_session::{MailRequirements, SessionPool, SmtpSession};
use stage_error::StageError;

/// Sends mail through one relay. `delivered` means that the relay took it.
pub struct Email {
    relay: SmtpRelay,
    pool: SessionPool,
}

impl Email {
    /// Takes the settings; nothing is connected yet.
    ///
    /// # Errors
    /// The first setting that cannot be used.
    pub fn new(settings: SmtpSettings) -> Result<Self, InvalidSettings> {
        let pool = SessionPool::new(settings.rules.concurrency.channel);
        Ok(Self { relay: SmtpRelay::new(settings)?, pool })
    }

    async fn hand_over(&self, message: &Message) -> Result<String, StageError> {
        if let Endpoint::Email(recipient) = &message.endpoint {
            self.relay.require_known(recipient)?;
        }
        let mail = compose(&self.relay.settings, message)?;
        let mut session = self.begin(&mail).await?;
        let sent = session.finish(&mail).await;
        self.note_pipelining(&session, sent.as_ref().err());
        match &sent {
            Ok(_) => self.pool.put(session),
            Err(error) if error.leaves_session_usable() => {
                if session.reset().await.is_ok() {
                    self.pool.put(session);
                }
            }
            Err(error) if error.is_channel_failure() => self.pool.clear(),
            Err(_) => {}
        }
        sent
    }

    /// A session in which MAIL FROM was accepted. One that waited may have died meanwhile, which says nothing about the relay:
    /// then a fresh one decides.
    async fn begin(&self, mail: &Mail) -> Result<SmtpSession, StageError> {
        let sender = self.relay.settings.from.address();
        if let Some(mut session) = self.pool.take() {
            let pipelined = self.pipelines(&session);
            match session.begin(sender, mail, pipelined).await {
                Ok(()) => return Ok(session),
                Err(_) => self.pool.clear(),
            }
        }
        let mut session = SmtpSession::open(&self.relay, &mut CompletedStages::new()).await?;
        let pipelined = self.pipelines(&session);
        let begun = session.begin(sender, mail, pipelined).await;
        self.note_pipelining(&session, begun.as_ref().err());
        begun.map(|()| session)
    }

    fn pipelines(&self, session: &SmtpSession) -> bool {
        session.offers_pipelining() && self.relay.pipelining.is_trusted()
    }

    /// Whoever offers pipelining and loses its step over it is spoken to a command at a time for a while.
    fn note_pipelining(&self, session: &SmtpSession, failed: Option<&StageError>) {
        if self.pipelines(session) && failed.is_some_and(StageError::is_out_of_step) {
            self.relay.pipelining.distrust();
        }
    }
}

/// A relay's words without the address, as it was subscribed and as the relay was told it.
fn without_recipient(words: &str, endpoint: &Endpoint) -> String {
    let Endpoint::Email(address) = endpoint else { return words.to_owned() };
    let shown = endpoint.masked();
    let words = masked(words, &address.to_string(), &shown);
    match ascii_domain(address) {
        Ok(told) => masked(&words, told.as_ref(), &shown),
        Err(_never_told) => words,
    }
}

#[async_trait]
impl Channel for Email {
    fn protocol(&self) -> Protocol {
        Protocol::Email
    }

    fn rules(&self) -> ChannelRules {
        self.relay.settings.rules
    }

    async fn send(&self, message: &Message) -> Sent {
        let outcome = match self.hand_over(message).await {
            Ok(sent) => Outcome::new(OutcomeKind::Delivered, sent),
            Err(error) => error.outcome(),
        };
        let reply = without_recipient(&outcome.reply, &message.endpoint);
        Outcome { status: outcome.status, ..Outcome::new(outcome.kind, reply) }.into()
    }

    async fn probe(&self) -> Result<(), Outcome> {
        let attempt = async {
            let mut session = SmtpSession::open(&self.relay, &mut CompletedStages::new()).await?;
            session.mail_from(self.relay.settings.from.address(), MailRequirements::default()).await?;
            session.quit().await;
            Ok(())
        };
        attempt.await.map_err(|error: StageError| error.outcome())
    }
}

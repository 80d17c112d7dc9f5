//! Mail, handed over to a relay by SMTP.

mod answer;
mod capabilities;
mod compose;
mod connection_pool;
mod conversation;
pub mod doctor;
mod fault;
mod line;
mod login;
mod relay;
mod reply;
mod settings;
mod token;
mod transaction;

use application::ports::{Channel, ChannelRules, Message, Sent};
use async_trait::async_trait;
use domain::attempt::{Outcome, OutcomeKind};
use domain::endpoint::{Endpoint, Protocol};

pub use settings::{Credentials, InvalidSettings, Proof, Sender, SmtpSettings, TlsMode, TokenSettings};

use crate::masked::masked;
use compose::{Mail, ascii_domain, compose};
use connection_pool::ConnectionPool;
use fault::Fault;
use line::Trail;
use relay::Relay;
use transaction::{Needs, Session};

/// Sends mail through one relay. `delivered` means that the relay took it.
pub struct Email {
    relay: Relay,
    pool: ConnectionPool,
}

impl Email {
    /// Takes the settings; nothing is connected yet.
    ///
    /// # Errors
    /// The first setting that cannot be used.
    pub fn new(settings: SmtpSettings) -> Result<Self, InvalidSettings> {
        let pool = ConnectionPool::new(settings.rules.concurrency.channel);
        Ok(Self { relay: Relay::new(settings)?, pool })
    }

    async fn hand_over(&self, message: &Message) -> Result<String, Fault> {
        if let Endpoint::Email(recipient) = &message.endpoint {
            self.relay.require_known(recipient)?;
        }
        let mail = compose(&self.relay.settings.from, message)?;
        let mut session = self.begin(mail.needs).await?;
        let taken = transfer(&mut session, &mail).await;
        match &taken {
            Ok(_) => self.pool.put(session),
            Err(fault) if fault.leaves_the_line_usable() => {
                if session.reset().await.is_ok() {
                    self.pool.put(session);
                }
            }
            Err(fault) if fault.is_about_us() => self.pool.clear(),
            Err(_) => {}
        }
        taken
    }

    /// A line on which MAIL FROM was accepted. A line that waited may have died meanwhile, which says nothing about
    /// the relay: then a fresh one decides.
    async fn begin(&self, needs: Needs) -> Result<Session, Fault> {
        let sender = self.relay.settings.from.address();
        if let Some(mut session) = self.pool.take() {
            match session.mail_from(sender, needs).await {
                Ok(_) => return Ok(session),
                Err(_) => self.pool.clear(),
            }
        }
        let mut session = Session::open(&self.relay, &mut Trail::new()).await?;
        session.mail_from(sender, needs).await?;
        Ok(session)
    }
}

async fn transfer(session: &mut Session, mail: &Mail) -> Result<String, Fault> {
    session.recipient(&mail.recipient).await?;
    session.content(&mail.content).await
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
            Ok(taken) => Outcome::new(OutcomeKind::Delivered, taken),
            Err(fault) => fault.outcome(),
        };
        let reply = without_recipient(&outcome.reply, &message.endpoint);
        Outcome { status: outcome.status, ..Outcome::new(outcome.kind, reply) }.into()
    }

    async fn probe(&self) -> Result<(), Outcome> {
        let attempt = async {
            let mut session = Session::open(&self.relay, &mut Trail::new()).await?;
            session.mail_from(self.relay.settings.from.address(), Needs::default()).await?;
            session.quit().await;
            Ok(())
        };
        attempt.await.map_err(|fault: Fault| fault.outcome())
    }
}

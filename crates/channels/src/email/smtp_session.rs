//! SMTP sessions: handing mail over on an open connection (MAIL FROM, RCPT TO, DATA, the content), and the pool of those that
//! wait for the next mail.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use lettre::Address;
use tokio::time::Instant;

use super::compose::Mail;
use super::reply::ReplyClass;
use super::smtp_connection::{CompletedStages, SmtpConnection, open};
use super::smtp_relay::SmtpRelay;
use super::stage_error::{Cause, Stage, StageError, within};

/// An open connection, and the time limit of each command on it.
pub(super) struct SmtpSession {
    connection: SmtpConnection,
    limit: Duration,
    /// The commands that were sent and whose replies were not read yet, in their order.
    sent_ahead: &'static [Stage],
}

/// What goes along with MAIL FROM where the relay takes commands ahead. DATA must be the last (RFC 2920, 3.1).
const AHEAD: &[Stage] = &[Stage::Recipient, Stage::Data];
/// "Bad sequence of commands" (RFC 5321, 4.2.3).
const BAD_SEQUENCE: u16 = 503;

/// What a mail requires of the relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct MailRequirements {
    /// An address with a local part beyond ASCII (RFC 6531).
    pub(super) international_address: bool,
    /// Content beyond ASCII (RFC 6152).
    pub(super) eight_bits: bool,
    /// How large it is, in bytes.
    pub(super) size: usize,
}

impl SmtpSession {
    /// Opens a session with the relay, and notes in `completed` which stages were passed.
    pub(super) async fn open(relay: &SmtpRelay, completed: &mut CompletedStages) -> Result<Self, StageError> {
        let connection = open(relay, completed).await?;
        Ok(Self { connection, limit: relay.settings.timeout, sent_ahead: &[] })
    }

    /// Whether the relay says that it takes commands ahead.
    pub(super) fn offers_pipelining(&self) -> bool {
        self.connection.capabilities.pipelining
    }

    /// Begins a mail from `sender`: MAIL FROM was accepted. With `pipelined`, what follows it up to the content went along.
    pub(super) async fn begin(
        &mut self,
        sender: &Address,
        mail: &Mail,
        pipelined: bool,
    ) -> Result<(), StageError> {
        if !pipelined {
            return self.mail_from(sender, mail.requirements).await.map(drop);
        }
        let mail_from = self.mail_from_line(sender, mail.requirements)?;
        let stream = &mut self.connection.stream;
        let commands = [&mail_from, &recipient_line(&mail.recipient), "DATA"];
        let begun = async { stream.commands(&commands).await?.expect(ReplyClass::Completion) };
        within(self.limit, Stage::MailFrom, begun).await?;
        self.sent_ahead = AHEAD;
        Ok(())
    }

    /// Hands over the mail that was begun; the relay's reply is its promise to deliver.
    pub(super) async fn finish(&mut self, mail: &Mail) -> Result<String, StageError> {
        let pipelined = !self.sent_ahead.is_empty();
        let accepted = async {
            self.recipient(&mail.recipient).await?;
            self.command(Stage::Data, "DATA", ReplyClass::Intermediate).await
        };
        match accepted.await {
            Err(StageError { stage, cause: Cause::Refused { code: BAD_SEQUENCE, text } }) if pipelined => {
                let why = format!("the server offers PIPELINING, and answers {BAD_SEQUENCE} {text}");
                return Err(StageError { stage, cause: Cause::Broken(why) });
            }
            accepted => accepted?,
        };
        self.content(&mail.content).await
    }

    /// MAIL FROM alone.
    pub(super) async fn mail_from(
        &mut self,
        sender: &Address,
        requirements: MailRequirements,
    ) -> Result<String, StageError> {
        let line = self.mail_from_line(sender, requirements)?;
        self.command(Stage::MailFrom, &line, ReplyClass::Completion).await
    }

    fn mail_from_line(&self, sender: &Address, requirements: MailRequirements) -> Result<String, StageError> {
        let capabilities = &self.connection.capabilities;
        if let Some(most) = capabilities.size
            && requirements.size > most
        {
            let cause = Cause::TooLarge { size: requirements.size, most };
            return Err(StageError { stage: Stage::Recipient, cause });
        }
        let mut line = format!("MAIL FROM:<{sender}>");
        if requirements.international_address {
            require(capabilities.smtputf8, "SMTPUTF8, which the address needs")?;
            line += " SMTPUTF8";
        }
        if requirements.eight_bits {
            require(capabilities.eight_bits, "8BITMIME, which the address needs")?;
            line += " BODY=8BITMIME";
        }
        Ok(line)
    }

    /// Names the recipient.
    pub(super) async fn recipient(&mut self, recipient: &Address) -> Result<String, StageError> {
        self.command(Stage::Recipient, &recipient_line(recipient), ReplyClass::Completion).await
    }

    /// Sends the content. After a loss in here nobody knows.
    async fn content(&mut self, content: &[u8]) -> Result<String, StageError> {
        // Replies that came before the content are not to it; and nothing of it was sent yet.
        let stream = &mut self.connection.stream;
        within(self.limit, Stage::Data, stream.ensure_nothing_unsolicited()).await?;
        let sent = async { stream.send_content(content).await?.expect(ReplyClass::Completion) };
        within(self.limit, Stage::Content, sent).await
    }

    /// Forgets the mail that was begun.
    ///
    /// # Errors
    /// The session cannot be used again. That is so, too, where DATA went along with a recipient that was refused, and is
    /// answered by "go on": RFC 2920, 3.1, would have a lone dot end it, which makes an empty mail where the relay counted the
    /// recipient all the same. A connection that closes before the dot makes none (RFC 5321, 4.1.1.4).
    pub(super) async fn reset(&mut self) -> Result<(), StageError> {
        if !self.sent_ahead.is_empty() {
            match self.command(Stage::Data, "DATA", ReplyClass::Intermediate).await {
                Err(error) if error.leaves_session_usable() => {}
                Err(error) => return Err(error),
                Ok(_) => {
                    let cause = Cause::Broken("the server takes a mail for nobody".to_owned());
                    return Err(StageError { stage: Stage::Data, cause });
                }
            }
        }
        self.command(Stage::Reset, "RSET", ReplyClass::Completion).await.map(drop)
    }

    /// Takes back what was begun and says goodbye; what the relay makes of it does not matter any more.
    pub(super) async fn quit(mut self) {
        let _ = self.reset().await;
        let _ = self.command(Stage::Reset, "QUIT", ReplyClass::Completion).await;
    }

    /// Sends a command, unless that was done already, and reads its reply.
    async fn command(&mut self, stage: Stage, line: &str, class: ReplyClass) -> Result<String, StageError> {
        let stream = &mut self.connection.stream;
        let reply = async {
            match self.sent_ahead.split_first() {
                Some((_, rest)) => {
                    self.sent_ahead = rest;
                    stream.read_reply().await?.expect(class)
                }
                None => stream.command(line).await?.expect(class),
            }
        };
        within(self.limit, stage, reply).await
    }
}

fn recipient_line(recipient: &Address) -> String {
    format!("RCPT TO:<{recipient}>")
}

fn require(offered: bool, what: &'static str) -> Result<(), StageError> {
    let error = StageError { stage: Stage::Recipient, cause: Cause::NotOffered(what) };
    offered.then_some(()).ok_or(error)
}

/// How long an idle session is kept. Relays hang up on silent clients, the strictest after a minute or so.
const IDLE_TIMEOUT: Duration = Duration::from_secs(45);

/// At most `most` idle sessions, the freshest used first.
pub(super) struct SessionPool {
    idle: Mutex<Vec<(SmtpSession, Instant)>>,
    most: usize,
}

impl SessionPool {
    /// Keeps at most `most`.
    pub(super) fn new(most: usize) -> Self {
        Self { idle: Mutex::new(Vec::new()), most }
    }

    /// The session that was used last, if it was used lately. Those that waited too long are closed.
    pub(super) fn take(&self) -> Option<SmtpSession> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|(_, since)| since.elapsed() < IDLE_TIMEOUT);
        idle.pop().map(|(session, _)| session)
    }

    /// Keeps a session in which no mail is begun, or closes it if enough wait.
    pub(super) fn put(&self, session: SmtpSession) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < self.most {
            idle.push((session, Instant::now()));
        }
    }

    /// Closes all: the relay, or what it thinks of us, has changed.
    pub(super) fn clear(&self) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

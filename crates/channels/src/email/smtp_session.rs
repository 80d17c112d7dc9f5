//! SMTP sessions: handing mail over on an open connection (MAIL FROM, RCPT TO, DATA, the content), and the pool of those that
//! wait for the next mail.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use lettre::Address;
use tokio::time::Instant;

use super::reply::ReplyClass;
use super::smtp_connection::{CompletedStages, SmtpConnection, open};
use super::smtp_relay::SmtpRelay;
use super::stage_error::{Cause, Stage, StageError, within};

/// An open connection, and the time limit of each command on it.
pub(super) struct SmtpSession {
    connection: SmtpConnection,
    limit: Duration,
}

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
        Ok(Self { connection: open(relay, completed).await?, limit: relay.settings.timeout })
    }

    /// Begins a mail from `sender`.
    pub(super) async fn mail_from(
        &mut self,
        sender: &Address,
        requirements: MailRequirements,
    ) -> Result<String, StageError> {
        let capabilities = &self.connection.capabilities;
        if let Some(most) = capabilities.size
            && requirements.size > most
        {
            let cause = Cause::TooLarge { size: requirements.size, most };
            return Err(StageError { stage: Stage::Recipient, cause });
        }
        let mut command = format!("MAIL FROM:<{sender}>");
        if requirements.international_address {
            require(capabilities.smtputf8, "SMTPUTF8, which the address needs")?;
            command += " SMTPUTF8";
        }
        if requirements.eight_bits {
            require(capabilities.eight_bits, "8BITMIME, which the address needs")?;
            command += " BODY=8BITMIME";
        }
        self.command(Stage::MailFrom, &command, ReplyClass::Completion).await
    }

    /// Names the recipient.
    pub(super) async fn recipient(&mut self, recipient: &Address) -> Result<String, StageError> {
        self.command(Stage::Recipient, &format!("RCPT TO:<{recipient}>"), ReplyClass::Completion).await
    }

    /// Sends the content; the relay's reply is its promise to deliver. After a loss in here nobody knows.
    pub(super) async fn content(&mut self, content: &[u8]) -> Result<String, StageError> {
        self.command(Stage::Data, "DATA", ReplyClass::Intermediate).await?;
        // Replies that came before the content are not to it; and nothing of it was sent yet.
        let stream = &mut self.connection.stream;
        within(self.limit, Stage::Data, stream.ensure_nothing_unsolicited()).await?;
        let sent = async { stream.send_content(content).await?.expect(ReplyClass::Completion) };
        within(self.limit, Stage::Content, sent).await
    }

    /// Forgets the mail that was begun.
    pub(super) async fn reset(&mut self) -> Result<(), StageError> {
        self.command(Stage::Reset, "RSET", ReplyClass::Completion).await.map(drop)
    }

    /// Takes back what was begun and says goodbye; what the relay makes of it does not matter any more.
    pub(super) async fn quit(mut self) {
        let _ = self.reset().await;
        let _ = self.command(Stage::Reset, "QUIT", ReplyClass::Completion).await;
    }

    async fn command(
        &mut self,
        stage: Stage,
        command: &str,
        class: ReplyClass,
    ) -> Result<String, StageError> {
        let stream = &mut self.connection.stream;
        within(self.limit, stage, async { stream.command(command).await?.expect(class) }).await
    }
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

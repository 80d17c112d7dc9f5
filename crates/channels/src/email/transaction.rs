//! Handing one mail over on an open line: MAIL FROM, RCPT TO, DATA, the content.

use std::time::Duration;

use lettre::Address;

use super::answer::Class;
use super::fault::{Cause, Fault, Stage, within};
use super::line::{Line, Trail, open};
use super::relay::Relay;

/// An open line, and the time limit of each step on it.
pub(super) struct Session {
    line: Line,
    limit: Duration,
}

/// What the relay must be capable of for a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Needs {
    /// An address with a local part beyond ASCII (RFC 6531).
    pub(super) international_address: bool,
    /// Content beyond ASCII (RFC 6152).
    pub(super) eight_bits: bool,
    /// How large it is, in bytes.
    pub(super) size: usize,
}

impl Session {
    /// Opens a line to the relay, and notes in `trail` what was passed.
    pub(super) async fn open(relay: &Relay, trail: &mut Trail) -> Result<Self, Fault> {
        Ok(Self { line: open(relay, trail).await?, limit: relay.settings.timeout })
    }

    /// Begins a mail from `sender`.
    pub(super) async fn mail_from(&mut self, sender: &Address, needs: Needs) -> Result<String, Fault> {
        let capabilities = &self.line.capabilities;
        if let Some(most) = capabilities.size
            && needs.size > most
        {
            let cause = Cause::TooLarge { size: needs.size, most };
            return Err(Fault { stage: Stage::Recipient, cause });
        }
        let mut command = format!("MAIL FROM:<{sender}>");
        if needs.international_address {
            require(capabilities.smtputf8, "SMTPUTF8, which the address needs")?;
            command += " SMTPUTF8";
        }
        if needs.eight_bits {
            require(capabilities.eight_bits, "8BITMIME, which the address needs")?;
            command += " BODY=8BITMIME";
        }
        self.ask(Stage::MailFrom, &command, Class::Done).await
    }

    /// Names the recipient.
    pub(super) async fn recipient(&mut self, recipient: &Address) -> Result<String, Fault> {
        self.ask(Stage::Recipient, &format!("RCPT TO:<{recipient}>"), Class::Done).await
    }

    /// Sends the content; the relay's answer is its promise to deliver. After a loss in here nobody knows.
    pub(super) async fn content(&mut self, content: &[u8]) -> Result<String, Fault> {
        self.ask(Stage::Data, "DATA", Class::GoOn).await?;
        // Answers that came before the content are not of it; and nothing of it was sent yet.
        let conversation = &mut self.line.conversation;
        within(self.limit, Stage::Data, conversation.nothing_unasked()).await?;
        let sent = async { conversation.send(content).await?.expect(Class::Done) };
        within(self.limit, Stage::Content, sent).await
    }

    /// Forgets the mail that was begun.
    pub(super) async fn reset(&mut self) -> Result<(), Fault> {
        self.ask(Stage::Reset, "RSET", Class::Done).await.map(drop)
    }

    /// Takes back what was begun and says goodbye; what the relay makes of it does not matter any more.
    pub(super) async fn quit(mut self) {
        let _ = self.reset().await;
        let _ = self.ask(Stage::Reset, "QUIT", Class::Done).await;
    }

    async fn ask(&mut self, stage: Stage, command: &str, class: Class) -> Result<String, Fault> {
        let conversation = &mut self.line.conversation;
        within(self.limit, stage, async { conversation.ask(command).await?.expect(class) }).await
    }
}

fn require(offered: bool, what: &'static str) -> Result<(), Fault> {
    let fault = Fault { stage: Stage::Recipient, cause: Cause::NotOffered(what) };
    offered.then_some(()).ok_or(fault)
}

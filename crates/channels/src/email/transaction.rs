//! Handing one mail over on an open line: MAIL FROM, RCPT TO, DATA, the content.

use std::time::Duration;

use lettre::Address;
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::{Data, Mail, Quit, Rcpt, Rset};
use lettre::transport::smtp::extension::{Extension, MailBodyParameter, MailParameter};
use lettre::transport::smtp::response::Response;

use super::fault::{Cause, Fault, Stage};
use super::line::{Trail, open, out_of_turn, within};
use super::relay::Relay;

/// An open line, and the time limit of each step on it.
pub(super) struct Session {
    line: AsyncSmtpConnection,
    limit: Duration,
}

/// What the relay must be capable of for a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Needs {
    /// An address with a local part beyond ASCII (RFC 6531).
    pub(super) international_address: bool,
    /// Content beyond ASCII (RFC 6152).
    pub(super) eight_bits: bool,
}

impl Session {
    /// Opens a line to the relay, and notes in `trail` what was passed.
    pub(super) async fn open(relay: &Relay, trail: &mut Trail) -> Result<Self, Fault> {
        Ok(Self { line: open(relay, trail).await?, limit: relay.settings.timeout })
    }

    /// Begins a mail from `sender`.
    pub(super) async fn mail_from(&mut self, sender: &Address, needs: Needs) -> Result<String, Fault> {
        let mut parameters = Vec::new();
        if needs.international_address {
            self.require(Extension::SmtpUtfEight, "SMTPUTF8, which the address needs")?;
            parameters.push(MailParameter::SmtpUtfEight);
        }
        if needs.eight_bits {
            self.require(Extension::EightBitMime, "8BITMIME, which the address needs")?;
            parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
        }
        let command = Mail::new(Some(sender.clone()), parameters);
        let answer = within(self.limit, Stage::MailFrom, self.line.command(command)).await?;
        completed(Stage::MailFrom, &answer)
    }

    fn require(&self, extension: Extension, what: &'static str) -> Result<(), Fault> {
        let fault = Fault { stage: Stage::Recipient, cause: Cause::NotOffered(what) };
        self.line.server_info().supports_feature(extension).then_some(()).ok_or(fault)
    }

    /// Names the recipient.
    pub(super) async fn recipient(&mut self, recipient: &Address) -> Result<String, Fault> {
        let command = Rcpt::new(recipient.clone(), Vec::new());
        let answer = within(self.limit, Stage::Recipient, self.line.command(command)).await?;
        completed(Stage::Recipient, &answer)
    }

    /// Sends the content; the relay's answer is its promise to deliver. After a loss in here nobody knows.
    pub(super) async fn content(&mut self, content: &[u8]) -> Result<String, Fault> {
        const GO_AHEAD: u16 = 354;
        let answer = within(self.limit, Stage::Data, self.line.command(Data)).await?;
        if !answer.has_code(GO_AHEAD) {
            return Err(out_of_turn(Stage::Data, answer.code()));
        }
        let answer = within(self.limit, Stage::Content, self.line.message(content)).await?;
        completed(Stage::Content, &answer)
    }

    /// Forgets the mail that was begun.
    pub(super) async fn reset(&mut self) -> Result<(), Fault> {
        let answer = within(self.limit, Stage::Reset, self.line.command(Rset)).await?;
        completed(Stage::Reset, &answer).map(|_| ())
    }

    /// Says goodbye; what the relay makes of it does not matter any more.
    pub(super) async fn quit(mut self) {
        let _ = within(self.limit, Stage::Reset, self.line.command(Quit)).await;
    }
}

/// The text of an answer that completes a step: 2yz.
fn completed(stage: Stage, answer: &Response) -> Result<String, Fault> {
    let code: u16 = answer.code().into();
    if !(200..300).contains(&code) {
        return Err(out_of_turn(stage, code));
    }
    let text = answer.message().collect::<Vec<_>>().join(" ");
    Ok(format!("{code} {text}"))
}

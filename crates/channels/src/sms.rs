//! Text messages, through a provider: [`twilio`]'s Messages API, or [`sns`]'s direct publish.
//!
//! Neither takes a key that makes a repeat harmless, and each message is charged: where a request may have been taken
//! and no answer came, the outcome is unknown, and what follows is the operator's choice.

pub mod sns;
mod text;
pub mod twilio;

use std::time::Duration;

use application::ports::ChannelRules;
use domain::attempt::Outcome;
use domain::endpoint::{Endpoint, PhoneNumber};

pub use text::TextRules;

use crate::masked::masked;

/// What both providers' channels need to know.
#[derive(Debug, Clone)]
pub struct SmsSettings {
    /// How messages are put into words.
    pub text: TextRules,
    /// The limit for connecting, and again for the whole answer.
    pub timeout: Duration,
    /// At what pace messages are sent, and what follows when nobody knows whether one was.
    pub rules: ChannelRules,
}

/// An outcome in a provider's words, without the number.
fn without_number(outcome: &Outcome, number: &PhoneNumber) -> Outcome {
    let shown = Endpoint::Sms(number.clone()).masked();
    let reply = masked(&outcome.reply, &number.to_string(), &shown);
    Outcome { status: outcome.status, ..Outcome::new(outcome.kind, reply) }
}

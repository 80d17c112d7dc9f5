//! Text messages, through a provider: [`twilio`]'s Messages API, or [`sns`]'s direct publish.
//!
//! Neither takes a key that makes a repeat harmless, and each message is charged: where a request may have been taken
//! and no answer came, the outcome is unknown, and what follows is the operator's choice.

pub mod sns;
pub mod twilio;
mod words;

use std::num::NonZeroU8;
use std::time::Duration;

use application::ports::{ChannelRules, Content, Message};
use domain::attempt::{Outcome, OutcomeKind, Scope};
use domain::endpoint::{Endpoint, PhoneNumber};
use domain::notification;
use domain::sms_text::{LinkTooLong, Room, fitted};

use crate::outcomes::masked;

/// What both providers' channels need to know.
#[derive(Debug, Clone)]
pub struct SmsSettings {
    /// How messages are put into words.
    pub text: TextRules,
    /// The limit for connecting, and again for the whole answer.
    pub timeout: Duration,
    /// At what rate messages are sent, and what follows when nobody knows whether one was.
    pub rules: ChannelRules,
}

/// An outcome in a provider's words, without the number.
fn without_number(outcome: &Outcome, number: &PhoneNumber) -> Outcome {
    let shown = Endpoint::Sms(number.clone()).masked();
    let reply = masked(&outcome.reply, &number.to_string(), &shown);
    Outcome { status: outcome.status, ..Outcome::new(outcome.kind, reply) }
}

/// How messages are put into words, and into how many parts.
#[derive(Debug, Clone, Copy)]
pub struct TextRules {
    /// The parts that a message may have, each of which is charged; of what does not fit the least important is left out.
    pub max_parts: NonZeroU8,
    /// Whether a notification carries the link that ends the subscription. It takes about two parts of its own; where the
    /// sender is a number that can be answered, a subscriber ends it by answering STOP.
    pub unsubscribe_link: bool,
}

impl TextRules {
    fn room(self) -> Room<'static> {
        Room::of(self.max_parts)
    }
}

/// The text of a message, fitted into `room`.
fn compose<'a>(message: &'a Message, rules: TextRules, room: Room<'a>) -> Result<String, Outcome> {
    let Message { content, reader, .. } = message;
    Ok(match content {
        Content::Notification { order, order_url, unsubscribe_url, .. } => {
            let room = if rules.unsubscribe_link { ending_with(room, unsubscribe_url)? } else { room };
            match content.written_text() {
                Some(text) => fitted(text, room),
                None => notification::sms(order, reader, room, order_url.as_deref()),
            }
        }
        Content::Confirmation { asked_by, expires_at, confirm_url, .. } => {
            let request = words::confirmation_request(reader, asked_by.as_deref(), *expires_at);
            fitted(&request, ending_with(room, confirm_url)?)
        }
        Content::Notice { notice, .. } => fitted(&notice.words(), ending_with(room, &notice.command())?),
        Content::Test => fitted(&content.text(reader), room),
    })
}

fn ending_with<'a>(room: Room<'a>, link: &'a str) -> Result<Room<'a>, Outcome> {
    let unfit = |too_long: LinkTooLong| format!("{too_long} (sms.max_parts)");
    room.ending_with(link)
        .map_err(|too_long| Outcome::new(OutcomeKind::Permanent(Scope::Delivery), unfit(too_long)))
}

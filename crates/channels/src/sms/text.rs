//! What a text message says.

use std::num::NonZeroU8;

use application::ports::Content;
use domain::Timestamp;
use domain::attempt::{Outcome, OutcomeKind, Scope};
use domain::sms_text::{LinkTooLong, fitted};

/// How messages are put into words, and into how many parts.
#[derive(Debug, Clone, Copy)]
pub struct TextRules {
    /// The parts that a message may have, each of which is charged; what does not fit is cut.
    pub max_parts: NonZeroU8,
    /// Whether a notification carries the link that ends the subscription. It takes about two parts of its own; where the
    /// sender is a number that can be answered, a subscriber ends it by answering STOP.
    pub unsubscribe_link: bool,
}

/// The text of a message, fitted.
pub(super) fn compose(content: &Content, rules: TextRules) -> Result<String, Outcome> {
    let (words, last_line) = match content {
        Content::Notification { .. } if !rules.unsubscribe_link => (content.text(), None),
        Content::Confirmation { expires_at, confirm_url, .. } => {
            (question(*expires_at), Some(confirm_url.clone()))
        }
        Content::Notice { notice, .. } => (notice.words(), Some(notice.command())),
        Content::Notification { .. } | Content::Test => (content.text(), content.link().map(str::to_owned)),
    };
    fitted(&words, last_line.as_deref(), rules.max_parts).map_err(|too_long| unfit(&too_long))
}

/// In fewer words than elsewhere, since they are charged.
fn question(expires_at: Timestamp) -> String {
    let until = expires_at.strftime("%Y-%m-%d %H:%M UTC");
    format!("To get new orders as texts, confirm by {until} (if it was not you, do nothing):")
}

fn unfit(too_long: &LinkTooLong) -> Outcome {
    Outcome::new(OutcomeKind::Permanent(Scope::Delivery), format!("{too_long} (sms.max_parts)"))
}

//! What a text message says.

use std::num::NonZeroU8;

use application::ports::Content;
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
    let link = match content {
        Content::Notification { .. } if !rules.unsubscribe_link => None,
        _ => content.link(),
    };
    fitted(&words(content), link, rules.max_parts).map_err(|too_long| unfit(&too_long))
}

/// A confirmation is said in fewer words than elsewhere, since they are charged.
fn words(content: &Content) -> String {
    match content {
        Content::Confirmation { expires_at, .. } => format!(
            "To get new orders as texts, confirm by {} (if it was not you, do nothing):",
            expires_at.strftime("%Y-%m-%d %H:%M UTC")
        ),
        _ => content.text(),
    }
}

fn unfit(too_long: &LinkTooLong) -> Outcome {
    Outcome::new(OutcomeKind::Permanent(Scope::Delivery), format!("{too_long} (sms.max_parts)"))
}

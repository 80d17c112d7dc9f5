//! Who wants no more text messages: SNS accepts one to them and drops it, so it is asked before each.
//!
//! Source: AWS, `CheckIfPhoneNumberIsOptedOut` in the Amazon SNS API Reference.

use std::sync::atomic::{AtomicBool, Ordering};

use aws_sdk_sns::Client;
use domain::attempt::{Outcome, OutcomeKind, Scope};
use domain::endpoint::PhoneNumber;

use super::failure;

/// Asks about numbers, until it is refused once: keys that may publish need not be allowed to ask. The next start of
/// the program tries again.
#[derive(Debug, Default)]
pub(super) struct OptOuts {
    refused: AtomicBool,
}

/// What is known of a number to which a message may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Knowledge {
    /// Its owner takes messages.
    OptedIn,
    /// We may not ask.
    None,
}

impl OptOuts {
    /// Finds out whether messages to `number` arrive; if they do not, its subscription ends. Where no answer can be had,
    /// nothing was sent yet, and it is the channel's failure.
    pub(super) async fn ask(&self, client: &Client, number: &PhoneNumber) -> Result<Knowledge, Outcome> {
        if self.refused.load(Ordering::Relaxed) {
            return Ok(Knowledge::None);
        }
        match client.check_if_phone_number_is_opted_out().phone_number(number.to_string()).send().await {
            Ok(answer) if answer.is_opted_out() => Err(opted_out()),
            Ok(_) => Ok(Knowledge::OptedIn),
            Err(error) if failure::is_not_allowed(&error) => {
                self.refused.store(true, Ordering::Relaxed);
                Ok(Knowledge::None)
            }
            Err(error) => Err(failure::before_sending(&error)),
        }
    }
}

fn opted_out() -> Outcome {
    Outcome::new(OutcomeKind::Permanent(Scope::Endpoint), "the number is opted out, as SNS has it")
}

impl Knowledge {
    /// What the timeline adds to a message that was accepted: without the answer it may yet have been dropped.
    pub(super) fn remark(self) -> &'static str {
        match self {
            Self::OptedIn => "",
            Self::None => {
                " (sns:CheckIfPhoneNumberIsOptedOut is not allowed: dropped if the number opted out)"
            }
        }
    }
}

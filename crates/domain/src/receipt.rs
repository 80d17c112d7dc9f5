//! What a provider reports of a message after it took it.

use serde::{Deserialize, Serialize};

use crate::attempt::one_line;
use crate::delivery::DeliveryState;

/// A provider's report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// How it went.
    pub status: ReceiptStatus,
    /// The provider's own words: one line, at most [`MAX_REPLY`](crate::attempt::MAX_REPLY) characters.
    pub reply: String,
    /// The receiver wants nothing more: the subscription ends.
    pub opted_out: bool,
}

/// How a message went on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReceiptStatus {
    /// It reached the receiver.
    Delivered,
    /// It will not.
    Failed,
}

impl Receipt {
    /// A receipt whose reply is cut to one line.
    #[must_use]
    pub fn new(status: ReceiptStatus, reply: impl AsRef<str>) -> Self {
        Self { status, reply: one_line(reply.as_ref()), opted_out: false }
    }
}

impl ReceiptStatus {
    /// Every status there is.
    pub const ALL: [Self; 2] = [Self::Delivered, Self::Failed];

    /// Its name in the API and the store.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Failed => "failed",
        }
    }
}

/// What becomes of a delivery in `state` when its provider reports `status`; `None` where that changes nothing.
///
/// A good one settles an attempt whose outcome was unknown, whatever was decided since: sending the message again would be
/// a repeat without cause, and what was cancelled meanwhile did arrive. One that overtakes its attempt's outcome is kept,
/// and counts once that is recorded.
#[must_use]
pub fn after_receipt(state: DeliveryState, status: ReceiptStatus) -> Option<DeliveryState> {
    match (state, status) {
        (DeliveryState::Delivered | DeliveryState::Held, ReceiptStatus::Failed) => Some(DeliveryState::Dead),
        (
            DeliveryState::Held | DeliveryState::Pending | DeliveryState::Dead | DeliveryState::Cancelled,
            ReceiptStatus::Delivered,
        ) => Some(DeliveryState::Delivered),
        _ => None,
    }
}

//! From rows to what they mean.

mod channel;
mod delivery;
mod examine;
mod order;
mod subscription;

pub(crate) use channel::{MESSAGE_COLUMNS, PAUSE_COLUMNS, message, pause};
pub(crate) use delivery::{
    ATTEMPT_COLUMNS, DELIVERY_COLUMNS, INTERVENTION_COLUMNS, OWED, RECEIPT_COLUMNS, attempt, cancel_reason,
    delivery, delivery_state, intervention, kind, notice, receipt,
};
pub(crate) use examine::examine;
pub(crate) use order::{ORDER_COLUMNS, order, span};
use subscription::endpoint;
pub(crate) use subscription::{
    FAILING_COLUMNS, SUBSCRIPTION_COLUMNS, VERSION_COLUMNS, VERSIONS, Versions, failing, found_version,
    protocol, state, subscription,
};

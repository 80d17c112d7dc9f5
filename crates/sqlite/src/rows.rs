//! From rows to what they mean.

mod delivery;
mod order;
mod subscription;

pub(crate) use delivery::{ATTEMPT_COLUMNS, DELIVERY_COLUMNS, attempt, delivery, kind};
pub(crate) use order::{ORDER_COLUMNS, order, span};
pub(crate) use subscription::{SUBSCRIPTION_COLUMNS, protocol, state, subscription, version};

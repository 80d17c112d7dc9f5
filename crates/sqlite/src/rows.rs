//! From rows to what they mean.

mod delivery;
mod order;
mod subscription;

pub(crate) use delivery::{
    ATTEMPT_COLUMNS, DELIVERY_COLUMNS, INTERVENTION_COLUMNS, RECEIPT_COLUMNS, attempt, cancel_reason,
    delivery, intervention, kind, notice, receipt,
};
pub(crate) use order::{ORDER_COLUMNS, order, span};
pub(crate) use subscription::{
    FAILING_COLUMNS, SUBSCRIPTION_COLUMNS, failing, protocol, state, subscription, version,
};

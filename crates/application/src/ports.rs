//! What the use cases need from outside. An adapter proves itself against the suites in `conformance`.

mod channel;
mod clock;
mod deliveries;
mod delivery_queue;
mod inbox;
mod order_log;
mod order_store;
mod page;
mod publisher;
mod randomness;
mod spam_marks;
mod subscriptions;
mod tally;

pub use channel::{Channel, ChannelRules, Concurrency, Content, Message, Sent};
pub use clock::Clock;
pub use deliveries::{
    AttemptRecord, Bystanders, ChannelPause, Deliveries, DeliveryFilter, DeliveryQuery, DeliveryRecord,
    DropSelection, InterventionKind, InterventionRecord, OrderHistory, ReceiptRecord, Redrivable,
    RedriveSelection, RetrySelection, Telling,
};
pub use delivery_queue::{
    DeliveryQueue, Due, DueDelivery, DueQuery, Escalated, Finished, Intent, Interrupted, NO_CHANNEL,
};
pub use inbox::{Inbox, InboxMessage};
pub use order_log::OrderLog;
pub use order_store::{Acceptance, Idempotency, OrderQuery, OrderStore, Origin, Readiness};
pub use page::{Page, PageRequest, UnreadableRow};
pub use publisher::{Published, Publisher};
pub use randomness::Randomness;
pub use spam_marks::{SpamFilter, SpamMark, SpamMarks, SpamSelection};
pub use subscriptions::{NewSubscription, OwnSubscriptions, Subscribed, SubscriptionQuery, Subscriptions};
pub use tally::{DUE, Tally, WAITS};

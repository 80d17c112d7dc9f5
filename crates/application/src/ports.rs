//! What the use cases need from outside. An adapter proves itself against the suites in `conformance`.

mod channel;
mod clock;
mod delivery_queue;
mod delivery_records;
mod inbox;
mod order_log;
mod order_store;
mod own_topic;
mod page;
mod randomness;
mod spam_marks;
mod tally;
mod topic;

pub use channel::{Channel, ChannelRules, Concurrency, Content, Message, Sent};
pub use clock::Clock;
pub use delivery_queue::{
    DeliveryQueue, Due, DueDelivery, DueQuery, Escalated, Finished, Intent, Interrupted, NO_CHANNEL,
};
pub use delivery_records::{
    AttemptRecord, Bystanders, ChannelPause, DeliveryFilter, DeliveryQuery, DeliveryRecord, DeliveryRecords,
    DropSelection, InterventionKind, InterventionRecord, ReceiptRecord, Redrivable, RedriveSelection,
    RetrySelection, Story, Telling,
};
pub use inbox::{Inbox, InboxMessage};
pub use order_log::OrderLog;
pub use order_store::{Acceptance, Idempotency, OrderQuery, OrderStore, Origin, Readiness};
pub use own_topic::OwnTopic;
pub use page::{Page, PageRequest, UnreadableRow};
pub use randomness::Randomness;
pub use spam_marks::{SpamFilter, SpamMark, SpamMarks, SpamSelection};
pub use tally::{DUE, Tally, WAITS};
pub use topic::{NewSubscription, Published, Subscribed, SubscriptionQuery, Topic};

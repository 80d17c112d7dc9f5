//! What the use cases need from outside. An adapter proves itself against the suites in `conformance`.

mod channel;
mod deliveries;
mod delivery_queue;
mod environment;
mod inbox;
mod order_store;
mod outbox;
mod page;
mod spam_marks;
mod status_changes;
mod store_counts;
mod subscriptions;
mod templates;

pub use channel::{Channel, ChannelRules, Concurrency, Content, Message, Sent};
pub use deliveries::{
    AttemptRecord, ChannelPause, Deliveries, DeliveryFilter, DeliveryProgress, DeliveryQuery, DeliveryRecord,
    DropSelection, InterventionKind, InterventionRecord, OrderHistory, ReceiptRecord, Redrivable,
    RedriveSelection, RetrySelection, UnmatchedSubscriptions,
};
pub use delivery_queue::{
    DeliveryQueue, Due, DueDelivery, DueQuery, Escalated, Finished, Intent, Interrupted, NO_CHANNEL,
};
pub use environment::{Clock, Randomness};
pub use inbox::{Inbox, InboxMessage};
pub use order_store::{Acceptance, ClientDigest, Idempotency, OrderQuery, OrderStore, Readiness};
pub use outbox::{OrderLog, Published, Publisher};
pub use page::{Page, PageRequest, UnreadableRow};
pub use spam_marks::{SpamFilter, SpamMark, SpamMarks, SpamSelection};
pub use status_changes::{Changed, StatusChanges};
pub use store_counts::{DUE, StoreCounts, WAITS};
pub use subscriptions::{LocalSubscriptions, NewSubscription, Subscribed, SubscriptionQuery, Subscriptions};
pub use templates::{MAX_TEMPLATES, StoredTemplate, Templates};

//! A host that delivers by itself, and what its promises are tried through.

use application::ports::{
    Deliveries, DeliveryQueue, DeliveryRecord, Due, DueDelivery, DueQuery, Finished, Inbox, Intent,
    LocalSubscriptions, NewSubscription, OrderLog, OrderStore, Published, Publisher, SpamMarks,
    StatusChanges, Subscribed, Subscriptions, Templates,
};
use domain::Timestamp;
use domain::attempt::{Outcome, OutcomeKind};
use domain::delivery::{
    Decision, DeliveryId, DeliveryKind, DeliveryState, Next, RetryContext, UnknownOutcomePolicy, decide,
};
use domain::order::Order;
use domain::retry::Jitter;
use domain::subscription::{Subscription, SubscriptionId};

use crate::fixtures::{WHILE, email, now, order};

/// The ports of a host that delivers by itself, all of one store.
#[derive(Clone, Copy)]
pub struct LocalPorts<'a> {
    /// Where orders are stored.
    pub orders: &'a dyn OrderStore,
    /// The same orders, as a log.
    pub log: &'a dyn OrderLog,
    /// Where they are published.
    pub publisher: &'a dyn Publisher,
    /// Where subscriptions live.
    pub subscriptions: &'a dyn Subscriptions,
    /// What confirms them.
    pub local_subscriptions: &'a dyn LocalSubscriptions,
    /// The deliveries.
    pub queue: &'a dyn DeliveryQueue,
    /// What became of it.
    pub deliveries: &'a dyn Deliveries,
    /// Which orders are spam.
    pub spam: &'a dyn SpamMarks,
    /// What people made of orders.
    pub statuses: &'a dyn StatusChanges,
    /// Messages that did not leave the machine.
    pub inbox: &'a dyn Inbox,
    /// What operators wrote.
    pub templates: &'a dyn Templates,
}

impl<'a> LocalPorts<'a> {
    /// A store that is all of them.
    pub fn of<S>(store: &'a S) -> Self
    where
        S: OrderStore
            + OrderLog
            + Publisher
            + Subscriptions
            + LocalSubscriptions
            + DeliveryQueue
            + Deliveries
            + SpamMarks
            + StatusChanges
            + Inbox
            + Templates,
    {
        Self {
            orders: store,
            log: store,
            publisher: store,
            subscriptions: store,
            local_subscriptions: store,
            queue: store,
            deliveries: store,
            spam: store,
            statuses: store,
            inbox: store,
            templates: store,
        }
    }

    fn outbox(&self) -> Outbox<'a> {
        Outbox { orders: self.orders, log: self.log, publisher: self.publisher }
    }

    pub(crate) async fn place(&self, order: Order) -> Order {
        self.outbox().place(order).await
    }

    pub(crate) async fn subscribe(&self, new: NewSubscription) -> Subscription {
        match self.subscriptions.subscribe(new).await.unwrap() {
            Subscribed::Created(subscription) => subscription,
            other => panic!("not created but {other:?}"),
        }
    }

    /// A subscription that is confirmed for the orders from now on.
    pub(crate) async fn confirmed(&self, new: NewSubscription) -> Subscription {
        let subscription = self.subscribe(new).await;
        self.local_subscriptions
            .confirm(subscription.id, subscription.generation, false, now())
            .await
            .unwrap()
    }

    /// Publishes everything that is not yet published.
    pub(crate) async fn publish(&self) -> Published {
        self.outbox().publish().await
    }

    /// Places an order, publishes it, and finds the delivery of its notification.
    pub(crate) async fn notification(&self, subscription: SubscriptionId) -> DeliveryRecord {
        let order = self.place(order()).await;
        self.publish().await;
        let deliveries = self.of_order(&order).await;
        deliveries
            .into_iter()
            .find(|delivery| delivery.subscription == subscription)
            .expect("a notification was made")
    }

    /// A mail whose first attempt is recorded; it is a notification to a confirmed subscriber.
    pub(crate) async fn in_flight(&self, address: &str) -> (Subscription, DeliveryId) {
        self.in_flight_to(email(address)).await
    }

    /// As [`in_flight`](Self::in_flight), over any protocol.
    pub(crate) async fn in_flight_to(&self, new: NewSubscription) -> (Subscription, DeliveryId) {
        let subscription = self.confirmed(new).await;
        let delivery = self.notification(subscription.id).await.id;
        self.begin(delivery, 1).await;
        (subscription, delivery)
    }

    pub(crate) async fn begin(&self, delivery: DeliveryId, number: u32) {
        let begun = self.queue.begin(vec![Intent { delivery, number, at: now() }]).await.unwrap();
        assert_eq!(begun, [delivery], "attempt {number} was not recorded");
    }

    /// Ends an attempt as its outcome has it, and answers what was decided.
    pub(crate) async fn finish(&self, delivery: DeliveryId, number: u32, kind: OutcomeKind) -> Decision {
        let finished = finished(delivery, number, kind);
        self.queue.finish(vec![finished.clone()]).await.unwrap();
        finished.decision
    }

    /// Ends an attempt of unknown outcome where a repeat could cost.
    pub(crate) async fn finish_unknown(&self, delivery: DeliveryId, number: u32) {
        let mut end = finished(delivery, number, OutcomeKind::Unknown);
        end.decision.next = Next::Over(DeliveryState::Held);
        self.queue.finish(vec![end]).await.unwrap();
    }

    /// Makes and fails an attempt so that its delivery is dead.
    pub(crate) async fn kill(&self, delivery: DeliveryId) {
        self.begin(delivery, 1).await;
        self.finish(delivery, 1, OutcomeKind::Permanent(domain::attempt::Scope::Delivery)).await;
        assert_eq!(self.record(delivery).await.state, DeliveryState::Dead);
    }

    pub(crate) async fn record(&self, id: DeliveryId) -> DeliveryRecord {
        self.deliveries.delivery(id).await.unwrap().expect("the delivery is on record")
    }

    pub(crate) async fn of_order(&self, order: &Order) -> Vec<DeliveryRecord> {
        self.deliveries.order_history(order.id).await.unwrap().expect("the order is stored").deliveries
    }

    /// What is due in a while.
    pub(crate) async fn due_by(&self, now: Timestamp) -> Due {
        self.queue.due(all_due(now)).await.unwrap()
    }

    /// What is due in a while, of one kind.
    pub(crate) async fn due(&self, kind: DeliveryKind) -> Vec<DueDelivery> {
        let due = self.due_by(now() + WHILE).await;
        due.deliveries.into_iter().filter(|delivery| delivery.kind == kind).collect()
    }
}

/// An attempt that came to this outcome now, with what follows for a mail that used every attempt before it.
pub(crate) fn finished(delivery: DeliveryId, number: u32, kind: OutcomeKind) -> Finished {
    finished_at(delivery, number, kind, now())
}

/// An attempt that came to this outcome then, with what follows for a mail that used every attempt before it.
#[must_use]
pub fn finished_at(delivery: DeliveryId, number: u32, kind: OutcomeKind, at: Timestamp) -> Finished {
    let context = RetryContext {
        protocol: domain::endpoint::Protocol::Email,
        attempts_used: number - 1,
        deadline: None,
        on_unknown: UnknownOutcomePolicy::Retry,
        failures: 0,
    };
    let outcome = Outcome::new(kind, "the receiver's reply");
    let decision = decide(context, &outcome, at, Jitter(0));
    Finished { delivery, number, at, outcome, decision, confirmed: false, blameless: false }
}

pub(crate) fn all_due(now: Timestamp) -> DueQuery {
    DueQuery {
        now,
        per_endpoint: 100,
        limit: 1_000,
        skip_deliveries: [].into(),
        skip_endpoints: Vec::new(),
        skip_protocols: Vec::new(),
    }
}

/// The ports that an order passes from its acceptance until it is published.
#[derive(Clone, Copy)]
pub struct Outbox<'a> {
    /// Where orders are stored.
    pub orders: &'a dyn OrderStore,
    /// The same orders, as a log.
    pub log: &'a dyn OrderLog,
    /// Where they are published.
    pub publisher: &'a dyn Publisher,
}

impl<'a> Outbox<'a> {
    /// A store that is all of them.
    pub fn of<S: OrderStore + OrderLog + Publisher>(store: &'a S) -> Self {
        Self { orders: store, log: store, publisher: store }
    }

    pub(crate) async fn place(&self, order: Order) -> Order {
        self.orders.accept(order.clone(), None).await.unwrap();
        order
    }

    /// Publishes everything that is not yet published.
    pub(crate) async fn publish(&self) -> Published {
        let orders = self.log.unpublished(1_000).await.unwrap();
        self.publisher.publish(&orders).await.unwrap()
    }
}

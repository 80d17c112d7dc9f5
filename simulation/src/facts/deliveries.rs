//! Deliveries as they stand: what the store records of them, what was sent, and what arrived.

use anyhow::{Context, Result, ensure};
use domain::delivery::{DeliveryId, DeliveryKind};
use domain::receipt::ReceiptStatus;
use oracle::deliveries::{
    self, Attempt, ByPeople, CancelReason, Delivery, Kind, Move, Outcome, Receipt, State, Status,
};
use oracle::matching::{self, Expected, Found};
use oracle::receptions;

use super::suspensions::Failures;
use super::{Facts, kept};

/// A delivery as it stands.
pub(crate) struct DeliveryTruth {
    pub(crate) id: DeliveryId,
    pub(crate) kind: DeliveryKind,
    pub(crate) subscription: i64,
    pub(crate) order: Option<i64>,
    pub(crate) state: State,
    /// How many attempts it counts, and how many of them as used.
    counted: (u32, u32),
    cancel_reason: Option<CancelReason>,
    receipts: Vec<Receipt>,
    /// Its provider once reported that it did not reach its receiver after all.
    bounced: bool,
    /// A person gave it up.
    pub(super) given_up: bool,
    /// Nobody could say whether it matched, and it did not.
    pub(super) only_stands_for_one: bool,
    /// What came of each attempt, from the first on.
    pub(crate) attempts: Vec<Made>,
}

/// An attempt that was made.
pub(crate) struct Made {
    on_record: Attempt,
    sent: bool,
    /// The receiver has it.
    pub(super) arrived: bool,
}

impl DeliveryTruth {
    pub(super) fn new(
        (id, kind): (DeliveryId, DeliveryKind),
        subscription: i64,
        order: Option<i64>,
        (state, cancel_reason): (State, Option<CancelReason>),
    ) -> Self {
        Self {
            id,
            kind,
            subscription,
            order,
            state,
            counted: (0, 0),
            cancel_reason,
            receipts: Vec::new(),
            bounced: false,
            given_up: false,
            only_stands_for_one: false,
            attempts: Vec::new(),
        }
    }

    pub(super) fn kind(&self) -> Kind {
        match self.kind {
            DeliveryKind::Notification => Kind::Notification,
            DeliveryKind::Confirmation => Kind::Confirmation,
            DeliveryKind::Notice | DeliveryKind::Test => Kind::Other,
        }
    }

    fn recorded(&self) -> Vec<Attempt> {
        self.attempts.iter().map(|made| made.on_record).collect()
    }

    fn attempt(&mut self, number: u32) -> Option<&mut Made> {
        self.attempts.get_mut(usize::try_from(number).ok()?.checked_sub(1)?)
    }
}

impl Facts {
    pub(super) fn delivery_begun(
        &mut self,
        seq: i64,
        mut delivery: DeliveryTruth,
        escalated: bool,
        undecided: bool,
    ) -> Result<()> {
        let subscription = self.subscriptions.get(&delivery.subscription).context("a delivery to nobody")?;
        let is_spam = self.is_spam(&delivery);
        let begun = deliveries::begun(delivery.state, subscription.state, is_spam);
        kept(begun, || format!("delivery {seq}"))?;
        if delivery.kind == DeliveryKind::Confirmation {
            self.lapsed.remove(&delivery.subscription);
        }
        if delivery.kind == DeliveryKind::Notification {
            let place = delivery.order.context("a notification of no order")?;
            let order =
                self.orders.get_mut(&place).context("a notification of an order that is not stored")?;
            let to = delivery.subscription;
            if escalated {
                order.escalated_to.insert(to);
            }
            let matched = order.matched.contains(&to);
            let why = "it was not confirmed, or its policy asks for something else";
            let expected = if matched { Expected::Matched } else { Expected::NotMatched(why) };
            let found = matching::judge(expected, Some(Found { escalated, undecided }));
            kept(found, || format!("order {place}, subscription {to}"))?;
            delivery.only_stands_for_one = !matched && !escalated;
            ensure!(order.delivered_to.insert(to), "subscription {to} has two deliveries of order {place}");
        }
        self.touched.insert(seq);
        self.deliveries.insert(seq, delivery);
        Ok(())
    }

    pub(super) fn delivery_moved(
        &mut self,
        seq: i64,
        was: State,
        becomes: State,
        counted: (u32, u32),
        cancel_reason: Option<CancelReason>,
    ) -> Result<()> {
        let delivery = self.deliveries.get(&seq).context("a delivery came from nowhere")?;
        ensure!(was == delivery.state, "delivery {seq} was {was}, and before that {}", delivery.state);
        let is_spam = self.is_spam(delivery);
        let by_a_person = self.giving_up > 0;
        let step = Move {
            kind: delivery.kind(),
            was,
            becomes,
            attempts: counted.0,
            last_attempt: delivery.attempts.last().map_or(0, |made| made.on_record.number),
            subscription: self.subscriptions[&delivery.subscription].state,
            is_spam,
            by_a_person,
        };
        kept(deliveries::moved(&step), || format!("delivery {seq}"))?;
        let waits = matches!(was, State::Pending | State::Held);
        let given_up = waits && becomes == State::Cancelled && (by_a_person || is_spam);
        let delivery = self.deliveries.get_mut(&seq).context("a delivery came from nowhere")?;
        delivery.given_up |= given_up;
        delivery.state = becomes;
        delivery.counted = counted;
        delivery.cancel_reason = cancel_reason;
        self.touched.insert(seq);
        Ok(())
    }

    /// A person said that an order is spam, or took that back.
    pub(super) fn called_spam(&mut self, order: i64, is_spam: bool) {
        if is_spam {
            self.spam.insert(order);
            self.once_spam.insert(order);
        } else {
            self.spam.remove(&order);
        }
    }

    pub(crate) fn is_spam(&self, delivery: &DeliveryTruth) -> bool {
        delivery.order.is_some_and(|order| self.spam.contains(&order))
    }

    pub(super) fn attempt_begun(&mut self, delivery: i64, number: u32) -> Result<()> {
        let truth = self.deliveries.get_mut(&delivery).context("an attempt at nothing")?;
        let begins = deliveries::attempted(number, &truth.recorded(), &truth.receipts);
        kept(begins, || format!("delivery {delivery}"))?;
        let on_record = Attempt { number, outcome: None, used: false };
        truth.attempts.push(Made { on_record, sent: false, arrived: false });
        self.touched.insert(delivery);
        Ok(())
    }

    pub(super) fn attempt_ended(
        &mut self,
        delivery: i64,
        number: u32,
        at: i64,
        (outcome, used): (Option<&str>, bool),
    ) -> Result<()> {
        let truth = self.deliveries.get_mut(&delivery).context("an attempt at nothing ended")?;
        let made = truth.attempt(number).context("an attempt ended that was never begun")?;
        ensure!(made.on_record.outcome.is_none(), "attempt {number} of delivery {delivery} ended twice");
        let outcome = outcome.and_then(Outcome::named).context("an attempt ended without an outcome")?;
        kept(receptions::arrived(outcome, made.arrived), || format!("delivery {delivery}"))?;
        made.on_record = Attempt { outcome: Some(outcome), used, ..made.on_record };
        let to = self.subscriptions.get_mut(&truth.subscription).context("an attempt to nobody")?;
        let got_through = matches!(outcome, Outcome::Delivered | Outcome::Sandboxed);
        to.failures = (!got_through).then(|| Failures::again(to.failures, at));
        self.touched.insert(delivery);
        Ok(())
    }

    /// Whenever a commit is over, what it touched is as what is on record of it says.
    pub(super) fn what_was_touched_is_explained(&mut self) -> Result<()> {
        for seq in std::mem::take(&mut self.touched) {
            // What nobody could decide about was taken away.
            let Some(delivery) = self.deliveries.get(&seq) else { continue };
            let recorded = delivery.recorded();
            let facts = Delivery {
                kind: delivery.kind(),
                of_order: delivery.order.is_some(),
                state: delivery.state,
                attempts: delivery.counted.0,
                attempts_used: delivery.counted.1,
                cancel_reason: delivery.cancel_reason,
                recorded: &recorded,
                receipts: Some(&delivery.receipts),
                by_people: ByPeople {
                    dropped: delivery.given_up,
                    spam: delivery.order.is_some_and(|order| self.once_spam.contains(&order)),
                    held: false,
                },
                subscription: Some(self.subscriptions[&delivery.subscription].state),
            };
            kept(deliveries::judge(&facts), || format!("delivery {seq}"))?;
        }
        Ok(())
    }

    /// A message is about to leave: the machine, unless there is only a sandbox.
    pub(crate) fn sent(&mut self, id: DeliveryId, number: u32, in_sandbox: bool) -> Result<()> {
        let place = self.places.get(&id).with_context(|| format!("{id} is sent, and is not on disk"))?;
        let delivery = self.deliveries.get_mut(place).context("unknown delivery")?;
        let proven = in_sandbox || !self.subscriptions[&delivery.subscription].in_sandbox;
        let request = delivery.kind == DeliveryKind::Confirmation;
        ensure!(proven || request, "{id} is sent to someone who was confirmed in the sandbox only");
        let in_flight = delivery.state == State::InFlight;
        let made = delivery.attempt(number);
        let open = made.filter(|made| in_flight && made.on_record.outcome.is_none());
        let (sent, recorded) = open.as_ref().map_or((1, 0), |made| (1 + usize::from(made.sent), 1));
        kept(receptions::on_record(sent, recorded), || format!("attempt {number} of {id}"))?;
        open.context("it is on record")?.sent = true;
        Ok(())
    }

    /// A receiver took a message, whatever we are told of it.
    pub(crate) fn arrived(&mut self, id: DeliveryId, number: u32) -> Result<()> {
        let delivery = self.delivery_of(id)?;
        let earlier = delivery.attempts.iter().filter(|made| made.on_record.number < number && made.arrived);
        for made in earlier {
            kept(receptions::again(made.on_record.outcome, delivery.bounced), || id.to_string())?;
        }
        delivery.attempt(number).context("what was never begun arrived")?.arrived = true;
        Ok(())
    }

    /// A provider reports that a message did not reach its receiver after all.
    pub(crate) fn bounced(&mut self, id: DeliveryId) -> Result<()> {
        self.delivery_of(id)?.bounced = true;
        Ok(())
    }

    /// A provider's report is on disk.
    pub(super) fn reported(&mut self, delivery: i64, attempt: u32, status: ReceiptStatus) -> Result<()> {
        let truth = self.deliveries.get_mut(&delivery).context("a report of nothing")?;
        truth.attempt(attempt).context("a report of an attempt never made")?;
        let status = match status {
            ReceiptStatus::Delivered => Status::Delivered,
            ReceiptStatus::Failed => Status::Failed,
        };
        truth.receipts.push(Receipt { attempt, status });
        self.touched.insert(delivery);
        Ok(())
    }

    /// The delivery of that id.
    pub(crate) fn delivery(&self, id: DeliveryId) -> Option<&DeliveryTruth> {
        self.deliveries.get(self.places.get(&id)?)
    }

    fn delivery_of(&mut self, id: DeliveryId) -> Result<&mut DeliveryTruth> {
        let place = self.places.get(&id).with_context(|| format!("{id} is not on disk"))?;
        self.deliveries.get_mut(place).context("unknown delivery")
    }
}

//! What a provider's receipt does to a delivery.

use application::ErrorKind;
use application::ports::{DropSelection, RedriveSelection};
use domain::attempt::OutcomeKind;
use domain::delivery::DeliveryState;
use domain::receipt::{Receipt, ReceiptStatus};
use domain::subscription::{EndReason, SubscriptionState};

use crate::LocalPorts;
use crate::deliveries::hold;
use crate::fixtures::{delivery_id, email, now, text};

const HELD: &str = "held@example.com";
const ADA: &str = "+4915112345678";
const BOB: &str = "+4915112345679";

/// A bad one undoes a delivery, a good one settles what was held; the same again changes nothing.
pub async fn a_providers_receipt_settles_a_delivery(ports: &LocalPorts<'_>) {
    let (_, sent) = ports.in_flight_to(text(ADA)).await;
    ports.finish(sent, 1, OutcomeKind::Delivered).await;
    let failed = Receipt::new(ReceiptStatus::Failed, "30005 unknown destination");
    for _ in 0..2 {
        ports.deliveries.receipt(sent, 1, failed.clone(), now()).await.unwrap();
    }
    let record = ports.record(sent).await;
    assert_eq!((record.state, record.receipts.len()), (DeliveryState::Dead, 1));
    assert_eq!(record.receipts[0].reply, "30005 unknown destination");

    let held = hold(ports, text(BOB)).await;
    ports.deliveries.receipt(held, 1, Receipt::new(ReceiptStatus::Delivered, "there"), now()).await.unwrap();
    assert_eq!(ports.record(held).await.state, DeliveryState::Delivered);
    let unknown = ports.deliveries.receipt(delivery_id(), 1, failed, now()).await.unwrap_err();
    assert_eq!((unknown.kind, unknown.code), (ErrorKind::NotFound, "delivery_not_found"));
}

/// Only text messages have a provider that reports: to a report of anything else there is no such delivery.
pub async fn a_receipt_is_that_of_a_text_message(ports: &LocalPorts<'_>) {
    let mail = hold(ports, email(HELD)).await;
    let opted_out = Receipt { opted_out: true, ..Receipt::new(ReceiptStatus::Delivered, "there") };
    let refused = ports.deliveries.receipt(mail, 1, opted_out, now()).await.unwrap_err();
    assert_eq!((refused.kind, refused.code), (ErrorKind::NotFound, "delivery_not_found"));
    let record = ports.record(mail).await;
    assert_eq!((record.state, record.receipts.len()), (DeliveryState::Held, 0));
    let subscription = ports.subscriptions.subscription(record.subscription).await.unwrap().unwrap();
    assert_eq!(subscription.state, SubscriptionState::Confirmed);
}

/// The provider may be faster than the commit that records its answer.
pub async fn a_receipt_that_overtakes_its_outcome_counts(ports: &LocalPorts<'_>) {
    let (_, delivery) = ports.in_flight_to(text(ADA)).await;
    ports.deliveries.receipt(delivery, 1, Receipt::new(ReceiptStatus::Failed, "no"), now()).await.unwrap();
    assert_eq!(ports.record(delivery).await.state, DeliveryState::InFlight);
    ports.finish(delivery, 1, OutcomeKind::Delivered).await;
    assert_eq!(ports.record(delivery).await.state, DeliveryState::Dead);
}

/// Who answered STOP is told no more.
pub async fn an_opt_out_ends_the_subscription(ports: &LocalPorts<'_>) {
    let (subscription, delivery) = ports.in_flight_to(text(ADA)).await;
    ports.finish(delivery, 1, OutcomeKind::Delivered).await;
    let opted_out = Receipt { opted_out: true, ..Receipt::new(ReceiptStatus::Failed, "21610") };
    ports.deliveries.receipt(delivery, 1, opted_out, now()).await.unwrap();
    let ended = ports.subscriptions.subscription(subscription.id).await.unwrap().unwrap();
    assert_eq!(ended.end.map(|end| end.reason), Some(EndReason::OptedOut));
}

/// A bad receipt of an earlier attempt counts neither while a later one is pending nor after it.
pub async fn a_bad_receipt_counts_for_its_own_attempt(ports: &LocalPorts<'_>) {
    let (_, delivery) = ports.in_flight_to(text(ADA)).await;
    let failed = || Receipt::new(ReceiptStatus::Failed, "out of reach");
    ports.deliveries.receipt(delivery, 1, failed(), now()).await.unwrap();
    ports.finish(delivery, 1, OutcomeKind::Delivered).await;
    assert_eq!(ports.record(delivery).await.state, DeliveryState::Dead);

    ports.deliveries.redrive(RedriveSelection::One(delivery), now()).await.unwrap();
    ports.begin(delivery, 2).await;
    ports.finish(delivery, 2, OutcomeKind::Delivered).await;
    let late = Receipt::new(ReceiptStatus::Failed, "out of reach for hours");
    ports.deliveries.receipt(delivery, 1, late, now()).await.unwrap();
    assert_eq!(ports.record(delivery).await.state, DeliveryState::Delivered);

    ports.deliveries.receipt(delivery, 2, failed(), now()).await.unwrap();
    let record = ports.record(delivery).await;
    let attempts: Vec<_> = record.receipts.iter().map(|receipt| receipt.attempt).collect();
    assert_eq!((record.state, attempts), (DeliveryState::Dead, vec![1, 1, 2]));

    let unknown = ports.deliveries.receipt(delivery, 3, failed(), now()).await.unwrap_err();
    assert_eq!((unknown.kind, unknown.code), (ErrorKind::NotFound, "attempt_not_found"));
}

/// What is there need not be sent again, whichever attempt brought it.
pub async fn a_good_receipt_ends_the_attempts(ports: &LocalPorts<'_>) {
    let there = || Receipt::new(ReceiptStatus::Delivered, "there");
    let pending = hold(ports, text(BOB)).await;
    ports.deliveries.redrive(RedriveSelection::One(pending), now()).await.unwrap();
    ports.deliveries.receipt(pending, 1, there(), now()).await.unwrap();
    assert_eq!(ports.record(pending).await.state, DeliveryState::Delivered);

    let (_, in_flight) = ports.in_flight_to(text(ADA)).await;
    ports.finish(in_flight, 1, OutcomeKind::Unknown).await;
    ports.begin(in_flight, 2).await;
    ports.deliveries.receipt(in_flight, 1, there(), now()).await.unwrap();
    assert_eq!(ports.record(in_flight).await.state, DeliveryState::InFlight);
    ports.finish(in_flight, 2, OutcomeKind::Unknown).await;
    assert_eq!(ports.record(in_flight).await.state, DeliveryState::Delivered);
    let suppressed = Receipt::new(ReceiptStatus::Failed, "a duplicate");
    ports.deliveries.receipt(in_flight, 2, suppressed, now()).await.unwrap();
    assert_eq!(ports.record(in_flight).await.state, DeliveryState::Delivered, "it is there all the same");
}

/// What was cancelled while nobody knew what came of it did arrive after all: by a person's word, or with its
/// subscription.
pub async fn a_good_receipt_of_what_was_cancelled_says_that_it_arrived(ports: &LocalPorts<'_>) {
    let dropped = hold(ports, text(BOB)).await;
    ports.deliveries.drop_deliveries(DropSelection::One(dropped), now()).await.unwrap();
    let (subscription, ended) = ports.in_flight_to(text(ADA)).await;
    ports.subscriptions.unsubscribe(subscription.id, EndReason::Removed, now()).await.unwrap();
    ports.finish(ended, 1, OutcomeKind::Unknown).await;
    for delivery in [dropped, ended] {
        assert_eq!(ports.record(delivery).await.state, DeliveryState::Cancelled);
        let failed = Receipt::new(ReceiptStatus::Failed, "out of reach");
        ports.deliveries.receipt(delivery, 1, failed, now()).await.unwrap();
        assert_eq!(ports.record(delivery).await.state, DeliveryState::Cancelled, "a bad one changes nothing");
        let there = Receipt::new(ReceiptStatus::Delivered, "there");
        ports.deliveries.receipt(delivery, 1, there, now()).await.unwrap();
        let record = ports.record(delivery).await;
        assert_eq!((record.state, record.cancel_reason), (DeliveryState::Delivered, None));
    }
}

//! What [`Deliveries`](application::ports::Deliveries) promises.

use application::ErrorKind;
use application::orders::not_matched_of;
use application::ports::{
    DeliveryFilter, DeliveryQuery, DropSelection, InterventionKind, InterventionRecord, NewSubscription,
    PageRequest, Redrivable, RedriveSelection, RetrySelection, UnmatchedSubscriptions,
};
use domain::attempt::{OutcomeKind, Scope};
use domain::attributes::AttributesChange;
use domain::delivery::{DeliveryId, DeliveryKind, DeliveryState};
use domain::endpoint::Protocol;
use domain::subscription::{
    CONFIRMATION_LIFETIME, EndReason, SkipReason, SubscriptionId, SubscriptionState, SuspensionReason,
};

use crate::LocalPorts;
use crate::fixtures::{MOMENT, WHILE, all_dead, delivery_id, email, first_page, now, order, policy, text};

const HELD: &str = "held@example.com";
const BOB: &str = "+4915112345679";

/// From acceptance to each attempt, and why the others were not told.
pub async fn an_order_history_is_complete(ports: &LocalPorts<'_>) {
    let told = ports.confirmed(email("ada@example.com")).await;
    let asked = ports.subscribe(email("bob@example.com")).await;
    let order = ports.place(order()).await;
    let before = ports.deliveries.order_history(order.id).await.unwrap().unwrap();
    assert!(!before.unmatched.published && before.unmatched.page.items.is_empty());
    ports.publish().await;
    let late = ports.confirmed(email("eve@example.com")).await;
    let delivery = ports.of_order(&order).await[0].id;
    ports.begin(delivery, 1).await;
    ports.finish(delivery, 1, OutcomeKind::Transient(Scope::Delivery)).await;
    ports.begin(delivery, 2).await;

    let history = ports.deliveries.order_history(order.id).await.unwrap().unwrap();
    assert!(history.unmatched.published);
    assert_eq!(history.unmatched.order.order, order);
    assert_eq!(history.counts, [(DeliveryState::InFlight, 1)]);
    assert_eq!(history.deliveries.len(), 1);
    assert_eq!((history.deliveries[0].subscription, history.deliveries[0].order), (told.id, Some(order.id)));
    let attempts: Vec<_> =
        history.deliveries[0].attempts.iter().map(|tried| (tried.number, tried.outcome.as_deref())).collect();
    assert_eq!(attempts, [(1, Some("transient")), (2, None)]);
    let expected = [(late.id, SkipReason::NotYetSubscribed), (asked.id, SkipReason::NotConfirmed)];
    assert_eq!(why_not(history.unmatched), expected);
}

/// However many have no delivery, a page of them is no longer than was asked for, and pages neither repeat nor skip.
pub async fn those_who_are_not_told_are_listed_a_page_at_a_time(ports: &LocalPorts<'_>) {
    let mut asked = Vec::new();
    for number in 0..5 {
        asked.push(ports.subscribe(email(&format!("asked{number}@example.com"))).await.id);
    }
    ports.confirmed(email("told@example.com")).await;
    let order = ports.place(order()).await;
    ports.publish().await;
    let mut listed = Vec::new();
    let mut request = PageRequest { limit: 2, cursor: None };
    loop {
        let found =
            ports.deliveries.unmatched_subscriptions(order.id, request.clone()).await.unwrap().unwrap();
        assert!(found.page.items.len() <= 2);
        request.cursor.clone_from(&found.page.next);
        listed.extend(why_not(found).into_iter().map(|(id, _)| id));
        if request.cursor.is_none() {
            break;
        }
    }
    asked.reverse();
    assert_eq!(listed, asked);
    let nonsense = PageRequest { limit: 2, cursor: Some("x".to_owned()) };
    assert_eq!(
        ports.deliveries.unmatched_subscriptions(order.id, nonsense).await.unwrap_err().code,
        "invalid_cursor"
    );
}

fn why_not(unmatched: UnmatchedSubscriptions) -> Vec<(SubscriptionId, SkipReason)> {
    not_matched_of(unmatched).items.into_iter().map(|(who, why)| (who.id, why)).collect()
}

/// Who had ended, and whose policy did not match, is told as of the order's acceptance.
pub async fn an_order_history_tells_what_held_at_acceptance(ports: &LocalPorts<'_>) {
    let ended = ports.confirmed(email("ada@example.com")).await;
    ports.place(order()).await;
    ports.subscriptions.unsubscribe(ended.id, EndReason::Removed, now()).await.unwrap();
    let filtered = ports.confirmed(email("bob@example.com")).await;
    ports
        .subscriptions
        .change_attributes(
            filtered.id,
            AttributesChange::with_filter_policy(Some(policy(r#"{"currency":["EUR"]}"#))),
        )
        .await
        .unwrap();
    let order = ports.place(order()).await;
    ports
        .subscriptions
        .change_attributes(filtered.id, AttributesChange::with_filter_policy(None))
        .await
        .unwrap();
    ports.publish().await;
    let history = ports.deliveries.order_history(order.id).await.unwrap().unwrap();
    let why = why_not(history.unmatched);
    assert!(matches!(&why[0], (id, SkipReason::FilterPolicy { .. }) if *id == filtered.id), "{:?}", why[0]);
    assert_eq!(why[1], (ended.id, SkipReason::Ended));
}

/// Ids that were never given name nothing.
pub async fn what_is_unknown_has_no_record(ports: &LocalPorts<'_>) {
    assert_eq!(ports.deliveries.order_history(order().id).await.unwrap(), None);
    assert_eq!(ports.deliveries.delivery(delivery_id()).await.unwrap(), None);
}

/// Newest first; pages neither repeat nor skip; filters hold together.
pub async fn deliveries_are_listed_newest_first(ports: &LocalPorts<'_>) {
    let ada = ports.confirmed(email("ada@example.com")).await;
    let bob = ports.confirmed(email("bob@example.com")).await;
    let first = ports.place(order()).await;
    let second = ports.place(order()).await;
    ports.publish().await;
    let (one, two) = (ports.of_order(&first).await, ports.of_order(&second).await);
    let all = listed(ports, DeliveryQuery::default()).await;
    assert_eq!(all[..4], [two[1].id, two[0].id, one[1].id, one[0].id]);
    assert_eq!(all.len(), 6, "with two confirmation requests");
    ports.kill(one[0].id).await;

    let dead = DeliveryQuery { state: Some(DeliveryState::Dead), ..DeliveryQuery::default() };
    assert_eq!(listed(ports, dead.clone()).await, [one[0].id]);
    assert_eq!(listed(ports, DeliveryQuery { subscription: Some(bob.id), ..dead }).await, []);
    let pending = DeliveryQuery { state: Some(DeliveryState::Pending), ..DeliveryQuery::default() };
    assert_eq!(listed(ports, pending.clone()).await, [two[1].id, two[0].id, one[1].id]);
    assert_eq!(listed(ports, DeliveryQuery { subscription: Some(ada.id), ..pending }).await, [two[0].id]);
    let of_second = DeliveryQuery { order: Some(second.id), ..DeliveryQuery::default() };
    assert_eq!(listed(ports, of_second).await, [two[1].id, two[0].id]);
    let elsewhere = DeliveryQuery { order: Some(order().id), ..DeliveryQuery::default() };
    assert_eq!(listed(ports, elsewhere).await, []);
}

/// Due at once with all its attempts before it, while those it made stay on record.
pub async fn a_dead_delivery_can_be_sent_again(ports: &LocalPorts<'_>) {
    let subscription = ports.confirmed(email("ada@example.com")).await;
    let delivery = ports.notification(subscription.id).await.id;
    ports.kill(delivery).await;
    let at = now() + WHILE;
    assert_eq!(ports.deliveries.redrive(RedriveSelection::One(delivery), at).await.unwrap(), 1);
    let record = ports.record(delivery).await;
    assert_eq!((record.state, record.attempts_used, record.at), (DeliveryState::Pending, 0, at));
    assert_eq!(record.attempts.len(), 1);
    assert_eq!(ports.due_by(at).await.deliveries[0].attempts, 1);
    ports.begin(delivery, 2).await;
    ports.finish(delivery, 2, OutcomeKind::Delivered).await;
    assert_eq!(ports.record(delivery).await.attempts.len(), 2);
}

/// Where a repeat could cost, a person decided.
pub async fn a_held_delivery_can_be_sent_again(ports: &LocalPorts<'_>) {
    let delivery = hold(ports, email(HELD)).await;
    assert_eq!(ports.deliveries.redrive(all_dead(None), now()).await.unwrap(), 0);
    assert_eq!(ports.deliveries.redrive(RedriveSelection::One(delivery), now()).await.unwrap(), 1);
    assert_eq!(ports.record(delivery).await.state, DeliveryState::Pending);
}

/// Each reason has its own name, and nothing is changed.
pub async fn what_cannot_be_sent_again_is_refused(ports: &LocalPorts<'_>) {
    let subscription = ports.confirmed(email("ada@example.com")).await;
    let delivery = ports.notification(subscription.id).await.id;
    let refusal = async |id| {
        let error = ports.deliveries.redrive(RedriveSelection::One(id), now()).await.unwrap_err();
        (error.kind, error.code)
    };
    assert_eq!(refusal(delivery_id()).await, (ErrorKind::NotFound, "delivery_not_found"));
    assert_eq!(refusal(delivery).await, (ErrorKind::Conflict, "not_redrivable"));
    ports.kill(delivery).await;
    ports.subscriptions.unsubscribe(subscription.id, EndReason::Removed, now()).await.unwrap();
    assert_eq!(refusal(delivery).await, (ErrorKind::Conflict, "subscription_ended"));
    assert_eq!(ports.record(delivery).await.state, DeliveryState::Dead);
}

/// One that was answered, was asked anew, or whose link expired would lead nowhere.
pub async fn a_superseded_confirmation_request_is_not_redriven(ports: &LocalPorts<'_>) {
    let subscription = ports.subscribe(email("ada@example.com")).await;
    let request = ports.due(DeliveryKind::Confirmation).await[0].id;
    ports.kill(request).await;
    let redrive = async |at| ports.deliveries.redrive(RedriveSelection::One(request), at).await;
    let expired = redrive(now() + CONFIRMATION_LIFETIME).await.unwrap_err();
    assert_eq!((expired.kind, expired.code), (ErrorKind::Conflict, "not_redrivable"));
    assert_eq!(redrive(now()).await.unwrap(), 1);
    ports.begin(request, 2).await;
    ports.finish(request, 2, OutcomeKind::Permanent(Scope::Delivery)).await;

    ports.local_subscriptions.confirm(subscription.id, subscription.generation, false, now()).await.unwrap();
    assert_eq!(redrive(now()).await.unwrap_err().code, "not_redrivable");
    assert_eq!(ports.deliveries.redrive(all_dead(None), now()).await.unwrap(), 0);
    assert_eq!(ports.record(request).await.state, DeliveryState::Dead);
}

/// All of one subscription or of all; those of ended subscriptions stay where they are.
pub async fn all_dead_deliveries_can_be_sent_again(ports: &LocalPorts<'_>) {
    let mut dead = Vec::new();
    for endpoint in ["ada@example.com", "bob@example.com", "eve@example.com"] {
        let subscription = ports.confirmed(email(endpoint)).await;
        let delivery = ports.notification(subscription.id).await.id;
        ports.kill(delivery).await;
        dead.push((subscription.id, delivery));
    }
    let ended = ports.subscriptions.unsubscribe(dead[2].0, EndReason::Removed, now()).await.unwrap();
    assert_eq!(ended.state, SubscriptionState::Ended);
    let redrive = async |subscription| ports.deliveries.redrive(all_dead(subscription), now()).await.unwrap();
    assert_eq!(redrive(Some(dead[0].0)).await, 1);
    assert_eq!(ports.record(dead[1].1).await.state, DeliveryState::Dead);
    assert_eq!(redrive(None).await, 1);
    assert_eq!(redrive(None).await, 0);
    assert_eq!(ports.record(dead[2].1).await.state, DeliveryState::Dead);
    let due = ports.due(DeliveryKind::Notification).await;
    for (_, delivery) in &dead[..2] {
        assert!(due.iter().any(|due| due.id == *delivery));
    }
}

/// A person knows that it arrived, or that it need not.
pub async fn what_is_pending_or_held_can_be_dropped_and_nothing_else(ports: &LocalPorts<'_>) {
    let held = hold(ports, email(HELD)).await;
    let subscription = ports.record(held).await.subscription;
    let pending = ports.notification(subscription).await.id;
    let in_flight = ports.notification(subscription).await.id;
    ports.begin(in_flight, 1).await;
    let drop = async |id| ports.deliveries.drop_deliveries(DropSelection::One(id), now()).await;
    assert_eq!(drop(delivery_id()).await.unwrap_err().code, "delivery_not_found");
    assert_eq!(drop(in_flight).await.unwrap_err().code, "not_droppable");
    for id in [held, pending] {
        assert_eq!(drop(id).await.unwrap(), 1);
        assert_eq!(ports.record(id).await.state, DeliveryState::Cancelled);
        assert_eq!(drop(id).await.unwrap_err().code, "not_droppable");
    }
}

/// In as many steps as it takes; what goes to others, what is in flight and confirmation requests stay as they are.
pub async fn what_is_pending_can_be_dropped_by_what_it_is(ports: &LocalPorts<'_>) {
    let ada = ports.confirmed(email("ada@example.com")).await;
    let bob = ports.confirmed(text(BOB)).await;
    let asked = email("eve@example.com");
    ports.subscribe(asked.clone()).await;
    for _ in 0..520 {
        ports.place(order()).await;
    }
    ports.publish().await;
    let pending = async |subscription| {
        let state = Some(DeliveryState::Pending);
        listed(ports, DeliveryQuery { state, subscription, ..DeliveryQuery::default() }).await.len()
    };
    let drop =
        async |filter| ports.deliveries.drop_deliveries(DropSelection::Pending(filter), now()).await.unwrap();
    let none = DeliveryFilter { before: Some(now() - WHILE), ..DeliveryFilter::default() };
    assert_eq!(drop(none).await, 0);
    let texts = DeliveryFilter { protocol: Some(Protocol::Sms), ..DeliveryFilter::default() };
    assert_eq!(drop(texts).await, 520);
    assert_eq!((pending(Some(ada.id)).await, pending(Some(bob.id)).await), (520, 0));
    let of_ada = DeliveryFilter { subscription: Some(ada.id), ..DeliveryFilter::default() };
    assert_eq!(drop(of_ada).await, 520);
    assert_eq!(drop(DeliveryFilter::default()).await, 0);
    assert_eq!(
        ports.record(asked.confirmation).await.state,
        DeliveryState::Pending,
        "a confirmation request"
    );
    assert_eq!(
        ports.deliveries.drop_deliveries(DropSelection::One(asked.confirmation), now()).await.unwrap(),
        1
    );
}

/// Only those that are.
pub async fn what_is_held_can_be_dropped_by_what_it_is(ports: &LocalPorts<'_>) {
    let held = hold(ports, email(HELD)).await;
    let pending = ports.notification(ports.record(held).await.subscription).await.id;
    let drop =
        async |filter| ports.deliveries.drop_deliveries(DropSelection::Held(filter), now()).await.unwrap();
    assert_eq!(drop(DeliveryFilter { protocol: Some(Protocol::Chat), ..DeliveryFilter::default() }).await, 0);
    assert_eq!(drop(DeliveryFilter::default()).await, 1);
    assert_eq!(ports.record(held).await.state, DeliveryState::Cancelled);
    assert_eq!(ports.record(pending).await.state, DeliveryState::Pending);
}

/// It is due at once, with the attempts it has used, and that a person wanted it so is on record.
pub async fn what_waits_for_its_time_can_be_tried_at_once(ports: &LocalPorts<'_>) {
    let (_, delivery) = ports.in_flight("ada@example.com").await;
    ports.finish(delivery, 1, OutcomeKind::Transient(Scope::Delivery)).await;
    let waiting = ports.record(delivery).await;
    assert!(ports.due_by(now()).await.deliveries.iter().all(|due| due.id != delivery));
    let at = now();
    assert_eq!(ports.deliveries.retry(RetrySelection::One(delivery), at).await.unwrap(), 1);
    let record = ports.record(delivery).await;
    assert_eq!((record.state, record.at, record.attempts_used), (DeliveryState::Pending, at, 1));
    let state_before = DeliveryState::Pending;
    let expected =
        InterventionRecord { kind: InterventionKind::Retried, at, state_before, since: waiting.at };
    assert_eq!(record.interventions, [expected]);
    assert!(ports.due_by(at).await.deliveries.iter().any(|due| due.id == delivery));
}

/// All of it, or what fits; what is due already keeps its place, and nothing is done to what may not be sent.
pub async fn all_that_waits_can_be_tried_at_once(ports: &LocalPorts<'_>) {
    let mut waiting = Vec::new();
    for endpoint in ["ada@example.com", "bob@example.com", "eve@example.com"] {
        let (subscription, delivery) = ports.in_flight(endpoint).await;
        ports.finish(delivery, 1, OutcomeKind::Transient(Scope::Delivery)).await;
        waiting.push((subscription, delivery));
    }
    let due = ports.notification(waiting[0].0.id).await;
    ports.local_subscriptions.suspend(waiting[2].0.id, SuspensionReason::Operator, now()).await.unwrap();
    let retry = async |filter, at| ports.deliveries.retry(RetrySelection::Pending(filter), at).await.unwrap();
    let at = now();
    let of_bob = DeliveryFilter { subscription: Some(waiting[1].0.id), ..DeliveryFilter::default() };
    assert_eq!(retry(DeliveryFilter { protocol: Some(Protocol::Sms), ..of_bob.clone() }, at).await, 0);
    assert_eq!(retry(of_bob, at).await, 3, "two orders are due to him, one waits");
    assert_eq!(ports.record(waiting[1].1).await.at, at);
    assert!(ports.record(waiting[0].1).await.at > at);
    assert_eq!(retry(DeliveryFilter::default(), at).await, 3 + 4, "all of two, and nothing of the third");
    assert_eq!(ports.record(waiting[0].1).await.at, at);
    let untouched = ports.record(due.id).await;
    assert_eq!((untouched.at, untouched.interventions.len()), (due.at, 0));
    assert!(ports.record(waiting[2].1).await.at > at, "it is suspended");
}

/// Each reason has its own name, and nothing is changed.
pub async fn what_cannot_be_tried_at_once_is_refused(ports: &LocalPorts<'_>) {
    let (subscription, delivery) = ports.in_flight("ada@example.com").await;
    let refusal = async |id| {
        let error = ports.deliveries.retry(RetrySelection::One(id), now()).await.unwrap_err();
        (error.kind, error.code)
    };
    assert_eq!(refusal(delivery_id()).await, (ErrorKind::NotFound, "delivery_not_found"));
    assert_eq!(refusal(delivery).await, (ErrorKind::Conflict, "not_pending"));
    ports.finish(delivery, 1, OutcomeKind::Transient(Scope::Delivery)).await;
    ports.local_subscriptions.suspend(subscription.id, SuspensionReason::Operator, now()).await.unwrap();
    assert_eq!(refusal(delivery).await, (ErrorKind::Conflict, "subscription_suspended"));
    ports.subscriptions.unsubscribe(subscription.id, EndReason::Removed, now()).await.unwrap();
    assert_eq!(refusal(delivery).await, (ErrorKind::Conflict, "not_pending"));
    assert!(ports.record(delivery).await.interventions.is_empty());
}

/// Each part of the selection leaves out what does not fit it.
pub async fn what_is_sent_again_can_be_selected(ports: &LocalPorts<'_>) {
    let held = hold(ports, email(HELD)).await;
    let created = ports.record(held).await.created_at;
    let redrive = async |selection| ports.deliveries.redrive(selection, now()).await.unwrap();
    let all = |protocol, from, before| RedriveSelection::Many {
        state: Redrivable::Held,
        filter: DeliveryFilter { protocol, from, before, ..DeliveryFilter::default() },
    };
    assert_eq!(redrive(all_dead(None)).await, 0);
    assert_eq!(redrive(all(Some(Protocol::Webhook), None, None)).await, 0);
    assert_eq!(redrive(all(None, Some(created + MOMENT), None)).await, 0);
    assert_eq!(redrive(all(None, None, Some(created))).await, 0);
    assert_eq!(redrive(all(Some(Protocol::Email), Some(created), Some(created + MOMENT))).await, 1);
    assert_eq!(ports.record(held).await.state, DeliveryState::Pending);
}

/// A delivery of which nobody knows whether it arrived.
pub(crate) async fn hold(ports: &LocalPorts<'_>, new: NewSubscription) -> DeliveryId {
    let (_, delivery) = ports.in_flight_to(new).await;
    ports.finish_unknown(delivery, 1).await;
    delivery
}

async fn listed(ports: &LocalPorts<'_>, query: DeliveryQuery) -> Vec<DeliveryId> {
    let (mut ids, mut page) = (Vec::new(), first_page(2));
    loop {
        let query = DeliveryQuery { page: page.clone(), ..query.clone() };
        let found = ports.deliveries.deliveries(query).await.unwrap();
        ids.extend(found.items.into_iter().map(|delivery| delivery.id));
        let Some(next) = found.next else { return ids };
        page = PageRequest { cursor: Some(next), ..page };
    }
}

//! What [`DeliveryQueue`](application::ports::DeliveryQueue) promises.

use application::ports::{DueQuery, Finished, Intent, NO_CHANNEL, NewSubscription};
use domain::attempt::{OutcomeKind, Scope};
use domain::attributes::{Attributes, SubscribedTo};
use domain::delivery::{CancelReason, DeliveryId, DeliveryKind, DeliveryState, Next};
use domain::endpoint::Protocol;
use domain::failure_streak::{FailureStreak, SUSPEND_AFTER, SUSPEND_MIN_FAILURES};
use domain::notice::Notice;
use domain::subscription::{CONFIRMATION_LIFETIME, EndReason, SubscriptionState, SuspensionReason};

use crate::LocalPorts;
use crate::fixtures::{MOMENT, WHILE, delivery_id, email, now, order, subscription};
use crate::local_ports::{all_due, finished};

const HELD: &str = "held@example.com";

/// With the order it tells of, and the subscription that it goes to.
pub async fn a_delivery_is_due_with_all_that_it_takes(ports: &LocalPorts<'_>) {
    let subscription = ports.confirmed(email("ada@example.com")).await;
    let order = ports.place(order()).await;
    ports.publish().await;
    let due = ports.due(DeliveryKind::Notification).await;
    assert_eq!(due.len(), 1);
    assert_eq!((&*due[0].subscription, due[0].order.as_deref()), (&subscription, Some(&order)));
    assert_eq!((due[0].attempts, due[0].attempts_used), (0, 0));
}

/// Whoever holds some already is answered the others, however few are wanted.
pub async fn deliveries_that_are_skipped_hide_no_others(ports: &LocalPorts<'_>) {
    ports.confirmed(email("ada@example.com")).await;
    for _ in 0..3 {
        ports.place(order()).await;
    }
    ports.publish().await;
    let all = ports.due(DeliveryKind::Notification).await;
    assert_eq!(all.len(), 3);
    let skip_deliveries = all.iter().take(2).map(|delivery| delivery.id).collect();
    let query = DueQuery { per_endpoint: 1, skip_deliveries, ..all_due(now() + WHILE) };
    let rest = ports.queue.due(query).await.unwrap().deliveries;
    assert_eq!(rest, all[2..]);
}

/// It waits for its time, and the queue says when that is.
pub async fn a_delivery_is_not_due_before_its_time(ports: &LocalPorts<'_>) {
    let (_, delivery) = ports.in_flight("ada@example.com").await;
    let decision = ports.finish(delivery, 1, OutcomeKind::Transient(Scope::Delivery)).await;
    let Next::Again(at) = decision.next else { panic!("{decision:?}") };
    let early = ports.due_by(at - MOMENT).await;
    assert_eq!(early.deliveries, []);
    // A store keeps at least milliseconds.
    let next_at = early.next_at.expect("it is due some time");
    assert!(next_at <= at && next_at > at - MOMENT, "{next_at} for {at}");
    let due = ports.due_by(at).await;
    assert_eq!(due.next_at, None);
    assert_eq!(
        due.deliveries.iter().map(|due| (due.id, due.attempts, due.attempts_used)).collect::<Vec<_>>(),
        [(delivery, 1, 1)]
    );
}

/// However much one subscription waits for, the others' come too.
pub async fn no_backlog_hides_another_subscription(ports: &LocalPorts<'_>) {
    let first = ports.confirmed(email("ada@example.com")).await;
    for _ in 0..20 {
        ports.place(order()).await;
    }
    let second = ports.confirmed(email("bob@example.com")).await;
    ports.place(order()).await;
    ports.publish().await;
    let by = now() + WHILE;
    let due = ports.queue.due(DueQuery { per_endpoint: 3, ..all_due(by) }).await.unwrap().deliveries;
    let of = |id| due.iter().filter(|delivery| delivery.subscription.id == id).count();
    assert_eq!((of(first.id), of(second.id)), (3, 1));
    let few = ports.queue.due(DueQuery { limit: 2, ..all_due(by) }).await.unwrap();
    assert_eq!(few.deliveries.len(), 2);
}

/// Those that waited longest come first.
pub async fn what_is_longest_due_comes_first(ports: &LocalPorts<'_>) {
    let (subscription, delayed) = ports.in_flight("ada@example.com").await;
    ports.finish(delayed, 1, OutcomeKind::Transient(Scope::Delivery)).await;
    let fresh = ports.notification(subscription.id).await;
    let due = ports.due(DeliveryKind::Notification).await;
    assert_eq!(due.iter().map(|delivery| delivery.id).collect::<Vec<_>>(), [fresh.id, delayed]);
}

/// Paused channels and endpoints are left out, and so is what they wait for.
pub async fn what_is_skipped_is_not_due(ports: &LocalPorts<'_>) {
    let ada = ports.subscribe(email("ada@example.com")).await;
    let bob = ports.subscribe(email("bob@example.com")).await;
    let hook = ports.subscribe(subscription(Protocol::Webhook, "https://example.com/a")).await;
    let by = now() + WHILE;
    let query = DueQuery { skip_endpoints: vec![ada.id], ..all_due(by) };
    assert_eq!(due_to(ports, query.clone()).await, [bob.id, hook.id]);
    assert_eq!(due_to(ports, DueQuery { skip_protocols: vec![Protocol::Email], ..query }).await, [hook.id]);
    let long_ago = all_due(now() - WHILE);
    let skipped = DueQuery { skip_protocols: vec![Protocol::Email, Protocol::Webhook], ..long_ago.clone() };
    assert_eq!(ports.queue.due(skipped).await.unwrap().next_at, None);
    assert!(ports.queue.due(long_ago).await.unwrap().next_at.is_some());
}

/// Of two that want to make the same attempt, one may.
pub async fn an_attempt_is_begun_once(ports: &LocalPorts<'_>) {
    let subscription = ports.confirmed(email("ada@example.com")).await;
    let delivery = ports.notification(subscription.id).await.id;
    let intent = |number| vec![Intent { delivery, number, at: now() }];
    assert_eq!(ports.queue.begin(intent(2)).await.unwrap(), [], "a number that does not follow");
    assert_eq!(ports.queue.begin(intent(1)).await.unwrap(), [delivery]);
    assert_eq!(ports.queue.begin(intent(1)).await.unwrap(), []);
    assert_eq!(ports.queue.begin(intent(2)).await.unwrap(), [], "one is in flight");
    let unknown = Intent { delivery: delivery_id(), number: 1, at: now() };
    assert_eq!(ports.queue.begin(vec![unknown]).await.unwrap(), []);
    assert_eq!(ports.record(delivery).await.state, DeliveryState::InFlight);
    assert_eq!(ports.due(DeliveryKind::Notification).await, []);
}

/// Until its outcome is known, an attempt may have been cut short.
pub async fn an_attempt_is_interrupted_until_it_is_finished(ports: &LocalPorts<'_>) {
    let new = email("ada@example.com");
    let asked = ports.subscribe(new.clone()).await;
    ports.begin(new.confirmation, 1).await;
    let (_, delivery) = ports.in_flight("bob@example.com").await;
    let interrupted = ports.queue.interrupted().await.unwrap();
    let found = |id| interrupted.iter().find(|attempt| attempt.delivery == id).expect("it is in flight");
    assert_eq!((found(delivery).protocol, found(delivery).deadline), (Protocol::Email, None));
    assert_eq!((found(delivery).number, found(delivery).attempts_used), (1, 0));
    // The first asking moves the end on.
    let deadline = ports.subscriptions.subscription(asked.id).await.unwrap().unwrap().confirmation_expires_at;
    assert_eq!(found(new.confirmation).deadline, deadline, "only a confirmation request has an end");
    ports.finish(delivery, 1, OutcomeKind::Unknown).await;
    ports.finish(new.confirmation, 1, OutcomeKind::Delivered).await;
    assert_eq!(ports.queue.interrupted().await.unwrap(), []);
}

/// The outcome stands in the record as it was given; a repeat, even of another outcome, changes nothing.
pub async fn an_outcome_is_recorded_once(ports: &LocalPorts<'_>) {
    let (_, delivery) = ports.in_flight("ada@example.com").await;
    let end = finished(delivery, 1, OutcomeKind::Delivered);
    ports.queue.finish(vec![end.clone()]).await.unwrap();
    let record = ports.record(delivery).await;
    assert_eq!((record.state, record.attempts_used, record.at), (DeliveryState::Delivered, 1, end.at));
    let attempt = &record.attempts[0];
    assert_eq!((attempt.outcome.as_deref(), attempt.ended_at), (Some("delivered"), Some(end.at)));
    assert_eq!((attempt.reply.as_deref(), attempt.scope.as_deref()), (Some("the receiver's reply"), None));
    ports.queue.finish(vec![end]).await.unwrap();
    ports.finish(delivery, 1, OutcomeKind::Transient(Scope::Delivery)).await;
    assert_eq!(ports.record(delivery).await, record);
}

/// An attempt for which the delivery is not to blame is on record, and uses no attempt.
pub async fn a_failure_of_the_channel_uses_no_attempt(ports: &LocalPorts<'_>) {
    let (_, delivery) = ports.in_flight("ada@example.com").await;
    ports.finish(delivery, 1, OutcomeKind::Transient(Scope::Channel)).await;
    let record = ports.record(delivery).await;
    assert_eq!((record.state, record.attempts_used, record.attempts.len()), (DeliveryState::Pending, 0, 1));
    assert_eq!((record.attempts[0].scope.as_deref(), record.attempts[0].used), (Some("channel"), false));
    ports.begin(delivery, 2).await;
}

/// A receiver that is gone for good is not asked again.
pub async fn an_endpoint_that_is_gone_ends_its_subscription(ports: &LocalPorts<'_>) {
    let (subscription, delivery) = ports.in_flight("ada@example.com").await;
    let other = ports.notification(subscription.id).await;
    ports.finish(delivery, 1, OutcomeKind::Permanent(Scope::Endpoint)).await;
    let ended = ports.subscriptions.subscription(subscription.id).await.unwrap().unwrap();
    assert_eq!((ended.state, ended.end.unwrap().reason), (SubscriptionState::Ended, EndReason::OptedOut));
    assert_eq!(ports.record(delivery).await.state, DeliveryState::Dead);
    assert_eq!(ports.record(other.id).await.state, DeliveryState::Cancelled);
}

/// What was in flight when its subscription ended is not tried again, nor held for anybody to decide about.
pub async fn a_retry_for_an_ended_subscription_is_cancelled(ports: &LocalPorts<'_>) {
    for (address, kind) in [
        ("ada@example.com", OutcomeKind::Transient(Scope::Delivery)),
        ("bob@example.com", OutcomeKind::Transient(Scope::Channel)),
        ("eve@example.com", OutcomeKind::Throttled { scope: Scope::Endpoint, retry_after: None }),
        (HELD, OutcomeKind::Unknown),
    ] {
        let (subscription, delivery) = ports.in_flight(address).await;
        ports.subscriptions.unsubscribe(subscription.id, EndReason::Unsubscribed, now()).await.unwrap();
        assert_eq!(ports.record(delivery).await.state, DeliveryState::InFlight);
        end(ports, delivery, address, kind).await;
        let record = ports.record(delivery).await;
        let why = (record.state, record.cancel_reason);
        assert_eq!(why, (DeliveryState::Cancelled, Some(CancelReason::SubscriptionEnded)), "{kind:?}");
    }
}

/// Nobody gets two confirmation requests because one was in flight while the other was asked.
pub async fn a_retry_of_a_superseded_confirmation_request_is_cancelled(ports: &LocalPorts<'_>) {
    for (address, kind) in
        [("ada@example.com", OutcomeKind::Transient(Scope::Delivery)), (HELD, OutcomeKind::Unknown)]
    {
        let new = email(address);
        let made = ports.subscribe(new.clone()).await;
        ports.begin(new.confirmation, 1).await;
        ports.subscriptions.resend_confirmation(made.id, delivery_id(), now()).await.unwrap();
        end(ports, new.confirmation, address, kind).await;
        let record = ports.record(new.confirmation).await;
        let why = (record.state, record.cancel_reason);
        assert_eq!(why, (DeliveryState::Cancelled, Some(CancelReason::Superseded)), "{kind:?}");
    }
    assert_eq!(ports.due(DeliveryKind::Confirmation).await.len(), 2);
}

/// Ends the first attempt; to [`HELD`] a repeat could cost.
async fn end(ports: &LocalPorts<'_>, delivery: DeliveryId, address: &str, kind: OutcomeKind) {
    if address == HELD {
        ports.finish_unknown(delivery, 1).await;
    } else {
        ports.finish(delivery, 1, kind).await;
    }
}

/// A program that answered the challenge is confirmed in the same commit, for real.
pub async fn an_answered_challenge_confirms(ports: &LocalPorts<'_>) {
    let new = subscription(Protocol::Webhook, "https://example.com/a");
    let made = ports.subscribe(new.clone()).await;
    ports.begin(new.confirmation, 1).await;
    let end = Finished { confirmed: true, ..finished(new.confirmation, 1, OutcomeKind::Delivered) };
    ports.queue.finish(vec![end.clone()]).await.unwrap();
    let confirmed = ports.subscriptions.subscription(made.id).await.unwrap().unwrap();
    assert_eq!(confirmed.state, SubscriptionState::Confirmed);
    assert_eq!(confirmed.confirmation.map(|given| (given.at, given.in_sandbox)), Some((end.at, false)));
    assert_eq!(ports.record(new.confirmation).await.state, DeliveryState::Delivered);
    ports.notification(made.id).await;
}

/// An answer that comes after the end revives nothing.
pub async fn an_answered_challenge_does_not_revive_an_ended_subscription(ports: &LocalPorts<'_>) {
    let new = subscription(Protocol::Webhook, "https://example.com/a");
    let made = ports.subscribe(new.clone()).await;
    ports.begin(new.confirmation, 1).await;
    ports.subscriptions.unsubscribe(made.id, EndReason::Removed, now()).await.unwrap();
    let end = Finished { confirmed: true, ..finished(new.confirmation, 1, OutcomeKind::Delivered) };
    ports.queue.finish(vec![end]).await.unwrap();
    assert_eq!(
        ports.subscriptions.subscription(made.id).await.unwrap().unwrap().state,
        SubscriptionState::Ended
    );
}

/// They stand in the histories of the orders that waited, each with its first reason.
pub async fn pauses_of_a_channel_are_on_record(ports: &LocalPorts<'_>) {
    let start = now();
    ports.queue.channel_paused(Protocol::Sms, "long ago", start - WHILE * 2).await.unwrap();
    ports.queue.channel_resumed(Protocol::Sms, start - WHILE).await.unwrap();
    let order = ports.place(order()).await;
    ports.queue.channel_paused(Protocol::Email, "535 refused", start).await.unwrap();
    ports.queue.channel_paused(Protocol::Email, "again", start + WHILE).await.unwrap();
    ports.queue.channel_resumed(Protocol::Email, start + WHILE * 2).await.unwrap();
    ports.queue.channel_resumed(Protocol::Email, start + WHILE * 3).await.unwrap();
    ports.queue.channel_paused(Protocol::Email, "421 busy", start + WHILE * 4).await.unwrap();
    let pauses = ports.deliveries.order_history(order.id).await.unwrap().unwrap().pauses;
    let told: Vec<_> = pauses.iter().map(|pause| (pause.reason.as_str(), pause.from, pause.to)).collect();
    let expected = [("535 refused", start, Some(start + WHILE * 2)), ("421 busy", start + WHILE * 4, None)];
    assert_eq!(told, expected);
    assert!(pauses.iter().all(|pause| pause.protocol == Protocol::Email));
}

/// As a pause that lasts until there is one; nobody is bothered where nobody waits for it.
pub async fn a_channel_that_is_missing_is_on_record(ports: &LocalPorts<'_>) {
    let start = now();
    let order = ports.place(order()).await;
    let missing = async |at| ports.queue.channel_missing(Protocol::Email, at).await.unwrap();
    let pauses = async || {
        let pauses = ports.deliveries.order_history(order.id).await.unwrap().unwrap().pauses;
        pauses.into_iter().map(|pause| (pause.reason, pause.from, pause.to)).collect::<Vec<_>>()
    };
    let ended = ports.subscribe(email("bob@example.com")).await;
    ports.subscriptions.unsubscribe(ended.id, EndReason::Removed, start).await.unwrap();
    assert_eq!((missing(start).await, pauses().await), (0, vec![]));

    ports.confirmed(email("ada@example.com")).await;
    ports.subscribe(email("eve@example.com")).await;
    ports.queue.channel_paused(Protocol::Email, "421 busy", start).await.unwrap();
    assert_eq!(missing(start + WHILE).await, 2);
    assert_eq!(missing(start + WHILE * 2).await, 2);
    let busy = ("421 busy".to_owned(), start, Some(start + WHILE));
    let since = (NO_CHANNEL.to_owned(), start + WHILE, None);
    assert_eq!(pauses().await, [busy.clone(), since.clone()]);
    ports.queue.channel_resumed(Protocol::Email, start + WHILE * 3).await.unwrap();
    let until = (since.0, since.1, Some(start + WHILE * 3));
    assert_eq!(pauses().await, [busy, until]);
}

async fn due_to(ports: &LocalPorts<'_>, query: DueQuery) -> Vec<domain::subscription::SubscriptionId> {
    ports.queue.due(query).await.unwrap().deliveries.iter().map(|delivery| delivery.subscription.id).collect()
}

/// From its first failure after a success on; a channel's failure says nothing of its endpoint.
pub async fn it_is_kept_since_when_an_endpoint_fails(ports: &LocalPorts<'_>) {
    let (subscription, first) = ports.in_flight("ada@example.com").await;
    let failing =
        async || ports.subscriptions.subscription(subscription.id).await.unwrap().unwrap().failure_streak;
    ports.finish(first, 1, OutcomeKind::Transient(Scope::Channel)).await;
    assert_eq!(failing().await, None);
    ports.begin(first, 2).await;
    ports.finish(first, 2, OutcomeKind::Transient(Scope::Endpoint)).await;
    let once = failing().await.expect("it fails");
    ports.begin(first, 3).await;
    let (at, gap) = (once.last + WHILE, WHILE);
    let again = Finished { at, ..finished(first, 3, OutcomeKind::Unknown) };
    ports.queue.finish(vec![again]).await.unwrap();
    assert_eq!(failing().await, Some(FailureStreak { count: 2, last: at, duration: gap, ..once }));
    ports.begin(first, 4).await;
    ports.finish(first, 4, OutcomeKind::Delivered).await;
    assert_eq!(failing().await, None);
}

/// Over another channel than the one that failed, if they can be reached so; what was pending waits.
pub async fn an_endpoint_that_fails_for_too_long_is_suspended_and_operators_are_told(ports: &LocalPorts<'_>) {
    let operator = |new: NewSubscription, receives| NewSubscription {
        attributes: Attributes { receives, ..Attributes::default() },
        ..new
    };
    let hook = subscription(Protocol::Webhook, "https://example.com/ops");
    let same = ports.confirmed(operator(email("ops@example.com"), SubscribedTo::Notices)).await;
    let other = ports.confirmed(operator(hook, SubscribedTo::All)).await;
    let (failing, delivery) = ports.in_flight("ada@example.com").await;
    let failed =
        |number, at| Finished { at, ..finished(delivery, number, OutcomeKind::Transient(Scope::Endpoint)) };
    let at = |number: u32| now() + SUSPEND_AFTER / (SUSPEND_MIN_FAILURES - 1) * (number - 1) + WHILE;
    for number in 1..SUSPEND_MIN_FAILURES {
        assert!(ports.queue.finish(vec![failed(number, at(number))]).await.unwrap().is_empty());
        ports.begin(delivery, number + 1).await;
    }
    let late = at(SUSPEND_MIN_FAILURES) + WHILE;
    let last = failed(SUSPEND_MIN_FAILURES, late);
    assert_eq!(ports.queue.finish(vec![last.clone()]).await.unwrap(), [failing.id]);
    assert!(ports.queue.finish(vec![last]).await.unwrap().is_empty());
    let suspended = ports.subscriptions.subscription(failing.id).await.unwrap().unwrap();
    assert_eq!(suspended.suspension.map(|suspension| suspension.reason), Some(SuspensionReason::Failing));
    let noticed_at = late + WHILE;
    assert_eq!(ports.queue.notify_operators(noticed_at).await.unwrap(), 1);
    let mut notices = ports.due_by(noticed_at).await.deliveries;
    notices.retain(|due| due.kind == DeliveryKind::Notice);
    let told: Vec<_> = notices.iter().map(|notice| notice.subscription.id).collect();
    assert_eq!(told, [other.id], "once, and not {} over the channel that failed", same.id);
    let notice = notices[0].notice.as_ref();
    assert!(
        matches!(notice, Some(Notice::Suspended { count: 1, subscription_id, .. }) if *subscription_id == failing.id)
    );
    let resumed = ports.local_subscriptions.resume(failing.id, now()).await.unwrap();
    assert_eq!(resumed.failure_streak, None, "it begins anew");
}

/// A crash, or the end of the program, is not the endpoint's fault.
pub async fn an_attempt_that_was_cut_short_says_nothing_of_its_endpoint(ports: &LocalPorts<'_>) {
    let (subscription, delivery) = ports.in_flight("ada@example.com").await;
    let end = Finished { blameless: true, ..finished(delivery, 1, OutcomeKind::Unknown) };
    ports.queue.finish(vec![end]).await.unwrap();
    assert_eq!(
        ports.subscriptions.subscription(subscription.id).await.unwrap().unwrap().failure_streak,
        None
    );
}

/// However long a confirmation request had to wait, its receiver has the whole time to answer.
pub async fn a_confirmation_request_expires_by_when_it_is_first_sent(ports: &LocalPorts<'_>) {
    let subscription = ports.subscribe(email("ada@example.com")).await;
    let request = ports.due(DeliveryKind::Confirmation).await[0].id;
    let late = now() + CONFIRMATION_LIFETIME / 2;
    let intent = |number, at| Intent { delivery: request, number, at };
    ports.queue.begin(vec![intent(1, late)]).await.unwrap();
    let expires_at = async || {
        let asked = ports.subscriptions.subscription(subscription.id).await.unwrap().unwrap();
        asked.confirmation_expires_at
    };
    assert_eq!(expires_at().await, Some(late + CONFIRMATION_LIFETIME));
    ports.finish(request, 1, OutcomeKind::Transient(Scope::Channel)).await;
    ports.queue.begin(vec![intent(2, late + WHILE)]).await.unwrap();
    let asked = Some(late + WHILE + CONFIRMATION_LIFETIME);
    assert_eq!(expires_at().await, asked, "where the channel failed, nobody was asked");
    ports.finish(request, 2, OutcomeKind::Transient(Scope::Endpoint)).await;
    ports.queue.begin(vec![intent(3, late + WHILE * 2)]).await.unwrap();
    assert_eq!(expires_at().await, asked, "a repeat asks the same");
}

/// A subscription to notices only is matched by no order.
pub async fn a_subscription_to_notices_is_owed_no_order(ports: &LocalPorts<'_>) {
    let attributes = Attributes { receives: SubscribedTo::Notices, ..Attributes::default() };
    ports.confirmed(NewSubscription { attributes, ..email("ops@example.com") }).await;
    let order = ports.place(order()).await;
    assert_eq!(ports.publish().await.unmatched, [order.id]);
}

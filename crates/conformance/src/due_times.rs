//! What a clock that was wrong does to when a delivery is due.

use std::time::Duration;

use domain::attempt::{OutcomeKind, Scope};
use domain::delivery::Next;
use domain::retry::MAX_DELAY;
use domain::subscription::SuspensionReason;

use crate::LocalPorts;
use crate::fixtures::{WHILE, email, now, order};
use crate::local_ports::finished;

/// A clock that was wrong strands nothing: what lies further ahead than anything may is brought back to that limit, and
/// what lies within it stays.
pub async fn nothing_is_due_further_ahead_than_any_schedule_lets_it_wait(ports: &LocalPorts<'_>) {
    let ahead = now() + Duration::from_hours(400 * 24);
    let mut waiting = Vec::new();
    for endpoint in ["ada@example.com", "bob@example.com"] {
        let (_, delivery) = ports.in_flight(endpoint).await;
        waiting.push(delivery);
    }
    let again = |delivery, at| {
        let mut end = finished(delivery, 1, OutcomeKind::Transient(Scope::Delivery));
        end.decision.next = Next::Again(at);
        end
    };
    let soon = now() + WHILE;
    ports.queue.finish(vec![again(waiting[0], ahead), again(waiting[1], soon)]).await.unwrap();
    let at = now();
    assert_eq!(ports.queue.bound_due_times(at).await.unwrap(), 1);
    assert_eq!(ports.record(waiting[0]).await.at, at + MAX_DELAY);
    assert_eq!(ports.record(waiting[1]).await.at, soon);
    assert_eq!(ports.queue.bound_due_times(at).await.unwrap(), 0);
    let due = ports.due_by(at + MAX_DELAY).await.deliveries;
    assert!(due.iter().any(|due| due.id == waiting[0]));
}

/// However much it is.
pub async fn all_that_a_wrong_clock_put_far_ahead_is_brought_back(ports: &LocalPorts<'_>) {
    let subscription = ports.confirmed(email("ada@example.com")).await;
    for _ in 0..520 {
        ports.place(order()).await;
    }
    ports.publish().await;
    let long_ago = now() - Duration::from_hours(400 * 24);
    assert_eq!(ports.queue.bound_due_times(long_ago).await.unwrap(), 520);
    let due = ports.due_by(long_ago + MAX_DELAY).await.deliveries;
    assert!(due.iter().all(|due| due.subscription.id == subscription.id) && !due.is_empty());
}

/// A subscription that was suspended while a clock was wrong sends what waits as soon as it is resumed.
pub async fn what_a_wrong_clock_put_far_ahead_is_due_as_a_subscription_is_resumed(ports: &LocalPorts<'_>) {
    let (subscription, delivery) = ports.in_flight("ada@example.com").await;
    let mut end = finished(delivery, 1, OutcomeKind::Transient(Scope::Delivery));
    end.decision.next = Next::Again(now() + Duration::from_hours(400 * 24));
    ports.queue.finish(vec![end]).await.unwrap();
    ports.local_subscriptions.suspend(subscription.id, SuspensionReason::Operator, now()).await.unwrap();
    let at = now();
    ports.local_subscriptions.resume(subscription.id, at).await.unwrap();
    assert_eq!(ports.record(delivery).await.at, at);
}

//! What [`OrderLog`](application::ports::OrderLog) promises.

use domain::order::OrderId;

use crate::Machine;
use crate::given::{key_for, order, rich_order};

/// In the order of acceptance, each as it was stored.
pub async fn every_accepted_order_is_logged_in_the_order_of_acceptance(machine: &Machine<'_>) {
    let placed =
        [machine.place(order()).await, machine.place(rich_order()).await, machine.place(order()).await];
    let logged = machine.log.unpublished(10).await.unwrap();
    assert!(logged.is_sorted_by(|one, next| one.seq < next.seq));
    assert!(logged.into_iter().map(|logged| logged.order).eq(placed));
}

/// A retry that stored nothing leaves no trace in the log.
pub async fn a_repeated_order_is_logged_once(machine: &Machine<'_>) {
    let first = order();
    let key = key_for(&first);
    for order in [first.clone(), order(), order()] {
        machine.orders.accept(order, Some(key.clone())).await.unwrap();
    }
    assert_eq!(unpublished(machine, 10).await, [first.id]);
}

/// Reading is not publishing: whoever dies in between loses nothing.
pub async fn an_order_is_given_again_until_it_is_published(machine: &Machine<'_>) {
    let placed = [machine.place(order()).await.id, machine.place(order()).await.id];
    assert_eq!(unpublished(machine, 10).await, placed);
    assert_eq!(unpublished(machine, 10).await, placed);
    machine.publish().await;
    assert_eq!(unpublished(machine, 10).await, []);
}

/// A short read gives the first ones, and the rest follows.
pub async fn a_long_log_is_read_in_parts(machine: &Machine<'_>) {
    let mut placed = Vec::new();
    for _ in 0..5 {
        placed.push(machine.place(order()).await.id);
    }
    let part = machine.log.unpublished(2).await.unwrap();
    assert_eq!(part.iter().map(|logged| logged.order.id).collect::<Vec<_>>(), placed[..2]);
    machine.topic.publish(&part).await.unwrap();
    assert_eq!(unpublished(machine, 10).await, placed[2..]);
}

async fn unpublished(machine: &Machine<'_>, limit: usize) -> Vec<OrderId> {
    machine.log.unpublished(limit).await.unwrap().iter().map(|logged| logged.order.id).collect()
}

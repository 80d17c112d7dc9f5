//! What [`OrderLog`](application::ports::OrderLog) promises.

use domain::order::OrderId;

use crate::Outbox;
use crate::fixtures::{key_for, order, rich_order};

/// In the order of acceptance, each as it was stored.
pub async fn every_accepted_order_is_logged_in_the_order_of_acceptance(outbox: &Outbox<'_>) {
    let placed = [outbox.place(order()).await, outbox.place(rich_order()).await, outbox.place(order()).await];
    let logged = outbox.log.unpublished(10).await.unwrap();
    assert!(logged.is_sorted_by(|one, next| one.seq < next.seq));
    assert!(logged.into_iter().map(|logged| logged.order).eq(placed));
}

/// A retry that stored nothing leaves no trace in the log.
pub async fn a_repeated_order_is_logged_once(outbox: &Outbox<'_>) {
    let first = order();
    let key = key_for(&first);
    for order in [first.clone(), order(), order()] {
        outbox.orders.accept(order, Some(key.clone())).await.unwrap();
    }
    assert_eq!(unpublished(outbox, 10).await, [first.id]);
}

/// Reading is not publishing: whoever dies in between loses nothing.
pub async fn an_order_is_given_again_until_it_is_published(outbox: &Outbox<'_>) {
    let placed = [outbox.place(order()).await.id, outbox.place(order()).await.id];
    assert_eq!(unpublished(outbox, 10).await, placed);
    assert_eq!(unpublished(outbox, 10).await, placed);
    outbox.publish().await;
    assert_eq!(unpublished(outbox, 10).await, []);
}

/// A short read gives the first ones, and the rest follows.
pub async fn a_long_log_is_read_in_parts(outbox: &Outbox<'_>) {
    let mut placed = Vec::new();
    for _ in 0..5 {
        placed.push(outbox.place(order()).await.id);
    }
    let part = outbox.log.unpublished(2).await.unwrap();
    assert_eq!(part.iter().map(|logged| logged.order.id).collect::<Vec<_>>(), placed[..2]);
    outbox.publisher.publish(&part).await.unwrap();
    assert_eq!(unpublished(outbox, 10).await, placed[2..]);
}

async fn unpublished(outbox: &Outbox<'_>, limit: usize) -> Vec<OrderId> {
    outbox.log.unpublished(limit).await.unwrap().iter().map(|logged| logged.order.id).collect()
}

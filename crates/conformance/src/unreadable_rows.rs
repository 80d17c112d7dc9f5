//! What every host promises of what it stored and cannot read any more.

use application::ErrorKind;
use application::ports::{OrderQuery, PageRequest};
use domain::order::OrderId;

use crate::Outbox;
use crate::fixtures::order;

/// An order that cannot be read costs only itself: the others are published, every page goes past it and names it, and
/// once it is mended it is what it was, and is published. `damage` spoils what is stored of an order, `mend` undoes that.
pub async fn an_unreadable_row_hides_no_other(
    outbox: &Outbox<'_>,
    damage: impl AsyncFn(OrderId),
    mend: impl AsyncFn(OrderId),
) {
    let mut placed = Vec::new();
    for _ in 0..4 {
        placed.push(outbox.place(order()).await);
    }
    let ids: Vec<_> = placed.iter().map(|order| order.id).collect();
    // The oldest and the newest: the front of the log, and of the list.
    for id in [ids[0], ids[3]] {
        damage(id).await;
    }
    let unpublished = outbox.log.unpublished(2).await.unwrap();
    assert!(unpublished.iter().map(|logged| logged.order.id).eq([ids[1], ids[2]]));
    outbox.publisher.publish(&unpublished).await.unwrap();
    assert_eq!(outbox.log.unpublished(10).await.unwrap(), []);
    assert_eq!(listed(outbox).await, (vec![ids[2], ids[1]], vec![ids[3].to_string(), ids[0].to_string()]));
    let error = outbox.orders.order(ids[0]).await.unwrap_err();
    assert_eq!((error.kind, error.code), (ErrorKind::Conflict, "unreadable_row"));
    for id in [ids[0], ids[3]] {
        mend(id).await;
    }
    outbox.publish().await;
    assert_eq!(outbox.log.unpublished(10).await.unwrap(), []);
    assert_eq!(listed(outbox).await, (ids.iter().rev().copied().collect(), vec![]));
    assert_eq!(outbox.orders.order(ids[0]).await.unwrap().as_ref(), Some(&placed[0]));
}

/// The orders of the list, a page of one at a time, and the ids of what it could not read.
async fn listed(outbox: &Outbox<'_>) -> (Vec<OrderId>, Vec<String>) {
    let (mut orders, mut unreadable, mut cursor) = (Vec::new(), Vec::new(), None);
    loop {
        let query = OrderQuery { page: PageRequest { limit: 1, cursor }, ..OrderQuery::default() };
        let page = outbox.orders.orders(query).await.unwrap();
        assert_eq!(page.items.len() + page.unreadable.len(), 1);
        orders.extend(page.items.iter().map(|order| order.id));
        unreadable.extend(page.unreadable.into_iter().filter_map(|row| row.id));
        match page.next {
            Some(next) => cursor = Some(next),
            None => return (orders, unreadable),
        }
    }
}

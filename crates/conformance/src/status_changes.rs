//! What [`StatusChanges`] promises.
//!
//! [`StatusChanges`]: application::ports::StatusChanges

use application::ErrorKind;
use application::ports::Changed;
use domain::order::{MAX_CHANGES, OrderId, OrderStatus, StatusChange, Way};
use futures_util::future::join_all;

use crate::fixtures::{now, order, unique};
use crate::local_ports::LocalPorts;

fn change(status: OrderStatus, who: Option<&str>) -> StatusChange {
    StatusChange { status, at: now(), who: who.map(str::to_owned), way: Way::Operator }
}

/// With all that it says, in their order; and of each order its last.
pub async fn each_change_stays_on_record(ports: &LocalPorts<'_>) {
    let (one, other, third) =
        (ports.place(order()).await, ports.place(order()).await, ports.place(order()).await);
    let by_link = StatusChange {
        way: Way::Link { to: "m***@example.com".to_owned() },
        ..change(OrderStatus::Acknowledged, Some("مريم 📦"))
    };
    let changes = [by_link, change(OrderStatus::New, None), change(OrderStatus::Completed, Some("Jo"))];
    for made in &changes {
        assert_eq!(ports.statuses.change_status(one.id, made.clone()).await.unwrap(), Changed::Made);
    }
    let cancelled = change(OrderStatus::Cancelled, None);
    ports.statuses.change_status(other.id, cancelled.clone()).await.unwrap();
    assert_eq!(ports.statuses.status_changes(one.id).await.unwrap(), changes);
    assert_eq!(ports.statuses.status_changes(third.id).await.unwrap(), []);
    let ids = vec![one.id, other.id, third.id, OrderId::new(now(), unique())];
    let last = ports.statuses.last_status_changes(ids).await.unwrap();
    assert_eq!(last.len(), 2);
    assert_eq!((&last[&one.id], &last[&other.id]), (&changes[2], &cancelled));
}

/// It answers what the order is.
pub async fn what_does_not_lead_on_is_refused_and_changes_nothing(ports: &LocalPorts<'_>) {
    let id = ports.place(order()).await.id;
    let reopened = ports.statuses.change_status(id, change(OrderStatus::New, None)).await.unwrap();
    assert_eq!(reopened, Changed::Refused(None));
    let done = change(OrderStatus::Completed, Some("Jo"));
    ports.statuses.change_status(id, done.clone()).await.unwrap();
    for status in [OrderStatus::Acknowledged, OrderStatus::Completed, OrderStatus::Cancelled] {
        let refused = ports.statuses.change_status(id, change(status, None)).await.unwrap();
        assert_eq!(refused, Changed::Refused(Some(done.clone())));
    }
    assert_eq!(ports.statuses.status_changes(id).await.unwrap(), std::slice::from_ref(&done));
    let unknown = OrderId::new(now(), unique());
    let missing = ports.statuses.change_status(unknown, done).await.unwrap_err();
    assert_eq!((missing.kind, missing.code), (ErrorKind::NotFound, "order_not_found"));
}

/// The others are told what it made of the order.
pub async fn of_changes_that_come_at_once_one_is_made(ports: &LocalPorts<'_>) {
    let id = ports.place(order()).await.id;
    let changes = (0..8_u8).map(|number| change(OrderStatus::Acknowledged, Some(&number.to_string())));
    let made = join_all(changes.map(|change| ports.statuses.change_status(id, change))).await;
    let answers: Vec<_> = made.into_iter().map(Result::unwrap).collect();
    assert_eq!(answers.iter().filter(|answer| **answer == Changed::Made).count(), 1);
    let made = ports.statuses.status_changes(id).await.unwrap();
    let [made] = made.as_slice() else { panic!("{made:?}") };
    let refused = answers.iter().filter(|answer| **answer == Changed::Refused(Some(made.clone())));
    assert_eq!(refused.count(), 7);
}

/// So that nobody's program fills the disk with one order.
pub async fn an_order_is_changed_so_often_and_no_more(ports: &LocalPorts<'_>) {
    let id = ports.place(order()).await.id;
    for number in 0..MAX_CHANGES {
        let status = if number % 2 == 0 { OrderStatus::Acknowledged } else { OrderStatus::New };
        ports.statuses.change_status(id, change(status, None)).await.unwrap();
    }
    let refused =
        ports.statuses.change_status(id, change(OrderStatus::Acknowledged, None)).await.unwrap_err();
    assert_eq!((refused.kind, refused.code), (ErrorKind::Conflict, "too_many_changes"));
}

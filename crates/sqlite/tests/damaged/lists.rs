//! Lists: every page goes past what cannot be read, and names it.

use application::ports::{
    Deliveries, DeliveryQuery, Inbox, InboxMessage, OrderQuery, OrderStore, Page, PageRequest,
    SubscriptionQuery, Subscriptions,
};
use domain::delivery::{DeliveryId, DeliveryKind};
use domain::endpoint::Protocol;
use uuid::Uuid;

use crate::opened::now;
use crate::world::World;

/// Goes through a list to its end: how many rows it has, and how many that cannot be read.
async fn walked<T>(page: impl AsyncFn(PageRequest) -> Page<T>) -> (usize, usize) {
    let (mut readable, mut unreadable, mut cursor) = (0, 0, None);
    loop {
        let found = page(PageRequest { limit: 50, cursor }).await;
        assert!(found.items.len() + found.unreadable.len() <= 50);
        readable += found.items.len();
        unreadable += found.unreadable.len();
        match found.next {
            Some(next) => cursor = Some(next),
            None => return (readable, unreadable),
        }
    }
}

#[tokio::test]
async fn every_list_goes_past_six_hundred_damaged_rows_and_names_each() {
    let world = World::new();
    for number in 0..601 {
        world.place().await;
        world.confirmed(&format!("s{number}@example.com")).await;
        let message = InboxMessage {
            id: DeliveryId(Uuid::from_u128(number)),
            protocol: Protocol::Email,
            to: "ada@example.com".to_owned(),
            kind: DeliveryKind::Test,
            subject: String::new(),
            text: String::new(),
            order_url: None,
            link: None,
            at: now(),
        };
        world.store.keep(message).await.unwrap();
    }
    world.sql("UPDATE orders SET body = '' WHERE seq > 1");
    world.sql("UPDATE subscriptions SET receives = '' WHERE seq > 1");
    world.sql("UPDATE deliveries SET kind = '' WHERE seq > 1");
    world.sql("UPDATE inbox SET kept_at = 9223372036854775807 WHERE seq > 1");
    let store = &world.store;
    let orders = async |page| store.orders(OrderQuery { page, ..OrderQuery::default() }).await.unwrap();
    assert_eq!(walked(orders).await, (1, 600));
    let subscriptions = async |page| {
        store.subscriptions(SubscriptionQuery { page, ..SubscriptionQuery::default() }).await.unwrap()
    };
    assert_eq!(walked(subscriptions).await, (1, 600));
    let deliveries =
        async |page| store.deliveries(DeliveryQuery { page, ..DeliveryQuery::default() }).await.unwrap();
    assert_eq!(walked(deliveries).await, (1, 600));
    assert_eq!(walked(async |page| store.messages(page).await.unwrap()).await, (1, 600));
    assert_eq!(world.quarantined().len(), 2_400, "each is quarantined as it is seen");
    world.store.close().await;
}

#[tokio::test]
async fn a_row_in_a_list_that_cannot_be_read_is_named_by_its_id_its_place_and_why() {
    let world = World::new();
    let order = world.place().await;
    let ada = world.confirmed("ada@example.com").await;
    world.damage("orders", 1, "order_time", "9223372036854775807");
    world.damage("subscriptions", 1, "state", "'snoozed'");
    let orders = world.store.orders(OrderQuery::default()).await.unwrap().unreadable;
    assert_eq!(orders[0].id, Some(order.to_string()));
    assert_eq!(orders[0].place, "orders.seq = 1");
    let subscriptions = world.store.subscriptions(SubscriptionQuery::default()).await.unwrap().unreadable;
    assert_eq!(subscriptions[0].id, Some(ada.to_string()));
    assert_eq!(subscriptions[0].reason, "subscription_state is the unknown name \"snoozed\"");
    let error = world.store.order(order).await.unwrap_err();
    assert_eq!(error.code, "unreadable_row");
    assert_eq!(world.store.order_history(order).await.unwrap_err().code, "unreadable_row");
    world.store.close().await;
}

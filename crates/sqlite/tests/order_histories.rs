//! What a person reads of one order, however many subscriptions there are.

mod opened;

use application::ports::{
    Deliveries, OrderHistory, OrderLog, OrderStore, PageRequest, Publisher, UnmatchedSubscriptions,
};
use domain::delivery::DeliveryState;
use opened::{open, order};
use rusqlite::Connection;

/// Subscriptions, of which three in five are confirmed.
const SUBSCRIPTIONS: i64 = 5_000;
const CONFIRMED: usize = 3_000;

const SUBSCRIBE: &str = "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?) \
     INSERT INTO subscriptions (seq, id, protocol, endpoint, receives, state, generation, created_at, \
     confirmation_expires_at) SELECT n, randomblob(16), 'email', 'someone' || n || '@example.com', 'orders', \
     iif(n % 5 < 3, 'confirmed', 'pending'), 1, 0, 0 FROM numbers";
const VERSIONS: &str = "INSERT INTO subscription_versions (subscription, from_seq, state) SELECT seq, 1, state FROM subscriptions";

#[tokio::test]
async fn an_order_history_of_thousands_is_cut_and_all_of_them_are_listed_by_pages() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let shell = Connection::open(folder.path().join("orderbell.db")).unwrap();
    shell.execute(SUBSCRIBE, [SUBSCRIPTIONS]).unwrap();
    shell.execute(VERSIONS, ()).unwrap();
    let order = order();
    store.accept(order.clone(), None).await.unwrap();
    let orders = store.unpublished(10).await.unwrap();
    assert_eq!(store.publish(&orders).await.unwrap().deliveries, CONFIRMED);

    let told = store.order_history(order.id).await.unwrap().unwrap();
    assert_eq!(told.deliveries.len(), OrderHistory::DELIVERIES);
    assert_eq!(told.counts, [(DeliveryState::Pending, CONFIRMED)]);
    assert_eq!(told.unmatched.page.items.len(), PageRequest::DEFAULT);

    let (mut listed, mut pages, mut cursor) = (0, 0, None);
    loop {
        let page = PageRequest { limit: PageRequest::MAX, cursor };
        let UnmatchedSubscriptions { page, .. } =
            store.unmatched_subscriptions(order.id, page).await.unwrap().unwrap();
        assert!(page.items.len() <= PageRequest::MAX);
        (listed, pages, cursor) = (listed + page.items.len(), pages + 1, page.next);
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(listed, 2_000);
    assert!(pages >= 10, "{pages}");
    store.close().await;
}

//! What [`OrderStore`] promises.

use std::cmp::Reverse;

use application::ErrorKind;
use application::orders::find_in;
use application::ports::{Acceptance, Idempotency, OrderQuery, OrderStore, Page, PageRequest};
use domain::order::{Order, OrderId, ShortReference};
use futures_util::future::join_all;

use crate::fixtures::{
    LIFETIME, MOMENT, WHILE, first_page, key_for, now, order, order_at, order_of, rich_order, unique,
};

/// Every field comes back exactly, and so does the id of the request.
pub async fn an_accepted_order_reads_back_as_it_was(store: &dyn OrderStore) {
    for order in [order(), rich_order()] {
        assert_eq!(store.accept(order.clone(), None).await.unwrap(), Acceptance::Stored);
        assert_eq!(store.order(order.id).await.unwrap(), Some(order));
    }
}

/// An id that was never given names nothing.
pub async fn an_unknown_order_is_not_there(store: &dyn OrderStore) {
    store.accept(order(), None).await.unwrap();
    assert_eq!(store.order(order().id).await.unwrap(), None);
}

/// Each retry brings a new id and time, and is answered with the first one's.
pub async fn an_order_is_stored_once_however_often_it_is_retried(store: &dyn OrderStore) {
    let first = order();
    let key = key_for(&first);
    assert_eq!(store.accept(first.clone(), Some(key.clone())).await.unwrap(), Acceptance::Stored);
    for _ in 0..5 {
        let retry = store.accept(order(), Some(key.clone())).await.unwrap();
        assert_eq!(retry, Acceptance::Repeated(first.id));
    }
    assert_eq!(listed(store, OrderQuery::default(), 200).await, [first.id]);
}

/// A hundred at once: one is stored, and every other is answered with its id.
pub async fn an_order_is_stored_once_however_concurrently_it_is_retried(store: &dyn OrderStore) {
    let key = key_for(&order());
    let tries = join_all((0..100).map(|_| {
        let (order, key) = (order(), key.clone());
        async move { (order.id, store.accept(order, Some(key)).await.unwrap()) }
    }))
    .await;
    let stored: Vec<_> =
        tries.iter().filter(|(_, answer)| *answer == Acceptance::Stored).map(|(id, _)| *id).collect();
    let repeated = tries.iter().filter(|(_, answer)| *answer == Acceptance::Repeated(stored[0])).count();
    assert_eq!((stored.len(), repeated), (1, 99));
    assert_eq!(listed(store, OrderQuery::default(), 200).await, stored);
}

/// The key stays the first order's.
pub async fn another_order_under_a_live_key_is_refused(store: &dyn OrderStore) {
    let first = order();
    let key = key_for(&first);
    store.accept(first.clone(), Some(key.clone())).await.unwrap();
    let other = order_of(r#"{"customerName":"Ada","productName":"Keyboard"}"#);
    let reused = Idempotency { fingerprint: other.details.fingerprint(), ..key.clone() };
    assert_eq!(store.accept(other, Some(reused)).await.unwrap(), Acceptance::KeyReused(first.id));
    assert_eq!(store.accept(order(), Some(key)).await.unwrap(), Acceptance::Repeated(first.id));
    assert_eq!(listed(store, OrderQuery::default(), 200).await, [first.id]);
}

/// Callers cannot meet each other's orders through keys.
pub async fn an_equal_key_of_another_caller_is_another_key(store: &dyn OrderStore) {
    let (ours, theirs) = (order(), order());
    let key = key_for(&ours);
    let their_key = Idempotency { scope: "another".to_owned(), client_digest: None, ..key.clone() };
    assert_eq!(store.accept(ours, Some(key)).await.unwrap(), Acceptance::Stored);
    assert_eq!(store.accept(theirs.clone(), Some(their_key.clone())).await.unwrap(), Acceptance::Stored);
    assert_eq!(store.accept(order(), Some(their_key)).await.unwrap(), Acceptance::Repeated(theirs.id));
}

/// Phones change their network while they retry.
pub async fn a_retry_from_another_network_is_the_same_order(store: &dyn OrderStore) {
    let first = order();
    let key = key_for(&first);
    store.accept(first.clone(), Some(key.clone())).await.unwrap();
    for place in 2..5 {
        let retry = store
            .accept(order(), Some(Idempotency { client_digest: Some([place; 16]), ..key.clone() }))
            .await;
        assert_eq!(retry.unwrap(), Acceptance::Repeated(first.id));
    }
    assert_eq!(listed(store, OrderQuery::default(), 200).await, [first.id]);
}

/// Whoever guesses a key and comes first keeps nobody's order away, and each of the two is stored once.
pub async fn nobody_claims_a_key_for_callers_elsewhere(store: &dyn OrderStore) {
    let (claim, real) = (product("Nothing"), order());
    let claimed = Idempotency { client_digest: Some([2; 16]), ..key_for(&claim) };
    let key = Idempotency { key: claimed.key.clone(), ..key_for(&real) };
    assert_eq!(store.accept(claim.clone(), Some(claimed.clone())).await.unwrap(), Acceptance::Stored);
    assert_eq!(store.accept(real.clone(), Some(key.clone())).await.unwrap(), Acceptance::Stored);
    assert_eq!(store.accept(order(), Some(key)).await.unwrap(), Acceptance::Repeated(real.id));
    let again = store.accept(product("Nothing"), Some(claimed.clone())).await.unwrap();
    assert_eq!(again, Acceptance::Repeated(claim.id));
    let third = product("Keyboard");
    let reused = Idempotency { fingerprint: third.details.fingerprint(), ..claimed };
    assert_eq!(store.accept(third, Some(reused)).await.unwrap(), Acceptance::KeyReused(claim.id));
    assert_eq!(listed(store, OrderQuery::default(), 200).await, [real.id, claim.id]);
}

/// A caller who is known is the same one wherever he is.
pub async fn a_known_callers_key_is_his_wherever_he_comes_from(store: &dyn OrderStore) {
    let (first, other) = (order(), product("Keyboard"));
    let key = Idempotency { scope: "shop".to_owned(), client_digest: None, ..key_for(&first) };
    let reused = Idempotency { fingerprint: other.details.fingerprint(), ..key.clone() };
    assert_eq!(store.accept(first.clone(), Some(key)).await.unwrap(), Acceptance::Stored);
    assert_eq!(store.accept(other, Some(reused)).await.unwrap(), Acceptance::KeyReused(first.id));
}

/// Twenty places at once, each with an order of its own five times: each is stored once.
pub async fn a_key_that_many_share_at_once_keeps_their_orders_apart(store: &dyn OrderStore) {
    let key = key_for(&order());
    let tries = join_all((0..100_u8).map(|number| {
        let place = number % 20;
        let order = product(&format!("Mouse {place}"));
        let fingerprint = order.details.fingerprint();
        let key = Idempotency { client_digest: Some([place; 16]), fingerprint, ..key.clone() };
        async move { store.accept(order, Some(key)).await.unwrap() }
    }))
    .await;
    assert_eq!(tries.iter().filter(|answer| **answer == Acceptance::Stored).count(), 20);
    assert!(!tries.iter().any(|answer| matches!(answer, Acceptance::KeyReused(_))), "{tries:?}");
    assert_eq!(listed(store, OrderQuery::default(), 200).await.len(), 20);
}

/// A key lives until its lifetime after the time of the order that was stored under it is over.
pub async fn a_key_lives_to_the_end_of_its_lifetime_and_no_longer(store: &dyn OrderStore) {
    let first = order();
    let key = key_for(&first);
    store.accept(first.clone(), Some(key.clone())).await.unwrap();
    let last_moment =
        store.accept(order_at(first.time + LIFETIME - MOMENT), Some(key.clone())).await.unwrap();
    assert_eq!(last_moment, Acceptance::Repeated(first.id));
    let second = order_at(first.time + LIFETIME);
    assert_eq!(store.accept(second.clone(), Some(key.clone())).await.unwrap(), Acceptance::Stored);
    let third = store.accept(order_at(second.time + WHILE), Some(key)).await.unwrap();
    assert_eq!(third, Acceptance::Repeated(second.id));
}

/// Without a key, two equal orders are two orders.
pub async fn equal_orders_without_a_key_are_different_orders(store: &dyn OrderStore) {
    let (one, two) = (order(), order());
    assert_eq!(store.accept(one.clone(), None).await.unwrap(), Acceptance::Stored);
    assert_eq!(store.accept(two.clone(), None).await.unwrap(), Acceptance::Stored);
    assert_eq!(listed(store, OrderQuery::default(), 200).await, [two.id, one.id]);
}

/// Newest means last accepted.
pub async fn orders_are_listed_newest_first(store: &dyn OrderStore) {
    let mut expected = place(store, 10).await;
    expected.reverse();
    assert_eq!(listed(store, OrderQuery::default(), 200).await, expected);
}

/// However many pages a list takes, each order stands on one of them, and no page is larger than asked.
pub async fn pages_neither_repeat_nor_skip_an_order(store: &dyn OrderStore) {
    let mut expected = place(store, 11).await;
    expected.reverse();
    for limit in [1, 3, 10, 11, 12] {
        assert_eq!(listed(store, OrderQuery::default(), limit).await, expected, "{limit} a page");
    }
}

/// Orders that come while someone turns pages shift nothing.
pub async fn a_page_is_where_it_was_though_orders_come(store: &dyn OrderStore) {
    let expected = place(store, 4).await;
    let first = store.orders(OrderQuery { page: first_page(2), ..OrderQuery::default() }).await.unwrap();
    place(store, 3).await;
    let page = PageRequest { limit: 2, cursor: first.next };
    let second = store.orders(OrderQuery { page, ..OrderQuery::default() }).await.unwrap();
    assert_eq!(second.items.iter().map(|order| order.id).collect::<Vec<_>>(), [expected[1], expected[0]]);
}

/// `from` belongs to the time that is wanted, `to` does not. Those of the time are listed by it, the latest first, however
/// the clock jumped while they were accepted.
pub async fn orders_are_filtered_by_time(store: &dyn OrderStore) {
    let start = now();
    let orders = [0, 1, 2, 3, 4].map(|hour| order_at(start + WHILE * hour));
    let ids = orders.each_ref().map(|order| order.id);
    for hour in [3, 0, 4, 1, 2] {
        store.accept(orders[hour].clone(), None).await.unwrap();
    }
    let between = |from, to| OrderQuery { from, to, ..OrderQuery::default() };
    let (second, fourth) = (Some(start + WHILE), Some(start + WHILE * 3));
    assert_eq!(listed(store, between(second, fourth), 1).await, [ids[2], ids[1]]);
    assert_eq!(listed(store, between(fourth, None), 200).await, [ids[4], ids[3]]);
    assert_eq!(listed(store, between(None, second), 200).await, [ids[0]]);
    assert_eq!(listed(store, between(None, fourth), 2).await, [ids[2], ids[1], ids[0]]);
    assert_eq!(listed(store, between(fourth, second), 200).await, []);
}

/// By its id and any unique beginning of it, by its short reference, by the shop's own number. Orders of one millisecond
/// have one short reference: all of them are found.
pub async fn an_order_is_found_by_what_people_call_it(store: &dyn OrderStore) {
    let order = order_of(r#"{"customerName":"Ada","productName":"Pad","reference":"Shop 4711"}"#);
    place(store, 2).await;
    store.accept(order.clone(), None).await.unwrap();
    place(store, 2).await;
    let (id, short) = (order.id.to_string(), ShortReference::of(order.id).to_string());
    let spoken = short.to_lowercase().replace('-', " ");
    let upper = id.to_uppercase();
    for name in
        [&id, &upper, &id[..35], &id.replace('-', "")[..13], &short, &spoken, " Shop 4711 ", "shop 4711"]
    {
        assert_eq!(found(store, name, 10).await, [order.id], "{name}");
    }
    for name in ["Shop", "4711", "ffffffff-ffff-7fff-bfff-ffffffffffff", "ffffffff", "Ada", ""] {
        assert_eq!(found(store, name, 10).await, [], "{name}");
    }
    let twin = order_at(order.time);
    store.accept(twin.clone(), None).await.unwrap();
    let mut both = [order.id, twin.id];
    both.sort_by_key(|id| Reverse(*id));
    assert_eq!(found(store, &short, 10).await, both);
}

/// Whatever of it a text may be, and however small the pages are.
pub async fn all_orders_that_a_name_may_mean_are_found_once(store: &dyn OrderStore) {
    let first = order();
    let short = ShortReference::of(first.id).to_string();
    store.accept(first.clone(), None).await.unwrap();
    let mut expected = vec![first.id];
    let own = order_of(&format!(r#"{{"customerName":"Ada","productName":"Pad","reference":"{short}"}}"#));
    let itself = Order { id: OrderId::new(first.time, unique()), time: first.time, ..own.clone() };
    store.accept(itself.clone(), None).await.unwrap();
    expected.push(itself.id);
    expected.sort_by_key(|id| Reverse(*id));
    for _ in 0..3 {
        place(store, 2).await;
        let time = now();
        let named_so = Order { id: OrderId::new(time, unique()), time, ..own.clone() };
        store.accept(named_so.clone(), None).await.unwrap();
        expected.insert(2, named_so.id);
    }
    for limit in [1, 2, 3, 200] {
        assert_eq!(found(store, &short, limit).await, expected, "{limit} a page");
    }
    let page = PageRequest { limit: 1, cursor: Some("nonsense".to_owned()) };
    assert_eq!(find_in(store, &short, page).await.unwrap_err().code, "invalid_cursor");
}

/// A cursor that no page of the list gave is the caller's mistake.
pub async fn a_bad_cursor_is_refused(store: &dyn OrderStore) {
    store.accept(order(), None).await.unwrap();
    let page = PageRequest { limit: 10, cursor: Some("not a cursor".to_owned()) };
    let error = store.orders(OrderQuery { page, ..OrderQuery::default() }).await.unwrap_err();
    assert_eq!((error.kind, error.code), (ErrorKind::Invalid, "invalid_cursor"));
}

/// A store that works says so.
pub async fn a_working_store_is_ready(store: &dyn OrderStore) {
    store.ready().await.unwrap();
}

fn product(name: &str) -> Order {
    order_of(&format!(r#"{{"customerName":"Ada","productName":"{name}"}}"#))
}

async fn place(store: &dyn OrderStore, count: usize) -> Vec<OrderId> {
    let mut ids = Vec::new();
    for _ in 0..count {
        let order = order();
        ids.push(order.id);
        assert_eq!(store.accept(order, None).await.unwrap(), Acceptance::Stored);
    }
    ids
}

/// All pages of a list, one after another.
async fn listed(store: &dyn OrderStore, query: OrderQuery, limit: usize) -> Vec<OrderId> {
    all_pages(limit, async |page| store.orders(OrderQuery { page, ..query.clone() }).await.unwrap()).await
}

/// All that is found, one page after another.
async fn found(store: &dyn OrderStore, text: &str, limit: usize) -> Vec<OrderId> {
    all_pages(limit, async |page| find_in(store, text, page).await.unwrap()).await
}

async fn all_pages(limit: usize, read: impl AsyncFn(PageRequest) -> Page<Order>) -> Vec<OrderId> {
    let mut ids = Vec::new();
    let mut page = first_page(limit);
    loop {
        let found = read(page.clone()).await;
        assert!(found.items.len() <= limit, "{} orders on a page of {limit}", found.items.len());
        ids.extend(found.items.iter().map(|order| order.id));
        page.cursor = found.next;
        if page.cursor.is_none() {
            return ids;
        }
    }
}

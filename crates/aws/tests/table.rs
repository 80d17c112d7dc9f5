//! What a table holds, what it lacks, and what somebody else put into it, in DynamoDB Local and in moto.
#![expect(clippy::unwrap_used, reason = "all of it is for tests")]

mod emulated;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use application::ErrorKind;
use application::ports::{Acceptance, Idempotency, OrderLog, OrderQuery, OrderStore, PageRequest, Templates};
use aws::{Table, TableOptions};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::endpoint::Protocol;
use domain::order::idempotency::IdempotencyKey;
use domain::order::{Order, OrderDetails, OrderId};
use domain::subscription::SubscriptionId;
use domain::template::{TemplateName, TemplateSource};
use emulated::{DYNAMODB_LOCAL, MOTO, address, client, create, create_as_the_seed_did, now, order, order_at};
use host::SystemClock;
use serde_json::json;

const EMULATORS: [&str; 2] = [DYNAMODB_LOCAL, MOTO];

type Item = HashMap<String, AttributeValue>;

/// A table and the client to look into it.
struct Given {
    client: Client,
    options: TableOptions,
    table: Table,
}

impl Given {
    fn at(client: Client, options: TableOptions) -> Self {
        let table = Table::new(client.clone(), options.clone(), Arc::new(SystemClock));
        Self { client, options, table }
    }

    async fn ours(emulator: &str) -> Self {
        let client = client(&address(emulator));
        let options = TableOptions { name: create(&client).await, key: TableOptions::KEY.to_owned() };
        Self::at(client, options)
    }

    async fn the_seeds(emulator: &str) -> Self {
        let client = client(&address(emulator));
        let options = create_as_the_seed_did(&client).await;
        Self::at(client, options)
    }

    async fn put(&self, key: &str, attributes: &[(&str, &str)]) {
        let put = self.client.put_item().table_name(&self.options.name).item(&self.options.key, text(key));
        let put = attributes.iter().fold(put, |put, (name, value)| put.item(*name, text(value)));
        put.send().await.unwrap();
    }

    /// Everything that is in the table.
    async fn items(&self) -> Vec<Item> {
        self.client.scan().table_name(&self.options.name).send().await.unwrap().items.unwrap()
    }
}

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

/// What an order's item has besides its key and its places in the indexes.
const WHOLE: [(&str, &str); 4] = [
    ("kind", "order"),
    ("details", r#"{"customerName":"John Doe","productName":"Wireless Mouse"}"#),
    ("orderTime", "2026-01-31T12:00:00.000000Z"),
    ("requestId", "8f5e"),
];

fn first_page(limit: usize) -> OrderQuery {
    OrderQuery { page: PageRequest { limit, cursor: None }, ..OrderQuery::default() }
}

fn ids(orders: Vec<Order>) -> Vec<OrderId> {
    orders.into_iter().map(|order| order.id).collect()
}

fn key() -> Idempotency {
    Idempotency {
        scope: "shop".to_owned(),
        client_digest: None,
        key: IdempotencyKey::parse("0123456789abcdef").unwrap(),
        fingerprint: order().details.fingerprint(),
        lifetime: Duration::from_hours(24),
    }
}

#[tokio::test]
async fn an_order_and_its_keys_record_are_two_items_that_anyone_can_read() {
    for emulator in EMULATORS {
        let given = Given::ours(emulator).await;
        let order = order();
        given.table.accept(order.clone(), Some(key())).await.unwrap();
        let items = given.items().await;
        let of_kind = |kind| items.iter().find(|item| item["kind"] == text(kind)).unwrap();

        let item = of_kind("order");
        assert_eq!(item["orderId"], text(&order.id.to_string()));
        assert_eq!(item["orderTime"], text(&format!("{:.6}", order.time)));
        assert_eq!((&item["customerName"], &item["productName"]), (&text("Ada"), &text("Wireless Mouse")));
        assert_eq!(item["newest"], item["unpublished"]);

        let record = of_kind("idempotency");
        let id = record["orderId"].as_s().unwrap();
        assert!(id.starts_with("idem#") && id.len() == 5 + 64 && !id.contains("0123456789abcdef"), "{id}");
        let expires_at: i64 = record["expiresAt"].as_n().unwrap().parse().unwrap();
        let ends_at = order.time + Duration::from_hours(24);
        assert!((0..=1).contains(&(expires_at - ends_at.as_second())), "{expires_at}");
        assert!(!record.contains_key("newest") && !record.contains_key("unpublished"));
    }
}

#[tokio::test]
async fn the_seeds_own_rows_are_read_by_their_ids() {
    for emulator in EMULATORS {
        let given = Given::the_seeds(emulator).await;
        for (id, time) in [
            ("0b2f8a36-2d1c-4a0e-9d5e-6f3c1a7b9e10", "2025-08-14T09:30:00.123456"),
            ("7d5e2c1a-93b4-4f6d-8a2b-1c0d9e8f7a65", "2025-08-14T09:30:00"),
        ] {
            let row = [("customerName", "John Doe"), ("productName", "Wireless Mouse"), ("orderTime", time)];
            given.put(id, &row).await;
            let found = given.table.order(id.parse().unwrap()).await.unwrap().unwrap();
            assert_eq!(found.id.to_string(), id);
            assert_eq!(found.time, format!("{time}Z").parse().unwrap());
            assert_eq!(found.details.customer_name.as_deref(), Some("John Doe"));
            assert_eq!(found.details.products.to_string(), "Wireless Mouse");
        }
    }
}

#[tokio::test]
async fn a_table_of_the_seed_takes_orders_and_marks_and_knows_repeats() {
    for emulator in EMULATORS {
        let given = Given::the_seeds(emulator).await;
        let vouches_for = given.table.ready().await.unwrap().vouches_for;
        assert!(
            vouches_for.contains("can be read") && vouches_for.contains("announced later"),
            "{vouches_for}"
        );
        let (first, other) = (order(), order());
        assert_eq!(given.table.accept(first.clone(), Some(key())).await.unwrap(), Acceptance::Stored);
        let repeat = given.table.accept(order(), Some(key())).await.unwrap();
        assert_eq!(repeat, Acceptance::Repeated(first.id));
        assert_eq!(given.table.accept(other.clone(), None).await.unwrap(), Acceptance::Stored);
        given.table.mark_published(first.id, "message", now()).await.unwrap();
        let announced = given.table.already_published(&[first.id, other.id]).await.unwrap();
        assert_eq!(announced.into_iter().collect::<Vec<_>>(), [first.id]);
        assert_eq!(given.table.order(first.id).await.unwrap(), Some(first));
    }
}

#[tokio::test]
async fn what_needs_an_index_that_is_not_there_is_not_on_this_host() {
    for emulator in EMULATORS {
        let given = Given::the_seeds(emulator).await;
        let failures = [
            given.table.orders(first_page(10)).await.unwrap_err(),
            given.table.unpublished(10).await.unwrap_err(),
        ];
        for failure in failures {
            assert_eq!((failure.kind, failure.code), (ErrorKind::NotOnThisHost, "not_on_this_host"));
            assert!(failure.message.contains("index"), "{failure}");
        }
    }
}

#[tokio::test]
async fn a_table_that_is_not_there_or_has_another_key_is_not_ready() {
    for emulator in EMULATORS {
        let given = Given::ours(emulator).await;
        given.table.ready().await.unwrap();
        let other_key = TableOptions { key: "FileName".to_owned(), ..given.options.clone() };
        let nowhere = TableOptions { name: "nowhere".to_owned(), ..given.options.clone() };
        for options in [other_key, nowhere] {
            let failure = Given::at(given.client.clone(), options).table.ready().await.unwrap_err();
            assert!(!failure.cause().is_empty());
        }
    }
}

#[tokio::test]
async fn a_marked_order_is_no_longer_unpublished_and_says_when_and_as_what_it_was_published() {
    for emulator in EMULATORS {
        let given = Given::ours(emulator).await;
        let (order, at) = (order(), now());
        given.table.accept(order.clone(), None).await.unwrap();
        assert!(given.table.already_published(&[order.id]).await.unwrap().is_empty());
        given.table.mark_published(order.id, "message-1", at).await.unwrap();
        given.table.mark_published(order.id, "message-2", at).await.unwrap();
        assert!(given.table.already_published(&[order.id]).await.unwrap().contains(&order.id));
        assert_eq!(given.table.unpublished(10).await.unwrap(), []);
        let [item] = &given.items().await[..] else { panic!("not one item") };
        assert_eq!(item["publishedAt"], text(&format!("{at:.6}")));
        assert_eq!(item["messageId"], text("message-2"));
        assert!(!item.contains_key("unpublished"));
        assert_eq!(given.table.order(order.id).await.unwrap(), Some(order));
    }
}

#[tokio::test]
async fn marking_an_order_that_somebody_removed_makes_no_item() {
    for emulator in EMULATORS {
        let given = Given::ours(emulator).await;
        given.table.mark_published(order().id, "message", now()).await.unwrap();
        assert_eq!(given.items().await, []);
    }
}

#[tokio::test]
async fn marks_are_read_of_any_number_of_orders_named_any_number_of_times() {
    for emulator in EMULATORS {
        let given = Given::ours(emulator).await;
        let mut orders: Vec<OrderId> = (0..230).map(|_| order().id).collect();
        for place in [0, 99, 100, 229] {
            let order = emulated::order();
            orders[place] = order.id;
            given.table.accept(order, None).await.unwrap();
            given.table.mark_published(orders[place], "message", now()).await.unwrap();
        }
        let marked = BTreeSet::from([orders[0], orders[99], orders[100], orders[229]]);
        orders.extend(orders.clone());
        assert_eq!(BTreeSet::from_iter(given.table.already_published(&orders).await.unwrap()), marked);
        assert!(given.table.already_published(&[]).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn the_shards_make_one_list_whatever_they_hold() {
    let given = Given::ours(DYNAMODB_LOCAL).await;
    let start = now();
    let mut placed = Vec::new();
    for minute in 0..150_u64 {
        let order = order_at(start + Duration::from_mins(minute));
        placed.push(order.id);
        given.table.accept(order, None).await.unwrap();
    }
    let unpublished = given.table.unpublished(200).await.unwrap();
    assert!(unpublished.iter().map(|logged| logged.order.id).eq(placed.iter().copied()));
    assert!(unpublished.is_sorted_by_key(|logged| logged.seq));
    let behind = given.table.unpublished_after(Some(placed[99]), 30).await.unwrap().orders;
    assert!(behind.iter().map(|logged| logged.order.id).eq(placed[100..130].iter().copied()));

    let mut query = first_page(60);
    let mut listed = Vec::new();
    for rows in [60, 60, 30] {
        let page = given.table.orders(query.clone()).await.unwrap();
        assert_eq!(page.items.len(), rows);
        listed.extend(ids(page.items));
        query.page.cursor = page.next;
    }
    placed.reverse();
    assert_eq!((listed, query.page.cursor), (placed, None));
}

#[tokio::test]
async fn a_page_of_the_largest_orders_fits_into_what_lambda_may_return_and_the_next_one_goes_on() {
    const MOST: usize = 6 * 1_024 * 1_024;
    let given = Given::ours(DYNAMODB_LOCAL).await;
    let item = json!({ "productName": "\"".repeat(256), "sku": "\\".repeat(64), "quantity": 1_000_000 });
    let order =
        json!({ "customerName": "Ada", "items": vec![item; 85], "note": "\\".repeat(2_000) }).to_string();
    assert!(order.len() > 60 * 1_024 && order.len() <= 64 * 1_024, "{}", order.len());
    let details = OrderDetails::parse(order.as_bytes()).unwrap();
    let mut placed = BTreeSet::new();
    for _ in 0..120 {
        let order = Order { details: details.clone(), ..emulated::order() };
        placed.insert(order.id);
        given.table.accept(order, None).await.unwrap();
    }
    let mut query = first_page(PageRequest::MAX);
    let mut listed = Vec::new();
    loop {
        let page = given.table.orders(query.clone()).await.unwrap();
        let body = serde_json::to_string(&page.items).unwrap();
        assert!(
            serde_json::to_string(&body).unwrap().len() < MOST - 100_000,
            "no room for the rest of the answer"
        );
        listed.extend(ids(page.items));
        query.page.cursor = page.next;
        if query.page.cursor.is_none() {
            break;
        }
    }
    assert!(listed.is_sorted_by(|newer, older| newer > older));
    assert_eq!(BTreeSet::from_iter(listed), placed);
}

#[tokio::test]
async fn times_are_exact_to_the_microsecond() {
    let given = Given::ours(DYNAMODB_LOCAL).await;
    let start = now();
    let (early, late) = (order_at(start), order_at(start + Duration::from_micros(1)));
    for order in [&early, &late] {
        given.table.accept(order.clone(), None).await.unwrap();
    }
    let from = OrderQuery { from: Some(late.time), ..first_page(1) };
    assert_eq!(ids(given.table.orders(from).await.unwrap().items), [late.id]);
    let to = OrderQuery { to: Some(late.time), ..first_page(1) };
    assert_eq!(ids(given.table.orders(to).await.unwrap().items), [early.id]);

    let (live, over) = (early.time + key().lifetime - Duration::from_micros(1), early.time + key().lifetime);
    let keyed = order_at(early.time);
    given.table.accept(keyed.clone(), Some(key())).await.unwrap();
    let answer = given.table.accept(order_at(live), Some(key())).await.unwrap();
    assert_eq!(answer, Acceptance::Repeated(keyed.id));
    assert_eq!(given.table.accept(order_at(over), Some(key())).await.unwrap(), Acceptance::Stored);
}

#[tokio::test]
async fn an_item_that_is_no_order_hides_no_other() {
    for emulator in EMULATORS {
        let given = Given::ours(emulator).await;
        let poison = order().id.to_string();
        let shards = [("newest", "3"), ("unpublished", "3")];
        given.put(&poison, &[&[("kind", "order"), ("details", "{")], &shards[..]].concat()).await;
        given.put("not an id", &[&[("kind", "order")], &shards[..]].concat()).await;
        let order = order();
        given.table.accept(order.clone(), None).await.unwrap();
        assert_eq!(ids(given.table.orders(first_page(10)).await.unwrap().items), [order.id]);
        assert_eq!(given.table.unpublished(1).await.unwrap()[0].order, order);
        let failure = given.table.order(poison.parse().unwrap()).await.unwrap_err();
        assert_eq!((failure.kind, failure.code), (ErrorKind::Conflict, "unreadable_row"));
    }
}

#[tokio::test]
async fn an_id_that_another_item_has_is_never_overwritten() {
    for emulator in EMULATORS {
        let given = Given::ours(emulator).await;
        let order = order();
        given.put(&order.id.to_string(), &[("kind", "other")]).await;
        for key in [None, Some(key())] {
            let failure = given.table.accept(order.clone(), key).await.unwrap_err();
            assert_eq!(failure.kind, ErrorKind::Internal);
        }
        assert_eq!(given.items().await.len(), 1);
    }
}

#[tokio::test]
async fn what_is_unpublished_under_no_id_at_all_is_told_of_by_its_key() {
    for emulator in EMULATORS {
        let given = Given::ours(emulator).await;
        let (order, other) = (order(), order().id.to_string());
        // Under another writing of its id an order would be published, and its mark would miss it, time after time.
        let written = [
            other.to_uppercase(),
            other.replace('-', ""),
            format!("{{{other}}}"),
            format!("urn:uuid:{other}"),
        ];
        let none = ["!", "not an id", "zzz", "\u{fffd}", "00000000-0000-0000-0000-00000000000"];
        let invalid_keys: BTreeSet<_> = none.map(str::to_owned).into_iter().chain(written).collect();
        for (shard, key) in invalid_keys.iter().enumerate() {
            let shard = (shard % 8).to_string();
            given.put(key, &[&WHOLE[..], &[("unpublished", &*shard), ("newest", &*shard)]].concat()).await;
        }
        given.table.accept(order.clone(), None).await.unwrap();
        let found = given.table.unpublished_after(None, 20).await.unwrap();
        assert_eq!(found.orders.iter().map(|logged| logged.order.id).collect::<Vec<_>>(), [order.id]);
        assert_eq!((found.invalid_keys, found.unreadable), (invalid_keys, Vec::new()));
        assert_eq!(ids(given.table.orders(first_page(20)).await.unwrap().items), [order.id]);
    }
}

#[tokio::test]
async fn whatever_is_damaged_of_an_unpublished_order_it_is_told_of_by_its_id() {
    let damages: [(&str, Option<&str>); 9] = [
        ("details", None),
        ("details", Some("{")),
        ("details", Some("[]")),
        ("details", Some("{}")),
        ("orderTime", None),
        ("orderTime", Some("yesterday")),
        ("orderTime", Some("")),
        ("requestId", None),
        ("kind", Some("idempotency")),
    ];
    for emulator in EMULATORS {
        let given = Given::ours(emulator).await;
        let mut broken = Vec::new();
        for (name, value) in damages {
            let mut attributes: Vec<_> = WHOLE.into_iter().filter(|(whole, _)| *whole != name).collect();
            attributes.extend(value.map(|value| (name, value)));
            let id = order().id;
            broken.push(id);
            given.put(&id.to_string(), &[&attributes[..], &[("unpublished", "3")]].concat()).await;
        }
        let order = order();
        given.table.accept(order.clone(), None).await.unwrap();
        let mut found = given.table.unpublished_after(None, 20).await.unwrap();
        assert_eq!(found.orders.iter().map(|logged| logged.order.id).collect::<Vec<_>>(), [order.id]);
        found.unreadable.sort();
        broken.sort();
        assert_eq!(found.unreadable, broken);
    }
}

#[tokio::test]
async fn a_lease_is_one_holders_at_a_time() {
    for emulator in EMULATORS {
        let table = Given::ours(emulator).await.table;
        let later = now() + Duration::from_mins(1);
        // Moto isolates no write from another: of two that come at once it may let both through.
        let holders = if emulator == MOTO { vec!["a"] } else { vec!["a", "b", "c", "d", "e"] };
        let taken = holders.iter().map(|holder| table.take_lease("sweep", holder, later));
        let taken = futures_util::future::join_all(taken).await;
        let taken: Vec<_> = taken.into_iter().map(Result::unwrap).collect();
        assert_eq!(taken.iter().filter(|taken| **taken).count(), 1, "{taken:?}");
        let first = holders[taken.iter().position(|taken| *taken).unwrap()];
        assert!(table.take_lease("sweep", first, later).await.unwrap(), "its own attempt before this one");
        assert!(table.take_lease("other", "f", later).await.unwrap());
        table.end_lease("sweep", "f").await.unwrap();
        assert!(!table.take_lease("sweep", "f", later).await.unwrap(), "another's lease was ended");
        table.end_lease("sweep", first).await.unwrap();
        assert!(table.take_lease("sweep", "f", later).await.unwrap());
    }
}

#[tokio::test]
async fn a_template_is_one_for_all_over_a_protocol_that_sns_has_and_is_text() {
    let given = Given::ours(DYNAMODB_LOCAL).await;
    let text = || TemplateSource { text: Some("a".to_owned()), ..TemplateSource::default() };
    let subscription = TemplateName::Subscription(SubscriptionId::new(now(), [1; 10]));
    for (name, source, why) in [
        (TemplateName::Protocol(Protocol::Chat), text(), "SNS sends one text to all over a protocol"),
        (subscription, text(), "SNS sends one text to all over a protocol"),
        (
            TemplateName::Protocol(Protocol::Email),
            TemplateSource { html: Some("a".to_owned()), ..text() },
            "SNS sends mails as text",
        ),
    ] {
        let refused = given.table.set_template(name, source, now()).await.unwrap_err();
        assert_eq!((refused.kind, refused.code), (ErrorKind::NotOnThisHost, "not_on_this_host"));
        assert!(refused.message.starts_with(why), "{refused}");
    }
    assert_eq!(given.table.templates().await.unwrap(), []);
}

#[tokio::test]
async fn a_damaged_template_is_none_and_hinders_no_other() {
    let given = Given::ours(DYNAMODB_LOCAL).await;
    let text = TemplateSource { text: Some("a".to_owned()), ..TemplateSource::default() };
    for protocol in [Protocol::Email, Protocol::Sms] {
        given.table.set_template(TemplateName::Protocol(protocol), text.clone(), now()).await.unwrap();
    }
    let update =
        given.client.update_item().table_name(&given.options.name).update_expression("SET template = :text");
    let update = update.key(&given.options.key, AttributeValue::S("template#email".to_owned()));
    update.expression_attribute_values(":text", AttributeValue::S("{".to_owned())).send().await.unwrap();
    let kept = given.table.templates().await.unwrap();
    let [sms] = kept.as_slice() else { panic!("{kept:?}") };
    assert_eq!((sms.name, &sms.source), (TemplateName::Protocol(Protocol::Sms), &text));
    let orders = given
        .table
        .orders(OrderQuery { page: PageRequest { limit: 10, cursor: None }, ..OrderQuery::default() });
    assert_eq!(orders.await.unwrap().items, [], "it is no order");
}

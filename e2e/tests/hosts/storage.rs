//! Keeping orders: once, in their order, as they were placed.

use std::time::Duration;

use anyhow::{Context, Result};
use orderbell_e2e::client::{Answer, Client};
use orderbell_e2e::deployment::Deployment;
use orderbell_e2e::receiver::Receiver;
use reqwest::Method;
use serde_json::{Value, json};

const KEY: &str = "a-key-of-the-client";

async fn place(client: &Client, key: &str, product: &str) -> Result<Answer> {
    let order = json!({"customerName": "Ada", "productName": product});
    client
        .send(client.request(Method::POST, "/create-order").header("idempotency-key", key).json(&order))
        .await
}

fn ids(orders: &[Value]) -> Vec<&str> {
    orders.iter().filter_map(|order| order["orderId"].as_str()).collect()
}

pub(crate) async fn an_order_repeated_with_its_key_is_stored_once_and_announced_once(
    host: &Deployment,
) -> Result<()> {
    let receiver = Receiver::start().await?;
    host.subscribe(&receiver, "/hook", None).await?;
    let (stranger, client) = (host.stranger()?, host.client()?);
    let first = place(&stranger, KEY, "Mouse").await?.expect(200)?;
    for _ in 0..3 {
        let again = place(&stranger, KEY, "Mouse").await?;
        assert_eq!(again.expect(200)?, first);
        assert_eq!(again.headers["idempotency-replayed"], "true");
    }
    // Quoted, as the standard has it, it is the same key.
    assert_eq!(place(&stranger, &format!("\"{KEY}\""), "Mouse").await?.expect(200)?, first);
    assert_eq!(client.list("/orders").await?.len(), 1);
    // What comes after has been announced: so has everything before it, as often as it ever will be.
    let last = client.place_order("Ada", "Last").await?;
    let told = receiver.wait_for_notifications(2).await?;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(receiver.notifications().len(), 2);
    let told: Result<Vec<_>> = told.iter().map(|one| host.notification(one)).collect();
    let mut told: Vec<_> = told?.iter().map(|one| one["data"]["orderId"].clone()).collect();
    let mut wanted = vec![first["orderId"].clone(), json!(last)];
    told.sort_by_key(Value::to_string);
    wanted.sort_by_key(Value::to_string);
    assert_eq!(told, wanted);
    Ok(())
}

pub(crate) async fn another_order_under_the_same_key_is_refused(host: &Deployment) -> Result<()> {
    let stranger = host.stranger()?;
    place(&stranger, KEY, "Mouse").await?.expect(200)?;
    let refused = place(&stranger, KEY, "Keyboard").await?.expect(422)?;
    assert_eq!(refused["code"], "idempotency_key_reused", "{refused}");
    assert_eq!(host.client()?.list("/orders").await?.len(), 1);
    place(&stranger, "short", "Mouse").await?.expect(400)?;
    Ok(())
}

pub(crate) async fn orders_placed_at_once_with_one_key_are_one_order(host: &Deployment) -> Result<()> {
    let stranger = host.stranger()?;
    let place = || place(&stranger, KEY, "Mouse");
    let (one, two, three) = tokio::try_join!(place(), place(), place())?;
    let one = one.expect(200)?;
    assert_eq!((two.expect(200)?, three.expect(200)?), (one.clone(), one));
    assert_eq!(host.client()?.list("/orders").await?.len(), 1);
    Ok(())
}

pub(crate) async fn an_order_is_found_by_what_people_call_it(host: &Deployment) -> Result<()> {
    let (client, stranger) = (host.client()?, host.stranger()?);
    let order = json!({"customerName": "Ada", "productName": "Mouse", "reference": "Shop 4711"});
    let placed = stranger.post("/create-order", &order).await?;
    let short = placed.headers["short-reference"].to_str()?.to_owned();
    let id = placed.expect(200)?["orderId"].as_str().context("its id")?.to_owned();
    client.place_order("Ada", "Pad").await?;
    let spoken = short.to_lowercase().replace('-', "+");
    for name in [&id, &id[..30], &short, &spoken, "shop+4711"] {
        let found = client.list(&format!("/orders?find={name}")).await?;
        assert_eq!(ids(&found), [id.as_str()], "{name}");
        assert_eq!(found[0]["shortReference"], Value::from(short.as_str()));
    }
    assert_eq!(client.list("/orders?find=4711").await?.len(), 0);
    Ok(())
}

pub(crate) async fn orders_are_listed_newest_first_and_page_by_page(host: &Deployment) -> Result<()> {
    let client = host.client()?;
    let mut placed = Vec::new();
    for number in 0..25 {
        placed.push(client.place_order("Ada", &format!("Mouse {number}")).await?);
    }
    placed.reverse();
    assert_eq!(ids(&client.list("/orders").await?), placed);
    assert_eq!(ids(&client.list("/orders?limit=7").await?), placed);
    let page = client.get("/orders?limit=10").await?.expect(200)?;
    assert_eq!(page["items"].as_array().map(Vec::len), Some(10));
    let cursor = page["next"].as_str().context("a cursor")?;
    client.place_order("Ada", "Meanwhile").await?;
    let next = client.get(&format!("/orders?limit=10&cursor={cursor}")).await?.expect(200)?;
    assert_eq!(ids(next["items"].as_array().context("items")?), placed[10..20], "a new order moves no page");
    client.get("/orders?cursor=nonsense").await?.expect(400)?;
    Ok(())
}

pub(crate) async fn orders_are_found_by_time(host: &Deployment) -> Result<()> {
    let client = host.client()?;
    let mut times = Vec::new();
    for number in 0..3 {
        let id = client.place_order("Ada", &format!("Mouse {number}")).await?;
        let order = client.order(&id).await?;
        times.push((id, order["orderTime"].as_str().context("an orderTime")?.to_owned()));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let [(first, _), (second, second_time), (third, third_time)] = times.as_slice() else { unreachable!() };
    let since = client.list(&format!("/orders?from={second_time}")).await?;
    assert_eq!(ids(&since), [third, second]);
    let before = client.list(&format!("/orders?before={third_time}")).await?;
    assert_eq!(ids(&before), [second, first]);
    Ok(())
}

pub(crate) async fn one_order_is_shown_as_it_was_placed(host: &Deployment) -> Result<()> {
    let client = host.client()?;
    let order = json!({
        "customerName": "Ada Löwe", "items": [
            {"productName": "Mouse 🖱", "sku": "M-1", "quantity": 2, "unitPrice": "19.90"},
            {"productName": "Pad", "quantity": 1, "unitPrice": "5.05"},
        ],
        "currency": "EUR", "total": "44.85", "customerEmail": "ada@example.com", "note": "ring twice",
        "attributes": {"express": true, "shop": "north", "weight": 1.5},
    });
    let id = client.post("/create-order", &order).await?.expect(200)?["orderId"].clone();
    let shown = client.order(id.as_str().context("an id")?).await?;
    assert_eq!(shown["orderId"], id);
    for (name, value) in order.as_object().context("members")? {
        assert_eq!(&shown[name], value, "{name}: {shown:#}");
    }
    Ok(())
}

pub(crate) async fn an_order_that_is_not_there_is_not_found(host: &Deployment) -> Result<()> {
    let client = host.client()?;
    let unknown = client.get("/orders/0197f5a2-0000-7000-8000-000000000000").await?.expect(404)?;
    assert_eq!(unknown["code"], "order_not_found");
    Ok(())
}

pub(crate) async fn the_host_says_that_it_can_take_orders(host: &Deployment) -> Result<()> {
    let stranger = host.stranger()?;
    assert_eq!(stranger.get("/healthz").await?.expect(200)?["status"], "alive");
    assert_eq!(stranger.get("/readyz").await?.expect(200)?["status"], "ready");
    Ok(())
}

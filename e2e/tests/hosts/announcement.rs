//! Telling everyone who should know.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Result;
use orderbell_e2e::deployment::Deployment;
use orderbell_e2e::receiver::{Received, Receiver};
use serde_json::{Value, json};

/// The orders of which a receiver was told, with how often.
fn told(host: &Deployment, received: &[Received]) -> Result<BTreeMap<String, usize>> {
    let mut told = BTreeMap::new();
    for one in received {
        let order = host.notification(one)?["data"]["orderId"].as_str().unwrap_or_default().to_owned();
        *told.entry(order).or_default() += 1;
    }
    Ok(told)
}

pub(crate) async fn a_subscriber_is_told_of_an_order_in_the_seeds_words(host: &Deployment) -> Result<()> {
    let receiver = Receiver::start().await?;
    host.subscribe(&receiver, "/hook", None).await?;
    let order = host.stranger()?.place_order("John Doe", "Wireless Mouse").await?;
    let message = receiver.wait_for_notifications(1).await?.remove(0);
    let notification = host.notification(&message)?;
    let text =
        format!("📦 New Order Received!\nOrder ID: {order}\nCustomer: John Doe\nProduct: Wireless Mouse");
    assert_eq!(notification["type"], "order.placed");
    assert_eq!(notification["subject"], "New Order Notification");
    assert_eq!(notification["message"], text);
    let stored = host.client()?.order(&order).await?;
    for member in ["orderId", "customerName", "productName", "orderTime"] {
        assert_eq!(notification["data"][member], stored[member], "{member}");
    }
    assert_eq!(notification["timestamp"], stored["orderTime"]);
    Ok(())
}

pub(crate) async fn every_subscriber_is_told_of_every_order_once(host: &Deployment) -> Result<()> {
    let receivers = [Receiver::start().await?, Receiver::start().await?];
    for receiver in &receivers {
        host.subscribe(receiver, "/hook", None).await?;
    }
    let stranger = host.stranger()?;
    let mut placed = BTreeMap::new();
    for number in 0..12 {
        placed.insert(stranger.place_order("Ada", &format!("Mouse {number}")).await?, 1);
    }
    for receiver in &receivers {
        receiver.wait_for_notifications(placed.len()).await?;
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(told(host, &receiver.notifications())?, placed);
    }
    Ok(())
}

pub(crate) async fn a_filter_policy_decides_who_is_told(host: &Deployment) -> Result<()> {
    let (euro, north) = (Receiver::start().await?, Receiver::start().await?);
    host.subscribe(&euro, "/hook", Some(json!({"currency": ["EUR"]}))).await?;
    host.subscribe(&north, "/hook", Some(json!({"shop": ["north", "south"], "express": [true]}))).await?;
    let client = host.client()?;
    let place = async |more: Value| {
        let mut order = json!({"customerName": "Ada", "productName": "Mouse"});
        order
            .as_object_mut()
            .into_iter()
            .for_each(|order| order.extend(more.as_object().cloned().unwrap_or_default()));
        let answer = client.post("/create-order", &order).await?.expect(200)?;
        anyhow::Ok(answer["orderId"].as_str().unwrap_or_default().to_owned())
    };
    let both =
        place(json!({"currency": "EUR", "total": "1.00", "attributes": {"shop": "north", "express": true}}))
            .await?;
    let in_euro = place(json!({"currency": "EUR", "total": "2.00"})).await?;
    let slow = place(json!({"attributes": {"shop": "north", "express": false}})).await?;
    let last =
        place(json!({"currency": "EUR", "total": "3.00", "attributes": {"shop": "south", "express": true}}))
            .await?;
    euro.wait_for_notifications(3).await?;
    north.wait_for_notifications(2).await?;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let once = |orders: &[&String]| orders.iter().map(|order| ((*order).clone(), 1)).collect();
    assert_eq!(told(host, &euro.notifications())?, once(&[&both, &in_euro, &last]));
    assert_eq!(told(host, &north.notifications())?, once(&[&both, &last]));
    assert!(!told(host, &north.notifications())?.contains_key(&slow));
    Ok(())
}

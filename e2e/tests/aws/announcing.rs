//! Between storing and announcing: whatever dies or fails there, every order is announced in the end, and one is
//! announced twice only where the answer to its publishing was hidden.

use std::collections::BTreeMap;

use anyhow::Result;
use orderbell_e2e::aws::cloud::Cloud;
use orderbell_e2e::aws::event_source_mapping::{EventSourceMapping, reported};
use orderbell_e2e::aws::fault_proxy::Fault;
use orderbell_e2e::aws::function::Function;
use orderbell_e2e::receiver::Receiver;
use reqwest::Method;
use serde_json::json;

use super::{once, told};

/// Older than what the sweep leaves to the stream.
const LONG_AGO: &str = "2026-01-02T03:04:05.678901Z";
/// How often the SDK tries one call.
const TRIES: usize = 3;

async fn start() -> Result<(Cloud, Receiver)> {
    let cloud = Cloud::start().await?;
    let receiver = Receiver::start().await?;
    cloud.topic.subscribe(&receiver).await?;
    Ok((cloud, receiver))
}

async fn place(cloud: &Cloud, count: usize) -> Result<Vec<String>> {
    let client = cloud.client()?;
    let mut placed = Vec::new();
    for number in 0..count {
        placed.push(client.place_order("Ada", &format!("Mouse {number}")).await?);
    }
    Ok(placed)
}

/// Hands over what the stream holds, kills the function once the topic has been in trouble, and goes on with a new one.
async fn announce_with_a_kill(cloud: &Cloud, mapping: &mut EventSourceMapping) -> Result<()> {
    mapping.read().await?;
    let first = cloud.function("stream").await?;
    let kill = async {
        cloud.sns.wait_until_struck(1).await?;
        first.kill();
        anyhow::Ok(())
    };
    tokio::try_join!(mapping.step(&first), kill)?;
    cloud.sns.heal();
    mapping.drain(&cloud.function("stream").await?).await
}

#[tokio::test]
async fn killed_before_it_publishes_the_function_announces_each_order_once_afterwards() -> Result<()> {
    let (cloud, receiver) = start().await?;
    let placed = place(&cloud, 3).await?;
    cloud.sns.strike("PublishBatch", [], Some(Fault::Swallow));
    let mut mapping = cloud.mapping().await?;
    announce_with_a_kill(&cloud, &mut mapping).await?;
    assert!(mapping.invocations[0].outcome.clone().answer().is_err(), "the killed one failed");
    assert_eq!(told(&receiver)?, once(&placed));
    Ok(())
}

#[tokio::test]
async fn killed_before_it_knows_that_it_published_the_function_announces_those_orders_again() -> Result<()> {
    let (cloud, receiver) = start().await?;
    let placed = place(&cloud, 3).await?;
    cloud.sns.strike("PublishBatch", [], Some(Fault::HideAnswer));
    let mut mapping = cloud.mapping().await?;
    announce_with_a_kill(&cloud, &mut mapping).await?;
    let twice: BTreeMap<_, _> = placed.iter().map(|order| (order.clone(), 2)).collect();
    assert_eq!(told(&receiver)?, twice, "the answer to the first publishing was hidden from it");
    Ok(())
}

#[tokio::test]
async fn an_order_stored_by_a_function_that_was_killed_is_announced_once_however_often_it_is_repeated()
-> Result<()> {
    let (cloud, receiver) = start().await?;
    cloud.dynamodb.strike("TransactWriteItems", [Fault::HideAnswer], None);
    let stranger = cloud.stranger()?;
    let place = || {
        let order = json!({"customerName": "Ada", "productName": "Mouse"});
        let request =
            stranger.request(Method::POST, "/create-order").header("idempotency-key", "a-key-of-the-client");
        stranger.send(request.json(&order))
    };
    let kill = async {
        cloud.dynamodb.wait_until_struck(1).await?;
        // The item is there; nobody was told.
        let stored = async || Ok(Some(cloud.table.orders().await?).filter(|orders| orders.len() == 1));
        let stored = orderbell_e2e::wait::until("the order is stored", stored).await?;
        cloud.http.kill();
        anyhow::Ok(stored)
    };
    let (unanswered, stored) = tokio::try_join!(place(), kill)?;
    assert!(unanswered.status >= 500, "{}", unanswered.body);
    let answer = place().await?;
    assert_eq!(answer.headers["idempotency-replayed"], "true");
    assert_eq!(answer.expect(200)?["orderId"], stored[0]);
    cloud.mapping().await?.drain(&cloud.function("stream").await?).await?;
    assert_eq!(told(&receiver)?, once(&stored));
    Ok(())
}

#[tokio::test]
async fn a_topic_that_fails_for_a_while_delays_orders_and_loses_and_repeats_none() -> Result<()> {
    for fault in [Fault::Fail, Fault::Throttle] {
        let (cloud, receiver) = start().await?;
        let placed = place(&cloud, 3).await?;
        cloud.sns.strike("PublishBatch", [fault; 2 * TRIES], None);
        let mut mapping = cloud.mapping().await?;
        mapping.drain(&cloud.function("stream").await?).await?;
        let outcomes: Result<Vec<_>> = mapping.invocations.iter().map(|one| reported(&one.outcome)).collect();
        let failures: Vec<_> = outcomes?.iter().map(Vec::len).collect();
        assert_eq!(failures, [3, 3, 0], "{fault:?}");
        assert_eq!(told(&receiver)?, once(&placed), "{fault:?}");
        assert!(mapping.discarded.is_empty());
    }
    Ok(())
}

#[tokio::test]
async fn an_answer_that_is_hidden_once_is_the_only_cause_of_a_repeat() -> Result<()> {
    let (cloud, receiver) = start().await?;
    let placed = place(&cloud, 2).await?;
    // The SDK waits in vain for the first answer and asks again by itself.
    cloud.sns.strike("PublishBatch", [Fault::HideAnswer], None);
    cloud.mapping().await?.drain(&cloud.function("stream").await?).await?;
    let later = place(&cloud, 2).await?;
    cloud.mapping().await?.drain(&cloud.function("stream").await?).await?;
    let mut wanted = once(&later);
    wanted.extend(placed.iter().map(|order| (order.clone(), 2)));
    assert_eq!(told(&receiver)?, wanted);
    Ok(())
}

#[tokio::test]
async fn orders_that_the_stream_gave_up_are_announced_once_by_the_sweep() -> Result<()> {
    let (cloud, receiver) = start().await?;
    let placed = place(&cloud, 5).await?;
    cloud.sns.strike("PublishBatch", [], Some(Fault::Throttle));
    let mut mapping = cloud.mapping().await?;
    let function = cloud.function("stream").await?;
    mapping.drain(&function).await?;
    let given_up = &mapping.discarded;
    assert_eq!((given_up.len(), given_up[0].size), (1, placed.len()), "{given_up:?}");
    assert_eq!(given_up[0].condition, "RetryAttemptsExhausted");
    assert_eq!(mapping.invocations.len(), 6, "the first try and five retries");
    assert!(told(&receiver)?.is_empty());

    let young = cloud.sweep().await?;
    assert_eq!(young["published"], 0, "what is young is the stream's: {young}");
    for order in &placed {
        cloud.table.set(order, "orderTime", LONG_AGO).await?;
    }
    let in_vain = cloud.sweep().await?;
    assert_eq!((&in_vain["failed"], &in_vain["left"]), (&json!(5), &json!(5)), "{in_vain}");
    cloud.sns.heal();
    let swept = cloud.sweep().await?;
    assert_eq!((&swept["published"], &swept["left"]), (&json!(5), &json!(0)), "{swept}");
    assert_eq!(told(&receiver)?, once(&placed));
    assert_eq!(cloud.sweep().await?["published"], 0, "nothing is left to announce");
    mark_is_on_each(&cloud, &placed).await
}

#[tokio::test]
async fn the_stream_and_the_sweep_do_not_announce_an_order_twice() -> Result<()> {
    let (cloud, receiver) = start().await?;
    let placed = place(&cloud, 3).await?;
    for order in &placed {
        cloud.table.set(order, "orderTime", LONG_AGO).await?;
    }
    assert_eq!(cloud.sweep().await?["published"], 3);
    let function = cloud.function("stream").await?;
    announce_from_the_oldest(&cloud, &function).await?;
    announce_from_the_oldest(&cloud, &function).await?;
    assert_eq!(told(&receiver)?, once(&placed), "a stream that is read again finds the marks");
    Ok(())
}

async fn announce_from_the_oldest(cloud: &Cloud, function: &Function) -> Result<()> {
    cloud.mapping().await?.drain(function).await
}

async fn mark_is_on_each(cloud: &Cloud, orders: &[String]) -> Result<()> {
    for order in orders {
        let item = cloud.table.item(order).await?;
        assert!(item["publishedAt"]["S"].is_string() && item["unpublished"].is_null(), "{item:#}");
    }
    Ok(())
}

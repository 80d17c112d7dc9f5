//! A batch of a hundred records of which one can never be read and one fails twice.

use std::time::Duration;

use anyhow::{Context, Result};
use orderbell_e2e::aws::cloud::Cloud;
use orderbell_e2e::aws::event_source_mapping::{EventSourceMapping, Invocation, Settings, reported};
use orderbell_e2e::aws::function::Outcome;
use orderbell_e2e::receiver::Receiver;

use super::{once, told};

const RECORDS: usize = 100;
/// The place of the record that cannot be read.
const POISON: usize = 40;
/// The place of the order that the topic refuses twice.
const FLAKY: usize = 60;
const POISON_KEY: &str = "0197f5a2-0000-7000-8000-0000000000ff";

/// Places orders, with a broken item among them.
async fn fill(cloud: &Cloud) -> Result<Vec<String>> {
    let client = cloud.client()?;
    let mut placed = Vec::new();
    for place in 0..RECORDS {
        if place == POISON {
            let broken = [("kind", "order"), ("orderTime", "2026-01-02T03:04:05Z"), ("details", "{not JSON")];
            cloud.table.put(POISON_KEY, &broken).await?;
        } else {
            placed.push(client.place_order("Ada", &format!("Mouse {place}")).await?);
        }
    }
    Ok(placed)
}

/// The numbers of the poison record and of the one that fails twice, as the first batch has them.
fn numbers(first: &Invocation) -> (String, String) {
    (first.records[POISON].clone(), first.records[FLAKY].clone())
}

#[tokio::test]
async fn one_poison_record_and_one_that_fails_twice_hold_up_nothing() -> Result<()> {
    let cloud = Cloud::start().await?;
    let receiver = Receiver::start().await?;
    cloud.topic.subscribe(&receiver).await?;
    let placed = fill(&cloud).await?;
    let flaky = &placed[FLAKY - 1];
    cloud.sns.refuse_message(flaky, 2);

    let function = cloud.function("stream").await?;
    let mut mapping = cloud.mapping().await?;
    assert_eq!(mapping.read().await?, 1, "they are one batch");
    mapping.step(&function).await?;
    assert_eq!(mapping.invocations[0].records.len(), RECORDS);
    let (poison, twice) = numbers(&mapping.invocations[0]);
    assert_eq!(
        reported(&mapping.invocations[0].outcome)?,
        [poison.clone(), twice.clone()],
        "exactly those two"
    );
    let mut all_but_one = once(&placed);
    all_but_one.remove(flaky);
    assert_eq!(told(&receiver)?, all_but_one, "98 are announced at once");

    mapping.drain(&function).await?;
    check_each_step(&mapping, &poison, &twice)?;
    assert_eq!(told(&receiver)?, once(&placed), "each once, the one that failed twice among them");
    let [discarded] = mapping.discarded.as_slice() else { panic!("{:?}", mapping.discarded) };
    assert_eq!((&discarded.first, &discarded.last, discarded.size), (&poison, &poison, 1));
    assert_eq!(discarded.condition, "RetryAttemptsExhausted");

    let later = cloud.client()?.place_order("Ada", "Later").await?;
    mapping.drain(&function).await?;
    assert_eq!(told(&receiver)?.get(&later), Some(&1), "nothing waits behind them");
    println!("{}", report(&mapping, &poison, &twice));
    Ok(())
}

/// At each step exactly what failed in it is reported; or, where the poison record is the first of several, the whole
/// invocation fails so that the batch is halved.
fn check_each_step(mapping: &EventSourceMapping, poison: &str, twice: &str) -> Result<()> {
    let mut refusals = 2;
    for Invocation { records, outcome } in &mapping.invocations {
        let has = |number: &str| records.iter().any(|record| record == number);
        let refused = has(twice) && refusals > 0;
        refusals -= usize::from(refused);
        match outcome {
            Outcome::Failed(reason) => {
                assert_eq!(records.first().map(String::as_str), Some(poison));
                assert!(records.len() > 1 && reason.contains("PoisonRecord"), "{reason}");
            }
            Outcome::Answer(_) => {
                let wanted = [(has(poison), poison), (refused, twice)];
                let wanted: Vec<_> =
                    wanted.into_iter().filter(|(is, _)| *is).map(|(_, number)| number).collect();
                assert_eq!(reported(outcome)?, wanted, "{records:?}");
            }
        }
    }
    assert_eq!(refusals, 0);
    let alone = mapping.invocations.iter().filter(|one| one.records == [poison]).count();
    assert_eq!(
        alone, 5,
        "its first try was with all the others, and the five retries are alone or were in halves"
    );
    Ok(())
}

fn report(mapping: &EventSourceMapping, poison: &str, twice: &str) -> String {
    let name = |number: &String| match number.as_str() {
        number if number == poison => "the poison record",
        number if number == twice => "the one that fails twice",
        _ => "another",
    };
    let line = |one: &Invocation| {
        let said =
            reported(&one.outcome).map(|numbers| numbers.iter().map(name).collect::<Vec<_>>().join(", "));
        format!(
            "{:>4} records: {}",
            one.records.len(),
            said.map_or("function error, halved".to_owned(), |said| format!("reported [{said}]"))
        )
    };
    mapping.invocations.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn marks_idempotency_records_and_the_seeds_rows_are_never_handed_over() -> Result<()> {
    let cloud = Cloud::start().await?;
    let stranger = cloud.stranger()?;
    let order = serde_json::json!({"customerName": "Ada", "productName": "Mouse"});
    let keyed = stranger
        .request(reqwest::Method::POST, "/create-order")
        .header("idempotency-key", "a-key-of-the-client");
    stranger.send(keyed.json(&order)).await?.expect(200)?;
    let mut mapping = cloud.mapping().await?;
    let function = cloud.function("stream").await?;
    mapping.drain(&function).await?;
    mapping.drain(&function).await?;
    let handed: usize = mapping.invocations.iter().map(|one| one.records.len()).sum();
    assert_eq!(handed, 1, "the order alone, and not the mark that announcing it wrote");
    mapping.invocations.first().context("an invocation")?;
    Ok(())
}

#[tokio::test]
async fn records_that_are_too_old_are_given_up_unseen() -> Result<()> {
    let cloud = Cloud::start().await?;
    cloud.place_the_seeds_order().await?;
    let settings = Settings { record_age: Duration::ZERO, ..Settings::TEMPLATE };
    let mut mapping = EventSourceMapping::of(&cloud.table, settings).await?;
    mapping.drain(&cloud.function("stream").await?).await?;
    assert!(mapping.invocations.is_empty());
    let [discarded] = mapping.discarded.as_slice() else { panic!("{:?}", mapping.discarded) };
    assert_eq!((discarded.condition, discarded.size), ("RecordAgeExceeded", 1));
    Ok(())
}

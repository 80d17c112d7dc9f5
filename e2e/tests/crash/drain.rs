//! What comes after the last kill: everything that waits comes to its end.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use orderbell_e2e::client::{Answer, Client};
use orderbell_e2e::program::Program;
use orderbell_e2e::wait;
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::store;

/// How long the rest may take: a channel may be paused, the machine may be busy.
const LONGEST: Duration = Duration::from_mins(2);

/// What a person did, without hyphens in ids, when all other deliveries had come to their ends.
#[derive(Debug, Default)]
pub(crate) struct Release {
    /// Was held and is dropped.
    pub(crate) dropped: Vec<String>,
    /// Was held and is sent again.
    pub(crate) redriven: Vec<String>,
    /// Was dead, since the provider had reported so, and is sent again.
    pub(crate) revived: Vec<String>,
}

/// Waits until what is due soon was sent; then redrives three of four notifications that are held or dead, and drops
/// the others that are held.
pub(crate) async fn release_what_is_held(program: &Program, client: &Client) -> Result<Release> {
    let data = program.data();
    wait::within(LONGEST, "what is due soon is delivered", async || {
        let soon = "at < (unixepoch() + 60) * 1000000";
        Ok((waiting(&data, soon)? == 0).then_some(()))
    })
    .await?;
    let mut release = Release::default();
    for (number, delivery) in client.list("/deliveries?state=held").await?.into_iter().enumerate() {
        let id = text(&delivery, "deliveryId").replace('-', "");
        if number % 4 != 0 && redrive(client, &delivery).await? {
            release.redriven.push(id);
        } else {
            act(client, &delivery, "drop").await?.expect(200)?;
            release.dropped.push(id);
        }
    }
    for delivery in client.list("/deliveries?state=dead").await? {
        if delivery["receipts"].is_array() && redrive(client, &delivery).await? {
            release.revived.push(text(&delivery, "deliveryId").replace('-', ""));
        }
    }
    Ok(release)
}

/// Whether it can be: a notification whose subscription has not ended.
async fn redrive(client: &Client, delivery: &Value) -> Result<bool> {
    let still = client.subscription_state(&text(delivery, "subscriptionId")).await? != "ended";
    let can_be = still && delivery["kind"] == "notification";
    if can_be {
        act(client, delivery, "redrive").await?.expect(200)?;
    }
    Ok(can_be)
}

async fn act(client: &Client, delivery: &Value, what: &str) -> Result<Answer> {
    client.post(&format!("/deliveries/{}/{what}", text(delivery, "deliveryId")), &json!({})).await
}

fn text(of: &Value, name: &str) -> String {
    of[name].as_str().unwrap_or_default().to_owned()
}

/// Waits until every order is published and every notification came to its end. Retries that are due only after
/// minutes are made due at once, while the program is down: nothing else would come of waiting. Answers how many.
pub(crate) async fn deliver_all_that_waits(program: &mut Program) -> Result<usize> {
    let data = program.data();
    program.terminate().await?;
    let store = Connection::open(store::file(&data))?;
    let hastened = store.execute(
        "UPDATE deliveries SET at = unixepoch() * 1000000 WHERE state = 'pending' AND kind = 'notification'",
        (),
    )?;
    drop(store);
    program.restart().await?;
    let done = async || Ok((waiting(&data, "true")? == 0).then_some(()));
    wait::within(LONGEST, "everything is delivered", done).await?;
    Ok(hastened)
}

/// How many orders are unpublished and how many notifications not at their end, among those due as the condition says.
fn waiting(data: &Path, due: &str) -> Result<i64> {
    let query = format!(
        "SELECT (SELECT ifnull(max(seq), 0) FROM orders) - (SELECT published_through FROM relay)
              + (SELECT count(*) FROM deliveries
                 WHERE kind = 'notification' AND state IN ('pending', 'in_flight') AND {due})"
    );
    Ok(store::open(&store::file(data))?.query_row(&query, (), |row| row.get(0))?)
}

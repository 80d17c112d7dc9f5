//! The audit, as an operator runs it: beside the running program, and after a row was deleted by hand.

use std::process::Command;

use anyhow::{Context, Result};
use orderbell_e2e::client::Client;
use orderbell_e2e::program::Program;
use orderbell_e2e::receiver::Receiver;
use orderbell_e2e::wait;
use serde_json::Value;

/// The audit's exit code, and what it printed as JSON.
fn audit(program: &Program) -> Result<(i32, Value)> {
    let output = program.command(&["audit", "--json"])?;
    let printed = serde_json::from_slice(&output.stdout).with_context(|| format!("{output:?}"))?;
    Ok((output.status.code().context("an exit code")?, printed))
}

fn shell(program: &Program, sql: &str) -> Result<()> {
    let output = Command::new("sqlite3").arg(program.data().join("orderbell.db")).arg(sql).output()?;
    assert!(output.status.success(), "{output:?}");
    Ok(())
}

/// Waits until everything that is pending was delivered.
async fn delivered(program: &Program, count: u64) -> Result<()> {
    let done =
        async || Ok((audit(program)?.1["summary"]["notifications"]["delivered"] == count).then_some(()));
    wait::until("everything is delivered", done).await
}

async fn place(client: &Client, count: usize) -> Result<Vec<String>> {
    let mut orders = Vec::new();
    for _ in 0..count {
        orders.push(client.place_order("John Doe", "Wireless Mouse").await?);
    }
    Ok(orders)
}

#[tokio::test]
async fn the_audit_is_clean_while_orders_come_and_names_a_delivery_that_was_deleted_by_hand() -> Result<()> {
    let mut program = Program::start(Receiver::settings()).await?;
    let (client, receiver) = (program.client()?, Receiver::start().await?);
    let made = client.subscribe("webhook", &receiver.url("/hook")).await?;
    let subscription = made["subscriptionId"].as_str().context("a subscriptionId")?;
    client.wait_for_subscription(subscription, "confirmed").await?;
    let mut orders = Vec::new();
    for _ in 0..5 {
        orders.append(&mut place(&client, 5).await?);
        let (code, found) = audit(&program)?;
        assert_eq!((code, &found["exceptions"]), (0, &Value::Array(Vec::new())), "{found:#}");
    }
    delivered(&program, 25).await?;
    let text = program.command(&["audit"])?;
    assert!(text.status.success(), "{text:?}");
    assert!(String::from_utf8_lossy(&text.stdout).contains("notifications: 25 delivered"), "{text:?}");

    program.terminate().await?;
    let place = "(SELECT seq FROM orders ORDER BY seq LIMIT 1 OFFSET 7)";
    shell(&program, &format!("DELETE FROM deliveries WHERE order_seq = {place}"))?;
    let (code, found) = audit(&program)?;
    let missing = &found["exceptions"][0];
    assert_eq!((code, &missing["kind"]), (1, &Value::from("missing_delivery")), "{found:#}");
    assert_eq!(
        (&missing["orderId"], &missing["subscriptionId"]),
        (&orders[7].as_str().into(), &subscription.into())
    );
    let text = program.command(&["audit"])?;
    assert!(String::from_utf8_lossy(&text.stdout).contains(&orders[7]), "{text:?}");
    assert!(String::from_utf8_lossy(&text.stderr).contains("2 exceptions"), "{text:?}");

    // What the audit says to do, does it.
    shell(&program, &format!("UPDATE relay SET published_through = {place} - 1"))?;
    shell(&program, "DELETE FROM attempts WHERE delivery NOT IN (SELECT seq FROM deliveries)")?;
    program.restart().await?;
    delivered(&program, 25).await?;
    let (code, found) = audit(&program)?;
    assert_eq!(code, 0, "{found:#}");
    assert_eq!(receiver.wait_for_notifications(26).await?.len(), 26, "one was sent again");
    Ok(())
}

#[tokio::test]
async fn an_audit_of_nothing_is_wrong_usage() -> Result<()> {
    let program = Program::start(Vec::new()).await?;
    let elsewhere = program.command(&["audit", "--data", "nowhere"])?;
    assert_eq!(elsewhere.status.code(), Some(2), "{elsewhere:?}");
    assert!(String::from_utf8_lossy(&elsewhere.stderr).contains("There is no orderbell.db in nowhere"));
    assert_eq!(program.command(&["audit", "--nonsense"])?.status.code(), Some(2));
    Ok(())
}

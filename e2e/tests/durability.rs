//! What was acknowledged stays: SIGKILL under load, then the ordinary `sqlite3` shell.

use std::process::Command;
use std::time::Duration;

use anyhow::Result;
use orderbell_e2e::program::Program;
use serde_json::json;

fn shell(file: &std::path::Path, sql: &str) -> Result<String> {
    let output = Command::new("sqlite3").arg(file).arg(sql).output()?;
    assert!(output.status.success(), "{output:?}");
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

#[tokio::test]
async fn after_kill_9_under_load_the_file_is_whole_and_holds_what_the_client_was_told() -> Result<()> {
    let mut program = Program::start(Vec::new()).await?;
    let client = program.stranger()?;
    let mut clients = Vec::new();
    for lane in 0..16 {
        let client = client.clone();
        clients.push(tokio::spawn(async move {
            let mut acknowledged = Vec::new();
            for number in 0.. {
                let body =
                    json!({"customerName": format!("lane {lane}"), "productName": format!("order {number}")});
                match client.post("/create-order", &body).await {
                    Ok(answer) if answer.status == 200 => {
                        acknowledged.push(answer.json()["orderId"].as_str().unwrap().replace('-', ""));
                    }
                    _ => break,
                }
            }
            acknowledged
        }));
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    program.kill()?;
    let mut acknowledged = Vec::new();
    for client in clients {
        acknowledged.append(&mut client.await?);
    }

    let file = program.data().join("orderbell.db");
    assert_eq!(shell(&file, "PRAGMA integrity_check")?, "ok");
    let stored = shell(&file, "SELECT lower(hex(id)) FROM orders")?;
    let stored: std::collections::HashSet<_> = stored.lines().collect();
    assert!(acknowledged.len() > 100, "a load worth the name: {}", acknowledged.len());
    let lost: Vec<_> = acknowledged.iter().filter(|id| !stored.contains(id.as_str())).collect();
    assert!(lost.is_empty(), "{lost:?}");
    let unanswered = stored.len() - acknowledged.len();
    assert!(unanswered <= 16, "at most one unanswered order for each client: {unanswered}");
    println!("acknowledged {}, stored {}, lost 0", acknowledged.len(), stored.len());
    Ok(())
}

#[tokio::test]
async fn a_second_program_on_the_same_data_is_refused_in_plain_words() -> Result<()> {
    let program = Program::start(Vec::new()).await?;
    let output = program.command(&[
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--data",
        &program.data().display().to_string(),
    ])?;
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("another") && said.contains("data"), "{said}");
    Ok(())
}

#[tokio::test]
async fn told_to_end_it_ends_in_good_order() -> Result<()> {
    let mut program = Program::start(Vec::new()).await?;
    let order = program.client()?.place_order("John Doe", "Wireless Mouse").await?;
    assert!(program.terminate().await?.success());
    let file = program.data().join("orderbell.db");
    assert!(!file.with_extension("db-wal").exists(), "everything is in the one file");
    assert_eq!(shell(&file, "SELECT lower(hex(id)) FROM orders")?, order.replace('-', ""));
    Ok(())
}

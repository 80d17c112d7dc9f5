//! What the program is trusted with stays where it belongs, though every peer repeats all that it is sent.

#[path = "secrets/echo.rs"]
mod echo;

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use echo::Echo;
use orderbell_e2e::client::{Answer, Client};
use orderbell_e2e::program::{Program, Settings};
use orderbell_e2e::{twilio, wait};
use reqwest::Method;
use serde_json::{Value, json};

/// Stands in everything that is a secret, or somebody's.
const MARK: &str = "c4n4ry";
const ADMIN_KEY: &str = "obk_admin_c4n4ry_0123456789";
const PHONE: &str = "+4915157894321";
const SMTP_PASSWORD: &str = "relay-c4n4ry-password";
/// Twilio's token and account, as the settings have them.
const TWILIO: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";

fn settings(echo: &Echo) -> Settings {
    let mut settings = twilio::settings(&echo.url(""));
    settings.extend([
        ("ORDERBELL_LOG", "trace".to_owned()),
        ("ORDERBELL_ADMIN_KEY", ADMIN_KEY.to_owned()),
        ("ORDERBELL_WEBHOOK_ALLOWED_HOSTS", "127.0.0.1".to_owned()),
        ("ORDERBELL_SMTP_HOST", "127.0.0.1".to_owned()),
        ("ORDERBELL_SMTP_PORT", echo.smtp_port().to_string()),
        ("ORDERBELL_SMTP_TLS", "none".to_owned()),
        ("ORDERBELL_SMTP_FROM", "orders@shop.example".to_owned()),
        ("ORDERBELL_SMTP_USERNAME", format!("{MARK}-user")),
        ("ORDERBELL_SMTP_PASSWORD", SMTP_PASSWORD.to_owned()),
    ]);
    settings
}

/// Subscribes over every protocol, and confirms where a person does.
async fn subscribe(client: &Client, echo: &Echo) -> Result<Vec<String>> {
    let mut secrets = Vec::new();
    for (protocol, endpoint) in [
        ("email", format!("{MARK}@example.com")),
        ("sms", PHONE.to_owned()),
        ("chat", echo.url(&format!("/services/{MARK}-chat"))),
        ("webhook", echo.url(&format!("/hook/{MARK}?key={MARK}"))),
    ] {
        let made = client.subscribe(protocol, &endpoint).await?;
        secrets.extend(made["secret"].as_str().map(str::to_owned));
        if protocol != "webhook" {
            let link = wait::until("a link to confirm", async || Ok(echo.link())).await?;
            client.press(&link).await?.expect(200)?;
            secrets.extend(link.rsplit_once("token=").map(|(_, token)| token.to_owned()));
        }
        let id = made["subscriptionId"].as_str().context("an id")?;
        client.wait_for_subscription(id, "confirmed").await?;
    }
    Ok(secrets)
}

fn order() -> Value {
    json!({
        "customerName": format!("Jane {MARK}"), "productName": format!("Pad {MARK}"),
        "customerEmail": format!("{MARK}.jane@example.com"), "customerPhone": PHONE,
        "note": format!("ring twice, {MARK}"), "attributes": {MARK: MARK}, (MARK): MARK,
    })
}

/// Waits until an attempt at each of an order's deliveries failed, and gives its timeline.
async fn refused_by_everyone(client: &Client, order: &str) -> Result<Value> {
    let refused = async || {
        let timeline = client.order(order).await?;
        let deliveries = timeline["deliveries"].as_array().cloned().unwrap_or_default();
        let failed = |delivery: &Value| delivery["attempts"][0]["outcome"].is_string();
        Ok(Some(timeline)
            .filter(|_| deliveries.len() == 4 && deliveries.iter().filter(|one| failed(one)).count() == 4))
    };
    wait::until("everyone refused it", refused).await
}

/// Waits until a channel is paused, and gives the words that it is paused for.
async fn paused_for(client: &Client, order: &str) -> Result<String> {
    let paused = async || {
        let timeline = client.order(order).await?;
        let deliveries = timeline["deliveries"].as_array().cloned().unwrap_or_default();
        Ok(deliveries.iter().find_map(|one| one["pauseReason"].as_str().map(str::to_owned)))
    };
    wait::until("a channel is paused", paused).await
}

/// What is answered to all kinds of mistakes, each with the mark in it.
async fn mistakes(program: &Program) -> Result<Vec<Answer>> {
    let (admin, nobody) = (program_client(program)?, Client::new(&program.url(), Some(MARK))?);
    let mut answers = vec![nobody.get("/orders").await?, nobody.get("/metrics").await?];
    for path in [
        format!("/{MARK}"),
        format!("/orders/{MARK}"),
        format!("/orders?cursor={MARK}"),
        format!("/subscriptions/confirm?token={MARK}"),
        format!("/console/inbox/{MARK}"),
        format!("/receipts/{MARK}"),
    ] {
        answers.push(admin.get(&path).await?);
    }
    for (path, body) in [
        ("/create-order", json!({"customerName": MARK})),
        ("/create-order", json!(MARK)),
        ("/subscriptions", json!({"protocol": "email", "endpoint": MARK})),
        (
            "/subscriptions",
            json!({"protocol": "webhook", "endpoint": format!("https://u:{MARK}@example.com")}),
        ),
        ("/subscriptions", json!({"protocol": "sms", "endpoint": MARK})),
    ] {
        answers.push(admin.post(path, &body).await?);
    }
    let login = nobody.request(Method::POST, "/console/login").body(format!("key={MARK}"));
    answers.push(nobody.send(login).await?);
    Ok(answers)
}

fn program_client(program: &Program) -> Result<Client> {
    Client::new(&program.url(), Some(ADMIN_KEY))
}

/// What `ps` tells others of a process: its arguments. Whoever may read its environment may read its files as well; so root
/// asks as somebody else, and for the environment too.
fn process_list(id: u32) -> Result<String> {
    let id = id.to_string();
    let words: &[&str] = if fs::metadata("/proc/self")?.uid() == 0 {
        &["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "ps", "eww", "-p", &id]
    } else {
        &["ps", "ww", "-p", &id]
    };
    let output = Command::new(words[0]).args(&words[1..]).output()?;
    let list = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(list.contains("orderbell"), "it is not in the list: {output:?}");
    Ok(list)
}

fn assert_free(what: &str, text: &str, secrets: &[String]) {
    for secret in secrets {
        let at = text.lines().find(|line| line.contains(secret.as_str()));
        assert!(at.is_none(), "{secret} stands in {what}: {}", at.unwrap_or_default());
    }
}

#[tokio::test]
async fn nothing_that_peers_repeat_reaches_the_log_the_metrics_an_error_or_the_process_list() -> Result<()> {
    let echo = Echo::start().await?;
    let program = Program::start(settings(&echo)).await?;
    let client = program_client(&program)?;
    let mut secrets = vec![MARK.to_owned(), PHONE.to_owned(), TWILIO.to_owned()];
    // As the login has it.
    secrets.push(BASE64_STANDARD.encode(format!("\0{MARK}-user\0{SMTP_PASSWORD}")));
    secrets.extend(subscribe(&client, &echo).await?);

    echo.refuse();
    let request = client
        .request(Method::POST, "/create-order")
        .header("idempotency-key", format!("{MARK}-0123456789ab"));
    let placed = client.send(request.json(&order())).await?.expect(200)?;
    let timeline = refused_by_everyone(&client, placed["orderId"].as_str().context("an id")?).await?;
    assert!(
        timeline["deliveries"].to_string().contains(&format!("Jane {MARK}")),
        "they repeat it: {timeline}"
    );
    echo.refuse_us();
    let placed =
        client.send(client.request(Method::POST, "/create-order").json(&order())).await?.expect(200)?;
    let paused_for = paused_for(&client, placed["orderId"].as_str().context("an id")?).await?;
    assert!(paused_for.contains(MARK), "it repeats what it was sent: {paused_for}");
    let answers = mistakes(&program).await?;
    let metrics = client.get("/metrics").await?;
    assert_eq!(metrics.status, 200);

    assert_free("the log", &program.log(), &secrets);
    for told in ["attempt failed", "channel paused"] {
        assert!(program.log().contains(told), "it tells of {told} all the same");
    }
    assert_free("the metrics", &metrics.body, &secrets);
    for answer in answers {
        assert!(answer.status >= 300, "{answer:?}");
        assert_free("an error", &answer.body, &secrets);
    }
    assert_free("the process list", &process_list(program.id())?, &secrets);
    Ok(())
}

#[tokio::test]
async fn no_command_takes_a_key_where_the_process_list_shows_it() -> Result<()> {
    let program = Program::start(Settings::new()).await?;
    let on_the_line = program.command(&["order", "list", "--key", MARK])?;
    assert_eq!(on_the_line.status.code(), Some(2), "{on_the_line:?}");
    let file = program.data().join("admin.key");
    let from_file =
        ["order", "list", "--url", &program.url(), "--key-file", file.to_str().context("a path")?]
            .map(str::to_owned);
    let listed = program.command(&from_file.each_ref().map(String::as_str))?;
    assert!(listed.status.success(), "{listed:?}");
    Ok(())
}

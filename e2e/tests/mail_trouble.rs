//! A mail relay in trouble: each as the timeline shows it.

use std::time::Duration;

use anyhow::Result;
use orderbell_e2e::client::Client;
use orderbell_e2e::program::Program;
use orderbell_e2e::smtp_peer::{Fault, SmtpPeer, Stage, Tls};
use orderbell_e2e::wait;
use serde_json::Value;

/// Long enough for the first two retries of the mail schedule, 10 s each.
const RETRIES: Duration = Duration::from_mins(1);

/// A program that sends through `relay`, with one confirmed subscriber.
async fn with_subscriber(relay: &SmtpPeer) -> Result<(Program, Client)> {
    let program = Program::start(relay.settings()).await?;
    let client = program.client()?;
    subscribe(&client, relay, "reader@example.com").await?;
    Ok((program, client))
}

/// Subscribes an address and confirms it by the link in the mail.
async fn subscribe(client: &Client, relay: &SmtpPeer, address: &str) -> Result<()> {
    let subscription = client.subscribe("email", address).await?;
    let arrived = async || Ok(relay.mails()?.into_iter().find(|mail| mail.to == [address]));
    let mail = wait::until("the confirmation mail", arrived).await?;
    let link = mail.text.split_whitespace().find(|word| word.contains("token=")).unwrap_or_default();
    client.press(link).await?.expect(200)?;
    client
        .wait_for_subscription(subscription["subscriptionId"].as_str().unwrap_or_default(), "confirmed")
        .await
}

async fn wait_for_state(client: &Client, order: &str, state: &str) -> Result<Value> {
    let reached = async || {
        Ok(Some(client.order(order).await?).filter(|timeline| timeline["deliveries"][0]["state"] == state))
    };
    wait::within(RETRIES, &format!("the delivery is {state}"), reached).await
}

fn outcomes(timeline: &Value) -> Vec<&str> {
    let attempts = timeline["deliveries"][0]["attempts"].as_array().map(Vec::as_slice).unwrap_or_default();
    attempts.iter().filter_map(|attempt| attempt["outcome"].as_str()).collect()
}

#[tokio::test]
async fn a_mail_carries_the_seeds_text_and_links_that_end_the_subscription() -> Result<()> {
    let relay = SmtpPeer::start(Tls::Starttls)?;
    let (program, client) = with_subscriber(&relay).await?;
    let order = client.place_order("John Doe", "Wireless Mouse").await?;
    let mail = relay.wait_for_mails(2).await?.remove(1);
    let text =
        format!("📦 New Order Received!\nOrder ID: {order}\nCustomer: John Doe\nProduct: Wireless Mouse");
    assert!(mail.text.replace("\r\n", "\n").starts_with(&text), "{}", mail.text);
    assert_eq!(mail.header("Subject"), Some("New Order Notification: Wireless Mouse for John Doe"));
    assert_eq!(mail.header("List-Unsubscribe-Post"), Some("List-Unsubscribe=One-Click"));
    let link = mail.header("List-Unsubscribe").unwrap_or_default().trim_matches(['<', '>']).to_owned();
    assert!(link.starts_with(&program.url()), "{link}");
    assert!(mail.html.contains("John Doe"), "{}", mail.html);

    let one_click = client.request(reqwest::Method::POST, &link.replace(&program.url(), ""));
    let one_click = one_click.header("content-type", "application/x-www-form-urlencoded");
    client.send(one_click.body("List-Unsubscribe=One-Click")).await?.expect(200)?;
    let ended = client.list("/subscriptions?state=ended").await?;
    assert_eq!(ended.len(), 1);
    Ok(())
}

#[tokio::test]
async fn a_relay_that_answers_451_twice_gets_the_mail_at_the_third_attempt() -> Result<()> {
    let relay = SmtpPeer::start(Tls::Starttls)?;
    let (_program, client) = with_subscriber(&relay).await?;
    relay.misbehave(Stage::Data, &Fault::Reply("451 4.3.0 try again later".to_owned()), 2)?;
    let order = client.place_order("John Doe", "Wireless Mouse").await?;
    let timeline = wait_for_state(&client, &order, "delivered").await?;
    assert_eq!(outcomes(&timeline), ["transient", "transient", "delivered"], "{timeline:#}");
    let first = &timeline["deliveries"][0]["attempts"][0];
    assert!(first["reply"].as_str().unwrap_or_default().contains("451"), "{first}");
    assert_eq!((&first["scope"], &first["used"]), (&"delivery".into(), &true.into()));
    assert_eq!(relay.mails()?.len(), 2, "the confirmation, and the order once");
    Ok(())
}

#[tokio::test]
async fn while_the_relay_is_down_mail_waits_and_no_attempt_is_used() -> Result<()> {
    let relay = SmtpPeer::start(Tls::Starttls)?;
    let (_program, client) = with_subscriber(&relay).await?;
    relay.stop()?;
    let order = client.place_order("John Doe", "Wireless Mouse").await?;
    let paused = async || {
        let timeline = client.order(&order).await?;
        let events = timeline["timeline"].as_array().cloned().unwrap_or_default();
        Ok(events.iter().any(|event| event["event"] == "channel_paused").then_some(()))
    };
    wait::until("the channel is paused", paused).await?;
    relay.resume()?;
    let timeline = wait_for_state(&client, &order, "delivered").await?;
    let events: Vec<_> =
        timeline["timeline"].as_array().unwrap().iter().filter_map(|event| event["event"].as_str()).collect();
    assert!(events.contains(&"channel_resumed"), "{events:?}");
    assert_eq!(timeline["deliveries"][0]["attemptsUsed"], 1, "only the attempt that delivered: {timeline:#}");
    assert_eq!(outcomes(&timeline).last(), Some(&"delivered"));
    Ok(())
}

#[tokio::test]
async fn twenty_deliveries_wait_for_a_mended_password_and_use_no_attempt() -> Result<()> {
    let relay = SmtpPeer::start(Tls::Starttls)?;
    let mut program = Program::start(relay.settings()).await?;
    let client = program.client()?;
    subscribe(&client, &relay, "reader@example.com").await?;
    relay.set_password("changed by the provider")?;
    relay.stop()?;
    relay.resume()?;
    let mut orders = Vec::new();
    for number in 0..20 {
        orders.push(client.place_order("John Doe", &format!("Mouse {number}")).await?);
    }
    let refused = async || Ok((relay.counts()?.logins.refused > 0).then_some(()));
    wait::until("a login is refused", refused).await?;
    let waiting = async || Ok((client.list("/deliveries?state=pending").await?.len() == 20).then_some(()));
    wait::until("twenty deliveries wait", waiting).await?;
    let timeline = client.order(&orders[0]).await?;
    let paused =
        timeline["timeline"].as_array().unwrap().iter().find(|event| event["event"] == "channel_paused");
    let reason = paused.and_then(|event| event["reason"].as_str()).unwrap_or_default();
    assert!(reason.contains("535"), "{timeline:#}");

    program.terminate().await?;
    let mut settings = relay.settings();
    settings.retain(|(name, _)| *name != "ORDERBELL_SMTP_PASSWORD");
    settings.push(("ORDERBELL_SMTP_PASSWORD", "changed by the provider".to_owned()));
    program.restart_with(settings).await?;
    for order in &orders {
        let timeline = wait_for_state(&client, order, "delivered").await?;
        assert_eq!(timeline["deliveries"][0]["attemptsUsed"], 1, "{timeline:#}");
    }
    assert_eq!(relay.mails()?.len(), 21, "the confirmation, and each order once");
    Ok(())
}

#[tokio::test]
async fn a_recipient_that_is_refused_for_good_becomes_a_dead_letter_that_can_be_redriven() -> Result<()> {
    let relay = SmtpPeer::start(Tls::Starttls)?;
    let (_program, client) = with_subscriber(&relay).await?;
    relay.reject("reader@example.com", "550 5.1.1 no such user")?;
    let order = client.place_order("John Doe", "Wireless Mouse").await?;
    let timeline = wait_for_state(&client, &order, "dead").await?;
    assert_eq!(outcomes(&timeline), ["permanent"], "{timeline:#}");
    assert!(timeline["deliveries"][0]["attempts"][0]["reply"].as_str().unwrap_or_default().contains("550"));

    let dead = client.list("/deliveries?state=dead").await?;
    let id = dead[0]["deliveryId"].as_str().unwrap_or_default();
    client
        .send(client.request(reqwest::Method::POST, &format!("/deliveries/{id}/redrive")))
        .await?
        .expect(200)?;
    let twice =
        async || Ok(Some(client.order(&order).await?).filter(|timeline| outcomes(timeline).len() == 2));
    let timeline = wait::until("the second attempt", twice).await?;
    assert_eq!(outcomes(&timeline), ["permanent", "permanent"]);
    Ok(())
}

#[tokio::test]
async fn twenty_orders_while_the_relay_refuses_us_wait_with_no_attempt_used_and_all_arrive_once_it_is_mended()
-> Result<()> {
    for reply in
        ["554 5.7.1 <reader@example.com>: Relay access denied", "550 5.4.5 Daily limit exceeded", "550 no"]
    {
        let relay = SmtpPeer::start(Tls::Starttls)?;
        let (_program, client) = with_subscriber(&relay).await?;
        relay.reject("reader@example.com", reply)?;
        let mut orders = Vec::new();
        for _ in 0..20 {
            orders.push(client.place_order("John Doe", "Wireless Mouse").await?);
        }
        let tried = async || {
            Ok(Some(client.order(&orders[0]).await?).filter(|timeline| !outcomes(timeline).is_empty()))
        };
        wait::until("the first refusal", tried).await?;
        relay.accept("reader@example.com")?;
        for order in &orders {
            let timeline = wait_for_state(&client, order, "delivered").await?;
            assert_eq!(timeline["deliveries"][0]["attemptsUsed"], 1, "{reply}: {timeline:#}");
        }
        assert!(client.list("/deliveries?state=dead").await?.is_empty(), "{reply}");
    }
    Ok(())
}

#[tokio::test]
async fn a_line_lost_after_the_data_leaves_the_outcome_unknown_and_the_repeat_has_the_same_id() -> Result<()>
{
    let relay = SmtpPeer::start(Tls::Starttls)?;
    let (_program, client) = with_subscriber(&relay).await?;
    relay.misbehave(Stage::AfterData, &Fault::Drop, 1)?;
    let order = client.place_order("John Doe", "Wireless Mouse").await?;
    let timeline = wait_for_state(&client, &order, "delivered").await?;
    assert_eq!(outcomes(&timeline), ["unknown", "delivered"], "{timeline:#}");
    let mails = relay.mails()?;
    let ids: Vec<_> = mails[1..].iter().map(|mail| mail.header("Message-ID")).collect();
    assert_eq!(ids.len(), 2, "it came twice");
    assert_eq!(ids[0], ids[1], "and can be told to be one");
    Ok(())
}

#[tokio::test]
async fn the_doctor_names_the_step_that_fails() -> Result<()> {
    let relay = SmtpPeer::start(Tls::Starttls)?;
    let program = Program::start(Vec::new()).await?;
    let healthy =
        program.command_with(&["doctor", "smtp", "--to", "reader@example.com"], &relay.settings())?;
    assert!(healthy.status.success(), "{healthy:?}");
    relay.set_password("changed by the provider")?;
    let sick = program.command_with(&["doctor", "smtp"], &relay.settings())?;
    let said = String::from_utf8_lossy(&sick.stdout);
    assert_eq!(sick.status.code(), Some(1), "{said}");
    assert!(said.lines().any(|line| line.starts_with("FAILED") && line.contains("535")), "{said}");
    Ok(())
}

#[tokio::test]
async fn a_confirmation_given_in_the_sandbox_lapses_with_a_relay_and_nobody_is_mailed_before_it_is_asked_for()
-> Result<()> {
    let relay = SmtpPeer::start(Tls::Starttls)?;
    let mut program = Program::start(Vec::new()).await?;
    let client = program.client()?;
    let subscription = client.subscribe("email", "reader@example.com").await?;
    let confirmation = client.wait_for_message("reader@example.com", "Confirm").await?;
    client.press(confirmation["link"].as_str().unwrap()).await?.expect(200)?;
    program.terminate().await?;

    program.restart_with(relay.settings()).await?;
    let id = subscription["subscriptionId"].as_str().unwrap();
    client.wait_for_subscription(id, "pending").await?;
    let stale = client.press(confirmation["link"].as_str().unwrap()).await?;
    assert_eq!(stale.status, 410, "the link that only the sandbox saw is dead: {}", stale.body);
    client.subscribe("email", "somebody@example.com").await?;
    let mail = relay.wait_for_mails(1).await?.remove(0);
    assert_eq!(mail.to, ["somebody@example.com"], "whoever was there in the trial is not mailed");

    assert!(program.command(&["subscription", "resend", id])?.status.success());
    let mail = relay.wait_for_mails(2).await?.remove(1);
    assert_eq!(mail.to, ["reader@example.com"]);
    assert!(mail.header("Subject").unwrap_or_default().contains("Confirm"));
    Ok(())
}

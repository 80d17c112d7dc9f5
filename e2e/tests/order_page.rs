//! The page behind the link of a mail, from a real program by a real relay.

use std::time::Duration;

use anyhow::{Context, Result};
use fantoccini::Locator;
use orderbell_e2e::browser::Browser;
use orderbell_e2e::client::{Answer, Client};
use orderbell_e2e::program::Program;
use orderbell_e2e::receiver::Receiver;
use orderbell_e2e::smtp_peer::{SmtpPeer, Tls};
use orderbell_e2e::wait;
use rusqlite::Connection;
use serde_json::json;

/// Fetches a link, as whoever has it, from wherever the program is now.
async fn opened(client: &Client, link: &str) -> Result<Answer> {
    let path = link.find("/o/").and_then(|start| link.get(start..)).context("a link to an order")?;
    client.get(path).await
}

#[tokio::test]
async fn the_link_in_a_mail_shows_what_the_subscription_is_shown_until_that_ends() -> Result<()> {
    let relay = SmtpPeer::start(Tls::Starttls)?;
    let mut program = Program::start(relay.settings()).await?;
    let client = program.client()?;
    let new = json!({
        "protocol": "email", "endpoint": "mill@example.com", "fields": ["matchingItems", "deliverAt"],
        "filterPolicyScope": "MessageBody", "filterPolicy": {"data": {"items": {"sku": [{"prefix": "MILL-"}]}}},
    });
    let id = client.post("/subscriptions", &new).await?.expect(201)?["subscriptionId"].clone();
    let id = id.as_str().context("an id")?.to_owned();
    let asked = relay.wait_for_mails(1).await?.remove(0);
    let link = asked.text.split_whitespace().find(|word| word.contains("token=")).context("a link")?;
    client.press(link).await?.expect(200)?;
    let order = json!({
        "customerName": "Jo", "customerPhone": "+4915112345678", "note": "Ring twice", "total": 100, "currency": "EUR",
        "items": [{"productName": "Rye", "sku": "MILL-1", "quantity": 7}, {"productName": "Salt", "sku": "SEA-1"}],
    });
    client.post("/create-order", &order).await?.expect(200)?;
    let mail = relay.wait_for_mails(2).await?.remove(1);
    let hidden = ["Jo\n", "+49151", "Ring", "100", "Salt", "SEA-1"];
    assert!(mail.text.contains("- 7 × Rye (MILL-1)"), "{}", mail.text);
    assert!(hidden.iter().all(|hidden| !mail.text.contains(hidden)), "{}", mail.text);
    let url = mail.text.split_whitespace().find(|word| word.contains("/o/")).context("a link")?;

    program.terminate().await?;
    program.restart().await?;
    let (client, stranger) = (program.client()?, program.stranger()?);
    let page = opened(&stranger, url).await?;
    assert_eq!(page.status, 200, "{}", page.body);
    assert!(page.body.contains("<bdi>Rye</bdi>"), "{}", page.body);
    assert!(hidden.iter().all(|hidden| !page.body.contains(hidden)), "{}", page.body);

    let shell = Connection::open(program.data().join("orderbell.db"))?;
    for (table, damage, mend) in [
        ("orders", "body = 'x' || body", "body = substr(body, 2)"),
        ("deliveries", "state = 'x' || state", "state = substr(state, 2)"),
        ("subscriptions", "fields = 'x' || fields", "fields = substr(fields, 2)"),
    ] {
        shell.execute(&format!("UPDATE {table} SET {damage}"), ())?;
        let page = opened(&stranger, url).await?;
        assert_eq!(page.status, 503, "{table}: {}", page.body);
        assert!(page.body.contains("This order cannot be shown at present"), "{table}: {}", page.body);
        for internal in [table, "quarantine", "column", "Rye"] {
            assert!(!page.body.contains(internal), "{table} {internal}: {}", page.body);
        }
        shell.execute(&format!("UPDATE {table} SET {mend}"), ())?;
        let shown = async || Ok((opened(&stranger, url).await?.status == 200).then_some(()));
        wait::until("the mended row is shown", shown).await?;
    }
    client.delete(&format!("/subscriptions/{id}")).await?.expect(200)?;
    let page = opened(&stranger, url).await?;
    assert_eq!(page.status, 410, "{}", page.body);
    assert!(page.body.contains("This subscription has ended") && !page.body.contains("Rye"), "{}", page.body);
    let token = url.rsplit('/').next().context("a token")?;
    assert!(!program.log().contains(token), "{}", program.log());
    Ok(())
}

/// What a machine does with a page that it has opened: scanners of mails follow links, run scripts, press what can be pressed
/// and submit forms as they find them.
const MACHINES: [&str; 12] = [
    "document.forms[0].submit()",
    "document.forms[0].requestSubmit()",
    "document.querySelector('button').click()",
    "document.querySelectorAll('a, button, [role=button]').forEach((it) => it.click())",
    "document.forms[0].noValidate = true; document.querySelector('button').click()",
    "document.forms[0].elements.by.value = 'test'; document.forms[0].submit()",
    "document.forms[0].elements.by.focus(); document.forms[0].submit()",
    "fetch(location.href, {method: 'POST'})",
    "fetch(location.href, {method: 'POST', body: new FormData(document.forms[0])})",
    "fetch(location.href, {method: 'POST', body: new URLSearchParams(new FormData(document.forms[0]))})",
    "navigator.sendBeacon(location.href, new URLSearchParams(new FormData(document.forms[0])))",
    "location.reload()",
];

#[tokio::test]
async fn a_person_acknowledges_by_the_link_and_no_machine_that_opens_it_does() -> Result<()> {
    let program = Program::start(Receiver::settings()).await?;
    let (client, receiver) = (program.client()?, Receiver::start().await?);
    let made = client.subscribe("webhook", &receiver.url("/hook")).await?;
    client.wait_for_subscription(made["subscriptionId"].as_str().context("an id")?, "confirmed").await?;
    let id = client.place_order("Ada", "Mouse").await?;
    let event = receiver.wait_for_notifications(1).await?.remove(0).json();
    let url = event["orderUrl"].as_str().context("a link")?;
    let status = async || Ok::<_, anyhow::Error>(client.order(&id).await?["status"].clone());

    let browser = Browser::start(390, 844).await?;
    let page = browser.page();
    for script in MACHINES {
        page.goto(url).await?;
        // What it submits leads it away, perhaps while the script runs.
        let _ = page.execute(script, Vec::new()).await;
        tokio::time::sleep(Duration::from_millis(150)).await;
        assert_eq!(status().await?, "new", "{script}");
    }
    page.goto(url).await?;
    page.find(Locator::Css("[name=by]")).await?.send_keys("Maria").await?;
    page.find(Locator::Css("form button")).await?.click().await?;
    assert_eq!(status().await?, "new", "the box is not ticked");
    page.find(Locator::Css("[name=sure]")).await?.click().await?;
    page.find(Locator::Css("form button")).await?.click().await?;
    let said = async || Ok(page.source().await?.contains(" by Maria").then_some(()));
    wait::until("the page says who acknowledged it", said).await?;
    assert_eq!(status().await?, "acknowledged");
    page.find(Locator::Css("[name=sure]")).await?.click().await?;
    page.find(Locator::Css("form button")).await?.click().await?;
    let taken_back = async || Ok(page.source().await?.contains("Nobody has acknowledged").then_some(()));
    wait::until("the page says that nobody did", taken_back).await?;
    let events: Vec<_> = client.order(&id).await?["timeline"].as_array().context("a timeline")?.clone();
    let events: Vec<_> = events.iter().filter_map(|event| event["event"].as_str()).collect();
    assert!(events.ends_with(&["order_acknowledged", "order_reopened"]), "{events:?}");

    let said = String::from_utf8(program.command(&["order", "complete", &id, "--by", "Jo"])?.stdout)?;
    assert!(said.trim_end().ends_with(") is completed"), "{said}");
    page.goto(url).await?;
    assert!(page.source().await?.contains("This order is done"));
    let again = program.command(&["order", "acknowledge", &id])?;
    assert!(String::from_utf8(again.stderr)?.contains("The order is completed since"), "and by whom");
    let shown = String::from_utf8(program.command(&["order", "show", &id])?.stdout)?;
    assert!(shown.contains("Status    completed since") && shown.contains(" by Jo"), "{shown}");
    Ok(())
}

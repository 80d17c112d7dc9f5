//! The page behind the link of a mail, from a real program by a real relay.

use anyhow::{Context, Result};
use orderbell_e2e::client::{Answer, Client};
use orderbell_e2e::program::Program;
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

//! A newcomer's first minute: an order, a subscription in the sandbox, a notification that can be read.

use anyhow::Result;
use orderbell_e2e::program::Program;
use orderbell_e2e::wait;
use serde_json::json;

#[tokio::test]
async fn a_newcomer_subscribes_in_the_sandbox_and_reads_the_next_order_there() -> Result<()> {
    let program = Program::start(Vec::new()).await?;
    let client = program.client()?;
    let subscription = client.subscribe("email", "you@example.com").await?;
    assert_eq!(subscription["state"], "pending");
    let early = client.place_order("Early Bird", "Nothing for it").await?;

    let confirmation = client.wait_for_message("you@example.com", "Confirm").await?;
    client.press(confirmation["link"].as_str().unwrap()).await?.expect(200)?;
    let id = subscription["subscriptionId"].as_str().unwrap();
    client.wait_for_subscription(id, "confirmed").await?;

    let order = client.place_order("John Doe", "Wireless Mouse").await?;
    let notification = client.wait_for_message("you@example.com", "New Order Notification").await?;
    let text =
        format!("📦 New Order Received!\nOrder ID: {order}\nCustomer: John Doe\nProduct: Wireless Mouse");
    assert_eq!(notification["text"], text);

    // It lies in the inbox before it is recorded as delivered.
    let sandboxed =
        async || Ok((client.order(&order).await?["deliveries"][0]["state"] == "sandboxed").then_some(()));
    wait::until("the notification is recorded as sandboxed", sandboxed).await?;
    let early = client.order(&early).await?;
    assert_eq!(early["notMatched"][0]["because"], "not_confirmed", "{early:#}");
    Ok(())
}

#[tokio::test]
async fn a_shop_speaks_its_language_and_a_subscription_its_own() -> Result<()> {
    let settings = [("ORDERBELL_LANGUAGE", "de-AT"), ("ORDERBELL_TIME_ZONE", "Europe/Vienna")];
    let program = Program::start(settings.map(|(name, value)| (name, value.to_owned())).into()).await?;
    let client = program.client()?;
    let french = ["--language", "fr", "--time-zone", "America/Montreal"];
    for (endpoint, chosen, subject) in [
        ("wien@example.com", [].as_slice(), "Bestätigen Sie Ihr Abonnement"),
        ("montreal@example.com", french.as_slice(), "Confirmez votre abonnement"),
    ] {
        let added = program.command(&[&["subscription", "add", "email", endpoint], chosen].concat())?;
        assert!(added.status.success(), "{added:?}");
        let request = client.wait_for_message(endpoint, subject).await?;
        client.press(request["link"].as_str().unwrap()).await?.expect(200)?;
    }
    let order = json!({
        "customerName": "Jo", "productName": "Torte", "total": "1250.00", "currency": "EUR",
        "deliverAt": "2026-12-24T12:00:00Z",
    });
    client.post("/create-order", &order).await?.expect(200)?;
    let text = async |endpoint, subject| {
        let message = client.wait_for_message(endpoint, subject).await?;
        anyhow::Ok(message["text"].as_str().unwrap().to_owned())
    };
    let german = text("wien@example.com", "Neue Bestellung: Torte für Jo").await?;
    let facts = "Gesamt: 1.250,00\u{a0}€\nWunschtermin: Do., 24.12.2026, 13:00";
    assert!(german.starts_with("📦 Neue Bestellung!\n") && german.ends_with(facts), "{german}");
    let french = text("montreal@example.com", "Nouvelle commande\u{a0}: Torte pour Jo").await?;
    assert!(french.contains("Date souhaitée\u{a0}: jeu. 24/12/2026, 07:00"), "{french}");
    Ok(())
}

#[tokio::test]
async fn the_seeds_body_gets_the_seeds_answer() -> Result<()> {
    let program = Program::start(Vec::new()).await?;
    let stranger = program.stranger()?;
    let order = json!({"customerName": "John Doe", "productName": "Wireless Mouse"});
    let answer = stranger.post("/create-order", &order).await?.expect(200)?;
    assert_eq!(answer["message"], "Order placed successfully");
    assert_eq!(answer.as_object().map(serde_json::Map::len), Some(2), "{answer}");
    let missing = stranger.post("/create-order", &json!({"customerName": "John Doe"})).await?.expect(400)?;
    assert_eq!(missing["error"], "Missing customerName or productName");
    Ok(())
}

#[tokio::test]
async fn an_unsubscribe_link_ends_the_subscription_only_when_its_button_is_pressed() -> Result<()> {
    let program = Program::start(Vec::new()).await?;
    let client = program.client()?;
    let subscription = client.subscribe("email", "you@example.com").await?;
    let id = subscription["subscriptionId"].as_str().unwrap();
    let confirmation = client.wait_for_message("you@example.com", "Confirm").await?;
    client.press(confirmation["link"].as_str().unwrap()).await?.expect(200)?;
    client.place_order("John Doe", "Wireless Mouse").await?;
    let notification = client.wait_for_message("you@example.com", "New Order").await?;

    let link = notification["link"].as_str().unwrap().replace(&program.url(), "");
    client.get(&link).await?.expect(200)?;
    assert_eq!(
        client.subscription_state(id).await?,
        "confirmed",
        "a machine that fetches the link ends nothing"
    );
    client.press(notification["link"].as_str().unwrap()).await?.expect(200)?;
    assert_eq!(client.subscription_state(id).await?, "ended");

    let later = client.place_order("John Doe", "Keyboard").await?;
    let ended =
        async || Ok(Some(client.order(&later).await?).filter(|timeline| timeline["published"] == true));
    let timeline = orderbell_e2e::wait::until("the order is published", ended).await?;
    assert_eq!(timeline["notMatched"][0]["because"], "ended", "{timeline:#}");
    Ok(())
}

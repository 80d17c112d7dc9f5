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

//! What operators wrote in place of what an order says.

use anyhow::{Context, Result};
use orderbell_e2e::deployment::Deployment;
use orderbell_e2e::receiver::Receiver;
use reqwest::Method;
use serde_json::{Value, json};

pub(crate) async fn an_order_is_told_in_the_words_of_a_template(host: &Deployment) -> Result<()> {
    let client = host.client()?;
    let template = json!({"text": "Bake {{productName}} for {{customerName}}{{#note}}: {{note}}{{/note}}"});
    let set =
        client.send(client.request(Method::PUT, "/templates/webhook").json(&template)).await?.expect(200)?;
    assert_eq!((&set["name"], &set["text"]), (&json!("webhook"), &template["text"]));
    assert_eq!(client.list("/templates").await?[0]["parts"], json!(["text"]));
    let receiver = Receiver::start().await?;
    host.subscribe(&receiver, "/hook", None).await?;
    let order = json!({"customerName": "Ada", "productName": "Rolls", "note": "thin\nTotal: 0"});
    let placed = client.post("/create-order", &order).await?.expect(200)?;
    let told = host.notification(receiver.wait_for_notifications(1).await?.first().context("one")?)?;
    assert_eq!(told["message"], "Bake Rolls for Ada: thin\n    Total: 0");
    assert_eq!((&told["data"]["orderId"], &told["data"]["note"]), (&placed["orderId"], &order["note"]));
    let preview = json!({"orderId": placed["orderId"], "text": "{{shortReference}}"});
    let preview = client.post("/templates/webhook/preview", &preview).await?.expect(200)?;
    assert_eq!((preview["text"].as_str().map(str::len), &preview["unused"]), (Some(9), &Value::Null));
    client.delete("/templates/webhook").await?.expect(204)?;
    assert_eq!(client.get("/templates/webhook").await?.expect(404)?["code"], "template_not_found");
    Ok(())
}

pub(crate) async fn a_template_that_is_none_is_refused_and_who_has_no_key_sets_none(
    host: &Deployment,
) -> Result<()> {
    let put = |client: &orderbell_e2e::client::Client, text: &str| {
        client.request(Method::PUT, "/templates/sms").json(&json!({"text": text}))
    };
    let (client, stranger) = (host.client()?, host.stranger()?);
    let refused = client.send(put(&client, "Hello\n{{secret}}")).await?.expect(400)?;
    assert_eq!((&refused["code"], &refused["field"]), (&json!("invalid_template"), &json!("text")));
    assert!(
        refused["detail"].as_str().unwrap_or_default().starts_with("text, line 2, column 1: "),
        "{refused}"
    );
    stranger.send(put(&stranger, "Hello")).await?.expect(401)?;
    stranger.post("/templates/sms/preview", &json!({"text": "{{orderId}}"})).await?.expect(401)?;
    assert_eq!(client.list("/templates").await?, [] as [Value; 0]);
    Ok(())
}

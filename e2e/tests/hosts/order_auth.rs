//! Taking orders: what is accepted, what is refused, and in which words.

use anyhow::Result;
use orderbell_e2e::deployment::Deployment;
use reqwest::Method;
use serde_json::{Value, json};

fn order() -> Value {
    json!({"customerName": "John Doe", "productName": "Wireless Mouse"})
}

pub(crate) async fn the_seeds_order_gets_the_seeds_answer(host: &Deployment) -> Result<()> {
    let answer = host.stranger()?.post("/create-order", &order()).await?;
    let body = answer.expect(200)?;
    assert_eq!(body["message"], "Order placed successfully");
    assert_eq!(body["orderId"].as_str().map(str::len), Some(36), "{body}");
    assert_eq!(body.as_object().map(serde_json::Map::len), Some(2), "{body}");
    assert_eq!(answer.headers["content-type"], "application/json");
    Ok(())
}

pub(crate) async fn a_missing_name_gets_the_seeds_error(host: &Deployment) -> Result<()> {
    let stranger = host.stranger()?;
    let missing = [
        json!({"customerName": "John Doe"}),
        json!({"productName": "Wireless Mouse"}),
        json!({"customerName": "", "productName": "Wireless Mouse"}),
        json!({}),
    ];
    for body in missing {
        let answer = stranger.post("/create-order", &body).await?.expect(400)?;
        assert_eq!(answer["error"], "Missing customerName or productName", "{body}");
    }
    Ok(())
}

pub(crate) async fn malformed_json_is_refused(host: &Deployment) -> Result<()> {
    let stranger = host.stranger()?;
    let request = stranger.request(Method::POST, "/create-order").body("{\"customerName\": ");
    let answer = stranger.send(request.header("content-type", "application/json")).await?;
    assert_eq!(answer.expect(400)?["code"], "malformed_json");
    assert_eq!(answer.headers["content-type"], "application/problem+json");
    Ok(())
}

pub(crate) async fn a_body_that_is_too_large_is_refused(host: &Deployment) -> Result<()> {
    let mut large = order();
    large["note"] = "x".repeat(64 * 1024).into();
    let answer = host.stranger()?.post("/create-order", &large).await?.expect(413)?;
    assert_eq!(answer["code"], "body_too_large");
    Ok(())
}

pub(crate) async fn an_order_is_read_as_json_whatever_its_content_type_says(host: &Deployment) -> Result<()> {
    let stranger = host.stranger()?;
    for content_type in
        ["text/plain;charset=UTF-8", "application/x-www-form-urlencoded", "application/octet-stream"]
    {
        let request = stranger.request(Method::POST, "/create-order").body(order().to_string());
        stranger.send(request.header("content-type", content_type)).await?.expect(200)?;
    }
    let request = stranger.request(Method::POST, "/create-order").body(order().to_string());
    stranger.send(request).await?.expect(200)?;
    let request = stranger.request(Method::POST, "/create-order").body("--x--");
    stranger.send(request.header("content-type", "multipart/form-data; boundary=x")).await?.expect(415)?;
    Ok(())
}

pub(crate) async fn a_page_of_any_origin_may_place_orders(host: &Deployment) -> Result<()> {
    let stranger = host.stranger()?;
    let asking = stranger
        .request(Method::OPTIONS, "/create-order")
        .header("origin", "https://shop.example")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "content-type,idempotency-key");
    let preflight = stranger.send(asking).await?;
    assert_eq!(preflight.status, 204);
    assert_eq!(preflight.headers["access-control-allow-origin"], "*");
    assert!(preflight.headers["access-control-allow-methods"].to_str()?.contains("POST"));
    let placing = stranger.request(Method::POST, "/create-order").header("origin", "https://shop.example");
    let placed = stranger.send(placing.json(&order())).await?;
    placed.expect(200)?;
    assert_eq!(placed.headers["access-control-allow-origin"], "*");
    Ok(())
}

pub(crate) async fn management_is_refused_without_the_key(host: &Deployment) -> Result<()> {
    let stranger = host.stranger()?;
    for path in ["/orders", "/subscriptions"] {
        assert_eq!(stranger.get(path).await?.expect(401)?["code"], "key_required", "{path}");
        let wrong = stranger.request(Method::GET, path).header("x-api-key", "not the key");
        assert_eq!(stranger.send(wrong).await?.expect(401)?["code"], "wrong_key", "{path}");
    }
    let webhook = json!({"protocol": "webhook", "endpoint": "http://127.0.0.1:1/hook"});
    stranger.post("/subscriptions", &webhook).await?.expect(401)?;
    assert_eq!(host.client()?.list("/subscriptions").await?, Vec::<Value>::new());
    Ok(())
}

pub(crate) async fn an_unknown_path_and_a_wrong_method_are_refused(host: &Deployment) -> Result<()> {
    let client = host.client()?;
    assert_eq!(client.get("/nowhere").await?.expect(404)?["code"], "no_such_route");
    assert_eq!(client.get("/create-order").await?.expect(405)?["code"], "method_not_allowed");
    Ok(())
}

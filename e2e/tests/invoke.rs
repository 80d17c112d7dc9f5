//! `orderbell invoke`: what the recipe does in the Lambda console, with a server running and without.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Output;
use std::thread;

use anyhow::{Context, Result};
use orderbell_e2e::program::{Program, orderbell};
use serde_json::{Value, json};

const ORDER: &str = r#"{"customerName": "John Doe", "productName": "Wireless Mouse"}"#;
/// [`ORDER`] in base64.
const ENCODED: &str = "eyJjdXN0b21lck5hbWUiOiAiSm9obiBEb2UiLCAicHJvZHVjdE5hbWUiOiAiV2lyZWxlc3MgTW91c2UifQ==";

/// The same order as each kind of event has it.
fn events() -> Vec<(&'static str, Value)> {
    let one = |body: &str, encoded: bool| {
        json!({"version": "1.0", "resource": "/create-order", "path": "/create-order", "httpMethod": "POST",
               "headers": {"Content-Type": "application/json"}, "multiValueHeaders": null,
               "queryStringParameters": null, "multiValueQueryStringParameters": null, "pathParameters": null,
               "stageVariables": null, "requestContext": {"stage": "$default", "httpMethod": "POST",
               "path": "/create-order", "identity": {"sourceIp": "192.0.2.1"}}, "body": body, "isBase64Encoded": encoded})
    };
    let two = |body: &str, encoded: bool| {
        json!({"version": "2.0", "routeKey": "POST /create-order", "rawPath": "/create-order", "rawQueryString": "",
               "headers": {"content-type": "application/json"}, "requestContext": {"stage": "$default",
               "http": {"method": "POST", "path": "/create-order", "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1",
               "userAgent": "test"}}, "body": body, "isBase64Encoded": encoded})
    };
    vec![
        ("the recipe's test event", json!({"body": ORDER})),
        (
            "the recipe's event with an object for a body",
            json!({"body": {"customerName": "John Doe", "productName": "Wireless Mouse"}}),
        ),
        ("payload 1.0", one(ORDER, false)),
        ("payload 1.0 in base64", one(ENCODED, true)),
        ("payload 2.0", two(ORDER, false)),
        ("payload 2.0 in base64", two(ENCODED, true)),
    ]
}

fn order_id(name: &str, output: &Output) -> Result<String> {
    assert!(output.status.success(), "{name}: {output:?}");
    let response: Value = serde_json::from_slice(&output.stdout)?;
    assert_eq!(response["statusCode"], 200, "{name}: {response}");
    let body = response["body"].as_str().context("a body that is a string")?;
    let header = |name: &str| {
        let one = response["headers"][name].as_str();
        one.or_else(|| response["multiValueHeaders"][name][0].as_str()).map(str::to_owned)
    };
    assert_eq!(header("content-length"), Some(body.len().to_string()), "{name}: {response}");
    let body: Value = serde_json::from_str(body)?;
    assert_eq!(body["message"], "Order placed successfully", "{name}");
    body["orderId"].as_str().map(str::to_owned).context("an orderId")
}

#[tokio::test]
async fn a_running_server_takes_the_events_order() -> Result<()> {
    let program = Program::start(Vec::new()).await?;
    let client = program.client()?;
    for (name, event) in events() {
        let file = program.data().join("event.json");
        fs::write(&file, event.to_string())?;
        let output = program.command(&["invoke", &file.display().to_string()])?;
        let id = order_id(name, &output)?;
        assert_eq!(client.order(&id).await?["productName"], "Wireless Mouse", "{name}");
    }
    Ok(())
}

#[tokio::test]
async fn without_a_server_the_order_is_stored_and_published_when_one_starts() -> Result<()> {
    let mut program = Program::start(Vec::new()).await?;
    let client = program.client()?;
    let nobody = format!("{}/", program.url());
    program.terminate().await?;
    let mut placed = Vec::new();
    for (name, event) in events() {
        let file = program.data().join("event.json");
        fs::write(&file, event.to_string())?;
        let mut invoke = orderbell(&program.data());
        invoke.args(["invoke", "--url", &nobody, "--data"]).arg(program.data()).arg(&file);
        placed.push(order_id(name, &invoke.output()?)?);
    }
    program.restart().await?;
    for id in placed {
        let published =
            async || Ok(Some(client.order(&id).await?).filter(|timeline| timeline["published"] == true));
        orderbell_e2e::wait::until("the order is published", published).await?;
    }
    Ok(())
}

#[tokio::test]
async fn an_event_without_names_gets_the_seeds_error() -> Result<()> {
    let program = Program::start(Vec::new()).await?;
    for event in [json!({}), json!({"body": "{}"}), json!({"body": null}), json!([1, 2]), json!("text")] {
        let file = program.data().join("event.json");
        fs::write(&file, event.to_string())?;
        let output = program.command(&["invoke", &file.display().to_string()])?;
        let response: Value = serde_json::from_slice(&output.stdout)?;
        assert_eq!((output.status.code(), &response["statusCode"]), (Some(1), &json!(400)), "{event}");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("the event was refused: 400 Bad Request"), "{said}");
        let body: Value = serde_json::from_str(response["body"].as_str().unwrap_or_default())?;
        assert_eq!(body["error"], "Missing customerName or productName", "{event}");
    }
    Ok(())
}

#[tokio::test]
async fn an_event_file_may_begin_with_a_mark_and_one_in_another_encoding_is_named() -> Result<()> {
    let program = Program::start(Vec::new()).await?;
    let file = program.data().join("event.json");
    let event = json!({"body": ORDER}).to_string();
    fs::write(&file, format!("\u{FEFF}{event}"))?;
    order_id("a mark", &program.command(&["invoke", &file.display().to_string()])?)?;
    let utf_16: Vec<_> = event.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (bytes, name) in [(utf_16, "UTF-16"), (b"\x1F\x8B\x08\0\0".to_vec(), "gzip")] {
        fs::write(&file, bytes)?;
        let output = program.command(&["invoke", &file.display().to_string()])?;
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&output.stderr).contains(name), "{output:?}");
    }
    Ok(())
}

#[test]
fn a_redirect_is_shown_as_it_is_and_followed_by_no_command() -> Result<()> {
    for status in [301, 302, 303, 307, 308] {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let url = format!("http://{}", listener.local_addr()?);
        let server = thread::spawn(move || redirect_twice(&listener, status));
        let folder = tempfile::tempdir()?;
        let event = folder.path().join("event.json");
        fs::write(&event, json!({"body": ORDER}).to_string())?;
        let output = orderbell(folder.path()).args(["invoke", "--url", &url]).arg(&event).output()?;
        let response: Value = serde_json::from_slice(&output.stdout)?;
        assert_eq!(response["statusCode"], status, "{response}");
        let mut list = orderbell(folder.path());
        list.env("ORDERBELL_KEY", "a-key-of-somebody-here");
        let output = list.args(["order", "list", "--url", &url]).output()?;
        assert_eq!(output.status.code(), Some(1));
        assert!(
            String::from_utf8_lossy(&output.stderr).contains("http://127.0.0.1:1/elsewhere"),
            "{output:?}"
        );
        server.join().expect("the server ends")?;
    }
    Ok(())
}

fn redirect_twice(listener: &TcpListener, status: u16) -> std::io::Result<()> {
    for _ in 0..2 {
        let (mut stream, _) = listener.accept()?;
        let mut head = [0; 4_096];
        let _ = stream.read(&mut head)?;
        let place = "http://127.0.0.1:1/elsewhere";
        let answer = format!(
            "HTTP/1.1 {status} Elsewhere\r\nlocation: {place}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        );
        stream.write_all(answer.as_bytes())?;
    }
    Ok(())
}

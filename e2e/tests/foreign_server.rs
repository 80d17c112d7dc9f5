//! A server that is none of ours, or an Orderbell whose answers somebody changes on the way: whatever it says, the terminal
//! obeys none of it.

use std::process::Output;

use anyhow::{Result, ensure};
use orderbell_e2e::program::{new_home, orderbell};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const ID: &str = "01a22bef-8158-7f9b-b107-a48ca82a6d63";
/// Obeyed by terminals, or turning what follows it, as UTF-8 has it.
const HARMFUL: &str = "\u{1b}]0;taken\u{7}\u{1b}[2J\u{9b}31m\u{8}\r\u{7f}\u{202e}evil\u{2066}\u{2028}\u{61c}";

fn answer(head: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {head}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

fn json(status: &str, json: &str) -> Vec<u8> {
    answer(&format!("{status}\r\ncontent-type: application/json"), json.replace('!', HARMFUL).as_bytes())
}

/// What such a server may say, each with how the command ends that hears it.
fn answers() -> Vec<(Vec<u8>, i32)> {
    // JSON has no bare C0 characters, and every other character bare.
    let in_json =
        |text: &str| text.replace('!', "\\u001b]0;taken\\u0007\\r\u{7f}\u{9b}31m\u{202e}evil\u{2066}");
    let parsed = |status: &str, text: &str| {
        answer(&format!("{status}\r\ncontent-type: application/json"), in_json(text).as_bytes())
    };
    let mut moved = b"HTTP/1.1 307 Temporary Redirect\r\nlocation: http://".to_vec();
    moved.extend(b"\x9b31m\xe2\x80\xaeevil/\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    let rows = r#"{"items":[{"orderId":"!","customerName":"!","productName":"!","orderTime":"!","total":"!","currency":"!",
        "subscriptionId":"!","deliveryId":"!","id":"!","endpoint":"!","state":"!","subject":"!","at":"!"}],
        "unreadable":[{"id":"!","place":"!","reason":"!"}],"next":"!","!":"!"}"#;
    vec![
        (parsed("403 Forbidden", r#"{"detail":"!"}"#), 1),
        (parsed("500 Internal Server Error", r#"{"error":"!"}"#), 1),
        (parsed("401 Unauthorized", r#"{"detail":"!"}"#), 1),
        (parsed("200 OK", rows), 0),
        (
            parsed(
                "200 OK",
                r#"{"orderId":"!","customerName":"!","note":"!","attributes":{"!":"!"},"summary":"!",
            "timeline":[{"event":"!","at":"!","reply":"!"}],"deliveries":[{"endpoint":"!","waitsBecause":"!"}],
            "endpoint":"!","state":"!","pendingReason":"!","pendingAdvice":"!","subscriptionId":"!","deliveryId":"!",
            "text":"!","link":"!","notMatched":[{"because":"!","subscriptions":[{"endpoint":"!"}]}]}"#,
            ),
            0,
        ),
        (json("200 OK", "!"), 1),
        (answer("200 !\u{1b}[2J\u{9b}31m", b"{}"), 1),
        (answer("502 Bad Gateway\r\ncontent-type: text/html", HARMFUL.as_bytes()), 1),
        (answer("502 Bad Gateway", b"\xff\xfe\x9b31m\x1b[2J"), 1),
        (moved, 1),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n\x1b[2J".to_vec(), 1),
        (b"\x1b[2J\x9b31m is no HTTP\r\n\r\n".to_vec(), 1),
        (b"SSH-2.0-\x1b[2J\r\n".to_vec(), 1),
        (Vec::new(), 1),
    ]
}

/// Says the same to everyone, once the request is there.
async fn serve(listener: TcpListener, said: Vec<u8>) -> std::io::Result<()> {
    loop {
        let (mut stream, _) = listener.accept().await?;
        let mut request = [0; 4_096];
        let _length = stream.read(&mut request).await?;
        stream.write_all(&said).await?;
        stream.shutdown().await?;
    }
}

fn ensure_harmless(what: &str, output: &Output) -> Result<()> {
    for printed in [&output.stdout, &output.stderr] {
        let text = str::from_utf8(printed)?;
        let turns = "\u{61c}\u{200e}\u{200f}\u{2028}\u{2029}\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\u{2066}\u{2067}\u{2068}\u{2069}";
        let harmful = |c: char| (c.is_control() && !"\n\t".contains(c)) || turns.contains(c);
        ensure!(!text.contains(harmful), "{what}: {text:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn whatever_answers_a_command_reaches_the_terminal_as_text_alone() -> Result<()> {
    let home = new_home()?;
    std::fs::write(home.path().join("event.json"), r#"{"customerName":"Ada","productName":"Pad"}"#)?;
    for (said, code) in answers() {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let what = String::from_utf8_lossy(&said).into_owned();
        let server = tokio::spawn(serve(listener, said));
        for command in [
            &["order", "list"][..],
            &["order", "list", "--json"],
            &["order", "show", ID],
            &["order", "spam", ID],
            &["subscription", "list"],
            &["subscription", "show", ID],
            &["subscription", "rotate-secret", ID],
            &["delivery", "list"],
            &["delivery", "show", ID],
            &["delivery", "redrive", "--dead"],
            &["inbox", "list"],
            &["inbox", "show", ID],
            &["invoke", "event.json"],
        ] {
            let output = orderbell(home.path()).args(command).args(["--url", &url]).output()?;
            ensure_harmless(&format!("{command:?} after {what:?}"), &output)?;
            // Whatever is answered to an event is the event's answer.
            if command[0] != "invoke" {
                ensure!(output.status.code() == Some(code), "{command:?} after {what:?}: {output:?}");
                ensure!(!output.stderr.is_empty() || code == 0, "{command:?} after {what:?} says nothing");
            }
        }
        server.abort();
    }
    Ok(())
}

#[test]
fn what_a_person_types_is_told_back_as_text_alone() -> Result<()> {
    let home = new_home()?;
    for args in [
        &["order", "show", HARMFUL][..],
        &[HARMFUL],
        &["order", HARMFUL],
        &["order", "list", "--limit", HARMFUL],
        &["order", "list", "--url", HARMFUL],
        &["order", "list", "--data", HARMFUL],
        &["key", "new", HARMFUL],
        &["man", HARMFUL],
        &["invoke", HARMFUL],
        &["serve", "--listen", HARMFUL],
        &["serve", "--config", HARMFUL],
        &["audit", "--data", HARMFUL],
        &["backup", "copy", "--data", HARMFUL],
        &["subscription", "add", "email", "a@example.com", "--filter-policy", HARMFUL],
        &["subscription", "confirm", HARMFUL],
    ] {
        let output = orderbell(home.path()).args(args).output()?;
        ensure_harmless(&format!("{args:?}"), &output)?;
        ensure!(!output.status.success(), "{args:?}: {output:?}");
    }
    Ok(())
}

//! Peers of every kind that repeat in each answer all that they were sent. No real one can be made to.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// Receivers of webhooks, chats and text messages at one address, and a mail relay at another.
pub(crate) struct Echo {
    url: String,
    smtp_port: u16,
    shared: Arc<Mutex<Heard>>,
}

#[derive(Default)]
struct Heard {
    refuses: bool,
    /// Messages by text, as those of somebody who may send none.
    refuses_us: bool,
    /// The last link that a message carried.
    link: Option<String>,
}

type Shared = Arc<Mutex<Heard>>;

impl Echo {
    /// Takes everything, until it is told to refuse.
    pub(crate) async fn start() -> Result<Self> {
        let shared = Shared::default();
        let http = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", http.local_addr()?);
        let router = Router::new().fallback(answer).with_state(Arc::clone(&shared));
        tokio::spawn(async move { axum::serve(http, router).await });
        let smtp = TcpListener::bind("127.0.0.1:0").await?;
        let smtp_port = smtp.local_addr()?.port();
        let heard = Arc::clone(&shared);
        tokio::spawn(async move {
            while let Ok((stream, _)) = smtp.accept().await {
                tokio::spawn(relay(stream, Arc::clone(&heard)));
            }
        });
        Ok(Self { url, smtp_port, shared })
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    pub(crate) fn smtp_port(&self) -> u16 {
        self.smtp_port
    }

    /// Refuses every message from now on.
    pub(crate) fn refuse(&self) {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner).refuses = true;
    }

    /// Refuses every text message from now on as that of somebody unknown.
    pub(crate) fn refuse_us(&self) {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner).refuses_us = true;
    }

    /// The link of the last message that carried one, once.
    pub(crate) fn link(&self) -> Option<String> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner).link.take()
    }
}

/// Takes in a message; answers whether it is refused.
fn hear(shared: &Shared, text: &str) -> bool {
    let mut heard = shared.lock().unwrap_or_else(PoisonError::into_inner);
    let is_end = |c: char| c.is_whitespace() || matches!(c, '"' | '|' | '>' | '<' | '\\');
    let mut words = text.split(is_end);
    if let Some(link) = words.find(|word| word.starts_with("http") && word.contains("/confirm?token=")) {
        heard.link = Some(link.to_owned());
    }
    heard.refuses
}

async fn answer(State(shared): State<Shared>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let body = String::from_utf8_lossy(&body).into_owned();
    let is_form = uri.path().ends_with("/Messages.json");
    let text = if is_form { form_text(&body) } else { body.clone() };
    let refuses = hear(&shared, &text);
    // The message first: only the beginning of an answer is kept.
    let echo = format!("{text} {uri} {headers:?}");
    let challenge = serde_json::from_str::<Value>(&body)
        .ok()
        .and_then(|json| json["challenge"].as_str().map(str::to_owned));
    match challenge {
        Some(challenge) => Json(json!({"confirmation": challenge, "echo": echo})).into_response(),
        None if is_form && shared.lock().unwrap_or_else(PoisonError::into_inner).refuses_us => {
            (StatusCode::UNAUTHORIZED, Json(json!({"code": 20_003, "message": echo}))).into_response()
        }
        None if refuses && is_form => {
            (StatusCode::BAD_REQUEST, Json(json!({"code": 21_211, "message": echo}))).into_response()
        }
        None if refuses => (StatusCode::INTERNAL_SERVER_ERROR, echo).into_response(),
        None if is_form => {
            (StatusCode::CREATED, Json(json!({"sid": "SM1", "status": "queued", "body": echo})))
                .into_response()
        }
        // As a chat says that it has taken something.
        None => Json(json!({"echo": echo})).into_response(),
    }
}

fn form_text(body: &str) -> String {
    url::form_urlencoded::parse(body.as_bytes())
        .map(|(_, value)| value.into_owned())
        .collect::<Vec<_>>()
        .join(" ")
}

/// What a login's one line holds.
fn credentials(line: &str) -> String {
    let encoded = line.rsplit(' ').next().unwrap_or_default();
    let decoded = BASE64_STANDARD.decode(encoded).unwrap_or_default();
    format!("{line} {}", String::from_utf8_lossy(&decoded).replace('\0', " "))
}

/// Speaks SMTP, and repeats each line in the answer to it.
async fn relay(stream: TcpStream, shared: Shared) -> std::io::Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut lines = BufReader::new(reader).lines();
    writer.write_all(b"220 echo\r\n").await?;
    while let Some(line) = lines.next_line().await? {
        let answer = match line.get(..4).unwrap_or_default().to_ascii_uppercase().as_str() {
            "EHLO" => "250-echo\r\n250-AUTH PLAIN LOGIN\r\n250 8BITMIME".to_owned(),
            "QUIT" => return writer.write_all(b"221 bye\r\n").await,
            "DATA" => {
                writer.write_all(b"354 go on\r\n").await?;
                let mut content = Vec::new();
                while let Some(line) = lines.next_line().await?.filter(|line| line != ".") {
                    content.push(line);
                }
                let text = content.join(" ").replace("=3D", "=").replace("= ", "");
                let code = if hear(&shared, &text) { "451 4.3.0" } else { "250 2.0.0" };
                let said = text.find("New Order").map_or(text.as_str(), |at| &text[at..]);
                format!("{code} {}", said.chars().take(400).collect::<String>())
            }
            "AUTH" => format!("235 2.7.0 {}", credentials(&line)),
            _ => format!("250 2.0.0 {line}"),
        };
        writer.write_all(format!("{answer}\r\n").as_bytes()).await?;
    }
    Ok(())
}

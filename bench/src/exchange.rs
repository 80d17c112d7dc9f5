//! One request and its answer, on a connection of their own.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// Sends a request whose body is JSON, with a key if there is one, and gives the answer's JSON.
///
/// # Errors
/// No answer comes within 10 s, or its status is not 2xx.
pub(crate) fn exchange(
    server: SocketAddr,
    method: &str,
    path: &str,
    key: Option<&str>,
    body: &str,
) -> Result<Value> {
    let mut line = TcpStream::connect(server)?;
    line.set_read_timeout(Some(Duration::from_secs(10)))?;
    let key = key.map(|key| format!("x-api-key: {key}\r\n")).unwrap_or_default();
    write!(
        line,
        "{method} {path} HTTP/1.1\r\nhost: {server}\r\nconnection: close\r\n{key}\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = String::new();
    line.read_to_string(&mut answer)?;
    let status = answer.split(' ').nth(1).context("an HTTP answer")?;
    ensure!(status.starts_with('2'), "{method} {path} was answered {answer}");
    let (_, body) = answer.split_once("\r\n\r\n").context("a whole answer")?;
    serde_json::from_str(body).context("an answer in JSON")
}

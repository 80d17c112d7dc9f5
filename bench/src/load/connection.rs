//! One connection of a load: as little work as HTTP allows, since it shares the machine with what it measures.

use std::io::Write;
use std::net::SocketAddr;
use std::ops::Range;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::order_id::order_id;

/// Every so many answers one is read as JSON.
const SAMPLE: u64 = 1_000;
const MAX_HEADERS: usize = 32;
const MAX_RESPONSE_BYTES: usize = 4_096;
/// Where the request's own number stands, and how many digits it has.
const PLACEHOLDER: &str = "000000000000";
/// What stands before a key.
const KEY_HEADER: &str = "idempotency-key: ";

/// An open connection, and the request that it sends again and again with a number of its own.
pub(crate) struct Connection {
    line: TcpStream,
    request: Vec<u8>,
    number_at: Range<usize>,
    key_at: Option<Range<usize>>,
    next: u64,
    buffer: Vec<u8>,
    body: Range<usize>,
}

/// Whether orders carry an `Idempotency-Key`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keys {
    /// None does.
    None,
    /// Each carries one of its own, at random.
    Random,
}

/// A whole answer's status and where its body lies.
struct Answer {
    status: u16,
    body: Range<usize>,
}

impl Connection {
    /// Opens the connection of that number, on which this product is ordered.
    pub(crate) async fn open(server: SocketAddr, number: usize, product: &str) -> Result<Self> {
        Self::open_with(server, number, product, Keys::None).await
    }

    /// Opens the connection of that number, on which this product is ordered, with keys or without.
    pub(crate) async fn open_with(
        server: SocketAddr,
        number: usize,
        product: &str,
        keys: Keys,
    ) -> Result<Self> {
        let line = TcpStream::connect(server).await?;
        line.set_nodelay(true)?;
        let body = format!(r#"{{"customerName":"Customer {PLACEHOLDER}","productName":"{product}"}}"#);
        let key = match keys {
            Keys::None => String::new(),
            Keys::Random => format!("{KEY_HEADER}{:032x}\r\n", 0),
        };
        let request = format!(
            "POST /create-order HTTP/1.1\r\nhost: {server}\r\ncontent-type: application/json\r\n{key}\
             content-length: {}\r\n\r\n{body}",
            body.len()
        );
        let key_at = request.find(KEY_HEADER).map(|at| at + KEY_HEADER.len());
        let number_at = request.find(PLACEHOLDER).context("the placeholder")?;
        Ok(Self {
            line,
            number_at: number_at..number_at + PLACEHOLDER.len(),
            key_at: key_at.map(|at| at..at + 32),
            request: request.into_bytes(),
            next: u64::try_from(number)? * 100_000_000,
            buffer: Vec::with_capacity(MAX_RESPONSE_BYTES),
            body: 0..0,
        })
    }

    /// Places an order that no other connection places, and takes its answer.
    ///
    /// # Errors
    /// The connection breaks, or the answer is not that of an accepted order.
    pub(crate) async fn place_order(&mut self) -> Result<()> {
        self.next += 1;
        write!(&mut self.request[self.number_at.clone()], "{:012}", self.next)?;
        if let Some(key_at) = &self.key_at {
            write!(&mut self.request[key_at.clone()], "{:032x}", fastrand::u128(..))?;
        }
        self.line.write_all(&self.request).await?;
        self.buffer.clear();
        let Answer { status, body } = loop {
            ensure!(self.buffer.len() < MAX_RESPONSE_BYTES, "the answer is too long");
            ensure!(self.line.read_buf(&mut self.buffer).await? > 0, "the server closed the connection");
            if let Some(answer) = whole_answer(&self.buffer)? {
                break answer;
            }
        };
        self.body = body;
        let body = &self.buffer[self.body.clone()];
        if status != 200 {
            bail!("an order was answered {status}: {}", String::from_utf8_lossy(body));
        }
        if self.next.is_multiple_of(SAMPLE) {
            let answer: Value = serde_json::from_slice(body)?;
            ensure!(answer["orderId"].is_string(), "an order was answered {answer}");
        }
        Ok(())
    }

    /// The id of the order that was placed last.
    pub(crate) fn placed(&self) -> Option<u128> {
        order_id(&self.buffer[self.body.clone()])
    }
}

/// Reads an answer, once all of it is there.
fn whole_answer(bytes: &[u8]) -> Result<Option<Answer>> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(body_at) = response.parse(bytes)? else { return Ok(None) };
    let status = response.code.context("a status")?;
    let length = response.headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-length"));
    let length: usize = std::str::from_utf8(length.context("a content-length")?.value)?.parse()?;
    let body = body_at..body_at + length;
    Ok((bytes.len() >= body.end).then_some(Answer { status, body }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_only_when_it_is_whole() {
        let whole = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
        for end in 0..whole.len() {
            assert!(whole_answer(&whole[..end]).unwrap().is_none());
        }
        let answer = whole_answer(whole).unwrap().unwrap();
        assert_eq!((answer.status, &whole[answer.body]), (200, b"{}".as_slice()));
    }

    #[test]
    fn what_is_not_http_is_an_error() {
        assert!(whole_answer(b"hello\r\n\r\n").is_err());
    }
}

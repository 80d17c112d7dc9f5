//! Clients that behave badly, again and again, until they are dropped.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How long one waits before it comes back.
const AWAY: Duration = Duration::from_secs(1);

/// Connects and says nothing, or asks and never reads; comes back when it was shown out.
pub(super) async fn occupy(server: SocketAddr, number: usize) -> Infallible {
    loop {
        if let Ok(mut line) = TcpStream::connect(server).await {
            if number.is_multiple_of(2) {
                let _ = line.read(&mut [0]).await;
            } else {
                let requests = "GET /openapi.json HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(50);
                while line.write_all(requests.as_bytes()).await.is_ok() {}
            }
        }
        tokio::time::sleep(AWAY).await;
    }
}

/// Reads the order's timeline over and over.
pub(super) async fn read(server: SocketAddr, key: String, order: String) -> Infallible {
    let request = format!(
        "GET /orders/{order} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nx-api-key: {key}\r\n\r\n"
    );
    loop {
        let read = async {
            let mut line = TcpStream::connect(server).await?;
            line.write_all(request.as_bytes()).await?;
            tokio::io::copy(&mut line, &mut tokio::io::sink()).await
        };
        if read.await.is_err() {
            tokio::time::sleep(AWAY).await;
        }
    }
}

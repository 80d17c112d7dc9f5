//! The bare echo: the least that an HTTP server in this language and library can do with an order.

use std::io::Write;

use anyhow::Result;
use axum::body::Bytes;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::post;
use tokio::net::TcpListener;

/// As long as the program's own answer.
const ANSWER: &str =
    r#"{"message":"Order placed successfully","orderId":"01890a5d-ac96-774b-bcce-b302099a8057"}"#;

/// Serves it on a free port of the loopback interface, printing its URL, until it is killed.
///
/// # Errors
/// No port is free.
#[tokio::main]
pub(crate) async fn serve() -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    writeln!(std::io::stdout(), "http://{}/", listener.local_addr()?)?;
    axum::serve(listener, axum::Router::new().route("/create-order", post(answer))).await?;
    Ok(())
}

async fn answer(order: Bytes) -> impl IntoResponse {
    std::hint::black_box(order);
    ([(CONTENT_TYPE, "application/json")], ANSWER)
}

//! `orderbell invoke`: what the test button of the Lambda console does.

use std::fmt::Display;
use std::path::PathBuf;

use anyhow::{Context, anyhow};
use axum::body::{Body, to_bytes};
use axum::http::header::{AUTHORIZATION, HOST};
use axum::http::{HeaderValue, Request, Response};
use clap::Args;
use domain::json_text::utf8;
use serde_json::Value;
use web::gateway_event;

use super::api_client::{Server, ServerConnection};
use super::{Failure, argument, block_on, configure, output, serve};
use crate::wiring::wire;

#[derive(Args)]
#[group(skip)]
pub(super) struct Flags {
    /// The event: a file, or - for standard input. The Lambda console's test event, API Gateway 1.0 or 2.0, a function
    /// URL's or an ALB's
    event: PathBuf,
    #[command(flatten)]
    server: Server,
}

/// The largest answer that is passed on, in bytes: Lambda's own limit.
const MAX_RESPONSE_BYTES: usize = 6 * 1024 * 1024;

/// Posts the event's request to the server, or opens the store itself when nothing runs there, and prints the response. One
/// whose status is 400 or more is a failure, so that scripts can tell.
pub(super) fn invoke(flags: &Flags) -> Result<(), Failure> {
    let event = argument::read(&flags.event)?;
    let wrong = |why: &dyn Display| Failure::Usage(vec![why.to_string()]);
    let json = utf8(&event)
        .map_err(|other| wrong(&format_args!("{} cannot be read: {other}", flags.event.display())))?;
    let (request, shape) = gateway_event::request(json, &[]).map_err(|bad| wrong(&bad))?;
    block_on(async {
        let (parts, body) = request.into_parts();
        let body = to_bytes(body, MAX_RESPONSE_BYTES).await?;
        let server = flags.server.connect()?;
        let answer = match ask_server(&server, &parts, body.clone()).await? {
            Some(answer) => answer,
            None => open_store(flags, &server.shown, Request::from_parts(parts, Body::from(body))).await?,
        };
        let status = answer.status();
        let answer: Value = gateway_event::response(answer, shape).await;
        output::json(&answer)?;
        if status.is_client_error() || status.is_server_error() {
            return Err(anyhow!("the event was refused: {status}").into());
        }
        Ok(())
    })?
}

/// The server's answer, or `None` if none runs there.
async fn ask_server(
    server: &ServerConnection,
    parts: &axum::http::request::Parts,
    body: axum::body::Bytes,
) -> anyhow::Result<Option<Response<Body>>> {
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let mut request = server.request(parts.method.clone(), path).body(body);
    if !parts.headers.contains_key(AUTHORIZATION) {
        // The event proves what it proves: whoever runs the command is not asked.
        request = request.header(AUTHORIZATION, "Event");
    }
    for (name, value) in parts.headers.iter().filter(|(name, _)| *name != "host" && *name != "content-length")
    {
        request = request.header(name, value);
    }
    let answer = match request.send().await {
        Ok(answer) => answer,
        Err(error) if error.is_connect() => return Ok(None),
        Err(error) => return Err(server.explain(&error)),
    };
    let (status, headers) = (answer.status(), answer.headers().clone());
    let mut response = Response::new(Body::from(answer.bytes().await?));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    Ok(Some(response))
}

/// Serves the request here, on the data folder. The order is published when a server next runs on it.
async fn open_store(
    flags: &Flags,
    server: &str,
    mut request: Request<Body>,
) -> Result<Response<Body>, Failure> {
    let argument::LocalFlags { data, config } = flags.server.local.clone();
    let config = configure(&serve::Flags { data, config, ..serve::Flags::default() })?;
    let system =
        wire(&config, config.listen).await.with_context(|| format!("nothing answers at {server}"))?;
    // As the server would be asked: by its own name, whatever the event's gateway was called.
    request.headers_mut().insert(HOST, HeaderValue::try_from(config.listen.to_string())?);
    let answer = system.site.answer(request).await;
    let (parts, body) = answer.into_parts();
    let body = to_bytes(body, MAX_RESPONSE_BYTES).await?;
    system.store.close().await;
    Ok(Response::from_parts(parts, Body::from(body)))
}

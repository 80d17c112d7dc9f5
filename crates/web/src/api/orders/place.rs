//! `POST /create-order`: the recipe's contract.

use std::sync::Arc;

use application::Error;
use application::orders::{self, PlaceOrder, Placed};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use domain::order::idempotency::IdempotencyKey;
use domain::order::{ShortReference, Warning};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, StatusCode};

use crate::access::caller;
use crate::body;
use crate::client::{Client, client_digest};
use crate::cors::{IDEMPOTENCY_KEY, IDEMPOTENCY_REPLAYED, SHORT_REFERENCE};
use crate::handling::{Handling, PREFERENCE_APPLIED};
use crate::observe::{request_id, span};
use crate::order_path_alias::CREATE_ORDER;
use crate::parameters::single;
use crate::problem::Problem;
use crate::rate_limits::RateLimitKey;
use crate::state::Web;

/// Places an order. Success is answered only once the order is stored.
pub(crate) async fn place(State(web): State<Arc<Web>>, request: Request) -> Result<Response, Problem> {
    let (head, body) = request.into_parts();
    let caller = caller(&web, &head)?;
    let client = Client::counted(&head.extensions);
    let rate_limit_key =
        if caller.is_empty() { RateLimitKey::Address(client) } else { RateLimitKey::Key(caller) };
    // Before the body is read, so that a flood costs little.
    web.order_rate_limiter.acquire(rate_limit_key, web.app.clock.now())?;
    refuse_multipart(&head.headers)?;
    let preferred = Handling::preferred(&head.headers);
    let key = idempotency_key(&head.headers)?;
    let client_digest = caller.is_empty().then(|| client_digest(&web.settings.client_digest_secret, client));
    let body = body::read(&head.headers, body).await?;
    let handling = preferred.unwrap_or(web.settings.intake_handling);
    let details = handling.read(or_nothing(body::json(&body)?))?;
    let warnings = details.warnings.clone();
    let (caller, request_id) = (caller.to_owned(), request_id(&head.headers));
    let order = PlaceOrder { details, key, caller, client_digest, request_id };
    // What fails is logged in a span; the frequent case goes without, since its line carries the id itself.
    let placed = orders::place(&web.app, order).await;
    if placed.as_ref().map_or(true, |placed| placed.repeated) {
        web.order_rate_limiter.refund(rate_limit_key);
    }
    let failed = |error: Error| span(&head.headers, &head.method, CREATE_ORDER).in_scope(|| error.into());
    placed.map(|placed| order_response(placed, &warnings, preferred)).map_err(failed)
}

/// No body at all lacks the names, as in the recipe.
fn or_nothing(json: &[u8]) -> &[u8] {
    if json.is_empty() { b"{}" } else { json }
}

fn order_response(placed: Placed, warnings: &[Warning], preferred: Option<Handling>) -> Response {
    let mut body = format!(r#"{{"message":"Order placed successfully","orderId":"{}"}}"#, placed.id);
    if !warnings.is_empty() {
        // It cannot fail: a warning is three strings.
        let warnings = serde_json::to_string(warnings).unwrap_or_default();
        body.insert_str(body.len() - 1, &format!(r#","warnings":{warnings}"#));
    }
    let mut response = body.into_response();
    response.headers_mut().extend(preferred.map(|handling| (PREFERENCE_APPLIED, handling.applied())));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    // The recipe's body has no place for it.
    let short_reference = HeaderValue::try_from(ShortReference::of(placed.id).to_string());
    response.headers_mut().extend(short_reference.ok().map(|value| (SHORT_REFERENCE, value)));
    if placed.repeated {
        response.headers_mut().insert(IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"));
    }
    response
}

/// Every other content type is read as JSON: a browser's `fetch` says text/plain, `curl -d` a form type.
fn refuse_multipart(headers: &HeaderMap) -> Result<(), Problem> {
    let content_type = single(headers, &CONTENT_TYPE, "Content-Type")?;
    let content_type = content_type.map(HeaderValue::as_bytes).unwrap_or_default();
    if content_type.get(..10).is_some_and(|start| start.eq_ignore_ascii_case(b"multipart/")) {
        let detail = "Send the order as JSON, not as multipart";
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail));
    }
    Ok(())
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<IdempotencyKey>, Problem> {
    let Some(value) = single(headers, &IDEMPOTENCY_KEY, "Idempotency-Key")? else { return Ok(None) };
    // What is not UTF-8 is not visible ASCII either: the key's own rule refuses it.
    Ok(Some(IdempotencyKey::parse(&String::from_utf8_lossy(value.as_bytes()))?))
}

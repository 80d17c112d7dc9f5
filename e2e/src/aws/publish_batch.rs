//! A `PublishBatch` of which the topic takes some messages and refuses others.

use axum::body::{Body, Bytes};
use axum::http::Response;
use url::form_urlencoded;

const ENTRIES: &str = "PublishBatchRequestEntries.member.";

/// A request without the messages that are refused.
pub(super) struct Passing {
    pub(super) body: Bytes,
    /// The ids of the entries that were taken out.
    pub(super) refused: Vec<String>,
}

/// Takes out the messages that the topic refuses; a request of another operation stays as it is.
pub(super) fn without(body: &Bytes, mut is_refused: impl FnMut(&str) -> bool) -> Passing {
    let fields: Vec<(String, String)> = if body.starts_with(b"Action=PublishBatch&") {
        form_urlencoded::parse(body).into_owned().collect()
    } else {
        Vec::new()
    };
    let messages = fields.iter().filter(|(name, _)| name.ends_with(".Message") && place(name).is_some());
    let out: Vec<_> =
        messages.filter(|(_, message)| is_refused(message)).filter_map(|(name, _)| place(name)).collect();
    if out.is_empty() {
        return Passing { body: body.clone(), refused: Vec::new() };
    }
    let (gone, kept): (Vec<_>, Vec<_>) =
        fields.iter().partition(|(name, _)| place(name).is_some_and(|place| out.contains(&place)));
    let ids = gone.into_iter().filter(|(name, _)| name.ends_with(".Id")).map(|(_, id)| id.clone());
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(kept).finish();
    Passing { body: body.into(), refused: ids.collect() }
}

/// The place of the entry that a field belongs to.
fn place(field: &str) -> Option<&str> {
    field.strip_prefix(ENTRIES)?.split('.').next()
}

/// The answer, with those entries reported as failed through no fault of the sender.
pub(super) async fn with_refusals(answer: Response<Body>, refused: &[String]) -> Response<Body> {
    let (mut head, body) = answer.into_parts();
    let text = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let entry = |id: &String| {
        format!(
            "<member><Id>{id}</Id><Code>InternalError</Code><Message>emulated</Message>\
             <SenderFault>false</SenderFault></member>"
        )
    };
    let failed = refused.iter().map(entry).collect::<Vec<_>>().concat();
    let text = text.replace("<Failed/>", "").replace("<Failed></Failed>", "").replace("<Failed />", "");
    let text = text.replace("</Successful>", &format!("</Successful><Failed>{failed}</Failed>"));
    head.headers.remove("content-length");
    Response::from_parts(head, Body::from(text))
}

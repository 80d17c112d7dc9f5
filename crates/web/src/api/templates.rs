//! `/templates`: what operators wrote in place of what the program says of an order.

use std::sync::Arc;

use application::templates::{self, Listed, Preview, PreviewRequest};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use domain::Timestamp;
use domain::order::OrderId;
use domain::template::{TemplateName, TemplateSource};
use http::StatusCode;
use serde::Serialize;
use serde_json::json;

use super::json_response;
use crate::access::Admin;
use crate::body::{Members, RawBody};
use crate::parameters::Id;
use crate::problem::Problem;
use crate::state::{Routes, Web};

pub(crate) fn routes() -> Routes {
    vec![
        ("/templates", get(list)),
        ("/templates/{name}", get(show).put(set).delete(reset)),
        ("/templates/{name}/preview", post(preview)),
    ]
}

/// The members of a template.
const PARTS: [&str; 3] = ["subject", "text", "html"];

/// A template, as the API shows it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TemplateJson<'a> {
    name: String,
    protocol: &'static str,
    /// Its parts: all that a list shows of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    parts: Option<Vec<&'static str>>,
    #[serde(flatten)]
    source: Option<&'a TemplateSource>,
    set_at: Timestamp,
    /// Why it is not used.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

impl<'a> TemplateJson<'a> {
    fn of(Listed { stored, wrong }: &'a Listed) -> Self {
        Self {
            name: stored.name.to_string(),
            protocol: stored.protocol.name(),
            parts: None,
            source: Some(&stored.source),
            set_at: stored.set_at,
            error: wrong.as_ref().map(|wrong| wrong.message.as_str()),
        }
    }

    fn without_source(listed: &'a Listed) -> Self {
        let TemplateSource { subject, text, html } = &listed.stored.source;
        let parts = PARTS.into_iter().zip([subject, text, html]);
        let parts = parts.filter(|(_, part)| part.is_some()).map(|(name, _)| name);
        Self { parts: Some(parts.collect()), source: None, ..Self::of(listed) }
    }
}

/// All that are set, without their texts.
async fn list(_: Admin, State(web): State<Arc<Web>>) -> Result<Response, Problem> {
    let listed = templates::list(&web.app).await?;
    let items: Vec<_> = listed.iter().map(TemplateJson::without_source).collect();
    Ok(json_response(StatusCode::OK, &json!({"items": items})))
}

/// One of them.
async fn show(
    _: Admin,
    State(web): State<Arc<Web>>,
    Id(name): Id<TemplateName>,
) -> Result<Response, Problem> {
    let found = templates::get(&web.app, name).await?;
    Ok(json_response(StatusCode::OK, &TemplateJson::of(&found)))
}

/// Sets one: the body is the whole template.
async fn set(
    _: Admin,
    State(web): State<Arc<Web>>,
    Id(name): Id<TemplateName>,
    RawBody(json): RawBody,
) -> Result<Response, Problem> {
    let source = source(&Members::read(&json, &PARTS)?)?;
    let set = templates::set(&web.app, name, source).await?;
    Ok(json_response(StatusCode::OK, &TemplateJson::of(&set)))
}

/// Takes one away.
async fn reset(
    _: Admin,
    State(web): State<Arc<Web>>,
    Id(name): Id<TemplateName>,
) -> Result<Response, Problem> {
    templates::reset(&web.app, name).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Tries one out.
async fn preview(
    _: Admin,
    State(web): State<Arc<Web>>,
    Id(name): Id<TemplateName>,
    RawBody(json): RawBody,
) -> Result<Response, Problem> {
    let members = Members::read(&json, &[PARTS.as_slice(), &["orderId"]].concat())?;
    let order = members.filter("orderId")?.map(|id| id.parse::<OrderId>()).transpose()?;
    let source = Some(source(&members)?).filter(|source| *source != TemplateSource::default());
    let preview = templates::preview(&web.app, name, PreviewRequest { source, order }).await?;
    let Preview { protocol, subject, text, html, unused } = preview;
    let said =
        json!({"protocol": protocol, "subject": subject, "text": text, "html": html, "unused": unused});
    Ok(json_response(StatusCode::OK, &said))
}

fn source(members: &Members<'_>) -> Result<TemplateSource, Problem> {
    let [subject, text, html] = PARTS.map(|part| members.filter(part));
    Ok(TemplateSource { subject: subject?, text: text?, html: html? })
}

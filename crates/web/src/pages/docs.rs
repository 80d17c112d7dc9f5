//! `/docs`: the contract of `/openapi.json`, for people.

mod contract;

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;

use self::contract::{Operation, operations};
use super::page;
use crate::api::operations::CONTRACT;
use crate::problem::Problem;
use crate::settings::Settings;
use crate::state::Web;

#[derive(Template)]
#[template(path = "docs.html")]
struct DocsPage<'a> {
    version: &'a str,
    public_url: &'a str,
    operations: Vec<Operation>,
}

/// Every operation, by its path: what it takes, with examples, and what it answers.
pub(super) async fn show(State(web): State<Arc<Web>>) -> Response {
    let contract = match serde_json::from_str(CONTRACT) {
        Ok(contract) => contract,
        Err(error) => return Problem::internal(&error).into_response(),
    };
    let Settings { version, public_url, .. } = &web.settings;
    page(StatusCode::OK, &DocsPage { version, public_url, operations: operations(&contract) })
}

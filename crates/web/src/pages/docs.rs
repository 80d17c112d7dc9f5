//! `/docs`: the contract of `/openapi.json`, for people.

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Deserialize;

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
    operations: Vec<Row>,
}

struct Row {
    method: String,
    path: String,
    operation: Operation,
}

/// What the page shows of the contract.
#[derive(Deserialize)]
struct Contract {
    paths: BTreeMap<String, Methods>,
}

/// A path's operations by method; `parameters`, which they share, is no method.
#[derive(Deserialize)]
struct Methods {
    #[serde(rename = "parameters")]
    _shared: Option<serde::de::IgnoredAny>,
    #[serde(flatten)]
    operations: BTreeMap<String, Operation>,
}

#[derive(Deserialize)]
struct Operation {
    summary: String,
    description: Option<String>,
    /// Empty: nobody needs a key.
    security: Vec<BTreeMap<String, Vec<String>>>,
}

impl Operation {
    fn access(&self) -> &'static str {
        match self.security.as_slice() {
            [] => "open",
            [first, ..] if first.is_empty() => "as the host chose",
            _ => "admin key",
        }
    }
}

/// Every operation, by its path.
pub(super) async fn show(State(web): State<Arc<Web>>) -> Response {
    let contract: Contract = match serde_json::from_str(CONTRACT) {
        Ok(contract) => contract,
        Err(error) => return Problem::internal(&error).into_response(),
    };
    let of_path = |(path, methods): (String, Methods)| {
        let row = move |(method, operation): (String, Operation)| Row {
            method: method.to_uppercase(),
            path: path.clone(),
            operation,
        };
        methods.operations.into_iter().map(row)
    };
    let operations = contract.paths.into_iter().flat_map(of_path).collect();
    let Settings { version, public_url, .. } = &web.settings;
    page(StatusCode::OK, &DocsPage { version, public_url, operations })
}

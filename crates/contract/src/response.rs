//! Holding an answer against the document.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result, anyhow, bail, ensure};
use jsonschema::Validator;
use serde_json::Value;

use crate::closed::close;
use crate::document::{path_item, resolved};

/// The content type of every failure, also where no path is described.
const PROBLEM_TYPE: &str = "application/problem+json";
/// Its schema.
const PROBLEM: &str = "/components/schemas/Problem";

/// An answer, and what was asked.
#[derive(Debug, Clone, Copy)]
pub struct Response<'a> {
    /// The method of the request, as `GET`.
    pub method: &'a str,
    /// The path of the request, without its query.
    pub path: &'a str,
    /// The status.
    pub status: u16,
    /// The value of `Content-Type`, if there is one.
    pub content_type: Option<&'a str>,
    /// The body, whole.
    pub body: &'a str,
}

/// A document that answers are held against, with its objects closed.
#[derive(Debug)]
pub struct Contract {
    document: Value,
    /// Those that were needed so far, by the text of their schemas.
    validators: Mutex<HashMap<String, Arc<Validator>>>,
}

impl Contract {
    /// Reads an `OpenAPI` 3.1 document.
    ///
    /// # Errors
    /// It is no JSON.
    pub fn read(document: &str) -> Result<Self> {
        let mut document = serde_json::from_str(document)?;
        close(&mut document);
        Ok(Self { document, validators: Mutex::default() })
    }

    /// Holds an answer against the document. What is answered where no operation is described must fail, but for the pages
    /// of people, and every failure there has the form of all.
    ///
    /// # Errors
    /// The status, the content type or the body is none that the document promises.
    pub fn check(&self, response: &Response<'_>) -> Result<()> {
        let Response { method, path, status, content_type, .. } = *response;
        let checked = match path_item(&self.document, path) {
            Some((_, item)) => self.check_described(response, item),
            None => self.check_problem(response),
        };
        let type_of = content_type.unwrap_or("no content type");
        checked
            .with_context(|| format!("{method} {path} answered {status} with {type_of}: {}", response.body))
    }

    fn check_described(&self, response: &Response<'_>, item: &Value) -> Result<()> {
        let is_head = response.method == "HEAD";
        let method = if is_head { "get".to_owned() } else { response.method.to_lowercase() };
        let Some(operation) = item.get(&method) else {
            // A preflight is the browser's, not the client's.
            let is_preflight = method == "options" && response.body.is_empty();
            ensure!(response.status >= 400 || is_preflight, "the path has no such method");
            return self.check_problem(response);
        };
        let described = operation["responses"].get(response.status.to_string());
        let described = resolved(&self.document, described.context("the operation has no such status")?);
        let Some(types) = described["content"].as_object() else {
            ensure!(response.body.is_empty(), "the status has no body");
            return Ok(());
        };
        let media_type = media_type(response).context("the status has a content type")?;
        let media = types.get(&media_type).context("the status has no such content type")?;
        if is_head { Ok(()) } else { self.check_body(response.body, &media_type, &media["schema"]) }
    }

    /// Where nothing is described, a failure has its form all the same.
    fn check_problem(&self, response: &Response<'_>) -> Result<()> {
        match (media_type(response), self.document.pointer(PROBLEM)) {
            (Some(found), Some(schema)) if found == PROBLEM_TYPE && response.method != "HEAD" => {
                let mut schema = schema.clone();
                schema["unevaluatedProperties"] = false.into();
                self.check_body(response.body, PROBLEM_TYPE, &schema)
            }
            _ => Ok(()),
        }
    }

    fn check_body(&self, body: &str, media_type: &str, schema: &Value) -> Result<()> {
        let is_json = media_type == "application/json" || media_type.ends_with("+json");
        let value =
            if is_json { serde_json::from_str(body).context("the body is no JSON")? } else { body.into() };
        let validator = self.validator(schema)?;
        let mut wrong: Vec<_> = validator.iter_errors(&value).map(|error| describe_error(&error)).collect();
        wrong.dedup();
        if wrong.is_empty() { Ok(()) } else { bail!("the body is another: {}", wrong.join("; ")) }
    }

    /// The validator of a schema, made when it is needed first.
    fn validator(&self, schema: &Value) -> Result<Arc<Validator>> {
        let mut known = self.validators.lock().unwrap_or_else(PoisonError::into_inner);
        let name = schema.to_string();
        if let Some(validator) = known.get(&name) {
            return Ok(Arc::clone(validator));
        }
        let mut root = schema.clone();
        if let Some(root) = root.as_object_mut() {
            // Where its references lead.
            root.insert("components".to_owned(), self.document["components"].clone());
        }
        let options = jsonschema::draft202012::options().should_validate_formats(true);
        // `ip-network` is the document's own.
        let built = options.should_ignore_unknown_formats(true).build(&root);
        let validator = Arc::new(built.map_err(|error| anyhow!("the schema {name} is none: {error}"))?);
        known.insert(name, Arc::clone(&validator));
        Ok(validator)
    }
}

/// The content type without its parameters, in small letters.
fn media_type(response: &Response<'_>) -> Option<String> {
    let name = response.content_type?.split(';').next()?;
    Some(name.trim().to_ascii_lowercase())
}

fn describe_error(error: &jsonschema::ValidationError<'_>) -> String {
    let place = error.instance_path().as_str();
    if place.is_empty() { error.to_string() } else { format!("{place}: {error}") }
}

//! What a request says beside its body: the id in its path, its query, its headers. Errors name what is at fault.

use std::str::FromStr;

use application::ports::PageRequest;
use axum::extract::{FromRequestParts, Path, Query};
use domain::Invalid;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};

use crate::problem::Problem;

/// The `{id}` of a route; what is no id is answered 400 `invalid_id`.
pub(crate) struct Id<T>(pub(crate) T);

impl<S: Send + Sync, T: FromStr<Err = Invalid>> FromRequestParts<S> for Id<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let unreadable =
            |_| Problem::new(StatusCode::BAD_REQUEST, "invalid_id", "The id in the path cannot be read");
        let Path(text) = Path::<String>::from_request_parts(parts, state).await.map_err(unreadable)?;
        Ok(Self(text.parse()?))
    }
}

/// A query string's parameters.
pub(crate) struct Params(Vec<(String, String)>);

impl Params {
    /// Reads the query of `uri`, which has no other parameters than `known`, and each once: a misspelt filter must not list
    /// everything, and of two nobody knows which was meant.
    pub(crate) fn read(uri: &Uri, known: &[&str]) -> Result<Self, Problem> {
        let Ok(Query(pairs)) = Query::<Vec<(String, String)>>::try_from_uri(uri) else {
            let detail = "The query string cannot be read";
            return Err(Problem::new(StatusCode::BAD_REQUEST, "invalid_query", detail));
        };
        if let Some((name, _)) = pairs.iter().find(|(name, _)| !known.contains(&name.as_str())) {
            let detail = format!("There is no query parameter {name:?} here; there is {}", known.join(", "));
            return Err(Problem::invalid("unknown_parameter", name.as_str(), detail));
        }
        match known.iter().find(|known| pairs.iter().filter(|(name, _)| name == **known).count() > 1) {
            None => Ok(Self(pairs)),
            Some(name) => {
                let detail = format!("{name} must be given once");
                Err(Problem::invalid("repeated_parameter", *name, detail))
            }
        }
    }

    /// A parameter's text.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// A parameter's value, or an error that names it and says what it must be.
    pub(crate) fn value<T>(
        &self,
        name: &'static str,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Problem> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let wrong = || Problem::invalid("invalid_parameter", name, format!("{name} must be {expected}"));
        parse(text).map(Some).ok_or_else(wrong)
    }

    /// The parameters `limit` and `cursor`, which every list has.
    pub(crate) fn page(&self) -> Result<PageRequest, Problem> {
        let range = format!("a whole number from 1 to {}", PageRequest::MAX);
        let limit = self.value("limit", &range, |text| {
            text.parse().ok().filter(|limit| (1..=PageRequest::MAX).contains(limit))
        })?;
        let cursor = self.text("cursor").map(str::to_owned);
        Ok(PageRequest { limit: limit.unwrap_or(PageRequest::DEFAULT), cursor })
    }
}

/// The header's value, if it is there. Which of two was meant nobody knows, and who reads the other one is misled.
pub(crate) fn single<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
    shown: &'static str,
) -> Result<Option<&'a HeaderValue>, Problem> {
    let mut values = headers.get_all(name).iter();
    let value = values.next();
    if values.next().is_some() {
        let detail = format!("{shown} must be given once");
        return Err(Problem::invalid("repeated_header", shown, detail));
    }
    Ok(value)
}

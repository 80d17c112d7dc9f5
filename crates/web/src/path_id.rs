//! The id in a route's path.

use std::str::FromStr;

use axum::extract::{FromRequestParts, Path};
use domain::Invalid;
use http::StatusCode;
use http::request::Parts;

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

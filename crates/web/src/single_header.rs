//! Headers that say one thing, and must not say two.

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::problem::Problem;

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

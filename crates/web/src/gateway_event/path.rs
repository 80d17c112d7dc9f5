//! Which path an event means. Behind a custom domain the path may begin with a mapping's, and with the stage's name; the
//! route that the gateway chose says where the program's own path begins.

use serde_json::{Map, Value};

use super::BadEvent;
use super::object;

/// The stage whose name stands in no path.
const DEFAULT_STAGE: &str = "$default";

/// What a gateway's route says of the path.
#[derive(Debug, Default)]
pub(super) struct Route {
    /// The route with its parameters put in: `/orders/{proxy+}` becomes `/orders/7`.
    whole: Option<String>,
    /// What its greedy parameter took.
    rest: Option<String>,
    /// What stands in it behind its last parameter: `/{tenant}/orders` has `/orders`.
    tail: Option<String>,
}

/// Puts an event's `pathParameters` into the path of its route. A route whose parameters are not all there says nothing.
pub(super) fn route(event: &Map<String, Value>, path: Option<&str>) -> Result<Route, BadEvent> {
    let Some(path) = path.filter(|path| path.starts_with('/')) else { return Ok(Route::default()) };
    let parameters = object(event, "pathParameters")?;
    let given = |name: &str| parameters?.get(name)?.as_str();
    let (mut whole, mut rest, mut tail) = (Some(String::new()), None, None);
    for segment in path[1..].split('/') {
        let parameter = segment.strip_prefix('{').and_then(|segment| segment.strip_suffix('}'));
        let value = match parameter {
            None => Some(segment),
            Some(name) => given(name.strip_suffix('+').unwrap_or(name)),
        };
        if parameter.is_some_and(|name| name.ends_with('+')) {
            rest = value.map(|value| format!("/{}", value.trim_start_matches('/')));
        }
        tail = if parameter.is_some() {
            Some(String::new())
        } else {
            tail.map(|tail| format!("{tail}/{segment}"))
        };
        whole = whole.zip(value).map(|(path, value)| format!("{path}/{value}"));
    }
    Ok(Route { whole, rest, tail: tail.filter(|tail| !tail.is_empty()) })
}

/// The candidates for the path that is meant, the likeliest first: what the route says, then the path itself; then the same
/// without slashes that stand behind it or beside another, as a client leaves them that puts two parts together.
pub(super) fn candidate_paths(route: Route, without_stage: &str, path: &str) -> Vec<String> {
    let said = [route.whole, route.rest, route.tail].into_iter().flatten();
    let mut paths: Vec<_> = said.chain([without_stage.to_owned(), path.to_owned()]).collect();
    let normalize_slashes: Vec<_> = paths.iter().map(|path| normalize_slashes(path)).collect();
    paths.extend(normalize_slashes);
    paths
}

fn normalize_slashes(path: &str) -> String {
    let segments: Vec<_> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    format!("/{}", segments.join("/"))
}

/// The path behind the stage's name, with which it begins where the stage is not the default one.
pub(super) fn without_stage<'a>(path: &'a str, stage: Option<&str>) -> &'a str {
    let Some(stage) = stage.filter(|stage| !stage.is_empty() && *stage != DEFAULT_STAGE) else { return path };
    match path.strip_prefix('/').and_then(|path| path.strip_prefix(stage)) {
        Some("") => "/",
        Some(rest) if rest.starts_with('/') => rest,
        _ => path,
    }
}

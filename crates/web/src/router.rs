//! The table of routes.

use std::convert::Infallible;
use std::sync::{Arc, LazyLock};

use application::App;
use axum::Router;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{Route, any, post};
use futures_util::FutureExt;
use http::{Method, Uri};
use tower::layer::layer_fn;
use tower::{ServiceBuilder, service_fn};

use crate::api::orders::place::place;
use crate::api::{deliveries, inbox, operations, orders, receipts, subscriptions, templates};
use crate::observe::{Observed, Observer};
use crate::order_path_alias::{CREATE_ORDER, OrderPathAlias};
use crate::pages::subscriber_links;
use crate::settings::Settings;
use crate::site::Site;
use crate::state::{Methods, Web};
use crate::{console, cors, pages, problem};

/// The routes that programs use; `/openapi.json` describes each of them.
fn api() -> impl Iterator<Item = (&'static str, Methods)> {
    [
        orders::routes(),
        subscriptions::routes(),
        subscriber_links::routes(),
        deliveries::routes(),
        receipts::routes(),
        inbox::routes(),
        templates::routes(),
        operations::routes(),
    ]
    .into_iter()
    .flatten()
}

/// The routes that people use.
fn for_people() -> impl Iterator<Item = (&'static str, Methods)> {
    pages::routes().into_iter().chain(console::routes())
}

/// The patterns of all routes.
static PATTERNS: LazyLock<Vec<&str>> =
    LazyLock::new(|| api().chain(for_people()).map(|(pattern, _)| pattern).collect());

/// Whether something is served at that path, or orders are placed there.
pub(crate) fn is_served(path: &str, order_path_aliases: &[OrderPathAlias]) -> bool {
    let fits = |pattern: &str| {
        let same = |(wanted, segment): (&str, &str)| {
            wanted == segment || (wanted.starts_with('{') && !segment.is_empty())
        };
        pattern.split('/').count() == path.split('/').count()
            && pattern.split('/').zip(path.split('/')).all(same)
    };
    order_path_aliases.iter().any(|order_auth| order_auth.as_str() == path)
        || PATTERNS.iter().any(|pattern| fits(pattern))
}

/// For a path that no route has. That of a page with a slash at its end, as some people and proxies write it, leads to the
/// page: by a relative address, whatever path a gateway puts before ours.
async fn lost(method: Method, uri: Uri) -> Response {
    let page = uri.path().strip_suffix('/').filter(|page| {
        let names = |pattern: &str| !pattern.contains('{') && pattern == *page;
        for_people().any(|(pattern, _)| names(pattern))
    });
    match page.and_then(|page| page.rsplit('/').next()).filter(|_| method.is_safe()) {
        None => problem::not_found().into_response(),
        Some(name) => {
            let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
            Redirect::permanent(&format!("../{name}{query}")).into_response()
        }
    }
}

/// A page elsewhere may read every answer of this route, failures included, if its origin is allowed.
fn with_cors(methods: Methods, settings: &Settings) -> Methods {
    match cors::layer(&settings.cors_allow_origins) {
        None => methods,
        Some(cors) => {
            let cors = ServiceBuilder::new().map_response(cors::as_api_gateway).layer(cors);
            methods.layer(layer_fn(move |inner: Route| cors::ForOrigins {
                rules: Arc::new(cors.clone().service(inner.clone())),
                inner,
            }))
        }
    }
}

/// All that is served, as a router, for a host that hands requests to one.
pub fn router(app: App, settings: Settings) -> Router {
    let site = site(app, settings);
    Router::new()
        .fallback_service(service_fn(move |request| site.clone().answer(request).map(Ok::<_, Infallible>)))
}

/// All that is served over the use cases of `app`: every answer, failures included, is the same on every host.
///
/// It runs on a tokio runtime whose timer is on: a body that does not arrive is not waited for for ever.
pub fn site(app: App, settings: Settings) -> Site {
    let web = Arc::new(Web::new(app, settings));
    let host_policy = Arc::new(web.settings.host_policy.clone());
    let observer = Observer { randomness: Arc::clone(&web.app.randomness), host_policy };
    let observing = |path| {
        let observer = observer.clone();
        layer_fn(move |route: Route| Observed { path, route, observer: observer.clone() })
    };
    let mut order_path_aliases = web.settings.order_path_aliases.clone();
    let mut router = Router::new();
    for (path, methods) in api().chain(for_people()) {
        let known = order_path_aliases.len();
        order_path_aliases.retain(|order_auth| order_auth.as_str() != path);
        let places_orders = order_path_aliases.len() < known;
        let methods = if places_orders { methods.post(place) } else { methods };
        let methods = methods.fallback(problem::method_not_allowed);
        let has_cors = places_orders || path == CREATE_ORDER;
        let methods = if has_cors { with_cors(methods, &web.settings) } else { methods };
        router = router.route(path, methods.layer(observing(path)));
    }
    for path in order_path_aliases {
        let methods = post(place).fallback(problem::method_not_allowed);
        let methods = with_cors(methods, &web.settings).layer(observing(CREATE_ORDER));
        router = router.route(path.as_str(), methods);
    }
    let lost = any(lost);
    let router = router.fallback_service(lost.layer(observing("none"))).with_state(Arc::clone(&web));
    Site::new(web, observer, router)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::order_path_alias::RESERVED;

    #[test]
    fn every_route_of_the_api_is_described() {
        let contract: serde_json::Value = serde_json::from_str(operations::CONTRACT).unwrap();
        let mut described: Vec<_> =
            contract["paths"].as_object().unwrap().keys().map(String::as_str).collect();
        let mut served: Vec<_> = api().map(|(path, _)| path).collect();
        described.sort_unstable();
        served.sort_unstable();
        assert_eq!(served, described);
    }

    #[test]
    fn orders_are_placed_nowhere_that_routes_begin_but_at_the_form_and_among_orders() {
        let first = |pattern: &'static str| pattern.split('/').nth(1).unwrap_or_default();
        let begun: BTreeSet<_> = PATTERNS.iter().copied().map(first).collect();
        let read_only = ["", "create-order", "orders"];
        assert_eq!(begun, RESERVED.into_iter().chain(read_only).collect());
    }
}

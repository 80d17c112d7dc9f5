//! The table of routes.

use std::sync::{Arc, LazyLock};

use application::App;
use axum::Router;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{MethodRouter, Route, any, get, post, put};
use http::{Method, Uri};
use tower::ServiceBuilder;
use tower::layer::layer_fn;

use crate::api::{
    create_order, deliveries, drop_deliveries, health, inbox, metrics, openapi, orders, receipts, redrive,
    retry, rotate_secret, send_test, subscription, subscriptions, suspension, test_filter,
};
use crate::intake_path::IntakePath;
use crate::observe::Observed;
use crate::order_limits::OrdersTaken;
use crate::pages::{assets, confirm, docs, order_form, unsubscribe};
use crate::settings::Settings;
use crate::{console, cors, problem};

/// What every handler is given.
pub(crate) struct Web {
    pub(crate) app: App,
    pub(crate) settings: Settings,
    pub(crate) orders_taken: OrdersTaken,
    pub(crate) sessions: console::Sessions,
}

/// The route that must be fast.
pub(crate) const CREATE_ORDER: &str = "/create-order";

type Methods = MethodRouter<Arc<Web>>;

/// The routes that programs use; `/openapi.json` describes each of them.
fn api() -> Vec<(&'static str, Methods)> {
    vec![
        (CREATE_ORDER, post(create_order::place)),
        ("/orders", get(orders::list)),
        ("/orders/{id}", get(orders::show)),
        ("/orders/{id}/not-matched", get(orders::not_matched::list)),
        ("/orders/{id}/spam", put(orders::spam::mark).delete(orders::spam::unmark)),
        ("/orders/spam", post(orders::spam::mark_many)),
        ("/subscriptions", get(subscriptions::list).post(subscriptions::create)),
        (
            "/subscriptions/{id}",
            get(subscription::show).patch(subscription::change).delete(subscription::remove),
        ),
        ("/subscriptions/{id}/confirmation", post(subscription::resend_confirmation)),
        ("/subscriptions/{id}/suspend", post(suspension::suspend)),
        ("/subscriptions/{id}/resume", post(suspension::resume)),
        ("/subscriptions/{id}/rotate-secret", post(rotate_secret::rotate_secret)),
        ("/subscriptions/{id}/test", post(send_test::send_test)),
        ("/subscriptions/test-filter", post(test_filter::test)),
        ("/subscriptions/confirm", get(confirm::show).post(confirm::act)),
        ("/subscriptions/unsubscribe", get(unsubscribe::show).post(unsubscribe::act)),
        ("/deliveries", get(deliveries::list)),
        ("/deliveries/{id}", get(deliveries::show)),
        ("/deliveries/{id}/redrive", post(redrive::one)),
        ("/deliveries/{id}/retry", post(retry::one)),
        ("/deliveries/{id}/drop", post(drop_deliveries::one)),
        ("/deliveries/redrive", post(redrive::many)),
        ("/deliveries/retry", post(retry::many)),
        ("/deliveries/drop", post(drop_deliveries::many)),
        ("/receipts/{id}", post(receipts::record)),
        ("/inbox", get(inbox::list)),
        ("/inbox/{id}", get(inbox::show)),
        ("/healthz", get(health::alive)),
        ("/readyz", get(health::ready)),
        ("/metrics", get(metrics::show)),
        ("/openapi.json", get(openapi::show)),
    ]
}

/// The routes that people use.
fn pages() -> Vec<(&'static str, Methods)> {
    vec![
        ("/", get(order_form::show)),
        ("/docs", get(docs::show)),
        ("/assets/{file}", get(assets::show)),
        ("/console", get(console::start)),
        ("/console/login", get(console::login::show).post(console::login::act)),
        ("/console/logout", post(console::login::out)),
        ("/console/inbox", get(console::inbox::list)),
        ("/console/inbox/{id}", get(console::inbox::show)),
    ]
}

/// The patterns of all routes.
static PATTERNS: LazyLock<Vec<&str>> =
    LazyLock::new(|| api().into_iter().chain(pages()).map(|(pattern, _)| pattern).collect());

/// Whether something is served at that path, or orders are placed there.
pub(crate) fn is_served(path: &str, intake_paths: &[IntakePath]) -> bool {
    let fits = |pattern: &str| {
        let same = |(wanted, segment): (&str, &str)| {
            wanted == segment || (wanted.starts_with('{') && !segment.is_empty())
        };
        pattern.split('/').count() == path.split('/').count()
            && pattern.split('/').zip(path.split('/')).all(same)
    };
    intake_paths.iter().any(|intake| intake.as_str() == path) || PATTERNS.iter().any(|pattern| fits(pattern))
}

/// Whether a path may not become one where orders are placed: it begins as routes do that are posted to, or that people
/// open. Orders and the form at the root are only read, and may be read further on.
pub(crate) fn is_taken(path: &str) -> bool {
    let first = first_segment(path);
    !matches!(first, "" | "create-order" | "orders")
        && PATTERNS.iter().any(|pattern| first_segment(pattern) == first)
}

fn first_segment(path: &str) -> &str {
    path.split('/').nth(1).unwrap_or_default()
}

/// For a path that no route has. That of a page with a slash at its end, as some people and proxies write it, leads to the
/// page: by a relative address, whatever path a gateway puts before ours.
async fn lost(method: Method, uri: Uri) -> Response {
    let page = uri.path().strip_suffix('/').filter(|page| {
        let names = |pattern: &str| !pattern.contains('{') && pattern == *page;
        pages().iter().any(|(pattern, _)| names(pattern))
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

/// The router over the use cases of `app`: every answer, failures included, is the same on every host.
///
/// It runs on a tokio runtime whose timer is on: a body that does not arrive is not waited for for ever.
pub fn router(app: App, settings: Settings) -> Router {
    let orders_taken = OrdersTaken::within(settings.order_limits.clone());
    let web = Arc::new(Web { app, settings, orders_taken, sessions: console::Sessions::default() });
    let door = Arc::new(web.settings.front_door.clone());
    let observed = |path| {
        let (randomness, door) = (Arc::clone(&web.app.randomness), Arc::clone(&door));
        layer_fn(move |route: Route| Observed {
            path,
            route,
            randomness: Arc::clone(&randomness),
            door: Arc::clone(&door),
        })
    };
    let mut intake_paths = web.settings.intake_paths.clone();
    let mut router = Router::new();
    for (path, methods) in api().into_iter().chain(pages()) {
        let known = intake_paths.len();
        intake_paths.retain(|intake| intake.as_str() != path);
        let places_orders = intake_paths.len() < known;
        let methods = if places_orders { methods.post(create_order::place) } else { methods };
        let methods = methods.fallback(problem::method_not_allowed);
        let has_cors = places_orders || path == CREATE_ORDER;
        let methods = if has_cors { with_cors(methods, &web.settings) } else { methods };
        router = router.route(path, methods.layer(observed(path)));
    }
    for path in intake_paths {
        let methods = post(create_order::place).fallback(problem::method_not_allowed);
        let methods = with_cors(methods, &web.settings).layer(observed(CREATE_ORDER));
        router = router.route(path.as_str(), methods);
    }
    let lost = any(lost);
    router.fallback_service(lost.layer(observed("none"))).with_state(Arc::clone(&web))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_of_the_api_is_described() {
        let contract: serde_json::Value = serde_json::from_str(openapi::DOCUMENT).unwrap();
        let mut described: Vec<_> =
            contract["paths"].as_object().unwrap().keys().map(String::as_str).collect();
        let mut served: Vec<_> = api().into_iter().map(|(path, _)| path).collect();
        described.sort_unstable();
        served.sort_unstable();
        assert_eq!(served, described);
    }
}

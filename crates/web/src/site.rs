//! What answers requests.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::body::HttpBody;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use futures_util::{FutureExt, TryFutureExt};
use http::Method;
use http::header::{CONTENT_LENGTH, ORIGIN};
use tower::{ServiceExt, service_fn};

use crate::api::orders::place::place;
use crate::observe::Observer;
use crate::order_path_alias::CREATE_ORDER;
use crate::state::Web;

/// What answers requests; clones share it.
///
/// An order that no page sends, as most are, is handed to its handler at once. The table of routes would do the same, and
/// each layer on the way through it allocates and copies: a tenth of the time that an order takes.
#[derive(Clone)]
pub struct Site(Arc<Ways>);

struct Ways {
    orders: Option<Orders>,
    router: Router,
}

struct Orders {
    web: Arc<Web>,
    observer: Observer,
}

impl Site {
    /// The table of routes, and what orders need on the way past it.
    pub(crate) fn new(web: Arc<Web>, observer: Observer, router: Router) -> Self {
        Self(Arc::new(Ways { orders: Some(Orders { web, observer }), router }))
    }

    /// Answers a request.
    pub async fn answer(self, request: Request) -> Response {
        let Ways { orders, router } = &*self.0;
        let answer = match orders {
            Some(orders) if is_plain_order(&request) => orders.answer(request).await,
            // In a place of its own, so that an order's way takes the less memory.
            _ => Box::pin(router.clone().oneshot(request)).await,
        };
        answer.unwrap_or_else(|impossible| match impossible {})
    }
}

impl From<Router> for Site {
    /// A site that has these routes alone.
    fn from(router: Router) -> Self {
        Self(Arc::new(Ways { orders: None, router }))
    }
}

/// Whether a request is an order to which the rules for pages of other origins do not apply.
fn is_plain_order(request: &Request) -> bool {
    request.method() == Method::POST
        && request.uri().path() == CREATE_ORDER
        && !request.headers().contains_key(ORIGIN)
}

impl Orders {
    fn answer(&self, request: Request) -> impl Future<Output = Result<Response, Infallible>> {
        let mut place = service_fn(|request| {
            place(State(Arc::clone(&self.web)), request).map(|placed| Ok(placed.into_response()))
        });
        self.observer.observe(CREATE_ORDER, request, &mut place).map_ok(with_its_length)
    }
}

/// Names an answer's length, as the table of routes does.
fn with_its_length(mut answer: Response) -> Response {
    if let Some(length) = answer.body().size_hint().exact() {
        answer.headers_mut().entry(CONTENT_LENGTH).or_insert(length.into());
    }
    answer
}

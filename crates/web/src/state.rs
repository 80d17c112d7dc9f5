//! What every handler is given, and routes of such handlers.

use std::sync::Arc;

use application::App;
use axum::routing::MethodRouter;

use crate::console::session::Sessions;
use crate::rate_limits::OrderRateLimiter;
use crate::settings::Settings;

/// The router's state: the use cases, what the host decided, and what is remembered between requests.
pub(crate) struct Web {
    pub(crate) app: App,
    pub(crate) settings: Settings,
    pub(crate) order_rate_limiter: OrderRateLimiter,
    pub(crate) sessions: Sessions,
}

/// What answers the methods of a path.
pub(crate) type Methods = MethodRouter<Arc<Web>>;

/// Paths, each with what answers its methods.
pub(crate) type Routes = Vec<(&'static str, Methods)>;

impl Web {
    /// The state of a host that has served nobody yet.
    pub(crate) fn new(app: App, settings: Settings) -> Self {
        let order_rate_limiter = OrderRateLimiter::new(settings.order_limits.clone());
        Self { app, settings, order_rate_limiter, sessions: Sessions::default() }
    }
}

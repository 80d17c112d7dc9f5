//! `/subscriptions/unsubscribe`: the GET asks, only the POST ends the subscription.
//!
//! The POST is also what a mail program sends for `List-Unsubscribe=One-Click` (RFC 8058): it needs no cookie
//! and no body, and it is answered without a redirect.

use std::sync::Arc;

use application::subscriptions::{find_by_unsubscribe_link, unsubscribe};
use axum::extract::State;
use axum::response::Response;
use domain::subscription::{Subscription, SubscriptionState};
use http::{HeaderMap, StatusCode, Uri};

use super::link::{AskPage, done, failed, token};
use super::{MessagePage, page};
use crate::problem::Problem;
use crate::router::Web;

/// Asks. Mail scanners fetch links: this changes nothing.
pub(crate) async fn show(State(web): State<Arc<Web>>, uri: Uri) -> Response {
    let token = token(&uri);
    match find_by_unsubscribe_link(&web.app, &token).await {
        Ok(subscription) => ask(&web, &subscription),
        Err(error) => failed(&web, error),
    }
}

fn ask(web: &Web, subscription: &Subscription) -> Response {
    let version = web.settings.version;
    if subscription.state == SubscriptionState::Ended {
        let text = "This subscription has ended: no more orders are announced to this address.";
        return page(
            StatusCode::OK,
            &MessagePage { version, title: "Already unsubscribed", text, good: true },
        );
    }
    let ask = AskPage {
        version,
        title: "Unsubscribe",
        text: "No more orders will be announced to this address.",
        endpoint: &subscription.endpoint.masked(),
        button: "Unsubscribe",
        ends: true,
    };
    page(StatusCode::OK, &ask)
}

/// Ends the subscription; doing so again changes nothing.
pub(crate) async fn act(State(web): State<Arc<Web>>, uri: Uri, headers: HeaderMap) -> Response {
    let result = unsubscribe(&web.app, &token(&uri)).await.map_err(Problem::from);
    done(&web, &headers, "Unsubscribed", result)
}

//! `/subscriptions/confirm`: the GET asks, only the POST confirms.

use std::sync::Arc;

use application::subscriptions::{confirm, find_by_confirmation_link};
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
    match find_by_confirmation_link(&web.app, &token).await {
        Ok(subscription) => ask(&web, &subscription),
        Err(error) => failed(&web, error),
    }
}

fn ask(web: &Web, subscription: &Subscription) -> Response {
    let version = web.settings.version;
    match subscription.state {
        SubscriptionState::Confirmed | SubscriptionState::Suspended => {
            let text = "Nothing more is needed: new orders are announced to this address.";
            page(StatusCode::OK, &MessagePage { version, title: "Already confirmed", text, good: true })
        }
        // The link of an ended one does not work: it does not come here.
        SubscriptionState::Pending | SubscriptionState::Ended => {
            let ask = AskPage {
                version,
                title: "Confirm your subscription",
                text: "New orders will be announced to this address. If you did not ask for it, close this page.",
                endpoint: &subscription.endpoint.masked(),
                button: "Confirm",
                ends: false,
            };
            page(StatusCode::OK, &ask)
        }
    }
}

/// Confirms.
pub(crate) async fn act(State(web): State<Arc<Web>>, uri: Uri, headers: HeaderMap) -> Response {
    let result = confirm(&web.app, &token(&uri)).await.map_err(Problem::from);
    done(&web, &headers, "Subscription confirmed", result)
}

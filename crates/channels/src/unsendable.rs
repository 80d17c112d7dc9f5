//! Messages that cannot be sent as they are.

use std::fmt::Display;

use domain::attempt::{Outcome, OutcomeKind, Scope};
use domain::endpoint::WebhookUrl;
use url::Url;

/// The outcome of a message that no attempt will ever send: its delivery is dead at once.
pub(crate) fn never(why: impl Display) -> Outcome {
    Outcome::new(OutcomeKind::Permanent(Scope::Delivery), why.to_string())
}

/// The URL to call, where the endpoint, which was stored once, still is one.
pub(crate) fn callable(endpoint: &WebhookUrl) -> Result<Url, Outcome> {
    endpoint.url().ok_or_else(|| never("Not sent: the endpoint is no http or https URL that can be called"))
}

//! Makes a subscription: pending, until its endpoint's owner confirms.

use domain::attributes::{Attributes, Escalation};
use domain::endpoint::{Endpoint, Protocol};
use domain::subscription::{Subscription, SubscriptionId, SubscriptionState};
use domain::webhook_secret::WebhookSecret;

use crate::ports::{NewSubscription, Subscribed};
use crate::{App, Error, ErrorKind, LocalDelivery};

/// A request to subscribe.
#[derive(Debug, Clone)]
pub struct Subscribe {
    /// Where messages shall go.
    pub endpoint: Endpoint,
    /// What was chosen for it.
    pub attributes: Attributes,
    /// Signs what a webhook gets, where its receiver knows it already; otherwise one is made.
    pub secret: Option<WebhookSecret>,
}

/// What the operator is told.
#[derive(Debug, Clone, PartialEq)]
pub struct SubscribeAnswer {
    /// The subscription.
    pub subscription: Subscription,
    /// It was made now; otherwise it was there, with the same attributes.
    pub created: bool,
}

/// Makes a pending subscription and its confirmation request.
///
/// # Errors
/// `channel_not_configured` if this host has no channel for the protocol; `Conflict` with `subscription_differs` if the
/// endpoint has a subscription with other attributes or another secret than the one that is given, which it names; `invalid_escalation` if
/// it leads to no other subscription; `secret_not_used` if nothing would be signed with the secret.
pub async fn subscribe(app: &App, request: Subscribe) -> Result<SubscribeAnswer, Error> {
    let protocol = request.endpoint.protocol();
    if let Some(own) = &app.local_delivery {
        require_channel(own, protocol)?;
        (own.endpoint_rule)(&request.endpoint)?;
    }
    if request.secret.is_some() {
        require_signing(app, protocol)?;
    }
    if let Some(escalation) = request.attributes.escalation {
        check_escalation(app, escalation, None).await?;
    }
    let now = app.clock.now();
    let new = NewSubscription {
        id: app.randomness.subscription_id(now),
        secret: (protocol == Protocol::Webhook)
            .then(|| request.secret.clone().unwrap_or_else(|| app.randomness.webhook_secret())),
        confirmation: app.randomness.delivery_id(now),
        endpoint: request.endpoint,
        attributes: request.attributes.clone(),
        now,
    };
    match app.subscriptions.subscribe(new).await? {
        Subscribed::Created(subscription) => {
            tracing::info!(subscription_id = %subscription.id, endpoint = subscription.endpoint.masked(), "subscribed");
            Ok(SubscribeAnswer { subscription, created: true })
        }
        Subscribed::Existing(subscription) if signs_otherwise(&subscription, request.secret.as_ref()) => {
            Err(differs(&["secret"], &subscription))
        }
        Subscribed::Existing(subscription) => Ok(SubscribeAnswer { subscription, created: false }),
        Subscribed::Differs(subscription) => {
            let mut members = request.attributes.differing(&subscription.attributes);
            if members.is_empty() {
                // SNS keeps nothing else, and does not tell what it has.
                members.push("filterPolicy");
            }
            if signs_otherwise(&subscription, request.secret.as_ref()) {
                members.push("secret");
            }
            Err(differs(&members, &subscription))
        }
    }
}

/// The error's field is the member that differs, where that is one.
fn differs(members: &[&str], existing: &Subscription) -> Error {
    let named = members.join(", ");
    let message = format!("This endpoint is subscribed as {}, and not with the same {named}", existing.id);
    let error = Error::new(ErrorKind::Conflict, "subscription_differs", message);
    if let [member] = members { error.at_field(member) } else { error }
}

fn signs_otherwise(existing: &Subscription, given: Option<&WebhookSecret>) -> bool {
    given.is_some_and(|given| existing.secrets.as_ref().is_none_or(|secrets| secrets.current != *given))
}

/// Refuses a secret that nothing would be signed with: its owner would wait for signatures.
fn require_signing(app: &App, protocol: Protocol) -> Result<(), Error> {
    let why = match protocol {
        Protocol::Webhook if app.local_delivery.is_none() => "SNS signs in its own way, without a secret",
        Protocol::Webhook => return Ok(()),
        _ => "only webhooks are signed",
    };
    let message = format!("secret cannot be given: {why}");
    Err(Error::new(ErrorKind::Invalid, "secret_not_used", message).at_field("secret"))
}

/// Refuses a protocol that nothing here could ever deliver.
fn require_channel(own: &LocalDelivery, protocol: Protocol) -> Result<(), Error> {
    if own.channels.contains_key(&protocol) {
        return Ok(());
    }
    let message =
        format!("No {protocol} channel is configured here, and the sandbox inbox is for loopback only");
    Err(Error::new(ErrorKind::Invalid, "channel_not_configured", message).at_field("protocol"))
}

/// Refuses an escalation that would lead nowhere, or back to the subscription itself.
pub(crate) async fn check_escalation(
    app: &App,
    escalation: Escalation,
    from: Option<SubscriptionId>,
) -> Result<(), Error> {
    let field = "escalation.subscriptionId";
    let refused = |why: &str| {
        let message = format!("{field} must name {why}");
        Error::new(ErrorKind::Conflict, "invalid_escalation", message).at_field(field)
    };
    if from == Some(escalation.to) {
        return Err(refused("another subscription"));
    }
    match app.subscriptions.subscription(escalation.to).await? {
        Some(other) if other.state != SubscriptionState::Ended => Ok(()),
        _ => Err(refused("a subscription that has not ended")),
    }
}

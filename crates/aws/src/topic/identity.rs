//! Which subscription is which: SNS names only those that are confirmed, so an id is derived from what never changes.

use domain::endpoint::{Endpoint, Protocol};
use domain::subscription::SubscriptionId;
use sha2::{Digest, Sha256};
use uuid::Builder;

/// The id of a topic's subscription of that endpoint: a UUID (RFC 9562, version 8) of SHA-256, the same whoever asks.
pub(super) fn subscription_id(topic: &str, endpoint: &Endpoint) -> SubscriptionId {
    let parts = [topic, sns_protocol(endpoint), &endpoint.to_string()].join("\0");
    let hash: [u8; 32] = Sha256::digest(parts).into();
    let mut id = [0; 16];
    id.copy_from_slice(&hash[..16]);
    SubscriptionId(Builder::from_custom_bytes(id).into_uuid())
}

/// SNS's name of the protocol that reaches an endpoint.
pub(super) fn sns_protocol(endpoint: &Endpoint) -> &'static str {
    match endpoint {
        Endpoint::Email(_) => "email",
        Endpoint::Sms(_) => "sms",
        Endpoint::Webhook(url) if url.url().is_some_and(|url| url.scheme() == "http") => "http",
        Endpoint::Webhook(_) => "https",
        // SNS has none, and refuses what it does not know.
        Endpoint::Chat(_) => "chat",
    }
}

/// The endpoint of one of SNS's subscriptions; `None` for one that is none of ours, such as a queue's.
pub(super) fn endpoint(sns_protocol: &str, address: &str) -> Option<Endpoint> {
    let protocol = match sns_protocol {
        "email" => Protocol::Email,
        "sms" => Protocol::Sms,
        "http" | "https" => Protocol::Webhook,
        _ => return None,
    };
    // One that no rule of ours would take today is shown as it stands.
    let as_it_stands = |_| Endpoint::stored(protocol, address.to_owned());
    Some(Endpoint::parse(protocol, address).unwrap_or_else(as_it_stands))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOPIC: &str = "arn:aws:sns:us-east-1:123456789012:orders";

    fn webhook(url: &str) -> Endpoint {
        Endpoint::parse(Protocol::Webhook, url).unwrap()
    }

    #[test]
    fn an_id_is_the_same_every_time_and_another_for_everything_else() {
        let id = subscription_id(TOPIC, &webhook("https://example.com/a"));
        assert_eq!(id, subscription_id(TOPIC, &webhook("https://example.com/a")));
        assert_eq!((id.0.get_version_num(), id.0.get_variant()), (8, uuid::Variant::RFC4122));
        assert_ne!(id, subscription_id(TOPIC, &webhook("http://example.com/a")));
        assert_ne!(id, subscription_id(TOPIC, &webhook("https://example.com/b")));
        assert_ne!(
            id,
            subscription_id("arn:aws:sns:us-east-1:123456789012:other", &webhook("https://example.com/a"))
        );
    }

    #[test]
    fn an_endpoint_is_found_again_under_the_name_that_sns_has_for_its_protocol() {
        for (protocol, text) in [(Protocol::Email, "ada@example.com"), (Protocol::Sms, "+4915112345678")] {
            let ours = Endpoint::parse(protocol, text).unwrap();
            assert_eq!(endpoint(sns_protocol(&ours), text), Some(ours));
        }
        for url in ["http://example.com/a", "https://example.com/a"] {
            assert_eq!(endpoint(sns_protocol(&webhook(url)), url), Some(webhook(url)));
        }
        let odd = endpoint("https", "https://user:pw@example.com/a").map(|odd| odd.to_string());
        assert_eq!(odd.as_deref(), Some("https://user:pw@example.com/a"));
        assert_eq!(endpoint("sqs", "arn:aws:sqs:us-east-1:123456789012:queue"), None);
    }
}

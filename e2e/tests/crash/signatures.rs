//! Whether webhooks were signed with the secrets that their owners know, also while a secret is rotated.

use std::collections::HashMap;

use standardwebhooks::Webhook;

use crate::receipts::{Receipt, Signed};
use crate::subscription::Subscription;

/// Of each webhook that came, its endpoint and whether it carries a signature of a secret that its owner was told. Owners who
/// were told none are left out.
pub(crate) fn all<'a>(receipts: &'a [Receipt], subscriptions: &[Subscription]) -> Vec<(&'a str, bool)> {
    let secrets: HashMap<_, Vec<_>> = subscriptions
        .iter()
        .filter(|subscription| !subscription.secrets.is_empty())
        .map(|subscription| (subscription.endpoint.as_str(), keys(&subscription.secrets)))
        .collect();
    let signed = receipts.iter().filter_map(|receipt| {
        let endpoint = receipt.endpoint.as_str();
        let (signed, secrets) = (receipt.signed.as_ref()?, secrets.get(endpoint)?);
        Some((endpoint, secrets.iter().any(|secret| is_signed(signed, secret))))
    });
    signed.collect()
}

fn keys(secrets: &[String]) -> Vec<Webhook> {
    secrets.iter().map(|secret| Webhook::new(secret).expect("the program tells secrets")).collect()
}

/// The library's own check also asks for a time within the last minutes, which here is long ago.
fn is_signed(signed: &Signed, secret: &Webhook) -> bool {
    let Ok(timestamp) = signed.timestamp.parse() else { return false };
    let expected = secret.sign(&signed.id, timestamp, signed.body.as_bytes());
    expected.is_ok_and(|expected| signed.signatures.split(' ').any(|signature| signature == expected))
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::subscription::tests::confirmed;
    use crate::verdict::tests::receipt;

    #[test]
    fn a_webhook_that_no_known_secret_signed_is_wrong() {
        let secret = |letter: &str| format!("whsec_{}", letter.repeat(32));
        let signatures = Webhook::new(&secret("a")).unwrap().sign("1", 7, b"body").unwrap();
        let signed =
            Signed { id: "1".to_owned(), timestamp: "7".to_owned(), signatures, body: "body".to_owned() };
        let receipts = [Receipt { signed: Some(signed), ..receipt("/one", "a") }];
        let knowing = |known: &[&str]| {
            let secrets = known.iter().map(|letter| secret(letter)).collect();
            vec![Subscription { secrets, ..confirmed("/one", Instant::now()) }]
        };
        assert_eq!(all(&receipts, &knowing(&["b", "a"])), [("/one", true)]);
        assert_eq!(all(&receipts, &knowing(&["b"])), [("/one", false)]);
        assert_eq!(all(&receipts, &knowing(&[])), [], "nobody can say");
    }
}

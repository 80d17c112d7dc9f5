//! The signature of Twilio's callbacks.
//!
//! Source: Twilio, "Validating signatures from Twilio" in Security; where that leaves room, what Twilio's own libraries
//! do. It is HMAC-SHA1 with the account's token over the URL that was called and the form's fields in their order.

use std::collections::BTreeSet;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

use crate::Secret;

/// The signature of a request to `url` with the form `fields`.
#[must_use]
pub fn sign(auth_token: &Secret, url: &str, fields: &[(String, String)]) -> String {
    BASE64_STANDARD.encode(mac(auth_token, url, fields).finalize().into_bytes())
}

/// Whether `signature` is that of a request to `url` with the form `fields`; it takes as long to say no as yes.
///
/// Twilio names the scheme's own port in some URLs that it signs and not in others, so that both are right.
#[must_use]
pub fn verify(auth_token: &Secret, url: &str, fields: &[(String, String)], signature: &str) -> bool {
    let Ok(signature) = BASE64_STANDARD.decode(signature) else { return false };
    let is_of = |url: &str| mac(auth_token, url, fields).verify_slice(&signature).is_ok();
    is_of(url) | is_of(&with_or_without_port(url))
}

/// Fields go in the order of their names. One that is repeated goes once for each of its values, in their order.
fn mac(auth_token: &Secret, url: &str, fields: &[(String, String)]) -> Hmac<Sha1> {
    let key = auth_token.reveal().as_bytes();
    let mac = <Hmac<Sha1> as KeyInit>::new_from_slice(key).expect("HMAC takes a key of any length");
    let fields: BTreeSet<_> = fields.iter().collect();
    fields
        .into_iter()
        .fold(mac.chain_update(url), |mac, (name, value)| mac.chain_update(name).chain_update(value))
}

/// The same URL without its port, or with its scheme's own if it has none.
fn with_or_without_port(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => {
            format!("{scheme}://{host}{path}")
        }
        _ => format!("{scheme}://{authority}:{}{path}", if scheme == "https" { 443 } else { 80 }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://orders.example/receipts/twilio?delivery=1";

    fn fields(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn token() -> Secret {
        Secret::new("12345".to_owned())
    }

    #[test]
    fn the_example_of_twilios_manual_is_signed_as_it_says() {
        let form = [
            ("CallSid", "CA1234567890ABCDE"),
            ("Caller", "+14158675309"),
            ("Digits", "1234"),
            ("From", "+14158675309"),
            ("To", "+18005551212"),
        ];
        let url = "https://mycompany.com/myapp.php?foo=1&bar=2";
        let signature = "RSOYDt4T1cUTdK1PDd93/VVr8B8=";
        assert_eq!(sign(&token(), url, &fields(&form)), signature);
        assert!(verify(&token(), url, &fields(&form), signature));
    }

    #[test]
    fn a_signature_is_wrong_whatever_is_changed() {
        let form = fields(&[("MessageSid", "SM1"), ("MessageStatus", "delivered")]);
        let signature = sign(&token(), URL, &form);
        assert!(verify(&token(), URL, &form, &signature));
        assert!(!verify(&Secret::new("12346".to_owned()), URL, &form, &signature));
        assert!(!verify(&token(), "https://orders.example/receipts/twilio?delivery=2", &form, &signature));
        assert!(!verify(&token(), URL, &form[..1], &signature));
        let other = fields(&[("MessageSid", "SM1"), ("MessageStatus", "failed")]);
        assert!(!verify(&token(), URL, &other, &signature));
        for nonsense in ["", "?", "c2hvcnQ=", &signature[1..]] {
            assert!(!verify(&token(), URL, &form, nonsense), "{nonsense:?}");
        }
    }

    #[test]
    fn neither_the_order_of_fields_nor_their_repetition_matters() {
        let signature = sign(&token(), URL, &fields(&[("a", "1"), ("b", "2"), ("b", "3")]));
        let repeated = fields(&[("b", "3"), ("b", "2"), ("a", "1"), ("b", "3")]);
        assert!(verify(&token(), URL, &repeated, &signature));
    }

    #[test]
    fn the_port_may_be_named_or_not() {
        for (asked, signed) in [
            ("https://a.example/x", "https://a.example:443/x"),
            ("https://a.example:443/x", "https://a.example/x"),
            ("http://a.example?x", "http://a.example:80?x"),
            ("https://a.example:8443/x", "https://a.example/x"),
            ("http://[::1]/x", "http://[::1]:80/x"),
        ] {
            assert!(verify(&token(), asked, &[], &sign(&token(), signed, &[])), "{asked}");
        }
        assert!(!verify(&token(), "https://a.example/x", &[], &sign(&token(), "https://a.example:1/x", &[])));
    }
}

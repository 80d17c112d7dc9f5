//! Outcomes that channels share: of a message that cannot be sent as it is, and in a receiver's words, without the address
//! that they were said about.

use std::fmt::Display;

use domain::attempt::{Outcome, OutcomeKind, Scope};
use domain::endpoint::WebhookUrl;
use url::Url;

/// The outcome of a message that no attempt will ever send: its delivery is dead at once.
pub(crate) fn never(why: impl Display) -> Outcome {
    Outcome::new(OutcomeKind::Permanent(Scope::Delivery), why.to_string())
}

/// The URL to call, where the endpoint, which was stored once, still is one.
pub(crate) fn callable(endpoint: &WebhookUrl) -> Result<&Url, Outcome> {
    endpoint.url().ok_or_else(|| never("Not sent: the endpoint is no http or https URL that can be called"))
}

/// A receiver's words may repeat the address, in whatever case, which has no business in a log: in its place stands
/// `shown`. What surrounds it, such as a mail address's angle brackets, stays.
pub(crate) fn masked(words: &str, address: &str, shown: &str) -> String {
    if address.is_empty() {
        return words.to_owned();
    }
    // Only ASCII letters change, so that every place stays where it was.
    let (lower, address) = (words.to_ascii_lowercase(), address.to_ascii_lowercase());
    let (mut safe, mut rest) = (String::with_capacity(words.len()), 0);
    for (place, found) in lower.match_indices(&address) {
        safe.push_str(&words[rest..place]);
        safe.push_str(shown);
        rest = place + found.len();
    }
    safe.push_str(&words[rest..]);
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_masked_wherever_it_stands_and_in_whatever_case() {
        let mask = |words| masked(words, "Jane.Doe@example.com", "J***@example.com");
        assert_eq!(
            mask("550 <jane.doe@EXAMPLE.com>: no JANE.DOE@example.com"),
            "550 <J***@example.com>: no J***@example.com"
        );
        assert_eq!(mask("Jane.Doe@example.com"), "J***@example.com");
        assert_eq!(mask("250 İ ok, 📦"), "250 İ ok, 📦");
    }
}

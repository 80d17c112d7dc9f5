//! What the program tells the world: the answers that its promises hang on, as they stand in what it sends.

use oracle::subscriptions::State;

/// Something that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Told {
    /// The answer that the order of this id is placed.
    Placed(String),
    /// The answer that the subscription of this id is in that state.
    Subscription(String, State),
    /// An attempt at the delivery of this id, to a webhook.
    Attempt(String),
    /// The answer that a provider's report was taken: the only one that has no content.
    Reported,
    /// Any other answer of success.
    Other,
}

/// What is told by one piece of what is sent. It is enough that the piece holds the telling part: ids and states are
/// sent in one piece with the words before them.
pub(crate) fn read(sent: &[u8]) -> Vec<Told> {
    let text = String::from_utf8_lossy(sent);
    if text.starts_with("POST ") {
        let id = text.lines().find_map(|line| line.strip_prefix("webhook-id: "));
        return id.map(|id| Told::Attempt(id.to_owned())).into_iter().collect();
    }
    if !text.starts_with("HTTP/1.1 2") {
        return Vec::new();
    }
    if text.starts_with("HTTP/1.1 204") {
        return vec![Told::Reported];
    }
    let placed = r#""message":"Order placed successfully","orderId":""#;
    if let Some((_, rest)) = text.split_once(placed) {
        return vec![Told::Placed(up_to_quote(rest))];
    }
    let subscriptions: Vec<_> =
        text.split(r#""subscriptionId":""#).skip(1).filter_map(subscription).collect();
    if subscriptions.is_empty() { vec![Told::Other] } else { subscriptions }
}

fn subscription(text: &str) -> Option<Told> {
    let (_, state) = text.split_once(r#""state":""#)?;
    Some(Told::Subscription(up_to_quote(text), State::named(&up_to_quote(state))?))
}

fn up_to_quote(text: &str) -> String {
    text.split('"').next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_told_from_each_other_and_from_what_is_sent_to_webhooks() {
        let placed = br#"HTTP/1.1 200 OK

{"message":"Order placed successfully","orderId":"01a2"}"#;
        assert_eq!(read(placed), [Told::Placed("01a2".to_owned())]);
        let list = br#"HTTP/1.1 200 OK

{"items":[{"subscriptionId":"a","state":"confirmed"},{"subscriptionId":"b","state":"ended"}]}"#;
        let is = |id: &str, state| Told::Subscription(id.to_owned(), state);
        assert_eq!(read(list), [is("a", State::Confirmed), is("b", State::Ended)]);
        let attempt = b"POST /one HTTP/1.1\r\nwebhook-id: 7\r\n\r\n";
        assert_eq!(read(attempt), [Told::Attempt("7".to_owned())]);
        assert_eq!(read(b"HTTP/1.1 204 No Content\r\n\r\n"), [Told::Reported]);
        assert_eq!(read(b"HTTP/1.1 202 Accepted\r\n\r\n"), [Told::Other]);
        assert_eq!(read(b"HTTP/1.1 503 Service Unavailable\r\n\r\n"), []);
        assert_eq!(read(b"wake up"), []);
    }
}

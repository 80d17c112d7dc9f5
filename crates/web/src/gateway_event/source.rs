//! Who sent the request that an event is.

use http::HeaderMap;
use serde::Deserialize;

use crate::client::{Client, forwarded_address};

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Event {
    request_context: Option<Context>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Context {
    http: Option<Source>,
    identity: Option<Source>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Source {
    source_ip: Option<String>,
}

/// Who sent it: whom the event names or, where it names nobody, as a load balancer's does, the last of `X-Forwarded-For`,
/// which AWS itself adds. Nobody is known of an event that was written by hand.
#[must_use]
pub fn client(event: &[u8], headers: &HeaderMap) -> Option<Client> {
    let context =
        serde_json::from_slice::<Event>(event).unwrap_or_default().request_context.unwrap_or_default();
    let named =
        context.http.or(context.identity).and_then(|source| forwarded_address(source.source_ip?.as_bytes()));
    let forwarded = || {
        // What the sender wrote before it may be any bytes.
        let hops = headers.get_all("x-forwarded-for").iter().next_back()?.as_bytes();
        forwarded_address(hops.rsplit(|byte| *byte == b',').next()?)
    };
    named.or_else(forwarded).map(Client::At)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn an_event_names_its_sender_whatever_the_sender_says() {
        for (event, forwarded, expected) in [
            (r#"{"requestContext":{"http":{"sourceIp":"203.0.113.7"}}}"#, "9.9.9.9", Some("203.0.113.7")),
            (r#"{"requestContext":{"identity":{"sourceIp":"2001:db8::1"}}}"#, "9.9.9.9", Some("2001:db8::1")),
            (r#"{"requestContext":{"elb":{}}}"#, "9.9.9.9, 203.0.113.7", Some("203.0.113.7")),
            (r#"{"requestContext":{"elb":{}}}"#, "9.9.9.9, 203.0.113.7:4711", Some("203.0.113.7")),
            (r#"{"requestContext":{"elb":{}}}"#, "9.9.9.9, unknown", None),
            (r#"{"requestContext":{"elb":{}}}"#, "\u{e9}, 203.0.113.7", Some("203.0.113.7")),
            (r#"{"requestContext":{"http":{"sourceIp":7}}}"#, "", None),
            (r#"{"requestContext":null}"#, "", None),
            (r#"{"customerName":"Ada"}"#, "", None),
            ("[]", "", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("x-forwarded-for", HeaderValue::from_bytes(forwarded.as_bytes()).unwrap());
            let expected = expected.map(|address| Client::At(address.parse().unwrap()));
            assert_eq!(client(event.as_bytes(), &headers), expected, "{event} {forwarded}");
        }
    }
}

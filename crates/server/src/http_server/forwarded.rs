//! Who sends a request that came by way of proxies.

use std::net::IpAddr;

use hyper::HeaderMap;
use ipnet::IpNet;
use web::forwarded_address;

const X_FORWARDED_FOR: &str = "x-forwarded-for";

/// Whom a hop of such a header names.
type ReadHop = fn(&[u8]) -> Option<IpAddr>;

/// Who connected; if that is one of the `proxies`, the nearest address before it that is none, as each of them added to
/// `X-Forwarded-For` or, where that is not there, to `Forwarded` (RFC 7239). What anybody else wrote there is not believed.
pub(super) fn client(connected: IpAddr, headers: &HeaderMap, proxies: &[IpNet]) -> IpAddr {
    let is_proxy = |address: &IpAddr| proxies.iter().any(|proxy| proxy.contains(address));
    let usual = headers.contains_key(X_FORWARDED_FOR);
    let (name, read): (_, ReadHop) =
        if usual { (X_FORWARDED_FOR, forwarded_address) } else { ("forwarded", node) };
    let told = headers.get_all(name).iter().rev();
    // Each by itself: what a client wrote before them, in whatever bytes, hides none of those that proxies added.
    let mut hops = told.flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b',')).map(read);
    let mut client = connected.to_canonical();
    while is_proxy(&client)
        && let Some(Some(before)) = hops.next()
    {
        client = before.to_canonical();
    }
    client
}

/// Whom an element of `Forwarded` names, such as `for="[2001:db8::1]:4711";proto=https`.
fn node(element: &[u8]) -> Option<IpAddr> {
    let named = |pair: &&str| pair.trim().get(..4).is_some_and(|name| name.eq_ignore_ascii_case("for="));
    let pair = str::from_utf8(element).ok()?.split(';').find(named)?.trim();
    forwarded_address(pair.get(4..)?.trim_matches('"').as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_proxies_add_is_believed() {
        let proxies = ["127.0.0.0/8", "::1/128", "10.0.0.0/8"].map(|proxy| proxy.parse().unwrap());
        for (connected, told, expected) in [
            ("203.0.113.7", vec!["198.51.100.1"], "203.0.113.7"),
            ("127.0.0.1", vec![], "127.0.0.1"),
            ("127.0.0.1", vec!["198.51.100.1"], "198.51.100.1"),
            ("::ffff:127.0.0.1", vec!["9.9.9.9, 198.51.100.1"], "198.51.100.1"),
            ("127.0.0.1", vec!["9.9.9.9, 198.51.100.1, 10.0.0.3"], "198.51.100.1"),
            ("127.0.0.1", vec!["9.9.9.9", "198.51.100.1:4711"], "198.51.100.1"),
            ("::1", vec!["[2001:db8::1]:4711"], "2001:db8::1"),
            ("127.0.0.1", vec!["198.51.100.1, unknown"], "127.0.0.1"),
            ("127.0.0.1", vec![""], "127.0.0.1"),
            ("127.0.0.1", vec!["\u{e9}, 198.51.100.1"], "198.51.100.1"),
            ("127.0.0.1", vec!["\u{ff}\u{fe},9.9.9.9", "\u{e9},198.51.100.1,10.0.0.3"], "198.51.100.1"),
            ("127.0.0.1", vec!["198.51.100.1, \u{e9}"], "127.0.0.1"),
        ] {
            let mut headers = HeaderMap::new();
            for line in &told {
                headers.append(
                    "x-forwarded-for",
                    hyper::header::HeaderValue::from_bytes(line.as_bytes()).unwrap(),
                );
            }
            let found = client(connected.parse().unwrap(), &headers, &proxies);
            assert_eq!(found.to_string(), expected, "{connected} {told:?}");
        }
    }

    #[test]
    fn the_other_header_is_believed_where_the_usual_one_is_not_there() {
        let proxies = ["127.0.0.0/8", "10.0.0.0/8"].map(|proxy| proxy.parse().unwrap());
        for (told, expected) in [
            ("for=198.51.100.1", "198.51.100.1"),
            ("For=\"[2001:db8::1]:4711\";proto=https;by=10.0.0.3", "2001:db8::1"),
            ("by=10.0.0.3; for=\"[2001:db8::1]\"", "2001:db8::1"),
            ("for=9.9.9.9, for=198.51.100.1:80, for=10.0.0.3", "198.51.100.1"),
            ("for=198.51.100.1, for=unknown", "127.0.0.1"),
            ("for=\"_hidden\"", "127.0.0.1"),
            ("proto=https", "127.0.0.1"),
            ("for=", "127.0.0.1"),
            ("\u{e9}\u{e9}\u{e9}=1", "127.0.0.1"),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("forwarded", hyper::header::HeaderValue::from_bytes(told.as_bytes()).unwrap());
            let found =
                |headers: &HeaderMap| client("127.0.0.1".parse().unwrap(), headers, &proxies).to_string();
            assert_eq!(found(&headers), expected, "{told}");
            headers.insert("x-forwarded-for", "192.0.2.1".parse().unwrap());
            assert_eq!(found(&headers), "192.0.2.1", "{told}");
        }
    }
}

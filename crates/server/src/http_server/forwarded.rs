//! Who sends a request that came by way of proxies.

use std::net::{IpAddr, SocketAddr};

use hyper::HeaderMap;
use ipnet::IpNet;

/// Who connected; if that is one of the `proxies`, the nearest address before it that is none, as each of them added to
/// `X-Forwarded-For`. What anybody else wrote there is not believed.
pub(super) fn client(connected: IpAddr, headers: &HeaderMap, proxies: &[IpNet]) -> IpAddr {
    let is_proxy = |address: &IpAddr| proxies.iter().any(|proxy| proxy.contains(address));
    let told = headers.get_all("x-forwarded-for").iter().rev();
    let mut hops = told.flat_map(|line| line.to_str().unwrap_or_default().rsplit(',').map(address));
    let mut client = connected.to_canonical();
    while is_proxy(&client)
        && let Some(Some(before)) = hops.next()
    {
        client = before.to_canonical();
    }
    client
}

/// An address, which some proxies write with a port.
fn address(hop: &str) -> Option<IpAddr> {
    let hop = hop.trim();
    hop.parse().ok().or_else(|| hop.parse::<SocketAddr>().ok().map(|address| address.ip()))
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
        ] {
            let mut headers = HeaderMap::new();
            for line in &told {
                headers.append("x-forwarded-for", line.parse().unwrap());
            }
            let found = client(connected.parse().unwrap(), &headers, &proxies);
            assert_eq!(found.to_string(), expected, "{connected} {told:?}");
        }
    }
}

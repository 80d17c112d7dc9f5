//! How many connections there may be, and who stands between.

use super::*;

#[test]
fn clients_may_have_the_connections_that_the_store_and_the_channels_leave_them() {
    let limits = |toml: &str, descriptors| {
        let config = read(toml, &[]).unwrap();
        let limits = config.connections.limits(descriptors, config.concurrency());
        (limits.max, limits.max_per_peer)
    };
    assert_eq!(limits("", 1_000_000), (4_096, 512));
    let (max, of_a_peer) = limits("", 1_024);
    assert!((512..900).contains(&max) && of_a_peer == max / 8, "{max}, {of_a_peer}");
    assert_eq!(limits("", 64), (16, 16));
    assert_eq!(limits("max_connections = 10000", 1_000_000), (10_000, 1_250));
    assert_eq!(limits("max_connections = 10000", 1_024).0, max, "there are no more");
    assert_eq!(limits("max_connections = 20", 1_000_000), (20, 16));
    assert_eq!(limits("max_connections = 20\nmax_connections_per_peer = 30", 1_000_000), (20, 20));
    let busy =
        limits("[webhook]\nconcurrency = 200\n[smtp]\nhost = \"relay\"\nfrom = \"a@example.com\"", 1_024).0;
    assert_eq!(max - busy, 2 * (200 - 64 + 3), "each call to the outside has its descriptors");
}

#[test]
fn proxies_are_addresses_and_networks() {
    let proxies = |written: &str| {
        let config = read("", &[("ORDERBELL_PROXIES", written)]).unwrap();
        let limits = config.connections.limits(1_024, 0);
        limits.proxies.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(proxies(""), ["127.0.0.0/8", "::1/128"]);
    assert_eq!(proxies("10.0.0.7, 172.16.5.5/12, fd00::/8"), ["10.0.0.7/32", "172.16.0.0/12", "fd00::/8"]);
    let said = mistakes("proxies = [\"10.0.0.7\", \"proxy.example\"]\nmax_connections = 0", &[]);
    assert!(said.contains("proxies in ") && said.contains("\"proxy.example\""), "{said}");
    assert!(said.contains("max_connections in ") && said.contains("from 1 to 100000"), "{said}");
}

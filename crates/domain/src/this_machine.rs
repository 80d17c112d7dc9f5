//! Whether a host leads to this machine, so that nobody on a way can read what goes there, and nobody elsewhere follows.

use std::net::IpAddr;

use url::{Host, Url};

/// Whether a URL leads to this machine.
#[must_use]
pub fn leads_here(url: &Url) -> bool {
    url.host().is_some_and(|host| is_here(&host))
}

/// Whether nobody elsewhere can follow a link: it leads to this machine, or to the address that stands for none.
#[must_use]
pub fn leads_nowhere_else(url: &Url) -> bool {
    let is_unspecified = match url.host() {
        Some(Host::Ipv4(address)) => address.is_unspecified(),
        Some(Host::Ipv6(address)) => address.to_canonical().is_unspecified(),
        _ => false,
    };
    is_unspecified || leads_here(url)
}

/// Whether a host as a person writes it is this machine: a name, or an address with or without a URL's brackets.
#[must_use]
pub fn is_written_here(host: &str) -> bool {
    let address = host.parse::<IpAddr>().map(|address| match address {
        IpAddr::V4(address) => Host::Ipv4(address),
        IpAddr::V6(address) => Host::Ipv6(address),
    });
    address.or_else(|_| Host::parse(host)).is_ok_and(|host| is_here(&host))
}

/// `localhost` and what lies under it is this machine (RFC 6761 6.3), with or without the root's dot; so are loopback
/// addresses, in IPv6's clothes too.
#[must_use]
pub fn is_here<Name: AsRef<str>>(host: &Host<Name>) -> bool {
    match host {
        Host::Domain(name) => {
            let name = name.as_ref();
            let last = name.strip_suffix('.').unwrap_or(name).rsplit('.').next();
            last.is_some_and(|last| last.eq_ignore_ascii_case("localhost"))
        }
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.to_canonical().is_loopback(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: [&str; 13] = [
        "localhost",
        "LocalHost",
        "localhost.",
        "shop.localhost",
        "a.b.localhost.",
        "127.0.0.1",
        "127.9.9.9",
        "127.1",
        "0x7f000001",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:2]",
        "[0:0:0:0:0:0:0:1]",
    ];
    const ELSEWHERE: [&str; 11] = [
        "orders.example.com",
        "localhost.example.com",
        "notlocalhost",
        "localhost.localdomain",
        "127.0.0.1.example.com",
        "10.0.0.1",
        "192.168.1.1",
        "[fe80::1]",
        "[::ffff:10.0.0.1]",
        "[::2]",
        "[2001:db8::1]",
    ];

    #[test]
    fn a_host_is_this_machine_however_it_is_written_and_no_other_is() {
        for (hosts, here) in [(&HERE[..], true), (&ELSEWHERE, false)] {
            for host in hosts {
                assert_eq!(is_written_here(host), here, "{host}");
                for url in [format!("https://{host}"), format!("http://{host}:8080/path?query")] {
                    assert_eq!(leads_here(&Url::parse(&url).unwrap()), here, "{url}");
                }
            }
        }
        for (host, here) in [("::1", true), ("::ffff:127.0.0.1", true), ("2001:db8::1", false), ("", false)] {
            assert_eq!(is_written_here(host), here, "{host}");
        }
    }

    #[test]
    fn the_address_that_stands_for_none_is_no_machine_and_a_link_to_it_leads_nowhere() {
        for host in ["0.0.0.0", "[::]", "[::ffff:0.0.0.0]", "0"] {
            let url = Url::parse(&format!("http://{host}:8080")).unwrap();
            assert!(leads_nowhere_else(&url) && !leads_here(&url) && !is_written_here(host), "{host}");
        }
        assert!(leads_nowhere_else(&Url::parse("http://localhost.").unwrap()));
        assert!(!leads_nowhere_else(&Url::parse("http://0.0.0.1").unwrap()));
    }

    #[test]
    fn a_host_that_only_looks_like_this_machine_in_its_url_is_not() {
        for url in ["http://localhost@example.com", "http://example.com/#@localhost", "data:localhost"] {
            assert!(!leads_here(&Url::parse(url).unwrap()), "{url}");
        }
    }
}

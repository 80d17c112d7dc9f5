//! Which addresses are not the public internet.
//!
//! Sources: the IANA registries of special-purpose IPv4 and IPv6 addresses; for metadata services outside those, the
//! cloud's own manual.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

const fn v4(a: u8, b: u8, c: u8, d: u8, prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

const fn v6(first: u16, second: u16, third: u16, prefix: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(first, second, third, 0, 0, 0, 0, 0), prefix)
}

const NOT_PUBLIC_V4: [(Ipv4Net, &str); 18] = [
    (v4(0, 0, 0, 0, 8), "an unspecified address"),
    (v4(10, 0, 0, 0, 8), "a private address"),
    (v4(100, 64, 0, 0, 10), "an address shared behind a carrier's NAT"),
    (v4(127, 0, 0, 0, 8), "a loopback address"),
    // The metadata services of AWS, Azure, Google Cloud and others are at 169.254.169.254.
    (v4(169, 254, 0, 0, 16), "a link-local or metadata address"),
    // Azure's platform service, in the midst of public addresses.
    (v4(168, 63, 129, 16, 32), "a metadata address"),
    (v4(172, 16, 0, 0, 12), "a private address"),
    (v4(192, 0, 0, 0, 24), "an address reserved for protocols"),
    (v4(192, 0, 2, 0, 24), "an address reserved for documentation"),
    (v4(192, 31, 196, 0, 24), "a reserved address"),
    (v4(192, 52, 193, 0, 24), "a reserved address"),
    (v4(192, 88, 99, 0, 24), "a reserved address"),
    (v4(192, 168, 0, 0, 16), "a private address"),
    (v4(198, 18, 0, 0, 15), "an address reserved for benchmarks"),
    (v4(198, 51, 100, 0, 24), "an address reserved for documentation"),
    (v4(203, 0, 113, 0, 24), "an address reserved for documentation"),
    (v4(224, 0, 0, 0, 4), "a multicast address"),
    (v4(240, 0, 0, 0, 4), "a reserved or broadcast address"),
];

/// Looked at in this order; what is in none of them and outside [`GLOBAL_UNICAST`] is refused as well.
const NOT_PUBLIC_V6: [(Ipv6Net, &str); 9] = [
    (Ipv6Net::new_assert(Ipv6Addr::UNSPECIFIED, 128), "an unspecified address"),
    (Ipv6Net::new_assert(Ipv6Addr::LOCALHOST, 128), "a loopback address"),
    // Teredo, ORCHID, benchmarks and other protocols' own.
    (v6(0x2001, 0, 0, 23), "an address reserved for protocols"),
    (v6(0x2001, 0xdb8, 0, 32), "an address reserved for documentation"),
    (v6(0x3fff, 0, 0, 20), "an address reserved for documentation"),
    // Among them AWS's metadata service, fd00:ec2::254.
    (v6(0xfc00, 0, 0, 7), "a private (unique-local) address"),
    (v6(0xfe80, 0, 0, 10), "a link-local address"),
    (v6(0xfec0, 0, 0, 10), "a private (site-local) address"),
    (v6(0xff00, 0, 0, 8), "a multicast address"),
];

/// The only IPv6 addresses given out for the internet so far (RFC 4291, IANA).
const GLOBAL_UNICAST: Ipv6Net = v6(0x2000, 0, 0, 3);
const SIX_TO_FOUR: Ipv6Net = v6(0x2002, 0, 0, 16);
const NAT64: Ipv6Net = v6(0x64, 0xff9b, 0, 96);
const IPV4_MAPPED: Ipv6Net = Ipv6Net::new_assert(Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0), 96);
const IPV4_COMPATIBLE: Ipv6Net = Ipv6Net::new_assert(Ipv6Addr::UNSPECIFIED, 96);

/// What `address` is, if it is not an address on the public internet.
pub(super) fn not_public(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => not_public_v4(address),
        IpAddr::V6(address) => not_public_v6(address),
    }
}

fn not_public_v4(address: Ipv4Addr) -> Option<&'static str> {
    NOT_PUBLIC_V4.iter().find(|(network, _)| network.contains(&address)).map(|(_, what)| *what)
}

fn not_public_v6(address: Ipv6Addr) -> Option<&'static str> {
    if let Some((_, what)) = NOT_PUBLIC_V6.iter().find(|(network, _)| network.contains(&address)) {
        return Some(what);
    }
    match embedded(address) {
        Some(embedded) => not_public_v4(embedded),
        None if GLOBAL_UNICAST.contains(&address) => None,
        None => Some("a reserved address"),
    }
}

/// The IPv4 address that packets to `address` end up at.
pub(super) fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let octets = address.octets();
    let at =
        |place: usize| Ipv4Addr::new(octets[place], octets[place + 1], octets[place + 2], octets[place + 3]);
    if SIX_TO_FOUR.contains(&address) {
        return Some(at(2));
    }
    let at_its_end = [NAT64, IPV4_MAPPED, IPV4_COMPATIBLE].iter().any(|network| network.contains(&address));
    at_its_end.then(|| at(12))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rule(address: &str) -> Option<&'static str> {
        not_public(address.parse().unwrap())
    }

    #[test]
    fn a_rule_names_what_an_address_is() {
        for (address, name) in [
            ("0.1.2.3", "unspecified"),
            ("10.255.255.255", "private"),
            ("100.127.255.255", "NAT"),
            ("127.255.255.255", "loopback"),
            ("169.254.169.254", "metadata"),
            ("168.63.129.16", "metadata"),
            ("172.16.0.0", "private"),
            ("192.0.0.192", "protocols"),
            ("192.0.2.1", "documentation"),
            ("192.168.255.255", "private"),
            ("198.19.255.255", "benchmarks"),
            ("198.51.100.1", "documentation"),
            ("203.0.113.1", "documentation"),
            ("239.255.255.255", "multicast"),
            ("240.0.0.1", "reserved"),
            ("255.255.255.255", "broadcast"),
            ("::", "unspecified"),
            ("::1", "loopback"),
            ("::10.0.0.1", "private"),
            ("::ffff:169.254.169.254", "metadata"),
            ("64:ff9b::10.0.0.1", "private"),
            ("64:ff9b:1::808:808", "reserved"),
            ("100::1", "reserved"),
            ("2001::1", "protocols"),
            ("2001:db8::1", "documentation"),
            ("2002:a00:1::", "private"),
            ("3fff::1", "documentation"),
            ("5f00::1", "reserved"),
            ("fd00:ec2::254", "unique-local"),
            ("fe80::1", "link-local"),
            ("fec0::1", "site-local"),
            ("ff02::1", "multicast"),
        ] {
            assert!(rule(address).is_some_and(|rule| rule.contains(name)), "{address}: {:?}", rule(address));
        }
    }

    #[test]
    fn the_public_internet_is_under_no_rule() {
        for address in [
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.0",
            "126.255.255.255",
            "128.0.0.1",
            "168.63.129.17",
            "169.253.255.255",
            "172.15.255.255",
            "172.32.0.0",
            "192.167.255.255",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2001:4860:4860::8888",
            "2606:4700::1111",
            "::ffff:1.1.1.1",
            "64:ff9b::1.1.1.1",
            "2002:101:101::1",
        ] {
            assert_eq!(rule(address), None, "{address}");
        }
    }

    proptest! {
        #[test]
        fn an_embedded_address_is_under_the_rule_of_the_one_inside(bits: u32) {
            let inside = Ipv4Addr::from(bits);
            let [a, b, c, d] = inside.octets();
            let tail = u128::from(bits);
            let mapped = Ipv6Addr::from((0xffff << 32) | tail);
            let translated = Ipv6Addr::from((0x0064_ff9b << 96) | tail);
            let tunnelled = Ipv6Addr::from([0x20, 0x02, a, b, c, d, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
            for outside in [mapped, translated, tunnelled] {
                prop_assert_eq!(not_public(outside.into()), not_public(inside.into()));
            }
        }

        #[test]
        fn whatever_the_standard_library_calls_local_is_under_a_rule(bits: u32) {
            let address = Ipv4Addr::from(bits);
            let local = address.is_private() || address.is_loopback() || address.is_link_local()
                || address.is_multicast() || address.is_broadcast() || address.is_documentation()
                || address.is_unspecified();
            prop_assert!(!local || not_public(address.into()).is_some());
        }
    }
}

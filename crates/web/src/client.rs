//! Who sends a request, as the host tells it.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use application::ports::ClientDigest;
use http::Extensions;
use sha2::{Digest, Sha256};

/// Who sends a request; the host puts it among the request's extensions. Without it, nothing is known of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Client {
    /// Somebody at this address: of the connection, or as a proxy that the host trusts tells it.
    At(IpAddr),
    /// Somebody who came over the socket that only this machine's operator can open. Without a key they count as the
    /// holder of the admin key.
    Operator,
}

impl Client {
    /// The address to count them by: an IPv4 one, or the first half of an IPv6 one, which is what one household is given
    /// (RFC 6177).
    pub(crate) fn counted(extensions: &Extensions) -> Option<IpAddr> {
        match extensions.get::<Self>()? {
            Self::Operator => None,
            Self::At(address) => Some(match address.to_canonical() {
                IpAddr::V6(whole) => Ipv6Addr::from_bits(whole.to_bits() >> 64 << 64).into(),
                address @ IpAddr::V4(_) => address,
            }),
        }
    }

    pub(crate) fn is_operator(extensions: &Extensions) -> bool {
        extensions.get() == Some(&Self::Operator)
    }
}

/// The address in one hop of `X-Forwarded-For`, in whatever bytes: some proxies write it with a port, or in brackets.
#[must_use]
pub fn forwarded_address(hop: &[u8]) -> Option<IpAddr> {
    let hop = str::from_utf8(hop).ok()?.trim();
    let bare = hop.strip_prefix('[').and_then(|hop| hop.strip_suffix(']')).unwrap_or(hop);
    bare.parse().ok().or_else(|| hop.parse::<SocketAddr>().ok().map(|address| address.ip()))
}

/// An address as the log may show it: the network that it belongs to.
pub(crate) fn masked(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            format!("{a}.{b}.{c}.*")
        }
        IpAddr::V6(address) => {
            let [a, b, c, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:*")
        }
    }
}

/// From where a caller without a key comes, told so that only equality can be seen; those whose address is not known are
/// all at one place.
///
/// A digest under a secret as long as its key is secret: who reads the store cannot try all addresses.
pub(crate) fn client_digest(secret: &[u8; 32], client: Option<IpAddr>) -> ClientDigest {
    let digest = Sha256::new().chain_update(secret);
    let digest = match client {
        None => digest,
        Some(IpAddr::V4(address)) => digest.chain_update(address.octets()),
        Some(IpAddr::V6(address)) => digest.chain_update(address.octets()),
    };
    let mut client_digest = ClientDigest::default();
    let half = client_digest.len();
    client_digest.copy_from_slice(&digest.finalize()[..half]);
    client_digest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(address: &str) -> String {
        let mut extensions = Extensions::new();
        extensions.insert(Client::At(address.parse().unwrap()));
        Client::counted(&extensions).unwrap().to_string()
    }

    #[test]
    fn a_household_counts_as_one() {
        assert_eq!(counted("203.0.113.7"), "203.0.113.7");
        assert_eq!(counted("::ffff:203.0.113.7"), "203.0.113.7");
        assert_eq!(counted("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(counted("2001:db8:1:2::9"), "2001:db8:1:2::");
    }

    #[test]
    fn nobody_can_be_told_from_a_masked_address() {
        assert_eq!(masked("203.0.113.7".parse().unwrap()), "203.0.113.*");
        assert_eq!(masked("2001:db8:1:2::9".parse().unwrap()), "2001:db8:1:*");
    }

    #[test]
    fn each_address_is_a_place_of_its_own_under_each_secret() {
        let at = |secret, address: &str| client_digest(&[secret; 32], address.parse().ok());
        assert_eq!(at(1, "203.0.113.7"), at(1, "203.0.113.7"));
        let all = [
            at(1, "203.0.113.7"),
            at(1, "203.0.113.8"),
            at(2, "203.0.113.7"),
            at(1, "2001:db8::"),
            at(1, ""),
        ];
        for (number, one) in all.iter().enumerate() {
            assert!(!all[number + 1..].contains(one), "{number}");
        }
    }
}

//! From where a caller without a key comes, told so that only equality can be seen.

use std::net::IpAddr;

use application::ports::Origin;
use sha2::{Digest, Sha256};

/// The place of a caller without a key; those whose address is not known are all at one place.
///
/// A digest under a secret as long as its key is secret: who reads the store cannot try all addresses.
pub(crate) fn origin(secret: &[u8; 32], client: Option<IpAddr>) -> Origin {
    let digest = Sha256::new().chain_update(secret);
    let digest = match client {
        None => digest,
        Some(IpAddr::V4(address)) => digest.chain_update(address.octets()),
        Some(IpAddr::V6(address)) => digest.chain_update(address.octets()),
    };
    let mut origin = Origin::default();
    let half = origin.len();
    origin.copy_from_slice(&digest.finalize()[..half]);
    origin
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_address_is_a_place_of_its_own_under_each_secret() {
        let at = |secret, address: &str| origin(&[secret; 32], address.parse().ok());
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

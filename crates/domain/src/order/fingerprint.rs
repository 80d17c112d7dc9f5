//! Telling a retry of an order from another order under the same key.

use sha2::{Digest, Sha256};

use super::OrderDetails;

/// SHA-256 of the parsed order, after a version byte: what counts as "the same order" can change without harm.
pub type Fingerprint = [u8; 32];

const VERSION: &[u8] = b"orderbell.order.v1\0";

impl OrderDetails {
    /// The fingerprint of what was asked for; white space and the order of members do not count.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        let canonical = serde_json::to_vec(self).unwrap_or_default();
        Sha256::new().chain_update(VERSION).chain_update(canonical).finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fingerprint(json: &str) -> Fingerprint {
        OrderDetails::parse(json.as_bytes()).unwrap().fingerprint()
    }

    #[test]
    fn the_same_order_written_otherwise_has_the_same_fingerprint() {
        let one = fingerprint(r#"{"customerName":"Jo","productName":"Mouse","attributes":{"a":1,"b":true}}"#);
        let other = fingerprint(
            r#" {"attributes":{"b":true,"a":1}, "productName":"Mo\u0075se", "customerName":"Jo", "x":1}"#,
        );
        assert_eq!(one, other);
    }

    #[test]
    fn another_order_has_another_fingerprint() {
        let one = fingerprint(r#"{"customerName":"Jo","productName":"Mouse"}"#);
        assert_ne!(one, fingerprint(r#"{"customerName":"Jo","productName":"Mouse","quantity":2}"#));
        assert_ne!(one, fingerprint(r#"{"customerName":"Jo","productName":"mouse"}"#));
    }
}

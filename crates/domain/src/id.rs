//! Identities: UUIDv7, so that they sort by the time they were made.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::Invalid;

/// To as much of a time an id is exact.
const MILLISECOND: Duration = Duration::from_millis(1);

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $field:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// Makes an id from the moment and 10 random bytes (RFC 9562, version 7).
            #[must_use]
            pub fn new(now: Timestamp, random: [u8; 10]) -> Self {
                Self(uuid_v7(now, random))
            }

            /// When it was made, to the millisecond; no later than a calendar goes.
            #[must_use]
            pub fn time(self) -> Timestamp {
                let millis = i64::try_from(self.0.as_u128() >> 80).unwrap_or(i64::MAX);
                Timestamp::from_millisecond(millis).unwrap_or(Timestamp::MAX)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = Invalid;

            fn from_str(text: &str) -> Result<Self, Invalid> {
                let wrong = || Invalid::new("invalid_id", $field, concat!($field, " must be a UUID"));
                text.parse().map(Self).map_err(|_| wrong())
            }
        }
    };
}

id!(
    /// Names an order.
    OrderId, "orderId"
);
id!(
    /// Names a subscription.
    SubscriptionId, "subscriptionId"
);
id!(
    /// Names a delivery; also its Message-ID and its `webhook-id`, the same on every repeat.
    DeliveryId, "deliveryId"
);

impl OrderId {
    /// The least id of an order of that millisecond or later.
    #[must_use]
    pub fn least_at(time: Timestamp) -> Self {
        Self(Uuid::from_u128(u128::from(millis(time)) << 80))
    }

    /// The ids of the orders from one time to before another: the least of them, and the one that all of them are below;
    /// `None`: no id is above. They begin with the milliseconds of the times, of which the first and the last may hold some
    /// of the time and some not; all from before 1970 begin with 0.
    #[must_use]
    pub fn of_times(from: Option<Timestamp>, to: Option<Timestamp>) -> (Self, Option<Self>) {
        let after = to.and_then(|to| to.max(Timestamp::UNIX_EPOCH).checked_add(MILLISECOND).ok());
        (from.map_or(Self(Uuid::nil()), Self::least_at), after.map(Self::least_at))
    }
}

impl DeliveryId {
    /// The id of a delivery that follows from others by itself: the same from the same at the same moment, so that nothing
    /// random is needed to make it. Its random bits are the first of the SHA-256 of `from`.
    #[must_use]
    pub fn derived(now: Timestamp, from: &[Uuid]) -> Self {
        let mut hash = Sha256::new();
        for id in from {
            hash.update(id.as_bytes());
        }
        let digest = hash.finalize();
        Self::new(now, std::array::from_fn(|place| digest[place]))
    }
}

/// An order's place in the log: lists of all orders and publishing follow it, never the time. Where the log is a table's
/// stream or index, it is the place in what was read of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seq(pub i64);

fn uuid_v7(now: Timestamp, random: [u8; 10]) -> Uuid {
    uuid::Builder::from_unix_timestamp_millis(millis(now), &random).into_uuid()
}

fn millis(time: Timestamp) -> u64 {
    u64::try_from(time.as_millisecond()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_version_7_uuid_that_sorts_by_its_time() {
        let earlier = OrderId::new(Timestamp::from_millisecond(1_000).unwrap(), [255; 10]);
        let later = OrderId::new(Timestamp::from_millisecond(1_001).unwrap(), [0; 10]);
        assert!(earlier < later);
        assert_eq!(earlier.0.get_version_num(), 7);
        assert_eq!(earlier.to_string().parse::<OrderId>(), Ok(earlier));
        assert_eq!(earlier.time(), Timestamp::from_millisecond(1_000).unwrap());
        assert_eq!(OrderId(Uuid::max()).time(), Timestamp::MAX);
    }

    #[test]
    fn a_text_that_is_no_uuid_is_refused_by_the_name_of_its_field() {
        assert_eq!("nope".parse::<OrderId>().unwrap_err().field, "orderId");
    }
}

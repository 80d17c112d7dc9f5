//! The record of which order was stored under an idempotency key.

use std::fmt::Write;
use std::time::Duration;

use application::ports::{Acceptance, Idempotency};
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::Timestamp;
use domain::order::{Order, OrderId};
use sha2::{Digest, Sha256};

use super::item::{self, BadItem, Item, KIND};

/// Not `orderId`, which may be the name of the table's key.
pub(super) const ORDER_ID: &str = "order";
pub(super) const FINGERPRINT: &str = "fingerprint";
/// When its order was accepted, in microseconds since 1970-01-01 UTC.
pub(super) const PLACED_AT: &str = "placedAt";
/// From when on the table may remove it, in whole seconds since then: its time to live.
pub(super) const EXPIRES_AT: &str = "expiresAt";
const MICROS_IN_A_SECOND: i64 = 1_000_000;

/// The keys of an order's records: what is found under the first goes before what is found under the second.
///
/// A caller who is known finds a record by the client's key. An anonymous one finds it with the order, to tell a retry from
/// anywhere, and with where it comes from, to tell another order from there.
pub(super) fn keys(idempotency: &Idempotency) -> Vec<String> {
    let Idempotency { scope, key, fingerprint, client_digest, .. } = idempotency;
    let own = Sha256::new().chain_update(scope).chain_update([0]).chain_update(key.as_str());
    match client_digest {
        None => vec![named(own)],
        Some(client_digest) => {
            let with = |what: &[u8]| named(own.clone().chain_update([0]).chain_update(what));
            vec![with(fingerprint), with(client_digest)]
        }
    }
}

/// A digest, since a client's own key may be anything and tell anything.
fn named(digest: Sha256) -> String {
    let mut key = "idem#".to_owned();
    for byte in digest.finalize() {
        // Writing to a string cannot fail.
        let _ = write!(key, "{byte:02x}");
    }
    key
}

/// The records of an order.
pub(super) fn of_order(order: &Order, idempotency: &Idempotency, key: &str) -> Vec<Item> {
    let ends_at = order.time.as_microsecond().saturating_add(micros(idempotency.lifetime));
    let expires_at = ends_at.div_euclid(MICROS_IN_A_SECOND) + 1;
    let record = |own_key| {
        [
            (key, item::text(own_key)),
            (KIND, item::text("idempotency")),
            (ORDER_ID, item::text(order.id.to_string())),
            (FINGERPRINT, AttributeValue::B(Blob::new(idempotency.fingerprint))),
            (PLACED_AT, AttributeValue::N(order.time.as_microsecond().to_string())),
            (EXPIRES_AT, AttributeValue::N(expires_at.to_string())),
        ]
        .map(|(name, value): (&str, _)| (name.to_owned(), value))
        .into()
    };
    keys(idempotency).into_iter().map(record).collect()
}

/// The latest time at which a record was placed that is over now.
pub(super) fn last_over(now: Timestamp, lifetime: Duration) -> AttributeValue {
    AttributeValue::N(now.as_microsecond().saturating_sub(micros(lifetime)).to_string())
}

/// What a record answers to whoever comes with its key at `now`; nothing if it is over.
pub(super) fn answer(
    record: &Item,
    now: &Order,
    wanted: &Idempotency,
) -> Result<Option<Acceptance>, BadItem> {
    let bad = |attribute, class| BadItem::new(attribute, class);
    let placed_at = record.get(PLACED_AT).and_then(|value| value.as_n().ok()?.parse::<i64>().ok());
    let placed_at = placed_at.ok_or_else(|| bad(PLACED_AT, "not a time"))?;
    if placed_at.saturating_add(micros(wanted.lifetime)) <= now.time.as_microsecond() {
        return Ok(None);
    }
    let stored = record.get(FINGERPRINT).and_then(|value| value.as_b().ok());
    let stored = stored.ok_or_else(|| bad(FINGERPRINT, "not binary"))?;
    let id = item::string(record, ORDER_ID)?.parse::<OrderId>().map_err(|_| bad(ORDER_ID, "not a UUID"))?;
    if stored.as_ref() != wanted.fingerprint {
        return Ok(Some(Acceptance::KeyReused(id)));
    }
    // Our own, which an earlier attempt stored though its answer was lost.
    Ok(Some(if id == now.id { Acceptance::Stored } else { Acceptance::Repeated(id) }))
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use domain::order::OrderDetails;
    use domain::order::idempotency::IdempotencyKey;

    use super::*;

    fn order(micros: i64) -> Order {
        let details = OrderDetails::parse(br#"{"customerName":"Ada","productName":"Mouse"}"#).unwrap();
        let time = Timestamp::from_microsecond(micros).unwrap();
        Order {
            id: OrderId::new(time, [micros.to_ne_bytes()[0]; 10]),
            time,
            details,
            request_id: String::new(),
        }
    }

    fn under(scope: &str, key: &str) -> Idempotency {
        Idempotency {
            scope: scope.to_owned(),
            client_digest: scope.is_empty().then_some([1; 16]),
            key: IdempotencyKey::parse(key).unwrap(),
            fingerprint: [1; 32],
            lifetime: Duration::from_micros(100),
        }
    }

    #[test]
    fn a_record_answers_until_its_lifetime_is_over_to_the_microsecond() {
        let idempotency = under("", "0123456789abcdef");
        let first = order(7);
        let record = &of_order(&first, &idempotency, "orderId")[0];
        let answer_at = |micros| answer(record, &order(micros), &idempotency);
        assert_eq!(answer_at(106), Ok(Some(Acceptance::Repeated(first.id))));
        assert_eq!(answer_at(107), Ok(None));
        assert_eq!(answer(record, &first, &idempotency), Ok(Some(Acceptance::Stored)));
        let other = Idempotency { fingerprint: [2; 32], ..idempotency.clone() };
        assert_eq!(answer(record, &order(8), &other), Ok(Some(Acceptance::KeyReused(first.id))));
    }

    #[test]
    fn the_table_removes_a_record_only_after_its_end() {
        for (placed_at, expires_at) in [(0, "1"), (999_899, "1"), (999_900, "2")] {
            let records = of_order(&order(placed_at), &under("", "0123456789abcdef"), "orderId");
            assert_eq!(records.len(), 2);
            for record in records {
                assert_eq!(record["expiresAt"], AttributeValue::N(expires_at.to_owned()), "{placed_at}");
            }
        }
    }

    #[test]
    fn keys_of_two_scopes_never_meet() {
        assert_ne!(keys(&under("a", "b123456789abcdef")), keys(&under("ab", "123456789abcdefg")));
        let anonymous = under("", "0123456789abcdef");
        let elsewhere = Idempotency { client_digest: Some([2; 16]), ..anonymous.clone() };
        let another = Idempotency { fingerprint: [2; 32], ..anonymous.clone() };
        assert!(!keys(&anonymous).contains(&keys(&under("shop", "0123456789abcdef"))[0]));
        let found = |one: &Idempotency, other: &Idempotency| {
            keys(one).iter().zip(keys(other)).map(|(one, other)| *one == other).collect::<Vec<_>>()
        };
        assert_eq!(found(&anonymous, &elsewhere), [true, false], "a retry from elsewhere");
        assert_eq!(found(&anonymous, &another), [false, true], "another order from there");
    }

    #[test]
    fn a_malformed_record_is_refused_by_the_name_of_the_attribute() {
        let idempotency = under("", "0123456789abcdef");
        for attribute in [ORDER_ID, FINGERPRINT, PLACED_AT] {
            let mut record = of_order(&order(7), &idempotency, "orderId").remove(0);
            record.insert(attribute.to_owned(), AttributeValue::Null(true));
            assert_eq!(answer(&record, &order(8), &idempotency).unwrap_err().attribute, attribute);
        }
    }
}

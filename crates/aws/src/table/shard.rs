//! The shards of the indexes.

use domain::order::OrderId;

/// How many shards an index has.
///
/// A partition takes 1,000 write units a second, one for each KB, and each shard may be one partition: 20,000 in all.
/// Both indexes are written when an order comes and again when it is marked as published, so that they take 10,000 orders
/// a second, which is what API Gateway lets through by default; and 6,666 where every order has an idempotency key, since
/// a write in a transaction counts twice. (Developer guides of Amazon DynamoDB, "Designing partition keys" and
/// "Transactions", and of API Gateway, "Quotas"; the units as DynamoDB reports them.)
pub(super) const SHARDS: u64 = 20;

/// The shard that an order is in, as the indexes' attributes have it: by the random part of its id, so that the orders
/// of a moment are spread evenly.
pub(super) fn of(order: OrderId) -> String {
    let (_, random) = order.0.as_u64_pair();
    (random % SHARDS).to_string()
}

/// All shards.
pub(super) fn all() -> impl Iterator<Item = String> {
    (0..SHARDS).map(|shard| shard.to_string())
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use domain::Timestamp;

    use super::*;

    #[test]
    fn the_orders_of_a_moment_are_spread_evenly() {
        let mut shards = HashMap::new();
        for number in 0..20_000_u128 {
            let random = number.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835).to_be_bytes();
            let id = OrderId::new(Timestamp::UNIX_EPOCH, random[..10].try_into().unwrap());
            *shards.entry(of(id)).or_insert(0) += 1;
        }
        assert!(all().all(|shard| (800..1_200).contains(&shards[&shard])), "{shards:?}");
    }
}

//! Where the orders of a time are: there is no index on times, but ids begin with them.

use domain::Timestamp;
use domain::order::OrderId;
use rusqlite::Connection;

/// The ids from the least on to below another, as their column compares them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ids {
    pub(crate) least: Vec<u8>,
    pub(crate) below: Vec<u8>,
}

impl Ids {
    /// Those of the orders from one time to before another, as [`OrderId::of_times`] has them.
    pub(crate) fn of(from: Option<Timestamp>, to: Option<Timestamp>) -> Self {
        let (least, below) = OrderId::of_times(from, to);
        let bytes = |id: OrderId| id.0.into_bytes().to_vec();
        // Without an end, above every id of 16 bytes.
        Self { least: bytes(least), below: below.map_or_else(|| vec![u8::MAX; 17], bytes) }
    }
}

/// The first and the last place in the log of the orders of a time; between them may lie others, where a clock jumped.
/// The last is before the first if there is none. Looks at the id of each order of the time: about 0.1 s for a million.
pub(crate) fn places(
    connection: &Connection,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
) -> rusqlite::Result<(i64, i64)> {
    if from.is_none() && to.is_none() {
        return Ok((0, i64::MAX));
    }
    let Ids { least, below } = Ids::of(from, to);
    let sql = "SELECT coalesce(min(seq), 0), coalesce(max(seq), -1) FROM orders WHERE id >= ? AND id < ?";
    connection.prepare_cached(sql)?.query_row([least, below], |row| Ok((row.get(0)?, row.get(1)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(millis).unwrap()
    }

    #[test]
    fn a_time_spans_the_ids_that_may_be_of_it() {
        let Ids { least, below } = Ids::of(Some(at(5)), Some(at(7)));
        for (millis, within) in [(4, false), (5, true), (6, true), (7, true), (8, false)] {
            for random in [[0; 10], [u8::MAX; 10]] {
                let id = OrderId::new(at(millis), random).0.into_bytes().to_vec();
                assert_eq!(least <= id && id < below, within, "{millis}");
            }
        }
    }

    #[test]
    fn a_time_without_a_bound_spans_every_id() {
        for (from, to) in [(None, None), (Some(Timestamp::MIN), Some(Timestamp::MAX))] {
            let Ids { least, below } = Ids::of(from, to);
            for id in [vec![0; 16], vec![u8::MAX; 16]] {
                assert!(least <= id && id < below);
            }
        }
    }
}

//! When keys are over together, and which they are.
//!
//! A period is told by the hour since 1970 at whose beginning all of its keys are over. Orders and the ends of their keys
//! rise together, but where a clock jumps or another lifetime was configured: so a period's keys are those of a range of
//! orders, after a jump of several.

use rusqlite::Connection;

pub(super) const HOUR: i64 = 3_600 * 1_000_000;

/// The period of a key that ends then. A period is as long as a lifetime, in whole hours: two of them are alive.
pub(super) fn period_of(ends_at: i64, lifetime: i64) -> i64 {
    let hours = (lifetime / HOUR + i64::from(lifetime % HOUR > 0)).max(1);
    (ends_at.div_euclid(HOUR).div_euclid(hours) + 1).saturating_mul(hours)
}

/// Orders that follow one another, up to the next range's first, whose keys are of one period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PeriodRange {
    pub(super) first_order: i64,
    pub(super) period: i64,
}

/// All ranges, in the order of their orders.
#[derive(Debug, Default)]
pub(super) struct PeriodRanges {
    ranges: Vec<PeriodRange>,
    /// What they were before the open transaction changed them.
    before: Option<Vec<PeriodRange>>,
}

impl PeriodRanges {
    pub(super) fn read(connection: &Connection) -> rusqlite::Result<Self> {
        let mut statement =
            connection.prepare("SELECT first_order, period FROM idempotency_periods ORDER BY first_order")?;
        let ranges = statement
            .query_map((), |row| Ok(PeriodRange { first_order: row.get(0)?, period: row.get(1)? }))?;
        Ok(Self { ranges: ranges.collect::<rusqlite::Result<_>>()?, before: None })
    }

    /// The period of the key of an order that has one.
    pub(super) fn period(&self, order: i64) -> Option<i64> {
        let later = self.ranges.partition_point(|range| range.first_order <= order);
        later.checked_sub(1).and_then(|at| self.ranges.get(at)).map(|range| range.period)
    }

    /// The period of a key of the next order, in the last range where it fits.
    pub(super) fn next(
        &mut self,
        connection: &Connection,
        order: i64,
        ends_at: i64,
        lifetime: i64,
    ) -> rusqlite::Result<i64> {
        let period = period_of(ends_at, lifetime);
        // Orders come a little out of the order of their times: where a period begins, they must not begin many ranges.
        let at_latest = period_of(ends_at.saturating_add(HOUR), lifetime);
        if let Some(range) = self.ranges.last()
            && (period..=at_latest).contains(&range.period)
        {
            return Ok(range.period);
        }
        let sql = "INSERT OR REPLACE INTO idempotency_periods (first_order, period) VALUES (?, ?)";
        connection.prepare_cached(sql)?.execute([order, period])?;
        self.before.get_or_insert_with(|| self.ranges.clone());
        // An order that was not stored after all may have begun one here.
        self.ranges.retain(|range| range.first_order < order);
        self.ranges.push(PeriodRange { first_order: order, period });
        Ok(period)
    }

    /// The first range whose keys are all over, and the last order that may be in it.
    pub(super) fn over(&self, now: i64) -> Option<(PeriodRange, i64)> {
        let at = self.ranges.iter().position(|range| range.period <= now.div_euclid(HOUR))?;
        let last = self.ranges.get(at + 1).map_or(i64::MAX, |next| next.first_order - 1);
        self.ranges.get(at).map(|range| (*range, last))
    }

    /// A range was deleted.
    pub(super) fn remove(&mut self, gone: PeriodRange) {
        self.ranges.retain(|range| *range != gone);
    }

    pub(super) fn committed(&mut self) {
        self.before = None;
    }

    pub(super) fn rolled_back(&mut self) {
        if let Some(before) = self.before.take() {
            self.ranges = before;
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.ranges.len()
    }
}

//! Drawing near what is due too late: a clock that leapt ahead leaves such times behind.

use domain::Timestamp;
use domain::endpoint::Protocol;
use rusqlite::{Connection, params};

use super::Answer;
use super::next_due::refresh;
use super::redrive::AT_ONCE;
use crate::columns::micros;
use crate::failure::Failure;

/// One command looks at so many subscriptions, whatever they are.
const LOOK: &str =
    "SELECT seq, protocol = ?2 AND state <> 'ended' FROM subscriptions WHERE seq > ?1 ORDER BY seq LIMIT ?3";
const DRAW: &str = "UPDATE deliveries SET at = ?2 WHERE seq IN (SELECT late.seq FROM deliveries late \
     INDEXED BY deliveries_due WHERE late.subscription = ?1 AND late.state = 'pending' AND late.set_aside = 0 \
     AND late.at > ?2 ORDER BY late.at LIMIT ?3)";
const END_PAUSE: &str = "UPDATE subscriptions SET retry_at = ?2 WHERE seq = ?1 AND retry_at > ?2";

/// Lets no delivery over that protocol be due after `latest`, nor any endpoint's pause last longer: of the subscriptions
/// behind `after`, as many as one commit bears. Answers how many deliveries it drew near.
pub(super) fn draw_near(
    connection: &Connection,
    protocol: Protocol,
    latest: Timestamp,
    after: i64,
) -> Result<Answer, Failure> {
    let at_once = i64::try_from(AT_ONCE).unwrap_or(i64::MAX);
    let mut look = connection.prepare_cached(LOOK)?;
    let seen =
        look.query_map(params![after, protocol.name(), at_once], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let seen = seen.collect::<rusqlite::Result<Vec<(i64, bool)>>>()?;
    let mut drawn = 0;
    for (subscription, _) in seen.iter().filter(|(_, is_over_it)| *is_over_it) {
        let room = AT_ONCE - drawn;
        let at_most = i64::try_from(room).unwrap_or(i64::MAX);
        let done =
            connection.prepare_cached(DRAW)?.execute(params![subscription, micros(latest), at_most])?;
        drawn += done;
        if done == room {
            // Here it goes on: what was drawn near is not looked at again.
            refresh(connection, *subscription)?;
            return Ok(Answer::Count { count: drawn, next: Some(subscription - 1) });
        }
        let paused = connection.prepare_cached(END_PAUSE)?.execute(params![subscription, micros(latest)])?;
        if done + paused > 0 {
            refresh(connection, *subscription)?;
        }
    }
    let next = seen.last().map(|(seq, _)| *seq).filter(|_| seen.len() == AT_ONCE);
    Ok(Answer::Count { count: drawn, next })
}

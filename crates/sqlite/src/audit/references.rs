//! Rows that refer to others: those must be there.

use domain::delivery::DeliveryId;
use rusqlite::{Connection, Row};

use super::exception::{Exception, ExceptionKind, Findings};
use super::subscriptions::Subscriptions;
use crate::columns;

/// Deliveries of orders, to subscriptions and instead of deliveries that are gone.
const DELIVERIES: &str = "SELECT id, subscription, order_seq, \
     order_seq IS NOT NULL AND NOT EXISTS (SELECT 1 FROM orders WHERE orders.seq = order_seq) AS order_gone, \
     NOT EXISTS (SELECT 1 FROM subscriptions WHERE subscriptions.seq = subscription) AS subscription_gone, \
     escalated_from IS NOT NULL AND NOT EXISTS (SELECT 1 FROM deliveries earlier \
     WHERE earlier.seq = deliveries.escalated_from) AS earlier_gone \
     FROM deliveries WHERE order_gone OR subscription_gone OR earlier_gone ORDER BY seq";
/// Deliveries that are gone, and how many attempts at each are left.
const ATTEMPTS: &str = "SELECT delivery, count(*) AS left FROM attempts \
     WHERE NOT EXISTS (SELECT 1 FROM deliveries WHERE seq = delivery) GROUP BY delivery ORDER BY delivery";
/// Subscriptions that are gone, and how many versions of each are left.
const VERSIONS: &str = "SELECT subscription, count(*) AS left FROM subscription_versions \
     WHERE NOT EXISTS (SELECT 1 FROM subscriptions WHERE seq = subscription) GROUP BY subscription ORDER BY subscription";
/// What else refers to what is gone.
const OTHERS: &str = "SELECT broken.\"table\" AS referring, broken.rowid AS place, broken.parent AS gone \
     FROM sqlite_schema, pragma_foreign_key_check(sqlite_schema.name) AS broken WHERE sqlite_schema.type = 'table' \
     AND sqlite_schema.name NOT IN ('deliveries', 'attempts', 'subscription_versions')";

pub(super) fn check(
    snapshot: &Connection,
    subscriptions: &Subscriptions,
    findings: &mut Findings<'_>,
) -> rusqlite::Result<()> {
    each(snapshot, DELIVERIES, findings, |row| {
        let (subscription, order): (i64, Option<i64>) = (row.get("subscription")?, row.get("order_seq")?);
        let gone = [
            (row.get("order_gone")?, format!("its order (place {})", order.unwrap_or_default())),
            (row.get("subscription_gone")?, format!("its subscription (subscriptions.seq = {subscription})")),
            (row.get("earlier_gone")?, "the delivery that it escalated from".to_owned()),
        ];
        let gone = gone.into_iter().filter_map(|(is_gone, what): (bool, _)| is_gone.then_some(what));
        let gone = format!("{} gone", gone.map(|what| what + " is").collect::<Vec<_>>().join(" gone, "));
        let subscription = subscriptions.get(&subscription).map(|subscribed| subscribed.id);
        let id = columns::uuid(row, "id").ok().map(DeliveryId);
        Ok(dangling(gone).delivery(id).subscription(subscription))
    })?;
    each(snapshot, ATTEMPTS, findings, |row| {
        let (delivery, left): (i64, i64) = (row.get("delivery")?, row.get("left")?);
        Ok(dangling(format!(
            "a delivery (deliveries.seq = {delivery}) is gone, {left} attempts at it are left"
        )))
    })?;
    each(snapshot, VERSIONS, findings, |row| {
        let (subscription, left): (i64, i64) = (row.get("subscription")?, row.get("left")?);
        let gone = format!("subscriptions.seq = {subscription}");
        Ok(dangling(format!("a subscription ({gone}) is gone, {left} versions of it are left")))
    })?;
    each(snapshot, OTHERS, findings, |row| {
        let (referring, gone): (String, String) = (row.get("referring")?, row.get("gone")?);
        let place = row.get::<_, Option<i64>>("place")?.map_or_else(String::new, |seq| format!(" {seq}"));
        Ok(dangling(format!("row{place} of {referring} refers to a row of {gone} that is gone")))
    })
}

fn each(
    snapshot: &Connection,
    sql: &str,
    findings: &mut Findings<'_>,
    name: impl Fn(&Row<'_>) -> rusqlite::Result<Exception>,
) -> rusqlite::Result<()> {
    let mut statement = snapshot.prepare(sql)?;
    let mut found = statement.query(())?;
    while let Some(row) = found.next()? {
        findings.add(name(row)?);
    }
    Ok(())
}

fn dangling(wrong: String) -> Exception {
    Exception::new(ExceptionKind::DanglingReference, wrong)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema;

    /// Those that `OTHERS` leaves out have a check of their own.
    #[test]
    fn every_reference_of_the_tables_with_checks_of_their_own_is_checked() {
        let mut connection = Connection::open_in_memory().unwrap();
        schema::migrate(&mut connection).unwrap();
        let sql = "SELECT sqlite_schema.name || '.' || key.\"from\" FROM sqlite_schema, \
                   pragma_foreign_key_list(sqlite_schema.name) AS key \
                   WHERE sqlite_schema.name IN ('deliveries', 'attempts', 'subscription_versions') ORDER BY 1";
        let mut statement = connection.prepare(sql).unwrap();
        let found: Vec<String> =
            statement.query_map((), |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap();
        let checked = [
            "attempts.delivery",
            "deliveries.escalated_from",
            "deliveries.order_seq",
            "deliveries.subscription",
            "subscription_versions.subscription",
        ];
        assert_eq!(found, checked);
    }
}

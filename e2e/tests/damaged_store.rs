//! A store with one damaged row of every table, and attempts in flight: the program starts, everyone else is told, every
//! list goes past what cannot be read, the audit names it; mended by hand, all that was pending is delivered.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context, Result};
use orderbell_e2e::client::Client;
use orderbell_e2e::program::Program;
use orderbell_e2e::receiver::Receiver;
use orderbell_e2e::wait;
use rusqlite::Connection;
use serde_json::{Value, json};

/// Receivers by their paths.
const PATHS: [&str; 5] = ["/a", "/b", "/c", "/d", "/e"];
/// A time of no calendar.
const NEVER: i64 = i64::MAX;

/// What was told: at which path, of which order.
type Told = BTreeSet<(&'static str, usize)>;

struct World {
    program: Program,
    client: Client,
    receiver: Receiver,
    /// By their paths.
    subscriptions: Vec<String>,
    orders: Vec<String>,
    /// Notifications that came before the damage.
    before: usize,
}

impl World {
    /// Six orders, of which only `/a` is told yet: the others are suspended.
    async fn new() -> Result<Self> {
        let program = Program::start(Receiver::settings()).await?;
        let (client, receiver) = (program.client()?, Receiver::start().await?);
        let mut subscriptions = Vec::new();
        for path in PATHS {
            let made = client.subscribe("webhook", &receiver.url(path)).await?;
            let id = made["subscriptionId"].as_str().context("a subscriptionId")?.to_owned();
            client.wait_for_subscription(&id, "confirmed").await?;
            if path != "/a" {
                client.post(&format!("/subscriptions/{id}/suspend"), &json!({})).await?.expect(200)?;
            }
            subscriptions.push(id);
        }
        let mut orders = Vec::new();
        for _ in 0..6 {
            orders.push(client.place_order("John Doe", "Wireless Mouse").await?);
        }
        let before = receiver.wait_for_notifications(6).await?.len();
        let world = Self { program, client, receiver, subscriptions, orders, before };
        let settled = async || {
            Ok((world.count("SELECT count(*) FROM deliveries WHERE state = 'in_flight'")? == 0).then_some(()))
        };
        wait::until("the outcomes are recorded", settled).await?;
        Ok(world)
    }

    fn shell(&self) -> Result<Connection> {
        let shell = Connection::open(self.program.data().join("orderbell.db"))?;
        shell.pragma_update(None, "foreign_keys", false)?;
        shell.busy_timeout(Duration::from_secs(5))?;
        Ok(shell)
    }

    fn count(&self, sql: &str) -> Result<i64> {
        Ok(self.shell()?.query_row(sql, (), |row| row.get(0))?)
    }

    /// What was told since the damage.
    fn told(&self) -> Told {
        let since = self.receiver.notifications().into_iter().skip(self.before);
        since
            .filter_map(|received| {
                let path = PATHS.into_iter().find(|path| *path == received.path)?;
                let id = received.json()["data"]["orderId"].as_str()?.to_owned();
                Some((path, self.orders.iter().position(|order| *order == id)?))
            })
            .collect()
    }

    async fn wait_until_told(&self, expected: &Told) -> Result<()> {
        let told = async || Ok((self.told() == *expected).then_some(()));
        let all = wait::until("everyone is told", told).await;
        all.with_context(|| format!("told {:?}, expected {expected:?}", self.told()))
    }

    fn audit(&self) -> Result<(i32, String)> {
        let output = self.program.command(&["audit"])?;
        let code = output.status.code().context("an exit code")?;
        Ok((code, String::from_utf8_lossy(&output.stdout).into_owned()))
    }

    /// The rows of a list that cannot be read, page by page.
    async fn unreadable(&self, path: &str) -> Result<Vec<String>> {
        let (mut places, mut next) = (Vec::new(), String::new());
        loop {
            let page = self.client.get(&format!("{path}?limit=2{next}")).await?.expect(200)?;
            for row in page["unreadable"].as_array().into_iter().flatten() {
                places.push(row["place"].as_str().context("a place")?.to_owned());
            }
            let Some(cursor) = page["next"].as_str() else { return Ok(places) };
            next = format!("&cursor={cursor}");
        }
    }
}

/// The delivery of an order to the subscription of a path, both by their places.
fn delivery(path: usize, order: usize) -> String {
    format!("(SELECT seq FROM deliveries WHERE subscription = {} AND order_seq = {})", path + 1, order + 1)
}

/// Damages a row of every table; answers what mends it. Orders 4 and 5 are not published, and 0 and 5 are damaged; two
/// attempts are in flight, one at a delivery that cannot be read.
fn damage(world: &World) -> Result<String> {
    let (of_a, in_flight, lost, odd) = (delivery(0, 1), delivery(4, 1), delivery(2, 2), delivery(2, 3));
    let damage = format!(
        "UPDATE relay SET published_through = published_through - 2;
         DELETE FROM attempts WHERE delivery IN (SELECT seq FROM deliveries WHERE order_seq > 4);
         DELETE FROM deliveries WHERE order_seq > 4;
         CREATE TABLE undamaged (id); INSERT INTO undamaged SELECT id FROM deliveries WHERE seq = {lost};
         UPDATE deliveries SET state = 'in_flight', attempts = 1 WHERE seq IN ({in_flight}, {lost});
         INSERT INTO attempts (delivery, number, started_at) VALUES ({in_flight}, 1, 0), ({lost}, 1, 0);
         UPDATE orders SET body = '?' || body WHERE seq IN (1, 6);
         UPDATE subscriptions SET protocol = 'pigeon' WHERE seq = 1;
         UPDATE subscription_versions SET state = 'odd' WHERE subscription = 2 AND to_seq IS NULL;
         UPDATE deliveries SET kind = 'whim' WHERE seq = {odd};
         UPDATE deliveries SET id = x'00' WHERE seq = {lost};
         UPDATE attempts SET ended_at = {NEVER} WHERE delivery = {of_a};
         INSERT INTO receipts VALUES ({of_a}, 1, 1, 'eaten', 'by the dog', 0);
         INSERT INTO interventions VALUES ({of_a}, 1, 'kissed', 0, 'dead', 0);
         INSERT INTO channel_pauses (protocol, from_at, reason) VALUES ('pigeon', 0, 'ill');
         INSERT INTO inbox (id, protocol, recipient, kind, subject, text, kept_at)
         VALUES (randomblob(16), 'email', 'jo@example.com', 'test', '', '', {NEVER});"
    );
    world.shell()?.execute_batch(&damage)?;
    Ok(format!(
        "UPDATE orders SET body = substr(body, 2) WHERE body LIKE '?%';
         UPDATE subscriptions SET protocol = 'webhook' WHERE seq = 1;
         UPDATE subscription_versions SET state = 'suspended' WHERE state = 'odd';
         UPDATE deliveries SET kind = 'notification' WHERE kind = 'whim';
         UPDATE deliveries SET id = (SELECT id FROM undamaged) WHERE id = x'00';
         DROP TABLE undamaged;
         UPDATE attempts SET ended_at = started_at WHERE delivery = {of_a};
         DELETE FROM receipts; DELETE FROM interventions; DELETE FROM inbox;
         DELETE FROM channel_pauses WHERE protocol = 'pigeon';"
    ))
}

#[tokio::test]
async fn a_damaged_row_of_every_table_costs_only_itself_and_mended_everyone_is_told() -> Result<()> {
    let mut world = World::new().await?;
    world.program.terminate().await?;
    let mend = damage(&world)?;
    world.program.restart().await?;
    for id in &world.subscriptions[1..] {
        world.client.post(&format!("/subscriptions/{id}/resume"), &json!({})).await?.expect(200)?;
    }

    let others =
        [("/b", [1, 2, 3].as_slice()), ("/c", &[1, 4]), ("/d", &[1, 2, 3, 4]), ("/e", &[1, 2, 3, 4])];
    let mut expected: Told =
        others.iter().flat_map(|(path, orders)| orders.iter().map(|order| (*path, *order))).collect();
    world.wait_until_told(&expected).await?;
    everything_is_named(&world).await?;

    world.shell()?.execute_batch(&mend)?;
    world.program.terminate().await?;
    world.program.restart().await?;
    let rest = [
        ("/a", [4, 5].as_slice()),
        ("/b", &[0, 4, 5]),
        ("/c", &[0, 2, 3, 5]),
        ("/d", &[0, 5]),
        ("/e", &[0, 5]),
    ];
    expected.extend(rest.iter().flat_map(|(path, orders)| orders.iter().map(|order| (*path, *order))));
    world.wait_until_told(&expected).await?;
    assert_eq!(world.count("SELECT count(*) FROM quarantine")?, 0);
    let clean = async || Ok((world.audit()?.0 == 0).then_some(()));
    wait::until("the audit is clean", clean).await.with_context(|| format!("{:?}", world.audit()))?;
    assert_eq!(world.unreadable("/orders").await?, Vec::<String>::new());
    Ok(())
}

async fn everything_is_named(world: &World) -> Result<()> {
    assert_eq!(world.unreadable("/orders").await?, ["orders.seq = 6", "orders.seq = 1"]);
    assert_eq!(world.unreadable("/subscriptions").await?, ["subscriptions.seq = 1"]);
    assert_eq!(world.unreadable("/inbox").await?, ["inbox.seq = 1"]);
    assert!(!world.unreadable("/deliveries").await?.is_empty());
    for (place, id) in world.orders.iter().enumerate() {
        let answer = world.client.get(&format!("/orders/{id}")).await?;
        if [0, 5].contains(&place) {
            assert_eq!(answer.expect(409)?["code"], "unreadable_row");
        } else {
            let timeline = answer.expect(200)?;
            assert!(timeline["unreadable"].as_array().is_some_and(|rows| !rows.is_empty()), "{timeline:#}");
        }
    }
    let waiting = world.client.list("/deliveries?state=pending").await?;
    assert!(waiting.iter().any(|delivery| delivery["waitsBecause"] == "quarantined"), "{waiting:#?}");
    let ended = world.client.get(&format!("/subscriptions/{}", world.subscriptions[0])).await?;
    assert_eq!(ended.expect(409)?["code"], Value::from("unreadable_row"));
    let metrics = world.client.get("/metrics").await?.body;
    assert!(
        metrics.lines().any(|line| line.starts_with("orderbell_rows_quarantined ") && !line.ends_with(" 0"))
    );
    let listed = world.program.command(&["order", "list"])?;
    assert!(String::from_utf8_lossy(&listed.stdout).contains("cannot be read: orders.seq = 6"), "{listed:?}");
    let (code, named) = world.audit()?;
    assert_eq!(code, 1);
    for place in [
        "orders.seq = 1",
        "orders.seq = 6",
        "subscriptions.seq = 1",
        "subscription_versions.subscription = 2",
        "deliveries.seq",
        "attempts.delivery",
        "receipts.delivery",
        "interventions.delivery",
        "channel_pauses.seq",
        "inbox.seq = 1",
    ] {
        assert!(
            named.contains(&format!("{place} ")) || named.contains(&format!("{place} =")),
            "{place} in {named}"
        );
    }
    let log = world.program.log();
    assert!(log.contains("a row cannot be read and is quarantined"), "{log}");
    assert!(!log.contains("John Doe"), "nothing of what stands there is logged");
    Ok(())
}

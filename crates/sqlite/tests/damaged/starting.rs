//! Starting over a damaged store: what the last process left open is settled, whatever cannot be read.

use application::ports::{
    Deliveries, DeliveryFilter, DeliveryQueue, LocalSubscriptions, Redrivable, RedriveSelection,
};
use domain::endpoint::Protocol;
use host::{SystemClock, SystemRandomness};

use crate::opened::now;
use crate::world::World;

#[tokio::test]
async fn an_attempt_in_flight_at_a_delivery_that_cannot_be_read_ends_as_unknown_and_stays_pending() {
    for (table, row, column, with) in [
        ("deliveries", 3, "id", "x'00'"),
        ("deliveries", 3, "kind", "'whim'"),
        ("subscriptions", 1, "protocol", "'pigeon'"),
        ("subscriptions", 1, "endpoint", "CAST(x'ff' AS TEXT)"),
        ("subscriptions", 1, "confirmation_expires_at", "9223372036854775807"),
        ("orders", 1, "body", "'?'"),
    ] {
        let world = World::new();
        let ada = world.confirmed("ada@example.com").await;
        let bob = world.confirmed("bob@example.com").await;
        world.place().await;
        world.publish().await;
        for (_, _, delivery, _) in world.due().await {
            world.begin(delivery, 1).await;
        }
        let mend = world.damage(table, row, column, with);
        let world = world.restarted().await;
        let settled =
            application::recover(&world.store, &[].into(), &SystemClock, &SystemRandomness).await.unwrap();
        assert!((1..=2).contains(&settled), "{table} {column}");
        assert_eq!(
            world.count("SELECT count(*) FROM attempts WHERE ended_at IS NULL"),
            0,
            "{table} {column}"
        );
        assert_eq!(world.count("SELECT count(*) FROM deliveries WHERE state = 'in_flight'"), 0);
        assert!(world.store.interrupted().await.unwrap().is_empty());
        // No channel is given, so that what can be decided is held.
        let held = RedriveSelection::Many { state: Redrivable::Held, filter: DeliveryFilter::default() };
        world.store.redrive(held, now()).await.unwrap();
        let told = world.told(bob).await.len() + world.told(ada).await.len();
        assert_eq!(told, usize::from(table != "orders"), "{table} {column}");
        world.sql(&mend);
        world.store.reexamine().await.unwrap();
        assert_eq!((world.told(ada).await.len(), world.told(bob).await.len()), (1, 1), "{table} {column}");
        world.deliver().await;
        assert_eq!((world.quarantined(), world.audited()), (vec![], vec![]), "{table} {column}");
        world.store.close().await;
    }
}

#[tokio::test]
async fn what_only_the_sandbox_confirmed_lapses_though_its_row_cannot_be_read() {
    let world = World::new();
    world.confirmed("ada@example.com").await;
    world.confirmed("bob@example.com").await;
    world.sql("UPDATE subscriptions SET confirmed_in_sandbox = 1");
    world.damage("subscriptions", 1, "filter_policy", "'?'");
    world.damage("subscriptions", 2, "receives", "'gossip'");
    let lapsed = world.store.lapse_sandbox_confirmations(Protocol::Email, now()).await.unwrap();
    assert_eq!(lapsed, 2);
    assert_eq!(world.count("SELECT count(*) FROM subscriptions WHERE state = 'pending'"), 2);
    world.store.close().await;
}

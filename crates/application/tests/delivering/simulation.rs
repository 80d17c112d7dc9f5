//! Whatever happens, and whenever: every delivery ends, none is in flight twice, no limit is passed.

use domain::endpoint::Protocol;
use proptest::prelude::*;

use crate::given::subscription;
use crate::world::{World, fan_out, protocol_of};

/// What the world checks at each step is asserted there; this is what must hold at its end.
fn check_the_end(world: &World) {
    let pending: Vec<_> =
        world.store.pending().filter(|(delivery, _)| delivery.protocol() != Protocol::Sms).collect();
    assert!(pending.is_empty(), "{} never ended, such as {:?}", pending.len(), pending.first());
    for (protocol, _) in crate::world::CHANNELS {
        assert_eq!(world.store.in_flight(protocol), 0);
    }
    for (delivery, times) in &world.arrived {
        let unseen = world.unseen.get(delivery).copied().unwrap_or(0);
        assert!(*times <= 1 + unseen, "{delivery:?} arrived {times} times, of which {unseen} may be unseen");
    }
}

#[derive(Debug, Clone)]
struct Story {
    seed: u64,
    store_fails: u64,
    orders: Vec<(u64, u128)>,
    ends: Vec<(u64, u128)>,
    outages: Vec<(u64, bool, u64)>,
}

fn stories() -> impl Strategy<Value = Story> {
    let orders = prop::collection::vec((0u64..600, 1u128..40), 1..8);
    let ends = prop::collection::vec((0u64..2_000, 1u128..40), 0..3);
    let outages = prop::collection::vec((0u64..1_000, any::<bool>(), 1u64..5_000), 0..4);
    let store_fails = prop::sample::select(vec![0, 0, 5, 30]);
    (any::<u64>(), store_fails, orders, ends, outages).prop_map(
        |(seed, store_fails, orders, ends, outages)| Story { seed, store_fails, orders, ends, outages },
    )
}

fn told(story: &Story) -> World {
    let mut world = World::new(story.seed, story.store_fails);
    for (number, (at, subscribers)) in story.orders.iter().enumerate() {
        world.order_at(*at, fan_out(1_000 * (1 + number as u128), *subscribers));
    }
    for (at, subscriber) in &story.ends {
        world.end_at(*at, subscription(*subscriber, protocol_of(*subscriber)).id);
    }
    for (at, mail, lasting) in &story.outages {
        let protocol = if *mail { Protocol::Email } else { Protocol::Webhook };
        world.break_at(*at, protocol, *lasting);
    }
    world
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn every_delivery_comes_to_its_end(story in stories()) {
        let mut world = told(&story);
        world.run();
        check_the_end(&world);
    }

    #[test]
    fn every_delivery_comes_to_its_end_however_often_the_program_stops_or_dies(
        story in stories(), restarts in prop::collection::vec((1u64..400, any::<bool>()), 1..6),
    ) {
        let mut world = told(&story);
        for (steps, gently) in restarts {
            let _ = (0..steps).all(|_| world.step());
            if gently { world.restart_gently() } else { world.restart_hard() }
        }
        world.run();
        check_the_end(&world);
    }
}

#[test]
fn thousands_of_subscribers_and_a_long_outage_come_to_their_end() {
    let mut world = World::new(7, 1);
    world.order_at(0, fan_out(10_000, 1_400));
    world.order_at(60, fan_out(20_000, 50));
    world.break_at(30, Protocol::Email, 7_200);
    world.run();
    check_the_end(&world);
}

#[test]
fn one_subscriber_with_a_long_backlog_comes_to_its_end() {
    let mut world = World::new(11, 2);
    for number in 0..400 {
        world.order_at(number / 100, fan_out(10_000 + 10 * u128::from(number), 1));
    }
    world.run();
    check_the_end(&world);
}

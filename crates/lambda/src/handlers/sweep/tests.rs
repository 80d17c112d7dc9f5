use host::{SetClock, SystemRandomness};

use super::*;
use crate::handlers::fixtures::{FakeBacklog, FakePublisher, order};

const NOW: i64 = 1_700_000_000;

struct World {
    publisher: Arc<FakePublisher>,
    backlog: Arc<FakeBacklog>,
    clock: Arc<SetClock>,
    sweep: Sweep,
    orders: Vec<OrderId>,
}

/// A sweep over orders of these ages in seconds, oldest first.
fn world(ages: impl IntoIterator<Item = i64>) -> World {
    let orders: Vec<_> = (0..).zip(ages).map(|(number, age)| order(number, NOW - age)).collect();
    let publisher = Arc::new(FakePublisher::default());
    let clock = Arc::new(SetClock::at_second(NOW));
    let ids = orders.iter().map(|order| order.id).collect();
    let backlog = Arc::new(FakeBacklog::new(orders, Arc::clone(&publisher)));
    let sweep = Sweep {
        backlog: Arc::clone(&backlog) as _,
        publisher: Arc::clone(&publisher) as _,
        clock: Arc::clone(&clock) as _,
        randomness: Arc::new(SystemRandomness),
    };
    World { publisher, backlog, clock, sweep, orders: ids }
}

impl World {
    async fn swept(&self) -> SweepReport {
        let deadline = self.clock.now() + Duration::from_mins(1);
        self.sweep.rounds(deadline).await.unwrap()
    }
}

#[tokio::test]
async fn everything_older_than_the_streams_time_is_published_and_nothing_younger() {
    let world = world([3_600, 901, 900, 899, 1]);
    assert_eq!(world.swept().await, SweepReport { published: 3, ..SweepReport::default() });
    assert_eq!(world.publisher.published(), world.orders[..3].iter().copied().collect());
}

#[tokio::test]
async fn a_long_backlog_is_published_in_rounds() {
    let world = world((1_500..3_000).rev());
    assert_eq!(world.swept().await, SweepReport { published: 1_500, ..SweepReport::default() });
    assert!(world.orders.iter().all(|id| world.publisher.sent(*id) == 1));
}

#[tokio::test]
async fn what_cannot_be_read_is_counted_hides_nothing_behind_it_and_is_published_once_it_is_mended() {
    let world = world((1_000..2_000).rev());
    for id in &world.orders[..600] {
        world.backlog.damage(*id);
    }
    let swept = world.swept().await;
    let left = SweepReport {
        published: 400,
        unreadable: 600,
        left: 600,
        oldest_seconds: 1_999,
        ..SweepReport::default()
    };
    assert_eq!(swept, left);
    world.backlog.mend();
    assert_eq!(world.swept().await, SweepReport { published: 600, ..SweepReport::default() });
    assert!(world.orders.iter().all(|id| world.publisher.sent(*id) == 1));
}

#[tokio::test]
async fn what_fails_is_tried_once_a_sweep_and_hides_nothing_behind_it() {
    let world = world((1_500..2_000).rev());
    for id in &world.orders[..99] {
        world.publisher.fail(*id, 2);
    }
    let swept = world.swept().await;
    let left =
        SweepReport { published: 401, failed: 99, left: 99, oldest_seconds: 1_999, ..SweepReport::default() };
    assert_eq!(swept, left);
    world.swept().await;
    assert_eq!(world.swept().await, SweepReport { published: 99, ..SweepReport::default() });
}

#[tokio::test]
async fn rounds_of_nothing_but_failures_starve_no_order_behind_them() {
    let world = world((1_500..2_000).rev());
    for id in &world.orders[..350] {
        world.publisher.fail(*id, usize::MAX);
    }
    assert_eq!(
        world.swept().await,
        SweepReport {
            published: 150,
            failed: 350,
            left: 350,
            oldest_seconds: 1_999,
            ..SweepReport::default()
        }
    );
}

#[tokio::test]
async fn while_the_topic_is_down_every_order_is_left() {
    let world = world((1_500..2_000).rev());
    world.publisher.set_down(true);
    let swept = world.swept().await;
    assert_eq!(
        swept,
        SweepReport { published: 0, failed: 500, left: 500, oldest_seconds: 1_999, ..SweepReport::default() }
    );
}

#[tokio::test(start_paused = true)]
async fn a_sweep_that_hangs_is_given_up_in_time_to_say_what_is_left() {
    let world = world([1_300, 1_200]);
    world.publisher.hang();
    let start = tokio::time::Instant::now();
    assert_eq!(
        world.swept().await,
        SweepReport { published: 0, failed: 2, left: 2, oldest_seconds: 1_300, ..SweepReport::default() }
    );
    assert_eq!(start.elapsed() + REPORTING_TIME, Duration::from_mins(1));
}

#[tokio::test(start_paused = true)]
async fn a_read_that_hangs_late_does_not_hide_what_was_swept() {
    let world = world((1_500..1_700).rev());
    world.backlog.hang_behind(world.orders[99]);
    assert_eq!(world.swept().await, SweepReport { published: 100, ..SweepReport::default() });
}

#[tokio::test]
async fn no_round_begins_when_lambda_is_about_to_end_the_invocation() {
    let world = world([1_300, 1_200]);
    let deadline = world.clock.now() + LAST_ROUND_BEFORE_END;
    let swept = world.sweep.rounds(deadline).await.unwrap();
    assert_eq!(
        swept,
        SweepReport { published: 0, failed: 0, left: 2, oldest_seconds: 1_300, ..SweepReport::default() }
    );
    world.clock.advance(Duration::from_mins(2));
    assert_eq!(world.sweep.rounds(deadline).await.unwrap().oldest_seconds, 1_420);
}

#[tokio::test]
async fn an_item_that_has_no_place_among_orders_is_counted_once() {
    let world = world((1_500..1_800).rev());
    world.backlog.stray("no id");
    world.backlog.stray("zzz");
    let swept = world.swept().await;
    assert_eq!(swept, SweepReport { published: 300, unreadable: 2, left: 2, ..SweepReport::default() });
}

#[tokio::test]
async fn an_order_of_a_time_to_come_is_no_less_due() {
    let world = world([-901, -899, 901]);
    world.backlog.damage(world.orders[0]);
    let swept = world.swept().await;
    assert_eq!((swept.published, swept.unreadable, swept.left), (1, 1, 1));
}

#[tokio::test]
async fn a_sweep_leaves_all_to_one_that_is_on_its_way_and_says_nothing_of_what_is_left() {
    let emf_metrics =
        crate::emf_metrics::EmfMetrics::new("shop-sweep".to_owned(), Arc::new(SetClock::at_second(NOW)));
    let _guard = metrics::set_default_local_recorder(&emf_metrics);
    let world = world([1_300]);
    world.backlog.hold();
    let answer = world.sweep.sweep(world.clock.now() + Duration::from_mins(1)).await.unwrap();
    assert_eq!(answer, json!({ "leftToAnother": true }));
    assert!(world.publisher.published().is_empty() && world.backlog.is_held());
    let mut line = Vec::new();
    emf_metrics.write_line("8f5e", &mut line);
    assert!(line.is_empty());
}

#[tokio::test]
async fn a_sweep_that_is_over_holds_up_no_other() {
    let world = world([1_300]);
    world.sweep.sweep(world.clock.now() + Duration::from_mins(1)).await.unwrap();
    assert!(!world.backlog.is_held());
}

#[tokio::test]
async fn what_a_sweep_leaves_is_a_metric_even_if_it_is_nothing() {
    let emf_metrics =
        crate::emf_metrics::EmfMetrics::new("shop-sweep".to_owned(), Arc::new(SetClock::at_second(NOW)));
    let _guard = metrics::set_default_local_recorder(&emf_metrics);
    for (failures, left) in [(1, 1.0), (0, 0.0)] {
        let world = world([1_300]);
        world.publisher.fail(world.orders[0], failures);
        world.sweep.sweep(world.clock.now() + Duration::from_mins(1)).await.unwrap();
        let mut line = Vec::new();
        emf_metrics.write_line("8f5e", &mut line);
        let line: Value = serde_json::from_slice(&line).unwrap();
        assert_eq!(line["UnpublishedOrders"], left);
    }
}

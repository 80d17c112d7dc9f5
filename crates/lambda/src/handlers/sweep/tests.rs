use super::*;
use crate::handlers::given::{FakeLog, FakeTopic, StoppedClock, order};

const NOW: i64 = 1_700_000_000;

struct World {
    topic: Arc<FakeTopic>,
    log: Arc<FakeLog>,
    clock: Arc<StoppedClock>,
    sweep: Sweep,
    orders: Vec<OrderId>,
}

/// A sweep over orders of these ages in seconds, oldest first, whose index shows what happened some reads late.
fn world(ages: impl IntoIterator<Item = i64>, reads_late: usize) -> World {
    let orders: Vec<_> = (0..).zip(ages).map(|(number, age)| order(number, NOW - age)).collect();
    let topic = Arc::new(FakeTopic::default());
    let clock = Arc::new(StoppedClock::at(NOW));
    let ids = orders.iter().map(|order| order.id).collect();
    let log = Arc::new(FakeLog::new(orders, Arc::clone(&topic), reads_late));
    let sweep =
        Sweep { log: Arc::clone(&log) as _, topic: Arc::clone(&topic) as _, clock: Arc::clone(&clock) as _ };
    World { topic, log, clock, sweep, orders: ids }
}

impl World {
    async fn swept(&self) -> Swept {
        let deadline = self.clock.now() + Duration::from_mins(1);
        self.sweep.rounds(deadline).await.unwrap()
    }
}

#[tokio::test]
async fn everything_older_than_the_streams_time_is_published_and_nothing_younger() {
    let world = world([3_600, 121, 120, 119, 1], 0);
    assert_eq!(world.swept().await, Swept { published: 3, ..Swept::default() });
    assert_eq!(world.topic.published(), world.orders[..3].iter().copied().collect());
}

#[tokio::test]
async fn a_long_backlog_is_published_in_rounds_though_the_index_lags() {
    let world = world((500..2_000).rev(), 3);
    assert_eq!(world.swept().await, Swept { published: 1_500, ..Swept::default() });
    assert!(world.orders.iter().all(|id| world.topic.sent(*id) == 1));
}

#[tokio::test]
async fn a_long_backlog_costs_no_longer_reads() {
    let world = world((500..2_000).rev(), 0);
    assert_eq!(world.swept().await, Swept { published: 1_500, ..Swept::default() });
    assert!(world.log.most_asked() <= 2 * ROUND, "{}", world.log.most_asked());
}

#[tokio::test]
async fn what_fails_is_tried_once_a_sweep_and_hides_nothing_behind_it() {
    let world = world((500..1_000).rev(), 0);
    for id in &world.orders[..99] {
        world.topic.fail(*id, 2);
    }
    let swept = world.swept().await;
    assert_eq!(swept, Swept { published: 401, failed: 99, left: 99, oldest_seconds: 999 });
    world.swept().await;
    assert_eq!(world.swept().await, Swept { published: 99, ..Swept::default() });
}

#[tokio::test]
async fn a_round_that_achieves_nothing_ends_the_sweep() {
    let world = world((500..1_000).rev(), 0);
    world.topic.set_down(true);
    let swept = world.swept().await;
    assert_eq!(swept, Swept { published: 0, failed: 100, left: 100, oldest_seconds: 999 });
}

#[tokio::test(start_paused = true)]
async fn what_hangs_is_given_up_in_time_to_say_what_is_left() {
    let world = world([300, 200], 0);
    world.topic.hang();
    let start = tokio::time::Instant::now();
    assert_eq!(world.swept().await, Swept { published: 0, failed: 2, left: 2, oldest_seconds: 300 });
    assert_eq!(start.elapsed() + GIVE_UP, Duration::from_mins(1));
}

#[tokio::test]
async fn no_round_begins_when_lambda_is_about_to_end_the_invocation() {
    let world = world([300, 200], 0);
    let deadline = world.clock.now() + LAST_ROUND;
    let swept = world.sweep.rounds(deadline).await.unwrap();
    assert_eq!(swept, Swept { published: 0, failed: 0, left: 2, oldest_seconds: 300 });
    world.clock.advance(Duration::from_mins(2));
    assert_eq!(world.sweep.rounds(deadline).await.unwrap().oldest_seconds, 420);
}

#[tokio::test]
async fn what_is_left_is_a_metric_even_if_it_is_nothing() {
    let measures = crate::measures::Measures::new("shop-sweep".to_owned(), Arc::new(StoppedClock::at(NOW)));
    let _guard = metrics::set_default_local_recorder(&measures);
    for (failures, left) in [(1, 1.0), (0, 0.0)] {
        let world = world([300], 0);
        world.topic.fail(world.orders[0], failures);
        world.sweep.sweep(world.clock.now() + Duration::from_mins(1)).await.unwrap();
        let mut line = Vec::new();
        measures.write_line("8f5e", &mut line);
        let line: Value = serde_json::from_slice(&line).unwrap();
        assert_eq!(line["UnpublishedOrders"], left);
    }
}

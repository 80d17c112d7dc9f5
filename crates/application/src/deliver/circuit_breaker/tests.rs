//! A channel's room, pauses and trials.

use super::*;
use crate::ports::Concurrency;

fn breaker() -> CircuitBreaker {
    CircuitBreaker::new(ChannelRules::new(Concurrency { channel: 3, endpoint: 1 }))
}

#[test]
fn a_paused_channel_begins_nothing_and_lets_one_go_ahead_after_a_good_probe() {
    let now = Timestamp::UNIX_EPOCH;
    let mut breaker = breaker();
    assert!(breaker.pause(now, None));
    assert!(!breaker.pause(now, None));
    assert!(!breaker.has_room(now));
    assert!(!breaker.start_probe_if_due(now));
    assert!(breaker.start_probe_if_due(now + FIRST_PROBE_DELAY));
    assert!(!breaker.start_probe_if_due(now + FIRST_PROBE_DELAY));
    breaker.half_open();
    assert_eq!([0, 1].map(|number| takes(&mut breaker, number)), [true, false], "one goes ahead");
    breaker.record_answer();
    assert_eq!([2, 3].map(|number| takes(&mut breaker, number)), [true, false], "the others follow");
}

/// Whether it takes one more while so many are in flight.
fn takes(breaker: &mut CircuitBreaker, in_flight: u128) -> bool {
    let now = Timestamp::UNIX_EPOCH;
    let flight = |number: u128| {
        let id = DeliveryId::derived(now, &[uuid::Uuid::from_u128(number)]);
        (id, InFlightAttempt { since: now, degraded: false })
    };
    breaker.in_flight = (0..in_flight).map(flight).collect();
    breaker.has_room(now)
}

#[test]
fn a_provider_is_not_probed_before_its_retry_after() {
    let now = Timestamp::UNIX_EPOCH;
    let mut breaker = breaker();
    let long = Duration::from_mins(10);
    assert!(breaker.pause(now, None));
    assert!(!breaker.pause(now, Some(now + long)), "another message of the same pause");
    assert_eq!(breaker.next_probe(), Some(now + long));
    assert!(!breaker.pause(now, Some(now + Duration::from_secs(1))), "the longest Retry-After holds");
    assert_eq!(breaker.next_probe(), Some(now + long));
    assert!(!breaker.start_probe_if_due(now + long / 2));
    assert!(breaker.start_probe_if_due(now + long));
}

#[test]
fn a_clock_that_is_set_back_does_not_put_the_probe_off() {
    let now = Timestamp::UNIX_EPOCH + Duration::from_hours(24);
    let mut breaker = breaker();
    breaker.pause(now, None);
    assert!(breaker.start_probe_if_due(now - Duration::from_hours(23)));
}

#[test]
fn a_channel_that_fails_again_after_each_good_probe_is_probed_less_and_less() {
    let now = Timestamp::UNIX_EPOCH;
    let mut breaker = breaker();
    let waits: Vec<_> = (0..8)
        .map(|_| {
            breaker.pause(now, None);
            let at = breaker.next_probe().unwrap();
            assert!(breaker.start_probe_if_due(at));
            breaker.half_open();
            at.duration_since(now).as_secs()
        })
        .collect();
    assert_eq!(waits, [2, 4, 8, 16, 32, 60, 60, 60]);
}

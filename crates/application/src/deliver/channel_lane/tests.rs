//! A channel's room, pauses and trials.

use super::*;
use crate::ports::Concurrency;

fn lane() -> ChannelLane {
    ChannelLane::new(ChannelRules::new(Concurrency { channel: 3, endpoint: 1 }))
}

#[test]
fn a_paused_channel_begins_nothing_and_lets_one_go_ahead_after_a_good_probe() {
    let now = Timestamp::UNIX_EPOCH;
    let mut lane = lane();
    assert!(lane.pause(now, None));
    assert!(!lane.pause(now, None));
    assert!(!lane.has_room(now));
    assert!(!lane.take_probe(now));
    assert!(lane.take_probe(now + FIRST_PROBE));
    assert!(!lane.take_probe(now + FIRST_PROBE));
    lane.resume();
    assert_eq!([0, 1].map(|number| takes(&mut lane, number)), [true, false], "one goes ahead");
    lane.works();
    assert_eq!([2, 3].map(|number| takes(&mut lane, number)), [true, false], "the others follow");
}

/// Whether it takes one more while so many are in flight.
fn takes(lane: &mut ChannelLane, in_flight: u128) -> bool {
    let now = Timestamp::UNIX_EPOCH;
    let flight = |number: u128| {
        let id = DeliveryId::derived(now, &[uuid::Uuid::from_u128(number)]);
        (id, Flight { since: now, ailing: false })
    };
    lane.in_flight = (0..in_flight).map(flight).collect();
    lane.has_room(now)
}

#[test]
fn a_provider_that_asks_for_patience_is_not_probed_before_its_time() {
    let now = Timestamp::UNIX_EPOCH;
    let mut lane = lane();
    let long = Duration::from_mins(10);
    assert!(lane.pause(now, None));
    assert!(!lane.pause(now, Some(now + long)), "another message of the same pause");
    assert_eq!(lane.next_probe(), Some(now + long));
    assert!(!lane.pause(now, Some(now + Duration::from_secs(1))), "the longest patience holds");
    assert_eq!(lane.next_probe(), Some(now + long));
    assert!(!lane.take_probe(now + long / 2));
    assert!(lane.take_probe(now + long));
}

#[test]
fn a_clock_that_is_set_back_does_not_put_the_probe_off() {
    let now = Timestamp::UNIX_EPOCH + Duration::from_hours(24);
    let mut lane = lane();
    lane.pause(now, None);
    assert!(lane.take_probe(now - Duration::from_hours(23)));
}

#[test]
fn a_channel_that_fails_again_after_each_good_probe_is_probed_less_and_less() {
    let now = Timestamp::UNIX_EPOCH;
    let mut lane = lane();
    let waits: Vec<_> = (0..8)
        .map(|_| {
            lane.pause(now, None);
            let at = lane.next_probe().unwrap();
            assert!(lane.take_probe(at));
            lane.resume();
            at.duration_since(now).as_secs()
        })
        .collect();
    assert_eq!(waits, [2, 4, 8, 16, 32, 60, 60, 60]);
}

//! When a failed delivery is tried again.

use std::time::Duration;

use domain::delivery::{MAX_CHANNEL_RETRY_AFTER, MAX_RETRY_AFTER};
use domain::endpoint::Protocol;
use domain::failure_streak::MAX_PAUSE;
use domain::retry::{Jitter, MAX_DELAY, Schedule, jittered};
use proptest::prelude::*;

fn delays(schedule: Schedule) -> Vec<u64> {
    (1..).map_while(|attempts_used| schedule.delay(attempts_used)).map(|delay| delay.as_secs()).collect()
}

#[test]
fn mail_and_text_messages_are_tried_50_times_over_more_than_6_hours_as_sns_does() {
    for protocol in [Protocol::Email, Protocol::Sms] {
        let schedule = Schedule::of(protocol);
        let delays = delays(schedule);
        assert_eq!(schedule.attempts(), 50);
        assert_eq!(delays.len(), 49, "the first of 50 attempts waits for nothing");
        assert_eq!(delays[..2], [10, 10]);
        assert_eq!(delays[2], 10);
        assert!(delays[2..12].windows(2).all(|pair| pair[0] < pair[1]), "{delays:?}");
        assert!(delays[11..].iter().all(|delay| *delay == 600), "{delays:?}");
        let hours = delays.iter().sum::<u64>() / 3_600;
        assert_eq!(hours, 6);
    }
}

#[test]
fn webhooks_follow_the_schedule_of_standard_webhooks() {
    let schedule = Schedule::of(Protocol::Webhook);
    let (minute, hour) = (60, 3_600);
    let expected =
        [5, 5 * minute, 30 * minute, 2 * hour, 5 * hour, 10 * hour, 14 * hour, 20 * hour, 24 * hour];
    assert_eq!(delays(schedule), expected);
    assert_eq!(schedule.attempts(), 10);
}

#[test]
fn the_first_attempt_waits_for_nothing() {
    for schedule in [Schedule::Sns, Schedule::StandardWebhooks] {
        assert_eq!(schedule.delay(0), Some(Duration::ZERO));
    }
}

#[test]
fn chance_reaches_both_ends_of_a_tenth() {
    let delay = Duration::from_secs(10);
    assert_eq!(jittered(delay, Jitter(0)), Duration::from_secs(9));
    assert_eq!(jittered(delay, Jitter(u16::MAX)), Duration::from_secs(11));
}

proptest! {
    #[test]
    fn jitter_moves_a_delay_by_at_most_a_tenth(seconds in 0u64..=86_400, chance: u16) {
        let delay = Duration::from_secs(seconds);
        let moved = jittered(delay, Jitter(chance));
        prop_assert!(moved >= delay * 9 / 10 && moved <= delay * 11 / 10, "{moved:?}");
    }

    #[test]
    fn no_delay_is_too_long_for_jitter(seconds in 86_400u64.., chance: u16) {
        prop_assert!(jittered(Duration::from_secs(seconds), Jitter(chance)) > Duration::from_hours(21));
    }

    #[test]
    fn nothing_is_left_once_all_attempts_are_used(beyond in 0u32..=u32::MAX - 50) {
        for schedule in [Schedule::Sns, Schedule::StandardWebhooks] {
            prop_assert_eq!(schedule.delay(schedule.attempts() + beyond), None);
        }
    }
}

#[test]
fn no_delivery_is_ever_made_to_wait_for_longer_than_the_longest_delay() {
    let late = |delay| jittered(delay, Jitter(u16::MAX));
    for protocol in Protocol::ALL {
        let schedule = Schedule::of(protocol);
        let longest = (0..).map_while(|attempts_used| schedule.delay(attempts_used)).max().unwrap();
        assert!(late(longest) <= MAX_DELAY, "{protocol}");
    }
    assert!(MAX_RETRY_AFTER.max(MAX_CHANNEL_RETRY_AFTER).max(late(MAX_PAUSE)) <= MAX_DELAY);
    let webhooks = Schedule::of(Protocol::Webhook);
    assert_eq!(late(webhooks.delay(9).unwrap()), MAX_DELAY, "it is not longer than it must be");
}

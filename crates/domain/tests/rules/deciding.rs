//! What follows from an attempt's outcome: the state machine of a delivery.

use domain::delivery::UnknownOutcomePolicy;
use domain::subscription::EndReason;
use std::time::Duration;

use domain::Timestamp;
use domain::attempt::{MAX_REPLY, Outcome, OutcomeKind, Scope};
use domain::delivery::{
    Consequence, DEFAULT_RETRY_AFTER, Decision, DeliveryState, FREE_THROTTLES, MAX_CHANNEL_RETRY_AFTER,
    MAX_RETRY_AFTER, MIN_RETRY_AFTER, Next, RetryContext, decide,
};
use domain::endpoint::Protocol;
use domain::retry::{Jitter, Schedule};
use proptest::prelude::*;

use crate::fixtures::now;

const NO_JITTER: Jitter = Jitter(u16::MAX / 2 + 1);
const SCOPES: [Scope; 4] = [Scope::Delivery, Scope::Endpoint, Scope::Channel, Scope::Unclear];

/// What is usual: a text message costs.
fn policy(protocol: Protocol) -> UnknownOutcomePolicy {
    if protocol == Protocol::Sms { UnknownOutcomePolicy::Hold } else { UnknownOutcomePolicy::Retry }
}

fn decided(
    protocol: Protocol,
    attempts_used: u32,
    deadline: Option<Timestamp>,
    kind: OutcomeKind,
) -> Decision {
    decide(
        RetryContext { protocol, attempts_used, deadline, on_unknown: policy(protocol), failures: 0 },
        &Outcome::new(kind, ""),
        now(),
        NO_JITTER,
    )
}

fn over(state: DeliveryState, consequence: Option<Consequence>) -> Decision {
    Decision { next: Next::Over(state), uses_attempt: true, consequence }
}

fn free(at: Timestamp, consequence: Consequence) -> Decision {
    Decision { next: Next::Again(at), uses_attempt: false, consequence: Some(consequence) }
}

fn retried(protocol: Protocol) -> Decision {
    let delay = Schedule::of(protocol).delay(1).unwrap();
    Decision { next: Next::Again(now() + delay), uses_attempt: true, consequence: None }
}

fn throttled(scope: Scope, retry_after: Option<Duration>) -> OutcomeKind {
    OutcomeKind::Throttled { scope, retry_after }
}

/// What must follow from each kind of outcome of a first attempt.
fn table(protocol: Protocol) -> Vec<(OutcomeKind, Decision)> {
    let paused_channel = free(now(), Consequence::PauseChannel(None));
    let until = |wait: Duration| free(now() + wait, Consequence::PauseEndpoint(now() + wait));
    let two_minutes = Duration::from_mins(2);
    let unknown = match protocol {
        Protocol::Sms => over(DeliveryState::Held, None),
        Protocol::Email | Protocol::Webhook | Protocol::Chat => retried(protocol),
    };
    vec![
        (OutcomeKind::Delivered, over(DeliveryState::Delivered, None)),
        (OutcomeKind::Sandboxed, over(DeliveryState::Sandboxed, None)),
        (OutcomeKind::Transient(Scope::Delivery), retried(protocol)),
        (OutcomeKind::Transient(Scope::Endpoint), retried(protocol)),
        (OutcomeKind::Transient(Scope::Channel), paused_channel.clone()),
        (OutcomeKind::Permanent(Scope::Delivery), over(DeliveryState::Dead, None)),
        (OutcomeKind::Permanent(Scope::Unclear), over(DeliveryState::Dead, None)),
        (
            OutcomeKind::Permanent(Scope::Endpoint),
            over(DeliveryState::Dead, Some(Consequence::EndSubscription(EndReason::of_receiver(protocol)))),
        ),
        (OutcomeKind::Permanent(Scope::Channel), paused_channel.clone()),
        (throttled(Scope::Delivery, Some(two_minutes)), until(two_minutes)),
        (throttled(Scope::Endpoint, Some(two_minutes)), until(two_minutes)),
        (throttled(Scope::Endpoint, None), until(DEFAULT_RETRY_AFTER)),
        (throttled(Scope::Endpoint, Some(Duration::from_hours(900))), until(MAX_RETRY_AFTER)),
        (
            throttled(Scope::Channel, Some(two_minutes)),
            free(now(), Consequence::PauseChannel(Some(now() + two_minutes))),
        ),
        (OutcomeKind::Unknown, unknown),
    ]
}

#[test]
fn each_outcome_of_a_first_attempt_has_its_own_consequence() {
    for protocol in Protocol::ALL {
        for (kind, expected) in table(protocol) {
            assert_eq!(decided(protocol, 0, None, kind), expected, "{protocol} {kind:?}");
        }
    }
}

#[test]
fn a_delivery_is_dead_once_its_last_attempt_is_used() {
    for protocol in Protocol::ALL {
        let attempts = Schedule::of(protocol).attempts();
        for scope in [Scope::Delivery, Scope::Endpoint] {
            let last_but_one = decided(protocol, attempts - 2, None, OutcomeKind::Transient(scope));
            assert!(matches!(last_but_one.next, Next::Again(_)), "{protocol}");
            let last = decided(protocol, attempts - 1, None, OutcomeKind::Transient(scope));
            assert_eq!(last, over(DeliveryState::Dead, None), "{protocol}");
        }
    }
}

#[test]
fn what_the_channel_failed_at_is_owed_still_even_after_the_last_attempt() {
    for protocol in Protocol::ALL {
        let decision = decided(protocol, u32::MAX, None, OutcomeKind::Permanent(Scope::Channel));
        assert_eq!(decision, free(now(), Consequence::PauseChannel(None)));
    }
}

fn after_failures(failures: u32, protocol: Protocol, kind: OutcomeKind) -> Decision {
    let context =
        RetryContext { protocol, attempts_used: 0, deadline: None, on_unknown: policy(protocol), failures };
    decide(context, &Outcome::new(kind, ""), now(), NO_JITTER)
}

#[test]
fn an_endpoint_that_fails_again_is_left_alone_and_its_delivery_goes_by_its_own_schedule() {
    let (hook, down) = (Protocol::Webhook, OutcomeKind::Transient(Scope::Endpoint));
    for (failures, seconds) in [(1, 1), (2, 2), (3, 4), (9, 256), (10, 300), (u32::MAX, 300)] {
        let until = now() + Duration::from_secs(seconds);
        let expected = Decision { consequence: Some(Consequence::PauseEndpoint(until)), ..retried(hook) };
        assert_eq!(after_failures(failures, hook, down), expected, "after {failures}");
    }
}

#[test]
fn only_what_would_fail_whatever_is_sent_has_the_endpoint_left_alone() {
    let pauses = |protocol, kind| {
        matches!(after_failures(5, protocol, kind).consequence, Some(Consequence::PauseEndpoint(_)))
    };
    for protocol in Protocol::ALL {
        assert!(pauses(protocol, OutcomeKind::Transient(Scope::Endpoint)), "{protocol}");
        assert!(!pauses(protocol, OutcomeKind::Transient(Scope::Delivery)), "{protocol}");
        assert!(!pauses(protocol, OutcomeKind::Permanent(Scope::Delivery)), "{protocol}");
        assert!(!pauses(protocol, OutcomeKind::Delivered), "{protocol}");
        assert_eq!(pauses(protocol, OutcomeKind::Unknown), !protocol.has_provider(), "{protocol}");
    }
}

#[test]
fn an_endpoint_is_left_alone_also_by_the_last_attempt_at_a_delivery() {
    let context = RetryContext {
        protocol: Protocol::Webhook,
        attempts_used: 9,
        deadline: None,
        on_unknown: UnknownOutcomePolicy::Retry,
        failures: 3,
    };
    let decision =
        decide(context, &Outcome::new(OutcomeKind::Transient(Scope::Endpoint), ""), now(), NO_JITTER);
    let until = now() + Duration::from_secs(4);
    assert_eq!(decision, over(DeliveryState::Dead, Some(Consequence::PauseEndpoint(until))));
}

#[test]
fn a_receiver_with_a_retry_after_of_zero_is_not_hammered() {
    let decision = decided(Protocol::Webhook, 0, None, throttled(Scope::Endpoint, Some(Duration::ZERO)));
    let until = now() + MIN_RETRY_AFTER;
    assert_eq!(decision, free(until, Consequence::PauseEndpoint(until)));
}

#[test]
fn the_retry_after_of_a_provider_is_kept_within_limits() {
    for (asked, granted) in [
        (Duration::ZERO, MIN_RETRY_AFTER),
        (Duration::from_mins(3), Duration::from_mins(3)),
        (MAX_RETRY_AFTER, MAX_CHANNEL_RETRY_AFTER),
    ] {
        let decision = decided(Protocol::Sms, 0, None, throttled(Scope::Channel, Some(asked)));
        assert_eq!(decision, free(now(), Consequence::PauseChannel(Some(now() + granted))), "{asked:?}");
    }
}

#[test]
fn the_wait_grows_with_each_throttled_answer() {
    for scope in [Scope::Delivery, Scope::Endpoint, Scope::Channel] {
        for (failures, asked, seconds) in
            [(0, 0, 5), (1, 0, 10), (2, 0, 20), (5, 7, 160), (6, 0, 300), (9, 0, 300), (3, 600, 600)]
        {
            let kind = throttled(scope, Some(Duration::from_secs(asked)));
            let decision = after_failures(failures, Protocol::Webhook, kind);
            let until = now() + Duration::from_secs(seconds);
            let expected = match scope {
                Scope::Channel => free(now(), Consequence::PauseChannel(Some(until))),
                _ => free(until, Consequence::PauseEndpoint(until)),
            };
            assert_eq!(decision, expected, "{scope:?}, {failures} before, {asked} s asked");
        }
    }
}

#[test]
fn one_that_throttles_for_ever_uses_up_the_attempts_and_comes_to_an_end() {
    for protocol in Protocol::ALL {
        for scope in [Scope::Endpoint, Scope::Channel] {
            for asked in [None, Some(0), Some(1), Some(90), Some(86_400), Some(u64::MAX)] {
                let kind = throttled(scope, asked.map(Duration::from_secs));
                let (mut attempts_used, mut failures, mut now) = (0, 0, now());
                let last = loop {
                    let on_unknown = policy(protocol);
                    let context =
                        RetryContext { protocol, attempts_used, deadline: None, on_unknown, failures };
                    let decision = decide(context, &Outcome::new(kind, ""), now, NO_JITTER);
                    assert_eq!(decision.uses_attempt, failures >= FREE_THROTTLES);
                    let Some(Consequence::PauseEndpoint(until) | Consequence::PauseChannel(Some(until))) =
                        decision.consequence
                    else {
                        panic!("{protocol} {kind:?}: it is not left alone: {decision:?}");
                    };
                    assert!(until > now);
                    (attempts_used, failures) =
                        (attempts_used + u32::from(decision.uses_attempt), failures + 1);
                    now = match decision.next {
                        Next::Again(at) => at.max(until),
                        Next::Over(state) => break state,
                    };
                };
                assert_eq!(last, DeliveryState::Dead, "{protocol} {kind:?}");
                let attempts = Schedule::of(protocol).attempts();
                assert_eq!((attempts_used, failures), (attempts, FREE_THROTTLES + attempts));
            }
        }
    }
}

#[test]
fn a_retry_at_or_after_the_deadline_is_not_made() {
    let retry = now() + Duration::from_secs(10);
    let transient = OutcomeKind::Transient(Scope::Delivery);
    let at = |deadline| decided(Protocol::Email, 0, Some(deadline), transient).next;
    assert_eq!(at(retry), Next::Over(DeliveryState::Dead));
    assert_eq!(at(retry + Duration::from_millis(1)), Next::Again(retry));
}

#[test]
fn a_channel_that_fails_after_the_deadline_is_paused_all_the_same() {
    let failure = OutcomeKind::Transient(Scope::Channel);
    let decision = decided(Protocol::Email, 3, Some(now()), failure);
    assert_eq!(decision.next, Next::Over(DeliveryState::Dead));
    assert_eq!(decision.consequence, Some(Consequence::PauseChannel(None)));
    assert!(!decision.uses_attempt);
}

#[test]
fn only_held_and_dead_deliveries_can_be_redriven() {
    let redrivable: Vec<_> = DeliveryState::ALL.into_iter().filter(|state| state.can_be_redriven()).collect();
    assert_eq!(redrivable, [DeliveryState::Held, DeliveryState::Dead]);
}

#[test]
fn a_reply_is_kept_on_one_line_and_cut_by_characters() {
    let long = format!(" 550 no\r\nsuch user \u{0}{}", "é".repeat(MAX_REPLY));
    let outcome = Outcome::new(OutcomeKind::Delivered, long);
    assert_eq!(outcome.reply.chars().count(), MAX_REPLY);
    assert!(outcome.reply.starts_with("550 no  such user "));
    assert!(!outcome.reply.contains(char::is_control));
}

fn protocols() -> impl Strategy<Value = Protocol> {
    prop::sample::select(Protocol::ALL.to_vec())
}

fn kinds() -> impl Strategy<Value = OutcomeKind> {
    let scopes = || prop::sample::select(SCOPES.to_vec());
    let retry_after = prop::option::of((0u64..=u64::MAX).prop_map(Duration::from_secs));
    prop_oneof![
        Just(OutcomeKind::Delivered),
        Just(OutcomeKind::Sandboxed),
        Just(OutcomeKind::Unknown),
        scopes().prop_map(OutcomeKind::Transient),
        scopes().prop_map(OutcomeKind::Permanent),
        (scopes(), retry_after).prop_map(|(scope, retry_after)| throttled(scope, retry_after)),
    ]
}

proptest! {
    #[test]
    fn whatever_happens_a_delivery_ends_once_its_attempts_are_used(
        protocol in protocols(),
        outcomes in prop::collection::vec((kinds(), any::<u16>()), 0..200),
    ) {
        let mut context = RetryContext { protocol, attempts_used: 0, deadline: None, on_unknown: policy(protocol), failures: 0 };
        let mut now = now();
        for (kind, chance) in outcomes {
            let decision = decide(context, &Outcome::new(kind, ""), now, Jitter(chance));
            prop_assert_eq!(
                decision.uses_attempt,
                !matches!(kind, OutcomeKind::Throttled { .. }) && kind.scope() != Some(Scope::Channel)
            );
            context.attempts_used += u32::from(decision.uses_attempt);
            match decision.next {
                Next::Over(_) => return Ok(()),
                Next::Again(at) => {
                    prop_assert!(at >= now);
                    let pauses = matches!(decision.consequence, Some(Consequence::PauseChannel(_)));
                    prop_assert!(at > now || pauses);
                    now = at;
                }
            }
            prop_assert!(context.attempts_used < Schedule::of(protocol).attempts());
        }
    }

    #[test]
    fn nothing_is_ever_scheduled_at_or_after_its_deadline(
        protocol in protocols(), kind in kinds(), chance: u16, attempts_used: u32, seconds in 0u64..100_000,
    ) {
        let deadline = now() + Duration::from_secs(seconds);
        let context = RetryContext {
            protocol,
            attempts_used,
            deadline: Some(deadline),
            on_unknown: policy(protocol),
            failures: 0,
        };
        if let Next::Again(at) = decide(context, &Outcome::new(kind, ""), now(), Jitter(chance)).next {
            prop_assert!(at < deadline);
        }
    }

    #[test]
    fn a_subscription_ends_only_by_a_permanent_failure_of_its_endpoint(protocol in protocols(), kind in kinds()) {
        let ended = matches!(decided(protocol, 0, None, kind).consequence, Some(Consequence::EndSubscription(_)));
        prop_assert_eq!(ended, kind == OutcomeKind::Permanent(Scope::Endpoint));
    }
}

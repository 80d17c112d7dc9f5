//! What keeps a pending delivery from being sent.

use std::time::Duration;

use domain::delivery::{DeliveryKind, WaitReason, Waiting};
use domain::subscription::SubscriptionState;

use crate::fixtures::now;

fn due() -> Waiting {
    Waiting {
        kind: DeliveryKind::Notification,
        subscription: SubscriptionState::Confirmed,
        channel_paused: false,
        at: now(),
        quarantined: false,
    }
}

#[test]
fn a_due_delivery_has_no_wait_reason() {
    assert_eq!(due().because(now()), None);
}

#[test]
fn a_delivery_that_is_tried_later_waits_for_its_time() {
    let later = Waiting { at: now() + Duration::from_secs(1), ..due() };
    assert_eq!(later.because(now()), Some(WaitReason::Retry));
}

#[test]
fn a_paused_channel_is_waited_for_whatever_the_time() {
    for at in [now(), now() + Duration::from_secs(1)] {
        let paused = Waiting { channel_paused: true, at, ..due() };
        assert_eq!(paused.because(now()), Some(WaitReason::ChannelPaused));
    }
}

#[test]
fn a_wait_that_only_a_person_ends_comes_first() {
    let held_up = Waiting { channel_paused: true, at: now() + Duration::from_secs(1), ..due() };
    for (subscription, reason) in [
        (SubscriptionState::Suspended, WaitReason::SubscriptionSuspended),
        (SubscriptionState::Pending, WaitReason::SubscriptionNotConfirmed),
    ] {
        assert_eq!(Waiting { subscription, ..held_up }.because(now()), Some(reason));
    }
}

#[test]
fn a_confirmation_request_does_not_wait_for_the_confirmation() {
    let request =
        Waiting { kind: DeliveryKind::Confirmation, subscription: SubscriptionState::Pending, ..due() };
    assert_eq!(request.because(now()), None);
}

//! Which confirmation links work, and why others do not.

use domain::attributes::Attributes;
use std::time::Duration;

use domain::Timestamp;
use domain::endpoint::{Endpoint, Protocol};
use domain::subscription::{
    CONFIRMATION_LIFETIME, StaleConfirmation, Subscription, SubscriptionId, SubscriptionState,
};

use crate::fixtures::now;

fn checked(state: SubscriptionState, generation: u32, at: Timestamp) -> Result<(), StaleConfirmation> {
    let subscription = Subscription {
        id: SubscriptionId::new(now(), [1; 10]),
        endpoint: Endpoint::parse(Protocol::Email, "jo@example.com").unwrap(),
        attributes: Attributes::default(),
        state,
        generation: 3,
        created_at: Some(now()),
        confirmation_expires_at: Some(now() + CONFIRMATION_LIFETIME),
        confirmation: None,
        end: None,
        failure_streak: None,
        suspension: None,
        secrets: None,
    };
    subscription.check_confirmation(generation, at)
}

#[test]
fn only_the_newest_link_of_a_pending_subscription_works() {
    assert_eq!(checked(SubscriptionState::Pending, 3, now()), Ok(()));
    for other in [0, 1, 2, 4, u32::MAX] {
        assert_eq!(checked(SubscriptionState::Pending, other, now()), Err(StaleConfirmation::Replaced));
    }
}

#[test]
fn a_link_works_for_48_hours_and_not_a_millisecond_longer() {
    let end = now() + Duration::from_hours(48);
    assert_eq!(checked(SubscriptionState::Pending, 3, end - Duration::from_millis(1)), Ok(()));
    assert_eq!(checked(SubscriptionState::Pending, 3, end), Err(StaleConfirmation::Expired));
}

#[test]
fn confirming_again_does_no_harm_and_confirming_what_ended_is_refused() {
    let late = now() + Duration::from_hours(1_000);
    assert_eq!(checked(SubscriptionState::Confirmed, 1, late), Ok(()));
    assert_eq!(checked(SubscriptionState::Suspended, 1, late), Ok(()));
    assert_eq!(checked(SubscriptionState::Ended, 3, now()), Err(StaleConfirmation::Ended));
}

//! Whom an order matches: those who were confirmed, and whose policy matched, when it was accepted.

use domain::attributes::SubscribedTo;
use domain::filter_policy::FilterPolicy;
use domain::order::{LoggedOrder, Seq};
use domain::subscription::{SkipReason, SubscriptionId, SubscriptionState, Version, matches};
use proptest::prelude::*;

use crate::fixtures::{now, order};

fn logged(seq: i64) -> LoggedOrder {
    LoggedOrder { seq: Seq(seq), order: order(r#"{"customerName":"Jo","productName":"Mouse"}"#) }
}

fn version(from: i64, to: Option<i64>, state: SubscriptionState, policy: Option<&str>) -> Version {
    Version {
        receives: SubscribedTo::Orders,
        subscription: SubscriptionId::new(now(), [1; 10]),
        from: Seq(from),
        to: to.map(Seq),
        state,
        filter_policy: policy.map(|policy| FilterPolicy::parse(policy).unwrap()),
    }
}

/// Pending from order 3, confirmed from 5, with a policy from 8, suspended from 11, ended from 14.
fn life() -> Vec<Version> {
    use SubscriptionState::{Confirmed, Ended, Pending, Suspended};
    let pads = r#"{"productName":["Pad"]}"#;
    vec![
        version(3, Some(4), Pending, None),
        version(5, Some(7), Confirmed, None),
        version(8, Some(10), Confirmed, Some(pads)),
        version(11, Some(13), Suspended, None),
        version(14, None, Ended, None),
    ]
}

#[test]
fn a_subscription_is_owed_what_was_accepted_while_it_was_confirmed_and_matched() {
    let verdict = |seq| matches(&logged(seq), &life());
    for seq in [1, 2] {
        assert_eq!(verdict(seq), Err(SkipReason::NotYetSubscribed));
    }
    for seq in [3, 4] {
        assert_eq!(verdict(seq), Err(SkipReason::NotConfirmed));
    }
    for seq in [5, 6, 7] {
        assert_eq!(verdict(seq), Ok(()));
    }
    for seq in [8, 10] {
        let Err(SkipReason::FilterPolicy { mismatch }) = verdict(seq) else { panic!("{seq}") };
        assert_eq!((mismatch.key.as_str(), mismatch.found), ("productName", vec!["Mouse".to_owned()]));
    }
    for seq in [11, 13] {
        assert_eq!(verdict(seq), Ok(()), "a suspended subscription is still matched");
    }
    for seq in [14, i64::MAX] {
        assert_eq!(verdict(seq), Err(SkipReason::Ended));
    }
}

#[test]
fn a_subscription_without_a_version_is_owed_nothing() {
    assert_eq!(matches(&logged(1), &[]), Err(SkipReason::NotYetSubscribed));
}

#[test]
fn a_version_owes_nothing_outside_its_time() {
    let version = version(5, Some(7), SubscriptionState::Confirmed, None);
    assert_eq!(version.matches(&logged(4)), Err(SkipReason::NotYetSubscribed));
    assert_eq!(version.matches(&logged(8)), Err(SkipReason::NotYetSubscribed));
    assert_eq!(version.matches(&logged(5)), Ok(()));
}

proptest! {
    #[test]
    fn of_versions_that_follow_one_another_exactly_one_holds_for_each_order(
        first in 1i64..50,
        lengths in prop::collection::vec(1i64..20, 0..8),
        states in prop::collection::vec(prop::sample::select(SubscriptionState::ALL.to_vec()), 9),
        seq in 1i64..250,
    ) {
        let mut from = first;
        let mut versions = Vec::new();
        for (length, state) in lengths.iter().zip(&states) {
            versions.push(version(from, Some(from + length - 1), *state, None));
            from += length;
        }
        versions.push(version(from, None, states[lengths.len()], None));
        let holding: Vec<_> = versions.iter().filter(|version| version.contains(Seq(seq))).collect();
        prop_assert_eq!(holding.len(), usize::from(seq >= first));
        let expected = holding.first().map_or(Err(SkipReason::NotYetSubscribed), |version| version.matches(&logged(seq)));
        prop_assert_eq!(matches(&logged(seq), &versions), expected);
    }
}

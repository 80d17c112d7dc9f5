use super::*;

const UNKNOWN: Attempt = Attempt { number: 1, outcome: Some(Outcome::Unknown), used: true };
const TAKEN: Attempt = Attempt { outcome: Some(Outcome::Delivered), ..UNKNOWN };
const REFUSED: Attempt = Attempt { outcome: Some(Outcome::Refused), ..UNKNOWN };
const OPEN: Attempt = Attempt { outcome: None, used: false, ..UNKNOWN };

fn delivery<'a>(state: State, recorded: &'a [Attempt], receipts: &'a [Receipt]) -> Delivery<'a> {
    Delivery {
        kind: Kind::Notification,
        of_order: true,
        state,
        attempts: u32::try_from(recorded.len()).unwrap(),
        attempts_used: 0,
        cancel_reason: None,
        recorded,
        receipts: Some(receipts),
        by_people: ByPeople::default(),
        subscription: Some(subscriptions::State::Confirmed),
    }
}

fn wrong(delivery: &Delivery<'_>) -> String {
    judge(delivery).into_iter().map(|violation| violation.wrong).collect::<Vec<_>>().join("; ")
}

/// The states in which a delivery may be that such an attempt was made at, and so reported on.
fn possible(recorded: &[Attempt], receipts: &[Receipt]) -> Vec<State> {
    let possible = |state: &State| {
        let reason = (*state == State::Cancelled).then_some(CancelReason::Spam);
        let by_people = ByPeople { spam: true, ..ByPeople::default() };
        let delivery = Delivery { cancel_reason: reason, by_people, ..delivery(*state, recorded, receipts) };
        judge(&delivery).is_empty()
    };
    State::ALL.into_iter().filter(possible).collect()
}

fn receipt(attempt: u32, status: Status) -> Receipt {
    Receipt { attempt, status }
}

#[test]
fn each_outcome_leaves_a_delivery_in_the_states_that_may_follow_from_it() {
    use State::{Cancelled, Dead, Delivered, Held, InFlight, Pending, Sandboxed};
    assert_eq!(possible(&[], &[]), [Pending, Cancelled]);
    assert_eq!(possible(&[OPEN], &[]), [InFlight]);
    assert_eq!(possible(&[TAKEN], &[]), [Delivered, Cancelled]);
    assert_eq!(possible(&[REFUSED], &[]), [Pending, Dead, Cancelled]);
    assert_eq!(possible(&[UNKNOWN], &[]), [Pending, Held, Dead, Cancelled]);
    let kept = Attempt { outcome: Some(Outcome::Sandboxed), ..UNKNOWN };
    assert_eq!(possible(&[kept], &[]), [Sandboxed, Cancelled]);
}

#[test]
fn the_last_that_a_provider_said_of_an_attempt_counts() {
    use State::{Cancelled, Dead, Delivered, Pending};
    let (there, failed) = (receipt(1, Status::Delivered), receipt(1, Status::Failed));
    assert_eq!(possible(&[UNKNOWN], &[there]), [Delivered], "whatever was decided since");
    assert_eq!(possible(&[UNKNOWN], &[failed, there]), [Delivered]);
    assert_eq!(possible(&[TAKEN], &[failed]), [Pending, Dead, Cancelled], "dead, or redriven since");
    assert_eq!(possible(&[TAKEN], &[there, failed]), [Pending, Dead, Cancelled]);
    let again = Attempt { number: 2, ..TAKEN };
    assert_eq!(possible(&[TAKEN, again], &[failed]), [Delivered, Cancelled], "an earlier attempt's");
    let duplicate = receipt(2, Status::Failed);
    assert_eq!(possible(&[TAKEN, again], &[there, duplicate]), [Delivered], "the first had arrived");
}

#[test]
fn attempts_are_numbered_from_one_and_counted_right() {
    let second = Attempt { number: 2, ..REFUSED };
    let both = [REFUSED, second];
    let counted = Delivery { attempts_used: 2, ..delivery(State::Pending, &both, &[]) };
    assert_eq!(wrong(&counted), "");
    assert_eq!(wrong(&Delivery { attempts: 3, ..counted }), "it counts 3 attempts, 2 are on record");
    assert_eq!(
        wrong(&Delivery { attempts_used: 3, ..counted }),
        "it counts 3 attempts used, 2 are on record"
    );
    let gap = wrong(&delivery(State::Pending, &[second], &[]));
    assert_eq!(gap, "its attempts are numbered 2");
}

#[test]
fn exactly_what_is_in_flight_has_an_open_attempt() {
    assert_eq!(wrong(&delivery(State::Pending, &[OPEN], &[])), "it is pending with 1 open attempts");
    let without = wrong(&delivery(State::InFlight, &[TAKEN], &[]));
    assert_eq!(without, "it is in flight without an open attempt");
}

#[test]
fn what_is_cancelled_has_a_reason_that_is_on_record() {
    let cancelled = |reason| Delivery { cancel_reason: reason, ..delivery(State::Cancelled, &[], &[]) };
    assert_eq!(wrong(&cancelled(None)), "it is cancelled, and why is not on record");
    for reason in
        [CancelReason::Dropped, CancelReason::Spam, CancelReason::SubscriptionEnded, CancelReason::Superseded]
    {
        assert_ne!(wrong(&cancelled(Some(reason))), "", "{reason:?}");
    }
    let ended = Some(subscriptions::State::Ended);
    assert_eq!(
        wrong(&Delivery { subscription: ended, ..cancelled(Some(CancelReason::SubscriptionEnded)) }),
        ""
    );
    let dropped = ByPeople { dropped: true, ..ByPeople::default() };
    assert_eq!(wrong(&Delivery { by_people: dropped, ..cancelled(Some(CancelReason::Dropped)) }), "");
    let not = Delivery { cancel_reason: Some(CancelReason::Dropped), ..delivery(State::Pending, &[], &[]) };
    assert_eq!(wrong(&not), "it has a reason for being cancelled, and is not");
}

#[test]
fn what_a_restore_held_needs_no_attempt() {
    let held = delivery(State::Held, &[], &[]);
    assert_eq!(wrong(&held), "it is held, which no attempt explains: none was made");
    let by_people = ByPeople { held: true, ..ByPeople::default() };
    assert_eq!(wrong(&Delivery { by_people, ..held }), "");
}

#[test]
fn a_notification_is_of_an_order_and_nothing_else_is() {
    let pending = delivery(State::Pending, &[], &[]);
    assert_eq!(wrong(&Delivery { of_order: false, ..pending }), "it is a notification of no order");
    let request = Delivery { kind: Kind::Confirmation, ..pending };
    assert_eq!(wrong(&request), "it is no notification, and about an order");
    assert_eq!(wrong(&Delivery { of_order: false, ..request }), "");
}

fn step(was: State, becomes: State) -> Move {
    Move {
        kind: Kind::Notification,
        was,
        becomes,
        attempts: 1,
        last_attempt: 0,
        subscription: subscriptions::State::Confirmed,
        is_spam: false,
        by_a_person: false,
    }
}

#[test]
fn a_delivery_is_begun_only_for_who_is_told_and_is_given_up_only_by_who_may() {
    let fits = |step: Move| moved(&step).is_empty();
    let begins = step(State::Pending, State::InFlight);
    assert!(fits(begins));
    assert!(!fits(Move { attempts: 2, ..begins }), "it skips an attempt");
    assert!(!fits(Move { is_spam: true, ..begins }));
    for state in [subscriptions::State::Pending, subscriptions::State::Suspended, subscriptions::State::Ended]
    {
        assert!(!fits(Move { subscription: state, ..begins }), "{state}");
    }
    let request = Move { kind: Kind::Confirmation, subscription: subscriptions::State::Pending, ..begins };
    assert!(fits(request));

    let given_up = step(State::Held, State::Cancelled);
    assert!(!fits(given_up) && fits(Move { by_a_person: true, ..given_up }));
    assert!(fits(Move { subscription: subscriptions::State::Ended, ..given_up }));
    let in_flight = Move { by_a_person: true, ..step(State::InFlight, State::Cancelled) };
    assert!(!fits(in_flight), "nobody gives up what is in flight");

    let redriven = step(State::Dead, State::Pending);
    assert!(fits(redriven) && !fits(Move { is_spam: true, ..redriven }));
    assert!(!fits(Move { subscription: subscriptions::State::Ended, ..redriven }));
    assert!(!fits(step(State::Sandboxed, State::Pending)) && fits(step(State::Cancelled, State::Delivered)));
    let held = step(State::InFlight, State::Held);
    assert!(fits(held) && !fits(Move { is_spam: true, ..held }));
}

#[test]
fn at_rest_only_that_waits_which_nobody_may_be_sent() {
    use subscriptions::State::{Confirmed, Ended, Suspended};
    let waits = |state, subscription| rests(Kind::Notification, state, subscription, false).is_none();
    assert!(waits(State::Pending, Suspended) && !waits(State::Pending, Confirmed));
    assert!(
        !waits(State::Pending, Ended) && !waits(State::InFlight, Suspended) && waits(State::Dead, Confirmed)
    );
    assert!(sent_again(State::Delivered).is_none() && sent_again(State::Cancelled).is_some());
    let ends = |state, subscription| ends_well(Kind::Notification, state, subscription, false).is_none();
    assert!(ends(State::Delivered, Confirmed) && !ends(State::Dead, Confirmed) && ends(State::Dead, Ended));
    assert_eq!(begun(State::Cancelled, Ended, false), None);
    assert!(
        begun(State::Cancelled, Confirmed, false).is_some() && begun(State::Pending, Ended, false).is_some()
    );
}

#[test]
fn an_attempt_is_the_next_once_nobody_knows_and_its_provider_has_not_delivered_it() {
    let begins =
        |number, recorded: &[Attempt], receipts: &[Receipt]| attempted(number, recorded, receipts).len();
    assert_eq!(begins(1, &[], &[]), 0);
    assert_eq!(begins(2, &[UNKNOWN], &[receipt(1, Status::Failed)]), 0);
    assert_eq!(begins(2, &[], &[]), 1, "it skips one");
    assert_eq!(begins(2, &[OPEN], &[]), 1, "the one before is open");
    assert_eq!(begins(2, &[UNKNOWN], &[receipt(1, Status::Delivered)]), 1, "it arrived");
}

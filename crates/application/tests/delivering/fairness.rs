//! No endpoint waits for another's backlog, and no channel for another channel's.

use application::deliver::Event;
use application::ports::Due;
use domain::attempt::OutcomeKind;
use domain::delivery::DeliveryId;
use domain::endpoint::Protocol;

use crate::fixtures::{Hand, due, hooks, id, mails, sent};

/// Sends one delivery after another and answers to which the engine turned.
fn served(hand: &mut Hand, count: usize) -> Vec<DeliveryId> {
    let mut in_flight = hand.begun();
    let mut served = in_flight.clone();
    while served.len() < count {
        let delivery = in_flight.remove(0);
        hand.tell(Event::Sent(delivery, sent(OutcomeKind::Delivered)));
        hand.recorded();
        let next = hand.begun();
        served.extend(&next);
        in_flight.extend(next);
    }
    served
}

#[test]
fn endpoints_of_a_channel_take_turns() {
    let mut hand = Hand::new();
    let backlog = mails(100..116, 1);
    let others = [mails([21, 22], 2), mails([31, 32], 3), mails([41, 42], 4)].concat();
    hand.fetched([backlog, others].concat());
    let served = served(&mut hand, 8);
    let others = served.iter().filter(|delivery| **delivery < id(100)).count();
    assert!(others >= 5, "{served:?}");
}

#[test]
fn a_busy_channel_does_not_take_away_the_turns_of_anothers_endpoints() {
    let mut hand = Hand::new();
    let mails = [mails(100..108, 1), mails(200..208, 2), mails(300..308, 3)].concat();
    hand.fetched([mails, hooks(900..916, 9)].concat());
    let mut in_flight = hand.begun();
    let mut turns = Vec::new();
    for _ in 0..12 {
        for of_channel in
            [|delivery: &DeliveryId| *delivery >= id(900), |delivery: &DeliveryId| *delivery < id(900)]
        {
            let oldest = in_flight.iter().position(of_channel).unwrap();
            hand.tell(Event::Sent(in_flight.remove(oldest), sent(OutcomeKind::Delivered)));
            hand.recorded();
            in_flight.extend(hand.begun());
        }
        turns.push(in_flight.iter().rfind(|delivery| **delivery < id(900)).unwrap().0.as_u128() / 100);
    }
    for endpoint in 1..=3 {
        assert!(turns.iter().filter(|turn| **turn == endpoint).count() >= 3, "{turns:?}");
    }
}

#[test]
fn an_endpoint_with_a_full_queue_is_not_asked_for_until_half_of_it_is_gone() {
    let mut hand = Hand::new();
    let depth = hand.fetch().unwrap().per_endpoint as u128;
    hand.tell(Event::Fetched(Ok(Due { deliveries: mails(1..=depth, 1), next_at: None })));
    let full = due(1, 1, Protocol::Email).subscription.id;
    assert_eq!(hand.fetch().unwrap().skip_endpoints, [full]);
    hand.tell(Event::Fetched(Ok(Due::default())));
    let mut sent_so_far = 0;
    let mut in_flight = hand.begun();
    while let Some(delivery) = in_flight.pop() {
        sent_so_far += 1;
        hand.tell(Event::Sent(delivery, sent(OutcomeKind::Delivered)));
        hand.recorded();
        in_flight.extend(hand.begun());
        let query = hand.fetch().unwrap();
        let waiting = depth - sent_so_far - in_flight.len() as u128;
        assert_eq!(query.skip_endpoints.is_empty(), waiting * 2 <= depth, "{waiting} wait");
        hand.tell(Event::Fetched(Ok(Due::default())));
    }
    assert_eq!(sent_so_far, depth);
}

#[test]
fn a_slow_channel_with_thousands_of_subscribers_does_not_keep_another_waiting() {
    let mut hand = Hand::new();
    let mut taken_in = 0;
    while let Some(query) = hand.fetch() {
        if query.skip_protocols.contains(&Protocol::Email) {
            assert!(!query.skip_protocols.contains(&Protocol::Webhook));
            hand.tell(Event::Fetched(Ok(Due { deliveries: hooks([9_999_999], 9), next_at: None })));
            break;
        }
        let from = taken_in;
        taken_in += query.limit as u128;
        let backlog: Vec<_> =
            (from..taken_in).map(|number| due(number, 1_000 + number, Protocol::Email)).collect();
        hand.tell(Event::Fetched(Ok(Due { deliveries: backlog, next_at: None })));
        assert!(taken_in < 10_000, "there is a limit to what it holds");
    }
    assert_eq!(hand.begun().len(), 3);
    assert!(hand.begun().contains(&id(9_999_999)));
}

#[test]
fn endpoints_that_take_long_share_a_part_of_their_channel_until_they_are_quick_again() {
    let mut hand = Hand::new();
    let all_at_once = |hand: &mut Hand, first: u128| {
        let of = |endpoint: u128| hooks([first + endpoint], endpoint);
        hand.fetched([1, 2, 3].into_iter().flat_map(of).collect());
        hand.begun()
    };
    let slow = all_at_once(&mut hand, 10);
    assert_eq!(slow.len(), 3);
    hand.pass(6);
    for delivery in slow {
        hand.tell(Event::Sent(delivery, sent(OutcomeKind::Delivered)));
        hand.recorded();
    }
    let one = all_at_once(&mut hand, 20);
    assert_eq!(one.len(), 1, "their share");
    hand.tell(Event::Woken);
    hand.fetched(hooks([44], 4));
    assert_eq!(hand.begun(), [id(44)], "another has its room");
    hand.tell(Event::Sent(one[0], sent(OutcomeKind::Delivered)));
    hand.recorded();
    assert_eq!(hand.begun().len(), 1);
}

#[test]
fn a_hundred_slow_endpoints_do_not_keep_the_others_from_being_asked_for() {
    let mut hand = Hand::new();
    let slow = 100..200_u128;
    for endpoint in slow.clone() {
        hand.tell(Event::Woken);
        hand.fetched(hooks([endpoint], endpoint));
        assert_eq!(hand.begun().len(), 1);
        hand.pass(6);
        hand.sent(endpoint, OutcomeKind::Delivered);
        hand.recorded();
        hand.fetched(Vec::new());
    }
    hand.tell(Event::Woken);
    let backlog = slow.flat_map(|endpoint| hooks(endpoint * 100..endpoint * 100 + 8, endpoint)).collect();
    assert!(hand.fetch().is_some());
    hand.tell(Event::Fetched(Ok(Due { deliveries: backlog, next_at: None })));
    hand.begun();
    let query = hand.fetch().expect("who is well is asked for");
    assert!(!query.skip_protocols.contains(&Protocol::Webhook), "{query:?}");
    assert_eq!(query.skip_endpoints.len(), 100, "of the slow ones there is enough");
    hand.tell(Event::Fetched(Ok(Due { deliveries: hooks([7], 7), next_at: None })));
    assert_eq!(hand.begun(), [id(7)]);
}

#[test]
fn a_slow_relay_makes_no_recipient_a_slow_one() {
    let mut hand = Hand::new();
    hand.fetched([1, 2, 3].into_iter().flat_map(|number| mails([number], number)).collect());
    let in_flight = hand.begun();
    hand.pass(6);
    for delivery in in_flight {
        hand.tell(Event::Sent(delivery, sent(OutcomeKind::Delivered)));
        hand.recorded();
    }
    hand.fetched([1, 2, 3].into_iter().flat_map(|number| mails([10 + number], number)).collect());
    assert_eq!(hand.begun().len(), 3);
}

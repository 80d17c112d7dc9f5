//! After a crash: attempts without an outcome are `unknown`, and the channel's policy says what follows.

use std::pin::pin;
use std::sync::Mutex;
use std::task::{Context, Poll, Waker};

use application::Error;
use application::ports::{
    DeliveryQueue, Due, DueQuery, Escalated, Finished, Intent, Interrupted, Randomness,
};
use application::recover;
use async_trait::async_trait;
use domain::Timestamp;
use domain::attempt::OutcomeKind;
use domain::delivery::{DeliveryId, DeliveryState, Next, UnknownOutcomePolicy};
use domain::endpoint::Protocol;
use domain::subscription::SubscriptionId;
use host::SetClock;

use crate::fixtures::{failure, id, start};

#[derive(Default)]
struct Crashed {
    interrupted: Vec<Interrupted>,
    broken: bool,
    finished: Mutex<Vec<Finished>>,
}

#[async_trait]
impl DeliveryQueue for Crashed {
    async fn due(&self, _: DueQuery) -> Result<Due, Error> {
        unreachable!("nothing is sent before it has recovered")
    }
    async fn begin(&self, _: Vec<Intent>) -> Result<Vec<DeliveryId>, Error> {
        unreachable!("nothing is sent before it has recovered")
    }
    async fn finish(&self, finished: Vec<Finished>) -> Result<Vec<SubscriptionId>, Error> {
        if self.broken {
            return Err(failure());
        }
        self.finished.lock().unwrap().extend(finished);
        Ok(Vec::new())
    }
    async fn interrupted(&self) -> Result<Vec<Interrupted>, Error> {
        Ok(self.interrupted.clone())
    }
    async fn escalate(&self, _: Timestamp) -> Result<Escalated, Error> {
        unreachable!("nothing escalates before it has recovered")
    }
    async fn notify_operators(&self, _: Timestamp) -> Result<usize, Error> {
        unreachable!("nobody is told before it has recovered")
    }
    async fn bound_due_times(&self, _: Timestamp) -> Result<usize, Error> {
        unreachable!()
    }
    async fn channel_paused(&self, _: Protocol, _: &str, _: Timestamp) -> Result<(), Error> {
        Ok(())
    }
    async fn channel_resumed(&self, _: Protocol, _: Timestamp) -> Result<(), Error> {
        Ok(())
    }
    async fn channel_missing(&self, _: Protocol, _: Timestamp) -> Result<usize, Error> {
        Ok(0)
    }
}

struct Zeros;

impl Randomness for Zeros {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(0);
    }
}

fn interrupted(number: u128, protocol: Protocol, attempts_used: u32) -> Interrupted {
    Interrupted { delivery: id(number), number: attempts_used + 1, protocol, deadline: None, attempts_used }
}

fn recovered(queue: &Crashed) -> Result<usize, Error> {
    let policies = [
        (Protocol::Email, UnknownOutcomePolicy::Retry),
        (Protocol::Sms, UnknownOutcomePolicy::Hold),
        (Protocol::Webhook, UnknownOutcomePolicy::Retry),
    ];
    match pin!(recover(queue, &policies.into(), &SetClock::at(start()), &Zeros))
        .poll(&mut Context::from_waker(Waker::noop()))
    {
        Poll::Ready(answer) => answer,
        Poll::Pending => unreachable!("the store answers at once"),
    }
}

#[test]
fn unfinished_attempts_end_as_unknown_and_are_repeated_held_or_dead() {
    let queue = Crashed {
        interrupted: vec![
            interrupted(1, Protocol::Email, 0),
            interrupted(2, Protocol::Sms, 0),
            interrupted(3, Protocol::Webhook, 9),
        ],
        ..Crashed::default()
    };
    assert_eq!(recovered(&queue).unwrap(), 3);
    let finished = queue.finished.into_inner().unwrap();
    let summary: Vec<_> = finished.iter().map(|end| (end.delivery, end.number, end.decision.next)).collect();
    let soon = start() + std::time::Duration::from_secs(9);
    assert_eq!(
        summary,
        [
            (id(1), 1, Next::Again(soon)),
            (id(2), 1, Next::Over(DeliveryState::Held)),
            (id(3), 10, Next::Over(DeliveryState::Dead)),
        ]
    );
    assert!(finished.iter().all(|end| end.outcome.kind == OutcomeKind::Unknown && end.decision.uses_attempt));
}

#[test]
fn a_clean_start_finishes_nothing() {
    let queue = Crashed { broken: true, ..Crashed::default() };
    assert_eq!(recovered(&queue).unwrap(), 0);
}

#[test]
fn a_store_that_cannot_record_them_stops_the_start() {
    let queue =
        Crashed { interrupted: vec![interrupted(1, Protocol::Email, 0)], broken: true, ..Crashed::default() };
    assert!(recovered(&queue).is_err());
}

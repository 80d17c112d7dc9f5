//! In the emulators' network no resolver answers and no way leads out: what that says of receivers.

use application::ports::Channel;
use domain::attempt::{Outcome, OutcomeKind, Scope};
use domain::endpoint::Protocol;

use crate::fixtures::{message, notification};
use crate::http_receiver::Receiver;
use crate::webhook::webhook;

const OURS: OutcomeKind = OutcomeKind::Transient(Scope::Channel);
const THEIRS: OutcomeKind = OutcomeKind::Transient(Scope::Endpoint);

async fn called(channel: &dyn Channel, url: &str) -> Outcome {
    channel.send(&message(Protocol::Webhook, url, notification())).await.outcome
}

async fn kinds(channel: &dyn Channel, urls: &[&str]) -> Vec<OutcomeKind> {
    let mut kinds = Vec::new();
    for url in urls {
        kinds.push(called(channel, url).await.kind);
    }
    kinds
}

#[tokio::test]
async fn one_name_that_is_not_answered_for_is_its_own_failure_and_three_in_a_row_are_ours() {
    let channel = webhook();
    let one = "http://a.example/";
    assert_eq!(kinds(&channel, &[one; 5]).await, [THEIRS; 5]);
    assert_eq!(kinds(&channel, &["http://b.example/", "http://c.example/", one]).await, [THEIRS, OURS, OURS]);
    assert!(called(&channel, one).await.reply.starts_with("this machine's resolver does not answer: "));
}

#[tokio::test]
async fn an_address_without_a_way_to_it_counts_like_a_name() {
    let addresses = ["http://1.1.1.1/", "http://8.8.8.8/", "http://[2606:4700::1111]/"];
    assert_eq!(kinds(&webhook(), &addresses).await, [THEIRS, THEIRS, OURS]);
}

#[tokio::test]
async fn a_receiver_that_is_reached_shows_that_the_others_fail_by_themselves() {
    let receiver = Receiver::start([]).await;
    let channel = webhook();
    for number in 0..9 {
        assert_eq!(called(&channel, &receiver.url()).await.kind, OutcomeKind::Delivered);
        assert_eq!(called(&channel, "http://1.1.1.1/").await.kind, THEIRS);
        assert_eq!(called(&channel, &format!("http://n{number}.example/")).await.kind, THEIRS);
        assert_eq!(channel.probe().await, Ok(()));
    }
}

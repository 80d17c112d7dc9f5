//! What receivers answer, or do not, and whose failure it is.

use std::time::{Duration, SystemTime};

use application::ports::Channel;
use domain::attempt::{MAX_REPLY, Outcome, OutcomeKind, Scope};
use domain::endpoint::Protocol;
use orderbell_channels::chat::{Chat, ChatSettings};
use orderbell_channels::webhook::{Webhook, WebhookSettings};

use crate::fixtures::{TIMEOUT, message, notification, rules};
use crate::http_receiver::{Reaction, Receiver};
use crate::webhook::webhook;

const LATER: OutcomeKind = OutcomeKind::Transient(Scope::Endpoint);

async fn outcome(reaction: Reaction) -> Outcome {
    let receiver = Receiver::start([reaction]).await;
    let outcome = to(&receiver.url()).await;
    assert_eq!(receiver.received().len(), 1, "nothing is sent twice within one attempt");
    outcome
}

async fn to(url: &str) -> Outcome {
    webhook().send(&message(Protocol::Webhook, url, notification())).await.outcome
}

fn throttled(seconds: Option<u64>) -> OutcomeKind {
    OutcomeKind::Throttled { scope: Scope::Endpoint, retry_after: seconds.map(Duration::from_secs) }
}

#[tokio::test]
async fn a_status_says_what_the_attempt_came_to() {
    for (status, kind) in [
        ("200 OK", OutcomeKind::Delivered),
        ("204 No Content", OutcomeKind::Delivered),
        ("299 Fine", OutcomeKind::Delivered),
        ("304 Not Modified", LATER),
        ("400 Bad Request", LATER),
        ("401 Unauthorized", LATER),
        ("404 Not Found", LATER),
        ("410 Gone", OutcomeKind::Permanent(Scope::Endpoint)),
        ("429 Too Many Requests", throttled(None)),
        ("500 Internal Server Error", LATER),
        ("502 Bad Gateway", LATER),
        ("503 Service Unavailable", LATER),
        ("504 Gateway Timeout", LATER),
    ] {
        assert_eq!(outcome(Reaction::Answer(status, String::new())).await.kind, kind, "{status}");
    }
}

#[tokio::test]
async fn a_receiver_that_sends_retry_after_is_left_until_then() {
    for (status, header, kind) in [
        ("429 Too Many Requests", "retry-after: 120", throttled(Some(120))),
        ("503 Service Unavailable", "Retry-After: 5", throttled(Some(5))),
        ("502 Bad Gateway", "Retry-After: 0", throttled(Some(0))),
        ("503 Service Unavailable", "Retry-After: soon", LATER),
        ("429 Too Many Requests", "Retry-After: soon", throttled(None)),
        ("410 Gone", "Retry-After: 5", OutcomeKind::Permanent(Scope::Endpoint)),
        ("200 OK", "Retry-After: 5", OutcomeKind::Delivered),
    ] {
        let reaction = Reaction::AnswerWith(status, header, String::new());
        assert_eq!(outcome(reaction).await.kind, kind, "{status}, {header}");
    }
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "the date is relative to the present")]
async fn a_retry_after_date_is_counted_from_the_attempt() {
    let until = httpdate::fmt_http_date(SystemTime::now() + Duration::from_mins(10));
    let header: &'static str = format!("retry-after: {until}").leak();
    let outcome = outcome(Reaction::AnswerWith("503 Service Unavailable", header, String::new())).await;
    let OutcomeKind::Throttled { retry_after: Some(delay), .. } = outcome.kind else { panic!("{outcome:?}") };
    assert!((590..=600).contains(&delay.as_secs()), "{delay:?}");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Receiver::start([]).await;
    for status in ["301 Moved Permanently", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"] {
        let header: &'static str = format!("location: {}", elsewhere.url()).leak();
        let outcome = outcome(Reaction::AnswerWith(status, header, String::new())).await;
        assert_eq!(outcome.kind, LATER);
        assert!(outcome.reply.contains("redirects are not followed"), "{}", outcome.reply);
    }
    assert!(elsewhere.received().is_empty());
}

#[tokio::test]
async fn a_receiver_that_cannot_be_reached_surely_got_nothing() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let plain = Receiver::start([]).await;
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    for url in [
        format!("https://{}/", silent.local_addr().unwrap()),
        format!("http://127.0.0.1:{nobody}/"),
        "http://no-such-host.invalid/".to_owned(),
        format!("https://127.0.0.1:{}/", plain.port),
    ] {
        let outcome = to(&url).await;
        assert_eq!(outcome.kind, LATER, "{url}: {}", outcome.reply);
        assert!(outcome.reply.starts_with("no connection: "), "{}", outcome.reply);
    }
}

#[tokio::test]
async fn a_receiver_whose_certificate_nobody_vouches_for_gets_nothing() {
    let peer = crate::smtp_peer::Peer::start_implicit(crate::smtp_peer::Script::default()).await;
    let outcome = to(&format!("https://127.0.0.1:{}/", peer.port)).await;
    assert_eq!(outcome.kind, LATER);
    assert!(outcome.reply.contains("certificate"), "{}", outcome.reply);
}

#[tokio::test]
async fn a_receiver_of_a_private_authority_is_spoken_to_where_that_is_trusted() {
    let peer = crate::smtp_peer::Peer::start_implicit(crate::smtp_peer::Script::default()).await;
    let another = crate::smtp_peer::Peer::start_implicit(crate::smtp_peer::Script::default()).await;
    let both = [another.ca.clone(), peer.ca.clone()].concat();
    let text = String::from_utf8(peer.ca.clone()).unwrap();
    // As `openssl x509 -text`, Windows and people who keep all in one file write it.
    let commented = format!("Certificate:\n    Data:\n        Version: 3 (0x2)\n{text}\n# our authority\n");
    let with_key = rcgen::KeyPair::generate().unwrap().serialize_pem() + &text;
    let allowed_hosts = || vec!["127.0.0.0/8".parse().unwrap()];
    // It speaks no HTTP: what comes over the line shows that there is one.
    for (ca, kind) in [
        (Some(peer.ca.clone()), OutcomeKind::Unknown),
        (Some(both), OutcomeKind::Unknown),
        (Some(text.replace('\n', "\r\n").into_bytes()), OutcomeKind::Unknown),
        (Some(format!("{text}{text}").into_bytes()), OutcomeKind::Unknown),
        (Some(format!("\u{feff}{text}").into_bytes()), OutcomeKind::Unknown),
        (Some(commented.into_bytes()), OutcomeKind::Unknown),
        (Some(with_key.into_bytes()), OutcomeKind::Unknown),
        (Some(another.ca.clone()), LATER),
        (None, LATER),
    ] {
        let settings = WebhookSettings {
            allowed_hosts: allowed_hosts(),
            ca: ca.clone(),
            timeout: TIMEOUT,
            rules: rules(),
        };
        let hook = message(Protocol::Webhook, &format!("https://127.0.0.1:{}/", peer.port), notification());
        assert_eq!(Webhook::new(settings).unwrap().send(&hook).await.outcome.kind, kind);
        let settings = ChatSettings { allowed_hosts: allowed_hosts(), ca, timeout: TIMEOUT, rules: rules() };
        let chat = message(Protocol::Chat, &format!("https://127.0.0.1:{}/", peer.port), notification());
        assert_eq!(Chat::new(settings).unwrap().send(&chat).await.outcome.kind, kind);
    }
}

#[test]
fn a_file_of_certificates_that_holds_none_is_refused() {
    let cut = b"-----BEGIN CERTIFICATE-----\nMIIB".to_vec();
    let garbage = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_vec();
    for ca in [Vec::new(), b"no certificate".to_vec(), cut, garbage, vec![0xFF; 100]] {
        let settings = WebhookSettings {
            allowed_hosts: Vec::new(),
            ca: Some(ca.clone()),
            timeout: TIMEOUT,
            rules: rules(),
        };
        let refused = Webhook::new(settings).err().map(|error| error.to_string());
        assert!(refused.is_some_and(|why| why.contains("ca_file")), "{}", String::from_utf8_lossy(&ca));
    }
}

#[tokio::test]
async fn whether_a_receiver_that_falls_silent_took_it_is_unknown() {
    for reaction in [Reaction::Hang, Reaction::HangUp, Reaction::Babble] {
        let outcome = outcome(reaction.clone()).await;
        assert_eq!(outcome.kind, OutcomeKind::Unknown, "{reaction:?}: {}", outcome.reply);
        assert!(!outcome.reply.is_empty() && !outcome.reply.contains("key=1"), "{}", outcome.reply);
    }
}

#[tokio::test]
async fn once_the_status_is_here_the_rest_of_the_answer_changes_nothing() {
    for reaction in [Reaction::BreakOff("200 OK"), Reaction::Drip("200 OK")] {
        assert_eq!(outcome(reaction).await.kind, OutcomeKind::Delivered);
    }
    assert_eq!(outcome(Reaction::BreakOff("500 Internal Server Error")).await.kind, LATER);
}

#[tokio::test]
async fn of_a_huge_answer_only_the_beginning_is_kept() {
    let outcome = outcome(Reaction::Answer("500 Internal Server Error", "é".repeat(5_000_000))).await;
    assert_eq!(outcome.kind, LATER);
    assert_eq!(outcome.reply.chars().count(), MAX_REPLY);
}

#[tokio::test]
async fn receivers_that_drip_after_their_status_hold_nobody_up_and_are_left() {
    let receiver = Receiver::start_with(Reaction::Drip("200 OK"), []).await;
    let allowed_hosts = vec!["127.0.0.0/8".parse().unwrap()];
    // Whoever waited for the bodies would wait for an hour.
    let settings =
        WebhookSettings { allowed_hosts, ca: None, timeout: Duration::from_hours(1), rules: rules() };
    let webhook = Webhook::new(settings).unwrap();
    let message = message(Protocol::Webhook, &receiver.url(), notification());
    let calls = (0..64).map(|_| webhook.send(&message));
    for sent in futures_util::future::join_all(calls).await {
        assert_eq!(sent.outcome.kind, OutcomeKind::Delivered, "{}", sent.outcome.reply);
        assert!(sent.outcome.reply.starts_with("200 OK"), "{}", sent.outcome.reply);
    }
    receiver.is_left_by(64).await;
}

#[tokio::test]
async fn what_is_not_needed_of_an_answer_is_not_waited_for() {
    for status in ["200 OK", "500 Internal Server Error", "410 Gone"] {
        let reply = outcome(Reaction::Late(status, "at last".to_owned())).await.reply;
        assert!(!reply.contains("at last"), "{reply}");
    }
}

//! Mail that arrives: over each kind of line, on lines that are used again.

use std::time::{Duration, Instant};

use application::ports::{Channel, ChannelRules, Concurrency};
use domain::attempt::{OutcomeKind, Scope};
use domain::endpoint::Protocol;
use orderbell_channels::email::{Email, Sender, SmtpSettings, TlsMode};

use crate::fixtures::{credentials, mail, message, notification, plain_relay};
use crate::smtp_peer::{Act, Peer, Script, always};

fn over_tls(peer: &Peer, tls: TlsMode) -> SmtpSettings {
    SmtpSettings {
        tls,
        ca: Some(peer.ca.clone()),
        credentials: Some(credentials()),
        ..plain_relay(peer.port)
    }
}

fn with_login(offers: &[&'static str]) -> Script {
    Script { offers: [offers, &["AUTH PLAIN LOGIN"]].concat(), ..Script::default() }
}

async fn arrives(settings: SmtpSettings, peer: &Peer) {
    let sent = Email::new(settings).unwrap().send(&mail()).await;
    assert_eq!(sent.outcome.kind, OutcomeKind::Delivered, "{}", sent.outcome.reply);
    assert_eq!(sent.outcome.reply, "250 2.0.0 queued as 42");
    assert!(!sent.confirmed);
    assert_eq!(peer.mails().len(), 1);
}

#[tokio::test]
async fn a_mail_arrives_over_a_plain_line() {
    let peer = Peer::start(Script::default()).await;
    arrives(plain_relay(peer.port), &peer).await;
    assert_eq!(peer.lines("MAIL"), ["MAIL FROM:<orders@shop.example>"]);
    assert_eq!(peer.lines("RCPT"), ["RCPT TO:<jane@example.com>"]);
    assert_eq!(peer.lines("EHLO"), ["EHLO [127.0.0.1]"]);
}

#[tokio::test]
async fn a_relay_elsewhere_is_never_told_a_domain_of_one_machine() {
    let root = message(Protocol::Email, "root@localhost", notification());
    let peer = Peer::start(Script::default()).await;
    let outcome = Email::new(plain_relay(peer.port)).unwrap().send(&root).await.outcome;
    assert_eq!(outcome.kind, OutcomeKind::Delivered, "{}", outcome.reply);
    let from = Sender::parse("root@localhost").unwrap();
    for host in ["relay.example", "mail", "192.0.2.7", "2001:db8::1", "localhost.example"] {
        let elsewhere = SmtpSettings { host: host.to_owned(), ..plain_relay(peer.port) };
        let invalid = Email::new(SmtpSettings { from: from.clone(), ..elsewhere.clone() }).err().unwrap();
        assert_eq!(invalid.setting, "from", "{host}");
        let outcome = Email::new(elsewhere).unwrap().send(&root).await.outcome;
        assert_eq!(outcome.kind, OutcomeKind::Permanent(Scope::Delivery), "{host}: {}", outcome.reply);
        assert!(outcome.reply.contains("a relay on this machine only"), "{host}: {}", outcome.reply);
    }
    for host in ["localhost", "LocalHost", "127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"] {
        let (host, from) = (host.to_owned(), from.clone());
        assert!(Email::new(SmtpSettings { host, from, ..plain_relay(25) }).is_ok());
    }
}

#[tokio::test]
async fn a_mail_arrives_by_starttls_with_a_login() {
    let peer = Peer::start(with_login(&["STARTTLS"])).await;
    arrives(over_tls(&peer, TlsMode::StartTls), &peer).await;
    assert_eq!(peer.lines("EHLO").len(), 2);
    assert_eq!(peer.lines("AUTH PLAIN").len(), 1);
}

#[tokio::test]
async fn a_mail_arrives_over_implicit_tls_with_a_login() {
    let peer = Peer::start_implicit(with_login(&[])).await;
    arrives(over_tls(&peer, TlsMode::Implicit), &peer).await;
}

#[tokio::test]
async fn a_relay_without_starttls_gets_neither_the_password_nor_the_mail() {
    let peer = Peer::start(with_login(&[])).await;
    let sent = Email::new(over_tls(&peer, TlsMode::StartTls)).unwrap().send(&mail()).await;
    assert_eq!(sent.outcome.reply, "TLS: the server does not offer STARTTLS");
    assert!(peer.lines("AUTH").is_empty() && peer.lines("MAIL").is_empty());
}

#[tokio::test]
async fn a_relay_whose_certificate_nobody_vouches_for_gets_neither_the_password_nor_the_mail() {
    for (tls, peer) in [
        (TlsMode::StartTls, Peer::start(with_login(&["STARTTLS"])).await),
        (TlsMode::Implicit, Peer::start_implicit(with_login(&[])).await),
    ] {
        let settings = SmtpSettings { ca: None, ..over_tls(&peer, tls) };
        let sent = Email::new(settings).unwrap().send(&mail()).await;
        assert!(sent.outcome.reply.starts_with("TLS: invalid peer certificate"), "{}", sent.outcome.reply);
        assert!(peer.lines("AUTH").is_empty() && peer.lines("MAIL").is_empty());
    }
}

#[tokio::test]
async fn answers_smuggled_in_before_tls_are_never_taken_for_the_relays() {
    const SMUGGLED: [&[&[u8]]; 6] = [
        &[b"220 go\r\n250-peer\r\n250 AUTH PLAIN\r\n"],
        &[b"220 go\r\n250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n250 2.0.0 queued\r\n"],
        &[b"220 go\r\n2"],
        &[b"220 go\n\n"],
        &[b"220 go\r\n", b"250-peer\r\n250 AUTH PLAIN\r\n"],
        &[b"220 go\r\n421 4.3.0 bye\r\n"],
    ];
    for smuggled in SMUGGLED {
        for credentials in [Some(credentials()), None] {
            let peer = Peer::start(with_login(&["STARTTLS"])).await;
            peer.does_once("STARTTLS", Act::SayIn(smuggled));
            let settings = SmtpSettings { credentials, ..over_tls(&peer, TlsMode::StartTls) };
            let sent = Email::new(settings).unwrap().send(&mail()).await;
            assert_eq!(sent.outcome.kind, OutcomeKind::Transient(Scope::Channel), "{}", sent.outcome.reply);
            assert!(peer.lines("AUTH").is_empty() && peer.mails().is_empty(), "{}", sent.outcome.reply);
        }
    }
}

#[tokio::test]
async fn one_line_carries_many_mails() {
    let peer = Peer::start(Script::default()).await;
    let email = Email::new(plain_relay(peer.port)).unwrap();
    for _ in 0..3 {
        assert_eq!(email.send(&mail()).await.outcome.kind, OutcomeKind::Delivered);
    }
    assert_eq!((peer.connections(), peer.mails().len()), (1, 3));
}

#[expect(clippy::disallowed_methods, reason = "how long it takes is what is asked")]
#[tokio::test]
async fn the_end_of_a_mail_does_not_wait_until_its_content_is_acknowledged() {
    /// For at least so long Linux delays an acknowledgement that nothing else goes along with.
    const DELAYED_ACKNOWLEDGEMENT: Duration = Duration::from_millis(40);
    let peer = Peer::start(Script::default()).await;
    let email = Email::new(plain_relay(peer.port)).unwrap();
    let mut fastest = Duration::MAX;
    for _ in 0..20 {
        let start = Instant::now();
        assert_eq!(email.send(&mail()).await.outcome.kind, OutcomeKind::Delivered);
        fastest = fastest.min(start.elapsed());
    }
    assert!(fastest < DELAYED_ACKNOWLEDGEMENT, "{fastest:?}");
}

#[tokio::test]
async fn a_line_is_used_again_after_a_recipient_was_refused() {
    let peer = Peer::start(Script::default()).await;
    let email = Email::new(plain_relay(peer.port)).unwrap();
    peer.does_once("RCPT", Act::Say("550 5.1.1 no such user\r\n"));
    assert_ne!(email.send(&mail()).await.outcome.kind, OutcomeKind::Delivered);
    assert_eq!(email.send(&mail()).await.outcome.kind, OutcomeKind::Delivered);
    assert_eq!((peer.connections(), peer.lines("RSET").len()), (1, 1));
}

#[tokio::test]
async fn a_line_that_died_while_it_waited_costs_nothing() {
    for death in [Act::HangUp, Act::Say("421 4.4.2 idle too long\r\n"), Act::Hang] {
        let peer = Peer::start(Script::default()).await;
        let email = Email::new(plain_relay(peer.port)).unwrap();
        assert_eq!(email.send(&mail()).await.outcome.kind, OutcomeKind::Delivered);
        peer.does_once("MAIL", death);
        let sent = email.send(&mail()).await;
        assert_eq!(sent.outcome.kind, OutcomeKind::Delivered, "{}", sent.outcome.reply);
        assert_eq!((peer.connections(), peer.mails().len()), (2, 2));
    }
}

#[tokio::test]
async fn mails_sent_at_once_use_a_line_each_and_no_more_lines_are_kept_than_are_wanted() {
    let peer = Peer::start(Script::default()).await;
    let rules = ChannelRules::new(Concurrency { channel: 1, endpoint: 1 });
    let email = Email::new(SmtpSettings { rules, ..plain_relay(peer.port) }).unwrap();
    for connections in [2, 3] {
        let (first, second) = (mail(), mail());
        let (one, two) = tokio::join!(email.send(&first), email.send(&second));
        assert_eq!((one.outcome.kind, two.outcome.kind), (OutcomeKind::Delivered, OutcomeKind::Delivered));
        assert_eq!(peer.connections(), connections);
    }
}

#[tokio::test]
async fn a_probe_goes_as_far_as_mail_from_and_sends_nothing() {
    let peer = Peer::start(Script::default()).await;
    assert_eq!(Email::new(plain_relay(peer.port)).unwrap().probe().await, Ok(()));
    assert_eq!((peer.lines("MAIL").len(), peer.lines("RSET").len(), peer.lines("QUIT").len()), (1, 1, 1));
    assert!(peer.lines("RCPT").is_empty() && peer.mails().is_empty());
}

#[tokio::test]
async fn a_probe_tells_what_still_fails() {
    let peer = Peer::start(always("MAIL", Act::Say("450 4.7.1 not now\r\n"))).await;
    let outcome = Email::new(plain_relay(peer.port)).unwrap().probe().await.unwrap_err();
    assert_eq!(outcome.reply, "450 4.7.1 not now");
}

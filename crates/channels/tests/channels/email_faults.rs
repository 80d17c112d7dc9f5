//! What goes wrong on the way to a relay, and whose failure it is.

use application::ports::{Channel, ChannelRules, Concurrency, Message};
use domain::attempt::{Outcome, OutcomeKind, Scope};
use domain::endpoint::{Endpoint, Protocol};
use orderbell_channels::Secret;
use orderbell_channels::email::{Credentials, Email, Sender, SmtpAuth, SmtpSettings, TlsMode};

use crate::fixtures::{CONCURRENCY, credentials, mail, message, notification, plain_relay};
use crate::smtp_peer::{Act, Peer, Script, always};

const CHANNEL: OutcomeKind = OutcomeKind::Transient(Scope::Channel);
const LATER: OutcomeKind = OutcomeKind::Transient(Scope::Delivery);
const NEVER: OutcomeKind = OutcomeKind::Permanent(Scope::Delivery);
const UNCLEAR: OutcomeKind = OutcomeKind::Permanent(Scope::Unclear);

async fn outcome(settings: SmtpSettings) -> Outcome {
    Email::new(settings).unwrap().send(&mail()).await.outcome
}

async fn with(step: &'static str, act: Act) -> Outcome {
    let peer = Peer::start(always(step, act)).await;
    let outcome = outcome(plain_relay(peer.port)).await;
    assert!(peer.mails().is_empty());
    outcome
}

#[tokio::test]
async fn a_refusal_counts_for_the_channel_up_to_mail_from_and_for_whom_it_is_about_after_it() {
    for (step, answer, kind) in [
        ("GREETING", "554 5.7.1 go away\r\n", CHANNEL),
        ("GREETING", "421 4.3.2 shutting down\r\n", CHANNEL),
        ("EHLO", "451 4.7.1 not now\r\n", CHANNEL),
        ("MAIL", "451 4.3.0 later\r\n", CHANNEL),
        ("MAIL", "550 5.7.1 not your address\r\n", CHANNEL),
        ("MAIL", "530 5.7.0 log in first\r\n", CHANNEL),
        ("RCPT", "421 4.7.0 too much\r\n", CHANNEL),
        ("RCPT", "450 4.2.1 greylisted\r\n", LATER),
        ("RCPT", "550 5.1.1 no such user\r\n", NEVER),
        ("DATA", "421 4.7.0 too much\r\n", CHANNEL),
        ("DATA", "451 4.3.0 later\r\n", LATER),
        ("DATA", "554 5.5.1 no valid recipients\r\n", NEVER),
        ("DOT", "421 4.3.0 stopping\r\n", CHANNEL),
        ("DOT", "452 4.3.1 disk full\r\n", LATER),
        ("DOT", "554 5.7.1 spam\r\n", NEVER),
        ("RCPT", "554 5.7.1 Relay access denied\r\n", CHANNEL),
        ("RCPT", "554 5.7.1 Client host [192.0.2.7] blocked using zen.spamhaus.org\r\n", CHANNEL),
        ("RCPT", "550 5.4.5 Daily user sending limit exceeded\r\n", CHANNEL),
        ("RCPT", "530 5.7.0 Must issue a STARTTLS command first\r\n", CHANNEL),
        ("RCPT", "550 5.7.30 Basic authentication is not supported\r\n", CHANNEL),
        ("DATA", "450 4.7.1 Client host rejected: cannot find your hostname\r\n", CHANNEL),
        ("DOT", "554 5.2.252 SendAsDenied\r\n", CHANNEL),
        ("DOT", "550 5.7.26 not authenticated\r\n", CHANNEL),
        ("RCPT", "550 no\r\n", UNCLEAR),
        ("DOT", "554 5.7.1 no\r\n", UNCLEAR),
    ] {
        let outcome = with(step, Act::Say(answer)).await;
        assert_eq!((outcome.kind, outcome.reply.as_str()), (kind, answer.trim_end()), "{step}");
    }
}

#[tokio::test]
async fn a_relay_that_refuses_us_is_greeted_anew_before_it_is_asked_again() {
    let peer = Peer::start(Script::default()).await;
    let email = Email::new(plain_relay(peer.port)).unwrap();
    assert_eq!(email.send(&mail()).await.outcome.kind, OutcomeKind::Delivered);
    peer.does_once("RCPT", Act::Say("554 5.7.1 <jane@example.com>: Relay access denied\r\n"));
    let refused = email.send(&mail()).await.outcome;
    assert_eq!(
        (refused.kind, refused.reply.as_str()),
        (CHANNEL, "554 5.7.1 <j***@example.com>: Relay access denied")
    );
    assert_eq!(email.send(&mail()).await.outcome.kind, OutcomeKind::Delivered);
    assert_eq!(peer.connections(), 2);
}

#[tokio::test]
async fn the_recipients_address_is_masked_in_whatever_the_relay_says_of_it() {
    for (step, answer, expected) in [
        ("RCPT", "550 5.1.1 <Jane@Example.com>: no mailbox\r\n", "550 5.1.1 <j***@example.com>: no mailbox"),
        ("DOT", "451 4.3.0 to=<jane@example.com> later\r\n", "451 4.3.0 to=<j***@example.com> later"),
        ("DOT", "250 2.0.0 queued for jane@example.com\r\n", "250 2.0.0 queued for j***@example.com"),
    ] {
        let peer = Peer::start(always(step, Act::Say(answer))).await;
        assert_eq!(outcome(plain_relay(peer.port)).await.reply, expected);
    }
}

#[tokio::test]
async fn an_address_is_masked_in_the_form_that_the_relay_was_told_too() {
    let peer =
        Peer::start(always("RCPT", Act::Say("550 5.1.1 <jane@xn--bcher-kva.example> unknown\r\n"))).await;
    let endpoint = Endpoint::stored(Protocol::Email, "jane@bücher.example".to_owned());
    let jane = Message { endpoint, ..mail() };
    let outcome = Email::new(plain_relay(peer.port)).unwrap().send(&jane).await.outcome;
    assert_eq!(outcome.reply, "550 5.1.1 <j***@bücher.example> unknown");
}

#[tokio::test]
async fn a_lost_line_is_the_channels_failure_until_the_content_is_on_its_way_and_then_nobody_knows() {
    for (step, kind) in [
        ("GREETING", CHANNEL),
        ("EHLO", CHANNEL),
        ("MAIL", CHANNEL),
        ("RCPT", CHANNEL),
        ("DATA", CHANNEL),
        ("BODY", OutcomeKind::Unknown),
        ("DOT", OutcomeKind::Unknown),
    ] {
        let outcome = with(step, Act::HangUp).await;
        assert_eq!(outcome.kind, kind, "{step}: {}", outcome.reply);
        assert!(!outcome.reply.is_empty());
    }
}

#[tokio::test]
async fn silence_ends_at_the_time_limit_and_counts_like_a_lost_line() {
    for (step, kind) in [
        ("GREETING", CHANNEL),
        ("MAIL", CHANNEL),
        ("RCPT", CHANNEL),
        ("DATA", CHANNEL),
        ("DOT", OutcomeKind::Unknown),
    ] {
        let outcome = with(step, Act::Hang).await;
        assert_eq!(outcome.kind, kind, "{step}: {}", outcome.reply);
        assert!(outcome.reply.ends_with("no answer within 1.5 s"), "{}", outcome.reply);
    }
}

#[tokio::test]
async fn an_answer_out_of_turn_is_never_taken_for_a_promise() {
    for (step, kind) in [("RCPT", CHANNEL), ("DATA", CHANNEL), ("DOT", OutcomeKind::Unknown)] {
        let answer = if step == "DATA" { "250 ok\r\n" } else { "354 go on\r\n" };
        assert_eq!(with(step, Act::Say(answer)).await.kind, kind, "{step}");
    }
}

#[tokio::test]
async fn an_answer_that_is_no_smtp_is_never_taken_for_a_promise() {
    for (step, kind) in [("GREETING", CHANNEL), ("RCPT", CHANNEL), ("DOT", OutcomeKind::Unknown)] {
        assert_eq!(with(step, Act::Say("HTTP/1.1 400 Bad Request\r\n")).await.kind, kind, "{step}");
    }
}

#[tokio::test]
async fn a_refused_login_is_the_channels_failure() {
    for answer in ["535 5.7.8 wrong password\r\n", "454 4.7.0 later\r\n"] {
        let mut script = always("AUTH", Act::Say(answer));
        script.offers = vec!["STARTTLS", "AUTH PLAIN"];
        let peer = Peer::start(script).await;
        let ca = Some(peer.ca.clone());
        let relay = plain_relay(peer.port);
        let settings = SmtpSettings { tls: TlsMode::StartTls, ca, credentials: Some(credentials()), ..relay };
        let outcome = outcome(settings).await;
        assert_eq!((outcome.kind, outcome.reply.as_str()), (CHANNEL, answer.trim_end()));
    }
}

#[tokio::test]
async fn a_relay_that_takes_no_logins_is_the_channels_failure() {
    let peer = Peer::start(Script::default()).await;
    let outcome = outcome(SmtpSettings { credentials: Some(credentials()), ..plain_relay(peer.port) }).await;
    assert_eq!(outcome.kind, CHANNEL);
    assert_eq!(outcome.reply, "AUTH: the server does not offer AUTH PLAIN or AUTH LOGIN");
}

#[tokio::test]
async fn a_relay_that_is_down_or_has_no_name_is_the_channels_failure() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let down = outcome(plain_relay(nobody)).await;
    assert_eq!(down.kind, CHANNEL);
    assert!(down.reply.starts_with("connect: "), "{}", down.reply);
    let nameless = outcome(SmtpSettings { host: "no-such-host.invalid".to_owned(), ..plain_relay(25) }).await;
    assert_eq!(nameless.kind, CHANNEL);
    assert!(nameless.reply.starts_with("name: "), "{}", nameless.reply);
}

#[tokio::test]
async fn an_address_beyond_ascii_needs_a_relay_that_takes_it() {
    let jose = message(Protocol::Email, "josé@example.com", notification());
    let able = Script { offers: vec!["8BITMIME", "SMTPUTF8"], ..Script::default() };
    let (unable, able) = (Peer::start(Script::default()).await, Peer::start(able).await);
    let refused = Email::new(plain_relay(unable.port)).unwrap().send(&jose).await.outcome;
    assert_eq!(refused.kind, NEVER);
    assert!(refused.reply.contains("SMTPUTF8"), "{}", refused.reply);
    let taken = Email::new(plain_relay(able.port)).unwrap().send(&jose).await.outcome;
    assert_eq!(taken.kind, OutcomeKind::Delivered, "{}", taken.reply);
    assert_eq!(able.lines("MAIL"), ["MAIL FROM:<orders@shop.example> SMTPUTF8 BODY=8BITMIME"]);
}

#[test]
fn settings_that_cannot_work_are_named() {
    let plain = plain_relay(25);
    let elsewhere = |tls| SmtpSettings { host: "mail.example".to_owned(), tls, ..plain.clone() };
    for (setting, settings) in [
        ("host", SmtpSettings { host: "mail example".to_owned(), ..plain.clone() }),
        ("hello_name", SmtpSettings { hello_name: Some("me\r\nQUIT".to_owned()), ..plain.clone() }),
        ("tls", SmtpSettings { credentials: Some(credentials()), ..elsewhere(TlsMode::None) }),
        ("timeout", SmtpSettings { timeout: std::time::Duration::ZERO, ..plain.clone() }),
        (
            "concurrency",
            SmtpSettings {
                rules: ChannelRules::new(Concurrency { channel: 0, ..CONCURRENCY }),
                ..plain.clone()
            },
        ),
        ("ca", SmtpSettings { ca: Some(b"no certificate".to_vec()), ..elsewhere(TlsMode::StartTls) }),
    ] {
        assert_eq!(Email::new(settings).err().map(|invalid| invalid.setting), Some(setting));
    }
}

#[test]
fn a_sender_is_a_mailbox_without_surprises() {
    assert_eq!(Sender::parse("Shop <a@b.example>").unwrap().to_string(), "Shop <a@b.example>");
    assert_eq!(Sender::parse("a@bücher.example").unwrap().to_string(), "a@xn--bcher-kva.example");
    for text in
        ["", "nobody", "Shop\r\nBcc: x@y.example <a@b.example>", "josé@b.example", "a@b.example, c@d.example"]
    {
        assert_eq!(Sender::parse(text).unwrap_err().setting, "from", "{text:?}");
    }
}

#[test]
fn a_password_is_never_shown() {
    let auth = SmtpAuth::Password(Secret::new("hunter2".to_owned()));
    let credentials = Credentials { user: "orders".to_owned(), auth };
    let settings = SmtpSettings { credentials: Some(credentials), ..plain_relay(25) };
    assert!(!format!("{settings:?}").contains("hunter2"));
}

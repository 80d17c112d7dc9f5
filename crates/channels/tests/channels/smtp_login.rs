//! Logging in at a relay, by password and by token.

use application::ports::Channel;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use domain::attempt::{Outcome, OutcomeKind, Scope};
use orderbell_channels::Secret;
use orderbell_channels::email::{Credentials, Email, SmtpAuth, SmtpSettings, TokenSettings};

use crate::fixtures::{credentials, mail, plain_relay};
use crate::smtp_peer::{Act, Peer, Script};
use crate::token_server::{Grant, TokenServer};

const CHANNEL: OutcomeKind = OutcomeKind::Transient(Scope::Channel);

pub(crate) fn offering(ways: &'static str) -> Script {
    Script { offers: vec![ways], ..Script::default() }
}

fn with_password(peer: &Peer) -> SmtpSettings {
    SmtpSettings { credentials: Some(credentials()), ..plain_relay(peer.port) }
}

pub(crate) fn with_token(peer: &Peer, token: TokenSettings) -> SmtpSettings {
    let credentials = Credentials { user: "orders@shop.example".to_owned(), auth: SmtpAuth::Token(token) };
    SmtpSettings { credentials: Some(credentials), ..plain_relay(peer.port) }
}

async fn send(email: &Email) -> Outcome {
    email.send(&mail()).await.outcome
}

fn encoded(text: &str) -> String {
    BASE64_STANDARD.encode(text)
}

fn shown(token: &str) -> String {
    encoded(&format!("user=orders@shop.example\x01auth=Bearer {token}\x01\x01"))
}

#[tokio::test]
async fn plain_is_one_step_in_whatever_case_and_form_it_is_offered() {
    for ways in ["AUTH PLAIN LOGIN", "auth plain login", "AUTH=PLAIN", "Auth=Login Plain", "AUTH = PLAIN"] {
        let peer = Peer::start(offering(ways)).await;
        let outcome = send(&Email::new(with_password(&peer)).unwrap()).await;
        assert_eq!(outcome.kind, OutcomeKind::Delivered, "{ways}: {}", outcome.reply);
        assert_eq!(
            peer.lines("AUTH"),
            [format!("AUTH PLAIN {}", encoded("\0orders\0correct horse"))],
            "{ways}"
        );
    }
}

#[tokio::test]
async fn login_answers_whatever_it_is_asked() {
    for ways in ["AUTH LOGIN", "AUTH=LOGIN", "auth login", "AUTH CRAM-MD5 LOGIN NTLM", "auth=ntlm login"] {
        for (user, password) in [
            ("334 VXNlcm5hbWU6\r\n", "334 UGFzc3dvcmQ6\r\n"),
            ("334 User:\r\n", "334 Pass:\r\n"),
            ("334\n", "334\n"),
            ("334 \r\n", "334-who\r\n334 knows\r\n"),
            ("334 !\r\n", "399\r\n"),
        ] {
            let peer = Peer::start(offering(ways)).await;
            peer.does_once("AUTH", Act::Say(user));
            peer.does_once("?", Act::Say(password));
            peer.does_once("?", Act::Say("235\r\n"));
            let outcome = send(&Email::new(with_password(&peer)).unwrap()).await;
            assert_eq!(outcome.kind, OutcomeKind::Delivered, "{ways}: {user}: {}", outcome.reply);
            assert_eq!(peer.lines("AUTH"), ["AUTH LOGIN"]);
            assert_eq!(peer.lines(&encoded("orders").to_ascii_uppercase()).len(), 1);
            assert_eq!(peer.lines(&encoded("correct horse").to_ascii_uppercase()).len(), 1);
        }
    }
}

#[tokio::test]
async fn login_is_tried_where_plain_is_offered_but_not_known() {
    let peer = Peer::start(offering("AUTH PLAIN LOGIN")).await;
    peer.does_once("AUTH", Act::Say("504 5.5.4 not that\r\n"));
    peer.does_once("AUTH", Act::Say("334\r\n"));
    peer.does_once("?", Act::Say("334\r\n"));
    peer.does_once("?", Act::Say("235\r\n"));
    let outcome = send(&Email::new(with_password(&peer)).unwrap()).await;
    assert_eq!(outcome.kind, OutcomeKind::Delivered, "{}", outcome.reply);
}

#[tokio::test]
async fn a_token_is_asked_for_once_and_used_until_it_ends() {
    let (server, token) = TokenServer::start(Grant::token()).await;
    let peer = Peer::start(offering("AUTH LOGIN xoauth2")).await;
    let email = Email::new(with_token(&peer, token)).unwrap();
    let mails = [mail(), mail(), mail(), mail()];
    let [a, b, c, d] = &mails;
    let sent = tokio::join!(email.send(a), email.send(b), email.send(c), email.send(d));
    for sent in [sent.0, sent.1, sent.2, sent.3] {
        assert_eq!(sent.outcome.kind, OutcomeKind::Delivered, "{}", sent.outcome.reply);
    }
    assert_eq!(peer.lines("AUTH"), vec![format!("AUTH XOAUTH2 {}", shown("token-1")); 4]);
    let form = [
        ("client_id", "client"),
        ("grant_type", "client_credentials"),
        ("client_secret", "hunter2"),
        ("scope", "https://outlook.office365.com/.default"),
    ];
    assert_eq!(server.asked(), [form.map(|(name, value)| (name.to_owned(), value.to_owned()))]);
}

#[tokio::test]
async fn a_refresh_token_is_followed_by_the_next_one() {
    let granted = r#"{"access_token":"token-N","expires_in":0,"refresh_token":"refresh-N"}"#.to_owned();
    let (server, token) = TokenServer::start(Grant::Say(200, granted)).await;
    let token = TokenSettings {
        refresh_token: Some(Secret::new("refresh-0".to_owned())),
        client_secret: None,
        ..token
    };
    let peer = Peer::start(offering("AUTH XOAUTH2")).await;
    let email = Email::new(with_token(&peer, token)).unwrap();
    for _ in 0..2 {
        assert_eq!(email.probe().await, Ok(()));
    }
    let used = |form: &Vec<(String, String)>| {
        form.iter().find(|(name, _)| name == "refresh_token").map(|(_, value)| value.clone()).unwrap()
    };
    assert_eq!(server.asked().iter().map(used).collect::<Vec<_>>(), ["refresh-0", "refresh-1"]);
}

#[tokio::test]
async fn a_token_that_is_refused_is_replaced_once() {
    const CHALLENGE: &str = "334 eyJzdGF0dXMiOiI0MDEifQ==\r\n";
    let (server, token) = TokenServer::start(Grant::token()).await;
    let peer = Peer::start(offering("AUTH XOAUTH2")).await;
    let email = Email::new(with_token(&peer, token)).unwrap();
    assert_eq!(email.probe().await, Ok(()));
    peer.does_once("AUTH", Act::Say(CHALLENGE));
    peer.does_once("?", Act::Say("535 5.7.3 Authentication unsuccessful\r\n"));
    assert_eq!(email.probe().await, Ok(()));
    assert_eq!(peer.lines("AUTH").last(), Some(&format!("AUTH XOAUTH2 {}", shown("token-2"))));
    for _ in 0..2 {
        peer.does_once("AUTH", Act::Say("535 5.7.3 Authentication unsuccessful\r\n"));
    }
    let refused = email.probe().await.unwrap_err();
    assert_eq!((refused.kind, refused.reply.as_str()), (CHANNEL, "535 5.7.3 Authentication unsuccessful"));
    assert_eq!(server.asked().len(), 3, "once for each refusal of one that was kept");
}

#[tokio::test]
async fn a_long_token_waits_until_it_is_asked_for() {
    let long = "t".repeat(3_000);
    let granted = format!(r#"{{"access_token":"{long}","expires_in":"3600"}}"#);
    let (_server, token) = TokenServer::start(Grant::Say(200, granted)).await;
    let peer = Peer::start(offering("AUTH XOAUTH2")).await;
    peer.does_once("AUTH", Act::Say("334\r\n"));
    peer.does_once("?", Act::Say("235 2.7.0 ok\r\n"));
    let outcome = send(&Email::new(with_token(&peer, token)).unwrap()).await;
    assert_eq!(outcome.kind, OutcomeKind::Delivered, "{}", outcome.reply);
    assert_eq!(peer.lines("AUTH"), ["AUTH XOAUTH2"]);
    assert_eq!(peer.lines(&shown(&long).to_ascii_uppercase()).len(), 1);
}

#[tokio::test]
async fn tokens_come_over_tls_or_from_this_machine() {
    let (_server, token) = TokenServer::start(Grant::token()).await;
    for (setting, token) in [
        ("token_url", TokenSettings { url: "http://login.example/token".parse().unwrap(), ..token.clone() }),
        ("token_url", TokenSettings { url: "ftp://127.0.0.1/token".parse().unwrap(), ..token.clone() }),
        ("client_secret", TokenSettings { client_secret: None, ..token.clone() }),
    ] {
        let peer = Peer::start(Script::default()).await;
        let invalid = Email::new(with_token(&peer, token)).err().unwrap();
        assert_eq!(invalid.setting, setting);
    }
}

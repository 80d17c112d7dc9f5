//! Tokens at a real mail server that takes nothing else, and token servers that grant none.

use application::ports::Channel;
use domain::attempt::{OutcomeKind, Scope};
use e2e::smtp_peer::{self, SmtpPeer};
use orderbell_channels::email::doctor::examine;
use orderbell_channels::email::{Credentials, Email, SmtpAuth, SmtpSettings, TlsMode, TokenSettings};

use crate::fixtures::{mail, plain_relay};
use crate::real_receivers::TIMEOUT;
use crate::smtp_login::{offering, with_token};
use crate::smtp_peer::Peer;
use crate::token_server::{Grant, TokenServer};

const CHANNEL: OutcomeKind = OutcomeKind::Transient(Scope::Channel);

fn at(peer: &SmtpPeer, token: TokenSettings) -> SmtpSettings {
    SmtpSettings {
        tls: TlsMode::StartTls,
        ca: Some(std::fs::read(peer.certificate().authority()).unwrap()),
        credentials: Some(Credentials { user: smtp_peer::USERNAME.to_owned(), auth: SmtpAuth::Token(token) }),
        timeout: TIMEOUT,
        ..plain_relay(peer.port())
    }
}

#[tokio::test]
async fn a_real_server_takes_mail_by_token_and_the_token_is_kept_until_it_is_refused() {
    let peer = SmtpPeer::start_for_tokens("token-1").unwrap();
    let (tokens, settings) = TokenServer::start(Grant::token()).await;
    let email = Email::new(at(&peer, settings.clone())).unwrap();
    for _ in 0..2 {
        let outcome = email.send(&mail()).await.outcome;
        assert_eq!(outcome.kind, OutcomeKind::Delivered, "{}", outcome.reply);
    }
    assert_eq!(email.probe().await, Ok(()));
    assert_eq!((peer.mails().unwrap().len(), tokens.asked().len()), (2, 1));

    peer.set_password("token-2").unwrap();
    assert_eq!(email.probe().await, Ok(()), "a new one is asked for");
    assert_eq!(tokens.asked().len(), 2);

    peer.set_password("another").unwrap();
    let refused = email.probe().await.unwrap_err();
    assert_eq!((refused.kind, refused.reply.as_str()), (CHANNEL, smtp_peer::TOKEN_REFUSED));
    let steps = examine(&at(&peer, settings), None).await;
    let last = steps.last().unwrap();
    assert!(
        last.name == "AUTH" && last.result.as_ref().unwrap_err().contains("refuses the token"),
        "{last:?}"
    );
}

#[tokio::test]
async fn a_token_without_a_said_end_is_kept_too() {
    let peer = SmtpPeer::start_for_tokens("token-1").unwrap();
    for body in [
        r#"{"access_token":"token-N"}"#,
        r#"{"access_token":"token-N","expires_in":null}"#,
        r#"{"access_token":"token-N","expires_in":"3599"}"#,
        r#"{"access_token":"token-N","expires_in":{"in":"an hour"},"scope":null,"more":[1]}"#,
    ] {
        let (tokens, settings) = TokenServer::start(Grant::Say(200, body.to_owned())).await;
        let email = Email::new(at(&peer, settings)).unwrap();
        for _ in 0..2 {
            assert_eq!(email.probe().await, Ok(()), "{body}");
        }
        assert_eq!(tokens.asked().len(), 1, "{body}");
    }
}

#[tokio::test]
async fn without_a_token_mail_waits_and_no_secret_is_told() {
    let megabytes = format!(r#"{{"access_token":"{}"}}"#, "t".repeat(8 << 20));
    let html = "<html><title>Sign in</title>hunter2</html>";
    for (grant, told) in [
        (
            Grant::Say(
                401,
                r#"{"error":"invalid_client","error_description":"hunter2 is wrong"}"#.to_owned(),
            ),
            "401 Unauthorized: invalid_client … is wrong",
        ),
        (Grant::Say(400, r#"{"error":"invalid_grant"}"#.to_owned()), "invalid_grant"),
        (Grant::Say(400, r#"{"error":{"code":"hunter2"}}"#.to_owned()), "answered 400 Bad Request"),
        (Grant::Say(500, "hunter2".to_owned()), "answered 500 Internal Server Error"),
        (Grant::Say(503, html.to_owned()), "answered 503 Service Unavailable"),
        (Grant::Say(302, String::new()), "answered 302 Found"),
        (Grant::Say(200, html.to_owned()), "nothing that holds one"),
        (Grant::Say(200, String::new()), "nothing that holds one"),
        (Grant::Say(200, r#"{"access_token":""}"#.to_owned()), "nothing that holds one"),
        (Grant::Say(200, r#"{"access_token":["token-N"]}"#.to_owned()), "nothing that holds one"),
        (Grant::Say(200, r#"{"access_token":"a\u0001b"}"#.to_owned()), "nothing that holds one"),
        (Grant::Say(200, megabytes), "nothing that holds one"),
        (Grant::Endless, "nothing that holds one"),
        (Grant::Hang, "no answer in time"),
    ] {
        let (_tokens, token) = TokenServer::start(grant).await;
        let peer = Peer::start(offering("AUTH XOAUTH2")).await;
        let settings = with_token(&peer, token);
        let outcome = Email::new(settings.clone()).unwrap().send(&mail()).await.outcome;
        let reply = outcome.reply;
        assert_eq!(outcome.kind, CHANNEL, "{reply}");
        assert!(reply.starts_with("token: no token: ") && reply.contains(told), "{told}: {reply}");
        let steps = examine(&settings, None).await;
        let last = steps.last().unwrap();
        let advice = last.result.as_ref().unwrap_err();
        assert!(
            last.name == "token" && advice.contains("smtp.token_url") && advice.contains(told),
            "{advice}"
        );
        assert!(!format!("{reply}{advice}").contains("hunter2"), "{reply}{advice}");
        assert!(peer.lines("AUTH").is_empty() && peer.lines("MAIL").is_empty());
    }
}

#[tokio::test]
async fn a_token_server_that_is_down_is_the_channels_failure() {
    let (_tokens, token) = TokenServer::start(Grant::token()).await;
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let token = TokenSettings { url: format!("http://{nobody}/").parse().unwrap(), ..token };
    let peer = Peer::start(offering("AUTH XOAUTH2")).await;
    let outcome = Email::new(with_token(&peer, token)).unwrap().send(&mail()).await.outcome;
    assert_eq!(outcome.kind, CHANNEL);
    assert!(outcome.reply.starts_with("token: no token: no connection"), "{}", outcome.reply);
}

//! Whose certificate a webhook's or a chat's receiver may show.

use application::ports::Channel;
use domain::attempt::{Outcome, OutcomeKind, Scope};
use domain::endpoint::Protocol;
use orderbell_channels::chat::{Chat, ChatSettings};
use orderbell_channels::webhook::{Webhook, WebhookSettings};
use rcgen::{Certificate, Issuer, KeyPair};
use tokio::net::{TcpListener, TcpStream};

use crate::fixtures::{TIMEOUT, message, notification, rules};
use crate::http_receiver::Receiver;
use crate::smtp_peer::acceptor;
use crate::smtp_trust::{own, parameters};

/// A port at which `receiver` is spoken to over TLS, under that certificate.
#[expect(clippy::disallowed_methods, reason = "the receiver is another party and runs beside the test")]
async fn over_tls(receiver: &Receiver, certificate: &Certificate, key: &KeyPair) -> u16 {
    let (listener, acceptor) = (TcpListener::bind("127.0.0.1:0").await.unwrap(), acceptor(certificate, key));
    let (port, behind) = (listener.local_addr().unwrap().port(), receiver.port);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // Who does not trust the certificate hangs up.
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut plain = TcpStream::connect(("127.0.0.1", behind)).await.unwrap();
            tokio::spawn(async move { tokio::io::copy_bidirectional(&mut stream, &mut plain).await });
        }
    });
    port
}

/// What a webhook and a chat at that port came to, where `ca` is trusted.
async fn sent(port: u16, ca: Option<String>) -> [Outcome; 2] {
    let url = format!("https://127.0.0.1:{port}/");
    let allowed_hosts = || vec!["127.0.0.0/8".parse().unwrap()];
    let ca = ca.map(String::into_bytes);
    let hook =
        WebhookSettings { allowed_hosts: allowed_hosts(), ca: ca.clone(), timeout: TIMEOUT, rules: rules() };
    let hook = Webhook::new(hook).unwrap().send(&message(Protocol::Webhook, &url, notification())).await;
    let chat = ChatSettings { allowed_hosts: allowed_hosts(), ca, timeout: TIMEOUT, rules: rules() };
    let chat = Chat::new(chat).unwrap().send(&message(Protocol::Chat, &url, notification())).await;
    [hook.outcome, chat.outcome]
}

#[tokio::test]
async fn the_very_certificate_that_is_named_is_trusted_whatever_it_says_of_itself() {
    let receiver = Receiver::start([]).await;
    let mut arrived = 0;
    for (names, is_ca, years) in [
        (&["127.0.0.1"][..], true, 2020..2090),
        (&["127.0.0.1"], false, 2020..2090),
        (&[], true, 2020..2090),
        (&["hooks.elsewhere.example"], true, 2020..2090),
        (&["127.0.0.1"], true, 2000..2010),
    ] {
        let (certificate, key) = own(names, is_ca, years);
        // Of the same names, as one that was made anew is.
        let (other, _) = own(names, is_ca, 2020..2090);
        let port = over_tls(&receiver, &certificate, &key).await;
        for (ca, arrives) in [
            (Some(certificate.pem()), true),
            (Some(other.pem() + &certificate.pem()), true),
            (Some(other.pem()), false),
            (None, false),
        ] {
            for outcome in sent(port, ca).await {
                let reply = &outcome.reply;
                assert_eq!(outcome.kind == OutcomeKind::Delivered, arrives, "{names:?}: {reply}");
                if arrives {
                    arrived += 1;
                } else {
                    assert_eq!(
                        (outcome.kind, outcome.status),
                        (OutcomeKind::Transient(Scope::Endpoint), None)
                    );
                    assert!(reply.starts_with("no connection: ") && reply.contains("certificate"), "{reply}");
                }
            }
        }
    }
    assert_eq!(receiver.received().len(), arrived, "who is not trusted is told nothing");
}

/// It vouches for others by the rules for authorities.
#[tokio::test]
async fn what_a_named_authority_signed_is_trusted_for_its_own_names_and_its_own_time() {
    let receiver = Receiver::start([]).await;
    let (authority, authority_key) =
        (parameters(&["An authority"], true, 2020..2090), KeyPair::generate().unwrap());
    let named = authority.self_signed(&authority_key).unwrap().pem();
    let issuer = Issuer::new(authority, authority_key);
    for (name, years, arrives) in
        [("127.0.0.1", 2000..2090, true), ("127.0.0.2", 2000..2090, false), ("127.0.0.1", 2000..2010, false)]
    {
        let key = KeyPair::generate().unwrap();
        let certificate = parameters(&[name], false, years.clone()).signed_by(&key, &issuer).unwrap();
        let port = over_tls(&receiver, &certificate, &key).await;
        for outcome in sent(port, Some(named.clone())).await {
            assert_eq!(
                outcome.kind == OutcomeKind::Delivered,
                arrives,
                "{name} {years:?}: {}",
                outcome.reply
            );
        }
    }
}

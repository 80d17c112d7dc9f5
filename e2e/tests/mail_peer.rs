//! The mail server that the scenarios use does what they ask of it.

use std::fs;

use anyhow::Result;
use lettre::message::header::ContentType;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls as ClientTls, TlsParameters};
use lettre::transport::smtp::response::Response;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use orderbell_e2e::client;
use orderbell_e2e::smtp_peer::{Fault, PASSWORD, SmtpPeer, Stage, Tls, USERNAME};

type Sent = Result<Response, lettre::transport::smtp::Error>;

async fn send(peer: &SmtpPeer, password: &str) -> Result<Sent> {
    client::http()?;
    let authority = Certificate::from_pem(&fs::read(peer.certificate().authority())?)?;
    let tls = TlsParameters::builder("localhost".to_owned()).add_root_certificate(authority).build()?;
    let transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous("127.0.0.1")
        .port(peer.port())
        .tls(ClientTls::Required(tls))
        .credentials(Credentials::new(USERNAME.to_owned(), password.to_owned()))
        .build();
    Ok(transport.send(mail()?).await)
}

fn mail() -> Result<Message> {
    let mail =
        Message::builder().from("a@shop.example".parse()?).to("b@home.example".parse()?).subject("Grüße");
    Ok(mail.header(ContentType::TEXT_PLAIN).body("Ein 📦 für dich".to_owned())?)
}

fn code(sent: &Sent) -> Option<u16> {
    sent.as_ref().err()?.status().map(Into::into)
}

#[tokio::test]
async fn a_mail_is_taken_after_starttls_and_a_login_and_can_be_read() -> Result<()> {
    let peer = SmtpPeer::start(Tls::Starttls)?;
    send(&peer, PASSWORD).await??;
    let mails = peer.wait_for_mails(1).await?;
    assert_eq!(mails[0].from, "a@shop.example");
    assert_eq!(mails[0].to, ["b@home.example"]);
    assert_eq!(mails[0].header("subject"), Some("Grüße"));
    assert_eq!(mails[0].text.trim_end(), "Ein 📦 für dich");
    assert_eq!((peer.counts()?.connections, peer.counts()?.logins.accepted), (1, 1));
    Ok(())
}

#[tokio::test]
async fn nothing_is_taken_in_the_clear() -> Result<()> {
    let peer = SmtpPeer::start(Tls::Starttls)?;
    let in_the_clear =
        AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous("127.0.0.1").port(peer.port()).build();
    assert_eq!(code(&in_the_clear.send(mail()?).await), Some(530));
    assert!(peer.mails()?.is_empty());
    Ok(())
}

#[tokio::test]
async fn a_password_can_change_and_change_back() -> Result<()> {
    let peer = SmtpPeer::start(Tls::Starttls)?;
    peer.set_password("another")?;
    assert_eq!(code(&send(&peer, PASSWORD).await?), Some(535));
    assert_eq!(peer.counts()?.logins.refused, 1);
    peer.set_password(PASSWORD)?;
    assert!(send(&peer, PASSWORD).await?.is_ok());
    Ok(())
}

#[tokio::test]
async fn it_misbehaves_as_often_as_it_is_told_and_then_no_more() -> Result<()> {
    let peer = SmtpPeer::start(Tls::Starttls)?;
    peer.misbehave(Stage::Data, &Fault::Reply("451 4.3.0 try again later".to_owned()), 2)?;
    assert_eq!(code(&send(&peer, PASSWORD).await?), Some(451));
    assert_eq!(code(&send(&peer, PASSWORD).await?), Some(451));
    assert!(send(&peer, PASSWORD).await?.is_ok());
    assert_eq!(peer.mails()?.len(), 1);
    Ok(())
}

#[tokio::test]
async fn it_rejects_one_recipient_for_good() -> Result<()> {
    let peer = SmtpPeer::start(Tls::Starttls)?;
    peer.reject("b@home.example", "550 5.1.1 no such user")?;
    assert_eq!(code(&send(&peer, PASSWORD).await?), Some(550));
    Ok(())
}

#[tokio::test]
async fn it_drops_the_line_after_a_mail_it_keeps_or_does_not_keep() -> Result<()> {
    let peer = SmtpPeer::start(Tls::Starttls)?;
    peer.misbehave(Stage::Data, &Fault::Drop, 1)?;
    assert!(send(&peer, PASSWORD).await?.is_err());
    assert_eq!(peer.mails()?.len(), 0);
    peer.misbehave(Stage::AfterData, &Fault::Drop, 1)?;
    assert!(send(&peer, PASSWORD).await?.is_err());
    assert_eq!(peer.mails()?.len(), 1);
    Ok(())
}

#[tokio::test]
async fn it_can_go_away_and_come_back_on_the_same_port() -> Result<()> {
    let peer = SmtpPeer::start(Tls::Starttls)?;
    let port = peer.port();
    peer.stop()?;
    assert!(send(&peer, PASSWORD).await?.is_err());
    peer.resume()?;
    assert_eq!(peer.port(), port);
    assert!(send(&peer, PASSWORD).await?.is_ok());
    Ok(())
}

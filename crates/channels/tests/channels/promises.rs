//! What every channel promises, whatever it speaks.

use std::sync::{Arc, Mutex};

use application::Error;
use application::ports::{Channel, Content, Inbox, InboxMessage, Message, Page, PageRequest};
use async_trait::async_trait;
use domain::attempt::{OutcomeKind, Scope};
use domain::delivery::DeliveryId;
use domain::endpoint::Protocol;
use orderbell_channels::email::Email;
use orderbell_channels::sandbox::Sandbox;

use crate::fixtures::{CONFIRM, UNSUBSCRIBE, confirmation, mail, message, notification, plain_relay};
use crate::http_receiver::Receiver;
use crate::smtp_peer::{Peer, Script};
use crate::webhook::webhook;

/// Keeps messages in memory, or fails.
#[derive(Default)]
struct Memory {
    kept: Mutex<Vec<InboxMessage>>,
    full: bool,
}

#[async_trait]
impl Inbox for Memory {
    async fn keep(&self, message: InboxMessage) -> Result<(), Error> {
        if self.full {
            return Err(Error::internal("the secret path of a full disk"));
        }
        let mut kept = self.kept.lock().unwrap();
        kept.retain(|other| other.id != message.id);
        kept.push(message);
        Ok(())
    }

    async fn message(&self, id: DeliveryId) -> Result<Option<InboxMessage>, Error> {
        Ok(self.kept.lock().unwrap().iter().find(|message| message.id == id).cloned())
    }

    async fn messages(&self, _: PageRequest) -> Result<Page<InboxMessage>, Error> {
        Err(Error::not_on_this_host())
    }
}

/// `received` lists, for each message that came through, whether it names the delivery.
async fn keeps_the_promises(channel: &dyn Channel, message: &Message, received: impl Fn() -> Vec<bool>) {
    assert_eq!(channel.protocol(), message.endpoint.protocol());
    assert!(channel.rules().concurrency.channel > 0 && channel.rules().concurrency.endpoint > 0);
    assert_eq!(channel.probe().await, Ok(()));
    assert!(received().is_empty(), "a probe sends nothing");
    for times in 1..=2 {
        let sent = channel.send(message).await;
        assert!(
            matches!(sent.outcome.kind, OutcomeKind::Delivered | OutcomeKind::Sandboxed),
            "{:?}",
            sent.outcome
        );
        assert!(!sent.confirmed, "nobody confirmed");
        assert!(!received().is_empty() && received().len() <= times);
        assert!(received().iter().all(|names_it| *names_it), "a repeat carries the same id");
    }
}

async fn refuses_another_protocols_message(channel: &dyn Channel) {
    let strangers = message(Protocol::Sms, "+4915112345678", notification());
    assert_eq!(channel.send(&strangers).await.outcome.kind, OutcomeKind::Permanent(Scope::Delivery));
}

#[tokio::test]
async fn email_keeps_the_promises() {
    let peer = Peer::start(Script::default()).await;
    let email = Email::new(plain_relay(peer.port)).unwrap();
    let message = mail();
    let id = message.id.to_string();
    let received = || peer.mails().iter().map(|mail| String::from_utf8_lossy(mail).contains(&id)).collect();
    keeps_the_promises(&email, &message, received).await;
    refuses_another_protocols_message(&email).await;
}

#[tokio::test]
async fn webhooks_keep_the_promises() {
    let receiver = Receiver::start([]).await;
    let message = message(Protocol::Webhook, &receiver.url(), notification());
    let id = message.id.to_string();
    let arrived = || receiver.received().iter().map(|request| request.header("webhook-id") == id).collect();
    keeps_the_promises(&webhook(), &message, arrived).await;
    refuses_another_protocols_message(&webhook()).await;
}

#[tokio::test]
async fn the_sandbox_keeps_the_promises() {
    let inbox = Arc::new(Memory::default());
    for message in [mail(), message(Protocol::Sms, "+4915112345678", notification())] {
        inbox.kept.lock().unwrap().clear();
        let sandbox = Sandbox::new(message.endpoint.protocol(), inbox.clone());
        let id = message.id;
        let received = || inbox.kept.lock().unwrap().iter().map(|kept| kept.id == id).collect();
        keeps_the_promises(&sandbox, &message, received).await;
    }
}

#[tokio::test]
async fn the_sandbox_keeps_the_whole_message_and_never_says_delivered() {
    let inbox = Arc::new(Memory::default());
    let sandbox = Sandbox::new(Protocol::Email, inbox.clone());
    for (content, link) in [(notification(), UNSUBSCRIBE), (confirmation(), CONFIRM)] {
        let message = message(Protocol::Email, "jane@example.com", content);
        let sent = sandbox.send(&message).await;
        assert_eq!((sent.outcome.kind, sent.confirmed), (OutcomeKind::Sandboxed, false));
        let kept = inbox.message(message.id).await.unwrap().unwrap();
        let Message { at, content, .. } = message;
        assert_eq!((kept.to.as_str(), kept.link.as_deref(), kept.at), ("jane@example.com", Some(link), at));
        assert_eq!((kept.kind, kept.protocol), (content.kind(), Protocol::Email));
        assert_eq!((kept.subject.as_str(), kept.text), (Content::subject(&content), content.text()));
    }
}

#[tokio::test]
async fn a_sandbox_that_cannot_keep_a_message_tries_again_and_tells_nothing_internal() {
    let inbox = Arc::new(Memory { full: true, ..Memory::default() });
    let outcome = Sandbox::new(Protocol::Email, inbox).send(&mail()).await.outcome;
    assert_eq!(outcome.kind, OutcomeKind::Transient(Scope::Channel));
    assert!(!outcome.reply.contains("secret path"), "{}", outcome.reply);
}

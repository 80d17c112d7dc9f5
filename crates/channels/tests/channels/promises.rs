//! What every channel promises, whatever it speaks.

use std::sync::{Arc, Mutex};

use application::Error;
use application::ports::{Channel, Concurrency, Inbox, InboxMessage, Message, Page, PageRequest};
use async_trait::async_trait;
use domain::attempt::{OutcomeKind, Scope};
use domain::delivery::DeliveryId;
use domain::endpoint::{Endpoint, Protocol};
use domain::reader::Reader;
use orderbell_channels::email::Email;
use orderbell_channels::sandbox::Sandbox;
use orderbell_channels::sms::sns::Sns;

use crate::chat::chat;
use crate::fixtures::{
    CONFIRM, UNSUBSCRIBE, confirmation, mail, message, notice, notification, plain_relay, text_message,
};
use crate::http_receiver::{Reaction, Received, Receiver};
use crate::sms::{made, opted_out, published, sms_attributes, sns_settings, twilio};
use crate::smtp_peer::{Act, Peer, Script};
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

    async fn messages(&self, page: PageRequest) -> Result<Page<InboxMessage>, Error> {
        let kept = self.kept.lock().unwrap();
        let from = page.cursor.map_or(0, |cursor| cursor.parse().unwrap());
        let items: Vec<_> = kept.iter().rev().skip(from).take(page.limit).cloned().collect();
        let next = Some(from + items.len()).filter(|next| *next < kept.len());
        Ok(Page { items, unreadable: Vec::new(), next: next.map(|next| next.to_string()) })
    }
}

/// `arrived` lists, for each message that came through, whether it names the delivery or, where nothing of ours goes
/// along, is the same.
pub(crate) async fn delivers_once_an_attempt(
    channel: &dyn Channel,
    message: &Message,
    arrived: impl AsyncFn() -> Vec<bool>,
) {
    assert_eq!(channel.protocol(), message.endpoint.protocol());
    let Concurrency { channel: at_once, endpoint } = channel.rules().concurrency;
    assert!(at_once > 0 && endpoint > 0);
    assert_eq!(channel.probe().await, Ok(()));
    assert!(arrived().await.is_empty(), "a probe sends nothing");
    for times in 1..=2 {
        let sent = channel.send(message).await;
        assert!(
            matches!(sent.outcome.kind, OutcomeKind::Delivered | OutcomeKind::Sandboxed),
            "{:?}",
            sent.outcome
        );
        assert!(!sent.confirmed, "nobody confirmed");
        let arrived = arrived().await;
        assert!(!arrived.is_empty() && arrived.len() <= times);
        assert!(arrived.iter().all(|same| *same), "a repeat can be told from another message");
    }
}

/// A message of another protocol is never sent, and never tried again.
pub(crate) async fn refuses_another_protocols_message(channel: &dyn Channel) {
    let stranger = match channel.protocol() {
        Protocol::Sms => message(Protocol::Chat, "https://hooks.example/T1/B1/x", notification()),
        _ => text_message(notification()),
    };
    assert_eq!(channel.send(&stranger).await.outcome.kind, OutcomeKind::Permanent(Scope::Delivery));
}

/// Where no line came about, nothing was sent, and it is tried again.
async fn knows_that_nothing_was_sent(channel: &dyn Channel, message: &Message) {
    let outcome = channel.send(message).await.outcome;
    assert!(matches!(outcome.kind, OutcomeKind::Transient(_)), "{outcome:?}");
}

/// Where the connection is lost after the message went out, nobody knows.
async fn says_that_it_does_not_know(channel: &dyn Channel, message: &Message) {
    let outcome = channel.send(message).await.outcome;
    assert_eq!(outcome.kind, OutcomeKind::Unknown, "{}", outcome.reply);
}

/// A port of this machine that nobody listens at.
fn nobody() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[tokio::test]
async fn email_keeps_the_promises() {
    let peer = Peer::start(Script::default()).await;
    let email = Email::new(plain_relay(peer.port)).unwrap();
    let message = mail();
    let id = message.id.to_string();
    let arrived =
        async || peer.mails().iter().map(|mail| String::from_utf8_lossy(mail).contains(&id)).collect();
    delivers_once_an_attempt(&email, &message, arrived).await;
    refuses_another_protocols_message(&email).await;
    knows_that_nothing_was_sent(&Email::new(plain_relay(nobody())).unwrap(), &message).await;
    let peer = Peer::start(Script::default()).await;
    peer.does_once("DOT", Act::HangUp);
    says_that_it_does_not_know(&Email::new(plain_relay(peer.port)).unwrap(), &message).await;
}

/// The promises of a channel that speaks HTTP, whose server answers a probe so, and what is asked before each message:
/// `channel` and `message` are made for a server at a port, and `names`
/// tells whether a request is about that message.
async fn keeps_the_promises_over_http<C: Channel>(
    (to_probe, to_ask): (Option<Reaction>, Option<Reaction>),
    usual: Reaction,
    channel: impl Fn(u16) -> C,
    message: impl Fn(u16) -> Message,
    names: impl Fn(&Received, &Message) -> bool,
) {
    let each = [to_ask.clone(), Some(usual)];
    let reactions = [to_probe].into_iter().chain(each.clone()).chain(each).flatten();
    let receiver = Receiver::start(reactions).await;
    let sent = message(receiver.port);
    let arrived = async || {
        let requests = receiver.received();
        let posts = requests.iter().filter(|request| is_message(request));
        posts.map(|request| names(request, &sent)).collect()
    };
    delivers_once_an_attempt(&channel(receiver.port), &sent, arrived).await;
    refuses_another_protocols_message(&channel(receiver.port)).await;
    let nobody = nobody();
    knows_that_nothing_was_sent(&channel(nobody), &message(nobody)).await;
    for silence in [Reaction::HangUp, Reaction::Hang] {
        let receiver = Receiver::start(to_ask.clone().into_iter().chain([silence])).await;
        says_that_it_does_not_know(&channel(receiver.port), &message(receiver.port)).await;
        let sent = receiver.received().iter().filter(|request| is_message(request)).count();
        assert_eq!(sent, 1, "it is not sent again within the attempt");
    }
}

/// Neither a probe nor a confirmation request.
fn is_message(request: &Received) -> bool {
    request.request_line.starts_with("POST ")
        && request.form().get("Action").is_none_or(|action| action == "Publish")
}

fn at(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

#[tokio::test]
async fn webhooks_keep_the_promises() {
    keeps_the_promises_over_http(
        (None, None),
        Reaction::Answer("200 OK", String::new()),
        |_| webhook(),
        |port| message(Protocol::Webhook, &at(port), notification()),
        |request, message| request.header("webhook-id") == message.id.to_string(),
    )
    .await;
}

#[tokio::test]
async fn chats_keep_the_promises() {
    keeps_the_promises_over_http(
        (None, None),
        Reaction::Answer("200 OK", "ok".to_owned()),
        |_| chat(),
        |port| message(Protocol::Chat, &at(port), notification()),
        |request, message| request.json()["text"] == message.content.text(&Reader::default()),
    )
    .await;
}

#[tokio::test]
async fn twilio_keeps_the_promises() {
    keeps_the_promises_over_http(
        (Some(Reaction::Answer("200 OK", "{}".to_owned())), None),
        made("2"),
        |port| twilio(&at(port)),
        |_| text_message(notification()),
        |request, message| request.form()["StatusCallback"].ends_with(&message.id.to_string()),
    )
    .await;
}

#[tokio::test]
async fn sns_keeps_the_promises() {
    keeps_the_promises_over_http(
        (Some(sms_attributes()), Some(opted_out(false))),
        published(),
        |port| Sns::new(sns_settings(&at(port))),
        |_| text_message(notification()),
        |request, message| request.form()["Message"] == message.content.text(&Reader::default()),
    )
    .await;
}

#[tokio::test]
async fn the_sandbox_keeps_the_promises() {
    let inbox = Arc::new(Memory::default());
    for message in [mail(), text_message(notification())] {
        inbox.kept.lock().unwrap().clear();
        let sandbox = Sandbox::new(message.endpoint.protocol(), inbox.clone());
        let id = message.id;
        let arrived = async || inbox.kept.lock().unwrap().iter().map(|kept| kept.id == id).collect();
        delivers_once_an_attempt(&sandbox, &message, arrived).await;
    }
}

#[tokio::test]
async fn the_sandbox_keeps_the_whole_message_and_never_says_delivered() {
    let inbox = Arc::new(Memory::default());
    let sandbox = Sandbox::new(Protocol::Email, inbox.clone());
    for (content, link) in
        [(notification(), Some(UNSUBSCRIBE)), (confirmation(), Some(CONFIRM)), (notice(), None)]
    {
        let message = message(Protocol::Email, "jane@example.com", content);
        let sent = sandbox.send(&message).await;
        assert_eq!((sent.outcome.kind, sent.confirmed), (OutcomeKind::Sandboxed, false));
        let kept = inbox.message(message.id).await.unwrap().unwrap();
        let Message { at, content, .. } = message;
        assert_eq!((kept.to.as_str(), kept.link.as_deref(), kept.at), ("jane@example.com", link, at));
        assert_eq!((kept.kind, kept.protocol), (content.kind(), Protocol::Email));
        assert_eq!(
            (kept.subject, kept.text),
            (content.mail_subject(&Reader::default()).into_owned(), content.text(&Reader::default()))
        );
    }
}

#[tokio::test]
async fn a_sandbox_that_cannot_keep_a_message_tries_again_and_tells_nothing_internal() {
    let inbox = Arc::new(Memory { full: true, ..Memory::default() });
    let outcome = Sandbox::new(Protocol::Email, inbox).send(&mail()).await.outcome;
    assert_eq!(outcome.kind, OutcomeKind::Transient(Scope::Channel));
    assert!(!outcome.reply.contains("secret path"), "{}", outcome.reply);
}

/// What another time's rules let through stays that delivery's own trouble, in words, on every channel.
#[tokio::test]
async fn a_stored_endpoint_that_nothing_can_be_sent_to_is_its_deliverys_own_failure() {
    let nowhere = nobody();
    let email = Email::new(plain_relay(Peer::start(Script::default()).await.port)).unwrap();
    let (webhook, chat) = (webhook(), chat());
    let channels: [&dyn Channel; 3] = [&email, &webhook, &chat];
    for channel in channels {
        for text in
            ["", "jo", "日本", "jo@", "@example.com", "http://", "ftp://127.0.0.1/", "https://exa mple.com/"]
        {
            let endpoint = Endpoint::stored(channel.protocol(), text.to_owned());
            let known = message(Protocol::Webhook, &format!("http://127.0.0.1:{nowhere}/"), notification());
            let outcome = channel.send(&Message { endpoint, ..known }).await.outcome;
            assert_eq!(
                outcome.kind,
                OutcomeKind::Permanent(Scope::Delivery),
                "{} {text:?}",
                channel.protocol()
            );
            assert!(!outcome.reply.is_empty());
        }
    }
}

//! What [`DeliveryQueue::notify_operators`](application::ports::DeliveryQueue::notify_operators) promises.

use std::time::Duration;

use application::ports::{DeliveryQuery, NewSubscription};
use domain::Timestamp;
use domain::attempt::{OutcomeKind, Scope};
use domain::attributes::{Attributes, SubscribedTo};
use domain::delivery::{DeliveryKind, DeliveryState};
use domain::endpoint::Protocol;
use domain::notice::Notice;
use domain::receipt::{Receipt, ReceiptStatus};
use domain::subscription::{EndReason, SubscriptionId};

use crate::LocalPorts;
use crate::fixtures::{MOMENT, WHILE, email, first_page, now, order, subscription, text};

/// After so long what was gathered is told, and a little more, since what is tried here takes a while itself.
const MINUTE: Duration = Duration::from_secs(90);
/// After so long there may be another notice of the kind.
const QUARTER: Duration = Duration::from_mins(17);
/// After so long a pause is told.
const LONG: Duration = Duration::from_mins(5);

async fn operator(ports: &LocalPorts<'_>, new: NewSubscription) -> SubscriptionId {
    let attributes = Attributes { receives: SubscribedTo::Notices, ..Attributes::default() };
    ports.confirmed(NewSubscription { attributes, ..new }).await.id
}

fn hook() -> NewSubscription {
    subscription(Protocol::Webhook, "https://example.com/operator")
}

/// Looks whether there is something to tell, and answers whom that made told what.
async fn notices_at(ports: &LocalPorts<'_>, at: Timestamp) -> Vec<(SubscriptionId, Notice)> {
    let all = async || {
        let page = first_page(100);
        let records = ports.deliveries.deliveries(DeliveryQuery { page, ..DeliveryQuery::default() }).await;
        let mut records = records.unwrap().items;
        records.retain(|record| record.kind == DeliveryKind::Notice);
        records
    };
    let before = all().await.len();
    let made = ports.queue.notify_operators(at).await.unwrap();
    let mut after = all().await;
    after.truncate(after.len() - before);
    assert_eq!(after.len(), made);
    after.reverse();
    after.into_iter().map(|record| (record.subscription, record.notice.expect("it says something"))).collect()
}

/// A message to that subscription dies.
async fn one_dies(ports: &LocalPorts<'_>, to: SubscriptionId) {
    let delivery = ports.notification(to).await.id;
    ports.kill(delivery).await;
}

fn dead(notice: &Notice) -> (u32, &[Protocol], &str) {
    match notice {
        Notice::Dead { count, protocols, reason, .. } => (*count, protocols, reason),
        other => panic!("{other:?}"),
    }
}

/// In one notice, however many they are, a minute after the first; and then no sooner than a quarter of an hour later.
pub async fn dead_letters_are_told_together(ports: &LocalPorts<'_>) {
    let to = operator(ports, hook()).await;
    let ada = ports.confirmed(email("ada@example.com")).await.id;
    for _ in 0..3 {
        one_dies(ports, ada).await;
    }
    let start = now();
    assert_eq!(notices_at(ports, start + MOMENT).await, [], "it is gathered");
    let told = notices_at(ports, start + MINUTE).await;
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].0, dead(&told[0].1)), (to, (3, &[Protocol::Email][..], "the receiver's reply")));
    assert_eq!(notices_at(ports, start + MINUTE).await, [], "once");
    one_dies(ports, ada).await;
    one_dies(ports, ada).await;
    assert_eq!(notices_at(ports, start + MINUTE * 4).await, []);
    let told = notices_at(ports, start + QUARTER).await;
    assert_eq!((told.len(), dead(&told[0].1).0), (1, 2), "those that died since");
    assert_eq!(notices_at(ports, start + QUARTER * 9).await, []);
}

/// With all the protocols, and to those first who can be reached over another.
pub async fn bad_news_takes_another_way(ports: &LocalPorts<'_>) {
    let [mail, call, chat] = [
        email("operator@example.com"),
        hook(),
        subscription(Protocol::Chat, "https://chat.example.com/services/1"),
    ];
    let (mail, call, chat) =
        (operator(ports, mail).await, operator(ports, call).await, operator(ports, chat).await);
    let ada = ports.confirmed(email("ada@example.com")).await.id;
    let grace = ports.confirmed(text("+4915112345678")).await.id;
    let start = now();
    one_dies(ports, ada).await;
    one_dies(ports, grace).await;
    let told = notices_at(ports, start + MINUTE).await;
    assert_eq!(told.iter().map(|(to, _)| *to).collect::<Vec<_>>(), [call, chat]);
    assert_eq!(dead(&told[0].1).1, [Protocol::Email, Protocol::Sms]);
    for gone in [call, chat] {
        ports.subscriptions.unsubscribe(gone, EndReason::Removed, now()).await.unwrap();
    }
    one_dies(ports, ada).await;
    let told = notices_at(ports, start + QUARTER).await;
    assert_eq!(told.iter().map(|(to, _)| *to).collect::<Vec<_>>(), [mail], "rather so than not at all");
}

/// Neither the death of a notice nor anything else that a notice does is told by another.
pub async fn a_notice_that_died_is_no_news(ports: &LocalPorts<'_>) {
    let to = operator(ports, email("operator@example.com")).await;
    let ada = ports.confirmed(email("ada@example.com")).await.id;
    one_dies(ports, ada).await;
    let mut at = now() + MINUTE;
    assert_eq!(notices_at(ports, at).await.len(), 1);
    let notice = ports.due_by(at).await.deliveries.into_iter().find(|due| due.subscription.id == to);
    ports.kill(notice.expect("the notice is due").id).await;
    for _ in 0..5 {
        at += QUARTER;
        assert_eq!(notices_at(ports, at).await, []);
    }
}

/// A provider that reports later that a message did not arrive is no different.
pub async fn what_its_provider_reports_as_dead_is_told(ports: &LocalPorts<'_>) {
    operator(ports, hook()).await;
    let (_, delivery) = ports.in_flight_to(text("+4915112345678")).await;
    ports.finish(delivery, 1, OutcomeKind::Delivered).await;
    let failed = Receipt::new(ReceiptStatus::Failed, "30005 unknown handset");
    for _ in 0..2 {
        ports.deliveries.receipt(delivery, 1, failed.clone(), now()).await.unwrap();
    }
    let told = notices_at(ports, now() + MINUTE).await;
    assert_eq!(dead(&told[0].1), (1, &[Protocol::Sms][..], "30005 unknown handset"), "once");
}

/// A 410 or an opt-out, and no person's action; its last message's death is a part of that.
pub async fn a_subscription_that_its_receiver_ended_is_told(ports: &LocalPorts<'_>) {
    let to = operator(ports, hook()).await;
    let (gone, delivery) = ports.in_flight("ada@example.com").await;
    let other = ports.confirmed(email("grace@example.com")).await.id;
    ports.subscriptions.unsubscribe(other, EndReason::Unsubscribed, now()).await.unwrap();
    ports.finish(delivery, 1, OutcomeKind::Permanent(Scope::Endpoint)).await;
    let told = notices_at(ports, now() + MINUTE).await;
    let ended = Notice::Ended {
        count: 1,
        subscription_id: gone.id,
        protocol: Protocol::Email,
        endpoint: gone.endpoint.masked(),
        reason: EndReason::OptedOut,
    };
    assert_eq!(told, [(to, ended)]);
}

/// With the newest, and how many there are.
pub async fn an_order_owed_to_nobody_is_told(ports: &LocalPorts<'_>) {
    let to = operator(ports, email("operator@example.com")).await;
    ports.place(order()).await;
    let last = ports.place(order()).await;
    assert_eq!(ports.publish().await.unmatched.len(), 2);
    ports.publish().await;
    let ada = ports.confirmed(email("ada@example.com")).await.id;
    ports.notification(ada).await;
    let told = notices_at(ports, now() + MINUTE).await;
    assert_eq!(told.len(), 1);
    let (told_to, Notice::Unmatched { count: 2, order_id, .. }) = &told[0] else { panic!("{told:?}") };
    assert_eq!((*told_to, *order_id), (to, last.id));
}

/// Once it has lasted for minutes, with its reason; and once again when it is over, not for each interruption.
pub async fn a_long_pause_is_told_and_that_it_is_over(ports: &LocalPorts<'_>) {
    let to = operator(ports, hook()).await;
    let (email, start) = (Protocol::Email, now());
    let pause =
        async |at| ports.queue.channel_paused(email, "535 login refused for shop@example.com", at).await;
    let resume = async |at| ports.queue.channel_resumed(email, at).await;
    pause(start).await.unwrap();
    assert_eq!(notices_at(ports, start + LONG - MOMENT).await, []);
    let reason = "535 login refused for s***@example.com".to_owned();
    let paused = Notice::ChannelPaused { protocol: email, since: start, reason };
    assert_eq!(notices_at(ports, start + LONG).await, [(to, paused)]);
    assert_eq!(notices_at(ports, start + LONG * 9).await, [], "once a pause");
    // A start ends it, and finds out that nothing has changed.
    let again = start + LONG * 10;
    resume(again).await.unwrap();
    assert_eq!(notices_at(ports, again + MOMENT).await, []);
    pause(again + MOMENT).await.unwrap();
    assert_eq!(notices_at(ports, again + LONG * 2).await, []);
    let over = again + LONG * 3;
    resume(over).await.unwrap();
    let works = Notice::ChannelWorks { protocol: email, paused_since: start, since: over };
    assert_eq!(notices_at(ports, over + MINUTE).await, [(to, works)]);
    assert_eq!(notices_at(ports, over + LONG).await, []);
}

/// Neither is its end.
pub async fn a_short_pause_is_not_told(ports: &LocalPorts<'_>) {
    operator(ports, hook()).await;
    let start = now();
    for round in 0..4 {
        let from = start + LONG * round;
        ports.queue.channel_paused(Protocol::Email, "421 busy", from).await.unwrap();
        assert_eq!(notices_at(ports, from + LONG - MOMENT).await, []);
        ports.queue.channel_resumed(Protocol::Email, from + LONG - MOMENT).await.unwrap();
    }
    assert_eq!(notices_at(ports, start + WHILE * 9).await, []);
}

/// So that who comes later is not told of a year; but what lasts is news.
pub async fn what_happened_before_anyone_listened_is_told_to_nobody(ports: &LocalPorts<'_>) {
    let ada = ports.confirmed(email("ada@example.com")).await.id;
    one_dies(ports, ada).await;
    let start = now();
    ports.queue.channel_paused(Protocol::Sms, "no route", start).await.unwrap();
    assert_eq!(notices_at(ports, start + LONG).await, []);
    let to = operator(ports, hook()).await;
    let told = notices_at(ports, start + WHILE).await;
    assert_eq!(told.len(), 1);
    assert!(matches!(told[0], (told_to, Notice::ChannelPaused { .. }) if told_to == to), "{told:?}");
    one_dies(ports, ada).await;
    assert_eq!(notices_at(ports, start + WHILE).await.len(), 1, "what happens from then on is told");
}

/// Neither for ever nor again and again.
pub async fn a_clock_that_was_wrong_hides_no_news(ports: &LocalPorts<'_>) {
    operator(ports, hook()).await;
    let ada = ports.confirmed(email("ada@example.com")).await.id;
    let start = now();
    one_dies(ports, ada).await;
    let year = Duration::from_hours(24 * 400);
    assert_eq!(notices_at(ports, start + year).await.len(), 1, "the clock is ahead");
    one_dies(ports, ada).await;
    assert_eq!(notices_at(ports, start + MINUTE * 2).await.len(), 1, "and was set right");
    assert_eq!(notices_at(ports, start - year).await, []);
    one_dies(ports, ada).await;
    assert_eq!(notices_at(ports, start - year).await.len(), 1, "the clock is behind");
    ports.queue.channel_paused(Protocol::Sms, "no route", start + year).await.unwrap();
    assert_eq!(notices_at(ports, start).await.len(), 1, "it was paused while the clock was ahead");
    assert_eq!(notices_at(ports, start + MOMENT).await, []);
}

/// Who does not receive notices, did not confirm, is suspended or ended is told nothing.
pub async fn only_confirmed_operators_are_told(ports: &LocalPorts<'_>) {
    let ada = ports.confirmed(email("ada@example.com")).await.id;
    let attributes = Attributes { receives: SubscribedTo::Notices, ..Attributes::default() };
    ports.subscribe(NewSubscription { attributes: attributes.clone(), ..email("bob@example.com") }).await;
    let ended = operator(ports, email("eve@example.com")).await;
    ports.subscriptions.unsubscribe(ended, EndReason::Removed, now()).await.unwrap();
    let suspended = operator(ports, email("sam@example.com")).await;
    ports
        .local_subscriptions
        .suspend(suspended, domain::subscription::SuspensionReason::Operator, now())
        .await
        .unwrap();
    let everything = Attributes { receives: SubscribedTo::All, ..attributes };
    let all = ports.confirmed(NewSubscription { attributes: everything, ..hook() }).await.id;
    one_dies(ports, ada).await;
    let told = notices_at(ports, now() + MINUTE).await;
    assert_eq!(told.iter().map(|(to, _)| *to).collect::<Vec<_>>(), [all]);
    let notices = ports.due(DeliveryKind::Notice).await;
    assert_eq!(notices.len(), 1);
    assert_eq!(ports.record(notices[0].id).await.state, DeliveryState::Pending);
}

/// Many looks at once make one notice.
pub async fn looking_twice_at_once_tells_once(ports: &LocalPorts<'_>) {
    operator(ports, hook()).await;
    let ada = ports.confirmed(email("ada@example.com")).await.id;
    one_dies(ports, ada).await;
    let at = now() + MINUTE;
    let look = || ports.queue.notify_operators(at);
    let notices = futures_util::future::join_all([look(), look(), look(), look()]).await;
    assert_eq!(notices.into_iter().map(Result::unwrap).sum::<usize>(), 1);
}

//! What a start settles before anything new happens.

use application::ports::{
    Deliveries, DeliveryQueue, LocalSubscriptions, NO_CHANNEL, NewSubscription, OrderLog, OrderStore,
    Publisher, Subscriptions,
};
use domain::Timestamp;
use domain::attributes::Attributes;
use domain::delivery::WaitReason;
use domain::order::{Order, OrderDetails, OrderId};
use domain::subscription::SubscriptionId;
use host::SystemClock;

use super::*;
use crate::config::Layers;

const CLOCK: &dyn Clock = &SystemClock;
const RANDOMNESS: &dyn Randomness = &SystemRandomness;

fn opened(config: &Config) -> Store {
    let options = sqlite::Options::new(Arc::new(SystemClock), Arc::new(SystemRandomness));
    Store::open(&config.data, options).unwrap()
}

fn configured(data: Option<String>) -> Config {
    Config::read(Layers::default().flag("data", data)).unwrap()
}

async fn place(store: &Store) -> OrderId {
    let details = OrderDetails::parse(br#"{"customerName":"Ada","productName":"Mouse"}"#).unwrap();
    let time = CLOCK.now();
    let id = RANDOMNESS.order_id(time);
    store.accept(Order { id, time, details, request_id: String::new() }, None).await.unwrap();
    id
}

async fn subscribe(store: &Store) -> SubscriptionId {
    let now = CLOCK.now();
    let new = NewSubscription {
        id: RANDOMNESS.subscription_id(now),
        endpoint: Endpoint::parse(Protocol::Email, "ada@example.com").unwrap(),
        attributes: Attributes::default(),
        secret: None,
        confirmation: RANDOMNESS.delivery_id(now),
        now,
    };
    let id = new.id;
    store.subscribe(new).await.unwrap();
    store.confirm(id, 1, false, now).await.unwrap().id
}

/// Starts on what is there, with these channels.
async fn settled(config: &Config, store: &Store, modes: &[(Protocol, ChannelMode)]) {
    let modes = modes.iter().copied().collect();
    let own = local_delivery(config, store, modes, LinkKey::new([7; 64]), String::new());
    startup_recovery(&own, store, &BTreeMap::new(), CLOCK, RANDOMNESS).await.unwrap();
}

#[tokio::test]
async fn what_is_owed_over_a_protocol_without_a_channel_says_so_until_there_is_one() {
    let folder = tempfile::tempdir().unwrap();
    let config = configured(folder.path().to_str().map(str::to_owned));
    let store = opened(&config);
    subscribe(&store).await;
    let order = place(&store).await;
    let orders = store.unpublished(10).await.unwrap();
    store.publish(&orders).await.unwrap();
    store.channel_paused(Protocol::Email, "connection refused", CLOCK.now()).await.unwrap();
    let told = async || {
        let found = store.order_history(order).await.unwrap().unwrap();
        let delivery = &found.deliveries[0];
        let reasons: Vec<_> = found.pauses.iter().map(|pause| pause.reason.clone()).collect();
        (reasons, delivery.waits_because(CLOCK.now()), delivery.channel_pause.clone())
    };
    for _ in 0..2 {
        settled(&config, &store, &[(Protocol::Webhook, ChannelMode::Live)]).await;
        let reasons = vec!["connection refused".to_owned(), NO_CHANNEL.to_owned()];
        let waits = (Some(WaitReason::ChannelPaused), Some(NO_CHANNEL.to_owned()));
        assert_eq!(told().await, (reasons, waits.0, waits.1));
    }
    settled(&config, &store, &[(Protocol::Email, ChannelMode::Sandbox)]).await;
    assert_eq!((told().await.1, told().await.2), (None, None));
    store.close().await;
}

#[tokio::test]
async fn a_channels_pause_ends_with_the_process_that_saw_it_fail() {
    let folder = tempfile::tempdir().unwrap();
    let config = configured(folder.path().to_str().map(str::to_owned));
    let store = opened(&config);
    let id = place(&store).await;
    store.channel_paused(Protocol::Email, "connection refused", CLOCK.now()).await.unwrap();
    store.close().await;

    let store = opened(&config);
    let ends = async || -> Vec<Option<Timestamp>> {
        store.order_history(id).await.unwrap().unwrap().pauses.iter().map(|pause| pause.to).collect()
    };
    assert_eq!(ends().await, [None]);
    settled(&config, &store, &[(Protocol::Email, ChannelMode::Sandbox)]).await;
    assert!(matches!(*ends().await, [Some(_)]));
    store.close().await;
}

#[test]
fn a_domain_of_one_machine_is_subscribed_where_its_relay_or_the_sandbox_is() {
    let root = Endpoint::parse(Protocol::Email, "root@localhost").unwrap();
    let jo = Endpoint::parse(Protocol::Email, "jo@example.com").unwrap();
    let relay = |host: &str| {
        let file = |layers: Layers, (setting, text): (&'static str, &str)| {
            layers.flag(setting, Some(text.to_owned()))
        };
        let settings = [("smtp.host", host), ("smtp.from", "orders@example.com")];
        Config::read(settings.into_iter().fold(Layers::default(), file)).unwrap().smtp
    };
    for (relay, taken) in [
        (None, true),
        (relay("localhost"), true),
        (relay("127.0.0.1"), true),
        (relay("::1"), true),
        (relay("relay.example"), false),
        (relay("mailhost"), false),
        (relay("10.0.0.1"), false),
    ] {
        assert_eq!(reachable(&jo, &[], relay.as_ref()), Ok(()));
        match reachable(&root, &[], relay.as_ref()) {
            Ok(()) => assert!(taken, "{relay:?}"),
            Err(refused) => {
                assert!(!taken && refused.field == "endpoint", "{relay:?}");
                assert!(refused.message.contains("smtp.host localhost"), "{}", refused.message);
            }
        }
    }
}

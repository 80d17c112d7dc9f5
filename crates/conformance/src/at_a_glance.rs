//! What [`Deliveries`](application::ports::Deliveries) promises of what lists say beside each of their rows.

use application::ports::DeliveryProgress;
use domain::attempt::{OutcomeKind, Scope};
use domain::delivery::{DeliveryId, DeliveryKind, DeliveryState};
use domain::subscription::SubscriptionId;

use crate::LocalPorts;
use crate::fixtures::{delivery_id, email, now, order};

/// Of each subscription its newest, with its attempts; of one that was never asked, and of an unknown one, none.
pub async fn the_newest_confirmation_request_of_each_is_found(ports: &LocalPorts<'_>) {
    let ada = ports.subscribe(email("ada@example.com")).await.id;
    let bob = ports.subscribe(email("bob@example.com")).await.id;
    let newest = async |of: Vec<SubscriptionId>| {
        let mut found = ports.deliveries.confirmation_requests(of).await.unwrap();
        found.sort_by_key(|request| request.subscription);
        found
    };
    let first = newest(vec![bob, ada]).await;
    assert_eq!(first.iter().map(|request| request.subscription).collect::<Vec<_>>(), [ada, bob]);
    assert!(first.iter().all(|request| request.kind == DeliveryKind::Confirmation));
    ports.begin(first[0].id, 1).await;
    ports.finish(first[0].id, 1, OutcomeKind::Transient(Scope::Endpoint)).await;
    let again: DeliveryId = delivery_id();
    ports.subscriptions.resend_confirmation(bob, again, now()).await.unwrap();

    let second = newest(vec![ada, bob, SubscriptionId(again.0)]).await;
    assert_eq!(second.len(), 2);
    assert_eq!((second[0].id, second[0].attempts.len()), (first[0].id, 1));
    assert_eq!((second[1].id, second[1].attempts.len()), (again, 0));
    assert_eq!(newest(Vec::new()).await, []);
}

/// In the order in which they were asked for.
pub async fn how_far_delivery_has_come_is_counted_for_each_order(ports: &LocalPorts<'_>) {
    ports.confirmed(email("ada@example.com")).await;
    ports.confirmed(email("bob@example.com")).await;
    let first = ports.place(order()).await;
    ports.publish().await;
    let waiting = ports.place(order()).await;
    ports.kill(ports.of_order(&first).await[0].id).await;
    let nobody = DeliveryProgress { is_whole: true, ..DeliveryProgress::default() };
    let half = [(DeliveryState::Dead, 1), (DeliveryState::Pending, 1)];

    let told = ports.deliveries.delivery_progress(vec![waiting.id, first.id, order().id]).await.unwrap();
    let [unpublished, told, unknown] = told.try_into().unwrap();
    assert_eq!((unpublished, unknown), (nobody.clone(), nobody));
    assert!(told.published && told.is_whole);
    assert!(told.counts.len() == 2 && half.iter().all(|state| told.counts.contains(state)), "{told:?}");
}

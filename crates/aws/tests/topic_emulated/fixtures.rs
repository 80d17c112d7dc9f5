//! A host on AWS's emulators, and someone who listens.

use std::sync::{Arc, Mutex};

use application::ports::{NewSubscription, Subscribed, Subscriptions as _};
use aws::{Table, Topic, connect};
use axum::body::Bytes;
use conformance::{CommonPorts, Outbox};
use domain::attributes::Attributes;
use domain::delivery::DeliveryId;
use domain::endpoint::{Endpoint, Protocol};
use domain::filter_policy::FilterPolicy;
use domain::order::{LoggedOrder, Order, OrderDetails, Seq};
use domain::reader::Reader;
use domain::subscription::{Subscription, SubscriptionId};
use host::SystemClock;
use serde_json::Value;
use tokio::net::TcpListener;

use crate::emulated::{self, DYNAMODB_LOCAL, MOTO};

/// A table and a topic of their own.
pub(crate) struct Host {
    pub(crate) table: Table,
    pub(crate) topic: Topic,
}

impl Host {
    pub(crate) async fn new() -> Self {
        let table = emulated::table(DYNAMODB_LOCAL).await;
        let moto = emulated::address(MOTO);
        let env = |name: &str| {
            let value = match name {
                "AWS_REGION" => "us-east-1",
                "AWS_ENDPOINT_URL_SNS" => moto.as_str(),
                "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => "emulated",
                _ => return None,
            };
            Some(value.to_owned())
        };
        let client = connect::clients(&env).unwrap().sns;
        let name = format!("orders-{}", emulated::random());
        let arn = client.create_topic().name(name).send().await.unwrap().topic_arn.unwrap();
        Self {
            topic: Topic::new(client, arn, table.clone(), Arc::new(SystemClock), Reader::default()),
            table,
        }
    }

    pub(crate) fn outbox(&self) -> Outbox<'_> {
        Outbox { orders: &self.table, log: &self.table, publisher: &self.topic }
    }

    pub(crate) fn common_ports(&self) -> CommonPorts<'_> {
        CommonPorts { outbox: self.outbox(), subscriptions: &self.topic }
    }

    pub(crate) async fn subscribe(&self, url: &str, filter_policy: Option<FilterPolicy>) -> Subscription {
        let now = emulated::now();
        let new = NewSubscription {
            id: SubscriptionId::new(now, [1; 10]),
            endpoint: Endpoint::parse(Protocol::Webhook, url).unwrap(),
            attributes: Attributes::with_filter_policy(filter_policy),
            secret: None,
            confirmation: DeliveryId::new(now, [2; 10]),
            now,
        };
        match self.topic.subscribe(new).await.unwrap() {
            Subscribed::Created(subscription) => subscription,
            other => panic!("not created but {other:?}"),
        }
    }
}

/// Someone who keeps the notifications that come over HTTP.
#[derive(Clone, Default)]
pub(crate) struct Subscriber {
    pub(crate) url: String,
    received: Arc<Mutex<Vec<Value>>>,
}

impl Subscriber {
    #[expect(clippy::disallowed_methods, reason = "the subscriber is another party and runs beside the test")]
    pub(crate) async fn listening() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let subscriber = Self { url, received: Arc::default() };
        let received = subscriber.received.clone();
        let service = axum::Router::new().fallback(async move |body: Bytes| {
            received.lock().unwrap().push(serde_json::from_slice(&body).unwrap());
        });
        tokio::spawn(async move { axum::serve(listener, service).await });
        subscriber
    }

    pub(crate) fn received(&self) -> Vec<Value> {
        self.received.lock().unwrap().clone()
    }

    /// The ids of the orders that it was told of.
    pub(crate) fn told_of(&self) -> Vec<String> {
        let told = |notification: &Value| {
            let event: Value = serde_json::from_str(notification["Message"].as_str().unwrap()).unwrap();
            event["data"]["orderId"].as_str().unwrap().to_owned()
        };
        let mut orders: Vec<_> = self.received().iter().map(told).collect();
        orders.sort();
        orders
    }
}

pub(crate) fn order_of(json: &str) -> Order {
    Order { details: OrderDetails::parse(json.as_bytes()).unwrap(), ..emulated::order() }
}

pub(crate) fn logged(orders: &[Order]) -> Vec<LoggedOrder> {
    orders.iter().cloned().zip(0..).map(|(order, seq)| LoggedOrder { seq: Seq(seq), order }).collect()
}

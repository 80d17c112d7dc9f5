//! A host for tests: the real store in a folder of its own, a clock that is set by hand, chance that is
//! counted.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ::host::SetClock;
use application::ports::{
    Clock, DeliveryQueue, Due, DueQuery, Finished, Intent, OrderLog, Publisher, Randomness, Subscriptions,
};
use application::templates::TemplateBook;
use application::{App, ChannelMode, Links, LocalDelivery};
use axum::Router;
use axum::body::Body;
use domain::attempt::{Outcome, OutcomeKind};
use domain::delivery::{Decision, DeliveryState, Next};
use domain::endpoint::Protocol;
use domain::link_token::{LinkKey, LinkToken, OrderToken, Purpose};
use domain::subscription::SubscriptionId;
use http::{HeaderMap, Method, Request, StatusCode};
use orderbell_web::{Handling, HostPolicy, KeyHash, OrderAuth, OrderLimits, OrderPathAlias, Settings};
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt;

pub(crate) const ADMIN_KEY: &str = "the-admin-key-of-this-test";
pub(crate) const SEED_BODY: &str = r#"{"customerName": "John Doe", "productName": "Wireless Mouse"}"#;
/// When the clock begins: 2026-01-31T12:00:00Z.
const START: i64 = 1_769_860_800;

struct Counted(AtomicU64);

impl Randomness for Counted {
    fn fill(&self, bytes: &mut [u8]) {
        let count = self.0.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        for (byte, counted) in bytes.iter_mut().rev().zip(count.iter().rev()) {
            *byte = *counted;
        }
    }
}

/// A running host.
pub(crate) struct Host {
    pub(crate) store: sqlite::Store,
    pub(crate) clock: Arc<SetClock>,
    pub(crate) templates: Arc<TemplateBook>,
    router: Router,
    /// Where orders are placed too.
    order_path_aliases: Vec<OrderPathAlias>,
    link_key: LinkKey,
    _folder: TempDir,
}

/// What was answered.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Host {
    /// Takes orders from everyone, keeps mails and text messages in the inbox, sends webhooks.
    pub(crate) fn start() -> Self {
        Self::with(|_, _| ())
    }

    /// As [`start`](Self::start), changed.
    pub(crate) fn with(change: impl FnOnce(&mut App, &mut Settings)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(SetClock::at_second(START));
        let randomness: Arc<dyn Randomness> = Arc::new(Counted(AtomicU64::new(1)));
        let options = sqlite::Options::new(clock.clone(), Arc::clone(&randomness));
        let store = sqlite::Store::open(folder.path(), options).unwrap();
        let link_key = LinkKey::new([7; 64]);
        let mut app = app(&store, clock.clone(), randomness, link_key.clone());
        let mut settings = settings();
        change(&mut app, &mut settings);
        let order_path_aliases = settings.order_path_aliases.clone();
        let templates = Arc::clone(&app.templates);
        let router = orderbell_web::router(app, settings);
        Self { store, clock, templates, router, order_path_aliases, link_key, _folder: folder }
    }

    /// Sends a request, and holds its answer against the contract.
    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let answer = self.send_unchecked(request).await;
        let is_intake = method == Method::POST
            && self.order_path_aliases.iter().any(|order_auth| order_auth.as_str() == path);
        let path = if is_intake { "/create-order" } else { &path };
        let (status, content_type) = (answer.status.as_u16(), answer.header("content-type"));
        let response =
            contract::Response { method: method.as_str(), path, status, content_type, body: &answer.text };
        contract::check(&response).unwrap_or_else(|error| panic!("{error:#}"));
        answer
    }

    async fn send_unchecked(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        Answer { status: head.status, headers: head.headers, text }
    }

    /// What is no text: its type, and its bytes.
    pub(crate) async fn picture(&self, request: Request<Body>) -> (String, Vec<u8>) {
        let (head, body) = self.router.clone().oneshot(request).await.unwrap().into_parts();
        let content_type = head.headers["content-type"].to_str().unwrap().to_owned();
        (content_type, axum::body::to_bytes(body, usize::MAX).await.unwrap().to_vec())
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    /// Asks with the admin key.
    pub(crate) async fn manage(&self, method: &str, path: &str, body: &str) -> Answer {
        let request = Request::builder().method(method).uri(path).header("x-api-key", ADMIN_KEY);
        self.send(request.body(Body::from(body.to_owned())).unwrap()).await
    }

    pub(crate) async fn place(&self, body: &str) -> Answer {
        self.send(Request::post("/create-order").body(Body::from(body.to_owned())).unwrap()).await
    }

    /// Places the recipe's order and answers its id.
    pub(crate) async fn place_seed(&self) -> String {
        self.place(SEED_BODY).await.json()["orderId"].as_str().unwrap().to_owned()
    }

    /// Subscribes a mail address, or a phone number, and answers its id.
    pub(crate) async fn subscribe(&self, address: &str) -> String {
        let protocol = if address.starts_with('+') { "sms" } else { "email" };
        let body = json!({ "protocol": protocol, "endpoint": address }).to_string();
        let answer = self.manage("POST", "/subscriptions", &body).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
        answer.json()["subscriptionId"].as_str().unwrap().to_owned()
    }

    /// The path of the newest confirmation's link.
    pub(crate) async fn confirm_link(&self, subscription: &str) -> String {
        let id: SubscriptionId = subscription.parse().unwrap();
        let generation = self.store.subscription(id).await.unwrap().unwrap().generation;
        let token = LinkToken { purpose: Purpose::Confirm, subscription: id, generation };
        format!("/subscriptions/confirm?token={}", token.sign(&self.link_key))
    }

    pub(crate) fn unsubscribe_link(&self, subscription: &str) -> String {
        let id: SubscriptionId = subscription.parse().unwrap();
        let token = LinkToken { purpose: Purpose::Unsubscribe, subscription: id, generation: 0 };
        format!("/subscriptions/unsubscribe?token={}", token.sign(&self.link_key))
    }

    pub(crate) async fn post(&self, path: &str, accept: &str, body: &str) -> Answer {
        let request = Request::post(path).header("accept", accept).body(Body::from(body.to_owned())).unwrap();
        self.send(request).await
    }

    /// Subscribes a mail address, or a phone number, and confirms it.
    pub(crate) async fn subscribe_confirmed(&self, address: &str) -> String {
        let id = self.subscribe(address).await;
        let answer = self.post(&self.confirm_link(&id).await, "application/json", "").await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        id
    }

    pub(crate) async fn state_of(&self, subscription: &str) -> String {
        let found = self.manage("GET", &format!("/subscriptions/{subscription}"), "").await;
        found.json()["state"].as_str().unwrap().to_owned()
    }

    /// Publishes what was ordered, as the relay does.
    pub(crate) async fn publish(&self) {
        let orders = self.store.unpublished(100).await.unwrap();
        self.store.publish(&orders).await.unwrap();
    }

    /// What is due now, as the engine asks for it.
    pub(crate) async fn due(&self) -> Due {
        let now = self.clock.now();
        let query = DueQuery {
            now,
            per_endpoint: 100,
            limit: 100,
            skip_deliveries: [].into(),
            skip_endpoints: vec![],
            skip_protocols: vec![],
        };
        self.store.due(query).await.unwrap()
    }

    /// The path of the page of the order that the first due notification tells of.
    pub(crate) async fn order_link(&self) -> String {
        let due = self.due().await.deliveries;
        let delivery = due.iter().find(|due| due.order.is_some()).unwrap().id;
        format!("/o/{}", OrderToken { delivery }.sign(&self.link_key))
    }

    /// Makes the one attempt that is due end so, and the delivery with it.
    pub(crate) async fn attempt_all(&self, outcome: OutcomeKind, reply: &str, state: DeliveryState) {
        self.attempt_all_with(&Outcome::new(outcome, reply), state).await;
    }

    /// The same, of an outcome as a whole.
    pub(crate) async fn attempt_all_with(&self, outcome: &Outcome, state: DeliveryState) {
        let at = self.clock.now();
        for due in self.due().await.deliveries {
            let number = due.attempts + 1;
            self.store.begin(vec![Intent { delivery: due.id, number, at }]).await.unwrap();
            let decision = Decision { next: Next::Over(state), uses_attempt: true, consequence: None };
            let outcome = outcome.clone();
            let (delivery, confirmed, blameless) = (due.id, false, false);
            let finished = Finished { delivery, number, at, outcome, decision, confirmed, blameless };
            self.store.finish(vec![finished]).await.unwrap();
        }
    }
}

fn app(
    store: &sqlite::Store,
    clock: Arc<SetClock>,
    randomness: Arc<dyn Randomness>,
    link_key: LinkKey,
) -> App {
    let channels = BTreeMap::from([
        (Protocol::Email, ChannelMode::Sandbox),
        (Protocol::Sms, ChannelMode::Sandbox),
        (Protocol::Webhook, ChannelMode::Live),
    ]);
    let own = LocalDelivery {
        subscriptions: Arc::new(store.clone()),
        deliveries: Arc::new(store.clone()),
        spam: Arc::new(store.clone()),
        statuses: Arc::new(store.clone()),
        inbox: Arc::new(store.clone()),
        channels,
        endpoint_rule: Arc::new(|_| Ok(())),
        links: Links { key: link_key, public_url: "http://127.0.0.1:8080".to_owned() },
    };
    App {
        shop: Arc::default(),
        templates: Arc::new(TemplateBook::new(Arc::new(store.clone()))),
        orders: Arc::new(store.clone()),
        subscriptions: Arc::new(store.clone()),
        local_delivery: Some(own),
        clock,
        randomness,
        idempotency_lifetime: Duration::from_hours(24),
    }
}

fn settings() -> Settings {
    Settings {
        receipts: None,
        admin_key: Some(KeyHash::of(ADMIN_KEY)),
        client_digest_secret: [5; 32],
        order_auth: OrderAuth::Open,
        order_path_aliases: Vec::new(),
        intake_handling: Handling::Lenient,
        order_limits: OrderLimits::default(),
        cors_allow_origins: Vec::new(),
        host_policy: HostPolicy::Gateway,
        public_url: "http://127.0.0.1:8080".to_owned(),
        metrics: None,
        metrics_key: None,
        auth_throttle: Arc::default(),
        version: "0.0.0",
    }
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Holds it against the form that every failure has.
    #[track_caller]
    pub(crate) fn assert_problem(&self, status: StatusCode, code: &str) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        let problem = self.json();
        assert_eq!(problem["code"], code);
        assert_eq!(problem["status"], status.as_u16());
        assert_eq!(problem["type"], "about:blank");
        assert_eq!(problem["title"], status.canonical_reason().unwrap());
        assert!(problem["detail"].as_str().is_some_and(|detail| !detail.is_empty()));
        assert_eq!(problem["error"], problem["detail"]);
        problem
    }
}

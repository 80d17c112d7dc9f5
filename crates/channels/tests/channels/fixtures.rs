//! Messages to send.

use std::sync::Arc;
use std::time::Duration;

use application::ports::{ChannelRules, Concurrency, Content, Message};
use domain::Timestamp;
use domain::delivery::DeliveryId;
use domain::endpoint::{Endpoint, Protocol};
use domain::notice::Notice;
use domain::order::{Order, OrderDetails, OrderId};
use domain::reader::Reader;
use domain::subscription::SubscriptionId;
use domain::template::Written;
use domain::webhook_secret::WebhookSecret;
use orderbell_channels::Secret;
use orderbell_channels::email::{Credentials, Sender, SmtpAuth, SmtpSettings, TlsMode};

pub(crate) const CONCURRENCY: Concurrency = Concurrency { channel: 4, endpoint: 2 };
/// Long enough for loopback on a busy machine, short enough to wait for.
pub(crate) const TIMEOUT: Duration = Duration::from_millis(1_500);
pub(crate) const UNSUBSCRIBE: &str = "https://orders.example/subscriptions/unsubscribe?token=abc_-123";
pub(crate) const ORDER_URL: &str = "https://orders.example/o/AZGo5ra7c5GvPSUnL40dDp9fB0c6qKX5wM2yTtQxZ4k";
pub(crate) const CONFIRM: &str = "https://orders.example/subscriptions/confirm?token=xyz&more=1";
pub(crate) const NUMBER: &str = "+4915112345678";
pub(crate) const CHALLENGE: &str = "challenge-of-this-confirmation";

pub(crate) fn secret() -> WebhookSecret {
    WebhookSecret::new([7; 32])
}

#[expect(clippy::disallowed_methods, reason = "a signature is only valid near the present")]
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}

pub(crate) fn order(customer: &str, product: &str) -> Order {
    let json = serde_json::json!({ "customerName": customer, "productName": product });
    Order {
        id: OrderId::new(now(), [1; 10]),
        time: now(),
        details: OrderDetails::parse(json.to_string().as_bytes()).unwrap(),
        request_id: "request-1".to_owned(),
    }
}

pub(crate) fn message(protocol: Protocol, endpoint: &str, content: Content) -> Message {
    let id = DeliveryId::new(now(), [2; 10]);
    Message {
        reader: Reader::default(),
        id,
        endpoint: Endpoint::parse(protocol, endpoint).unwrap(),
        secrets: vec![secret()],
        receipt_url: format!("https://orders.example/receipts/{id}"),
        at: now(),
        content,
    }
}

pub(crate) fn notification() -> Content {
    notification_of(order("Jane Doe", "Wireless Mouse"))
}

pub(crate) fn notification_of(order: Order) -> Content {
    Content::Notification {
        order: Arc::new(order),
        order_url: None,
        unsubscribe_url: UNSUBSCRIBE.to_owned(),
        written: Ok(Written::default()),
    }
}

/// With a link to its page.
pub(crate) fn linked_notification_of(order: Order) -> Content {
    Content::Notification {
        order: Arc::new(order),
        order_url: Some(ORDER_URL.to_owned()),
        unsubscribe_url: UNSUBSCRIBE.to_owned(),
        written: Ok(Written::default()),
    }
}

/// As its template says it.
pub(crate) fn written_notification(order: Order, says: Written) -> Content {
    let mut content = linked_notification_of(order);
    if let Content::Notification { written, .. } = &mut content {
        *written = Ok(says);
    }
    content
}

pub(crate) fn confirmation() -> Content {
    Content::Confirmation {
        asked_by: None,
        confirm_url: CONFIRM.to_owned(),
        challenge: CHALLENGE.to_owned(),
        expires_at: "2026-03-04T05:06:00Z".parse().unwrap(),
    }
}

pub(crate) fn notice() -> Content {
    let notice = Notice::Suspended {
        count: 1,
        subscription_id: SubscriptionId::new(now(), [3; 10]),
        protocol: Protocol::Webhook,
        endpoint: "https://hooks.example/***".to_owned(),
        failing_since: "2026-03-04T05:06:00Z".parse().unwrap(),
    };
    Content::Notice { notice, about_url: "https://orders.example/console/subscriptions/1?a=1&b=2".to_owned() }
}

pub(crate) fn mail() -> Message {
    message(Protocol::Email, "jane@example.com", notification())
}

pub(crate) fn text_message(content: Content) -> Message {
    message(Protocol::Sms, NUMBER, content)
}

/// A relay at a port of this machine, spoken to without TLS and without a login.
pub(crate) fn plain_relay(port: u16) -> SmtpSettings {
    SmtpSettings {
        host: "127.0.0.1".to_owned(),
        port,
        tls: TlsMode::None,
        credentials: None,
        from: Sender::parse("Orderbell <orders@shop.example>").unwrap(),
        reply_to: None,
        shop: Arc::default(),
        hello_name: None,
        ca: None,
        timeout: TIMEOUT,
        rules: rules(),
    }
}

pub(crate) fn rules() -> ChannelRules {
    ChannelRules::new(CONCURRENCY)
}

pub(crate) fn credentials() -> Credentials {
    Credentials {
        user: "orders".to_owned(),
        auth: SmtpAuth::Password(Secret::new("correct horse".to_owned())),
    }
}

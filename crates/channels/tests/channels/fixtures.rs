//! Messages to send.

use std::time::Duration;

use application::ports::{Concurrency, Content, Message};
use domain::Timestamp;
use domain::delivery::DeliveryId;
use domain::endpoint::{Endpoint, Protocol};
use domain::order::{Order, OrderDetails, OrderId};
use domain::webhook_secret::WebhookSecret;
use orderbell_channels::email::{Credentials, Password, Sender, SmtpSettings, TlsMode};

pub(crate) const CONCURRENCY: Concurrency = Concurrency { channel: 4, endpoint: 2 };
/// Long enough for loopback on a busy machine, short enough to wait for.
pub(crate) const TIMEOUT: Duration = Duration::from_millis(1_500);
pub(crate) const UNSUBSCRIBE: &str = "https://orders.example/subscriptions/unsubscribe?token=abc_-123";
pub(crate) const CONFIRM: &str = "https://orders.example/subscriptions/confirm?token=xyz&more=1";
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
    Message {
        id: DeliveryId::new(now(), [2; 10]),
        endpoint: Endpoint::parse(protocol, endpoint).unwrap(),
        secrets: vec![secret()],
        receipt_url: "https://shop.example/receipts/1".to_owned(),
        at: now(),
        content,
    }
}

pub(crate) fn notification() -> Content {
    notification_of(order("Jane Doe", "Wireless Mouse"))
}

pub(crate) fn notification_of(order: Order) -> Content {
    Content::Notification { order: Box::new(order), unsubscribe_url: UNSUBSCRIBE.to_owned() }
}

pub(crate) fn confirmation() -> Content {
    Content::Confirmation {
        confirm_url: CONFIRM.to_owned(),
        challenge: CHALLENGE.to_owned(),
        expires_at: "2026-03-04T05:06:00Z".parse().unwrap(),
    }
}

pub(crate) fn mail() -> Message {
    message(Protocol::Email, "jane@example.com", notification())
}

/// A relay at a port of this machine, spoken to without TLS and without a login.
pub(crate) fn plain_relay(port: u16) -> SmtpSettings {
    SmtpSettings {
        host: "127.0.0.1".to_owned(),
        port,
        tls: TlsMode::None,
        credentials: None,
        from: Sender::parse("Orderbell <orders@shop.example>").unwrap(),
        hello_name: None,
        ca: None,
        timeout: TIMEOUT,
        rules: application::ports::ChannelRules::new(CONCURRENCY),
    }
}

pub(crate) fn credentials() -> Credentials {
    Credentials { user: "orders".to_owned(), password: Password::new("correct horse".to_owned()) }
}

//! `/o/{token}`: an order behind the link of a message.

use std::sync::Arc;
use std::time::Duration;

use application::ports::{Acceptance, Idempotency, OrderQuery, OrderStore, Page, Readiness};
use application::{Error, ErrorKind};
use async_trait::async_trait;
use axum::body::Body;
use domain::language::Language;
use domain::order::{Order, OrderId};
use domain::shop::Shop;
use http::{Request, StatusCode};
use serde_json::json;

use crate::host::{Answer, Host};

const ORDER: &str = r#"{"customerName":"Jo <b>&","items":[{"productName":"Pizza","quantity":1200,"unitPrice":"9.50","sku":"P1"},
    {"productName":"Cola","size":"0.5 l <b>"}],"total":22,"currency":"EUR","note":"Ring twice\nTotal: 0","customerPhone":"+4915112345678","gift":"<i>"}"#;

fn assert_page(answer: &Answer, status: StatusCode, says: &str) {
    assert_eq!(answer.status, status, "{}", answer.text);
    assert!(answer.text.contains(says), "{}", answer.text);
    for (header, value) in [
        ("content-type", "text/html; charset=utf-8"),
        ("cache-control", "no-store"),
        ("referrer-policy", "strict-origin"),
        ("x-robots-tag", "noindex"),
        ("x-content-type-options", "nosniff"),
    ] {
        assert_eq!(answer.header(header), Some(value), "{header}");
    }
    let policy = answer.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
    assert!(!answer.text.contains("<script"), "{}", answer.text);
}

/// A host with a confirmed subscription that was changed so, and an order that waits for it; and its link.
async fn told(host: &Host, change: &str, order: &str) -> (String, String) {
    let id = host.subscribe_confirmed("jo@example.com").await;
    if !change.is_empty() {
        let changed = host.manage("PATCH", &format!("/subscriptions/{id}"), change).await;
        assert_eq!(changed.status, StatusCode::OK, "{}", changed.text);
    }
    host.place(order).await;
    host.publish().await;
    (id, host.order_link().await)
}

#[tokio::test]
async fn the_page_shows_all_of_the_order_and_nothing_of_it_is_more_than_text() {
    let host = Host::start();
    let (_, link) = told(&host, "", ORDER).await;
    assert!(link.len() <= 60);
    let page = host.get(&link).await;
    assert_page(&page, StatusCode::OK, "<h1><bdi>1,200 × Pizza, Cola</bdi></h1>");
    for says in [
        "<dt>Customer</dt><dd><bdi>Jo &#60;b&#62;&#38;</bdi></dd>",
        "<dt>Total</dt><dd><bdi>€22</bdi></dd>",
        "<td class=\"number\">1,200</td><td><bdi>Pizza</bdi> <span class=\"meta\">(<bdi>P1</bdi>)</span></td><td class=\"number\">€9.50</td>",
        "<td><bdi>Cola</bdi><br><span class=\"meta\"><bdi>size: 0.5 l &#60;b&#62;</bdi></span></td>",
        "<dt>Note</dt><dd><bdi>Ring twice</bdi><br><bdi>Total: 0</bdi></dd>",
        "<a href=\"tel:+4915112345678\">+4915112345678</a>",
        "<dt>Received</dt><dd>Sat, Jan 31, 2026, 12:0",
        "<dt><bdi>gift</bdi></dt><dd><bdi>&#60;i&#62;</bdi></dd>",
        "<html lang=\"en\">",
    ] {
        assert!(page.text.contains(says), "{says}: {}", page.text);
    }
    assert_eq!(page.text.matches("<form method=\"post\"").count(), 1);
    assert!(!page.text.contains("/console"), "{}", page.text);
}

#[tokio::test]
async fn whatever_fetches_it_nothing_changes() {
    let host = Host::start();
    let (id, link) = told(&host, "", ORDER).await;
    let before = host.manage("GET", "/deliveries", "").await.text;
    let head = host.send(Request::head(&link).body(Body::empty()).unwrap()).await;
    assert_eq!((head.status, head.text.as_str()), (StatusCode::OK, ""));
    for _ in 0..3 {
        assert_page(&host.get(&link).await, StatusCode::OK, "Pizza");
    }
    for method in ["PUT", "DELETE", "PATCH"] {
        assert_eq!(host.manage(method, &link, "{}").await.status, StatusCode::METHOD_NOT_ALLOWED);
    }
    assert_eq!(host.manage("GET", "/deliveries", "").await.text, before);
    assert_eq!(host.state_of(&id).await, "confirmed");
}

#[tokio::test]
async fn it_shows_what_the_subscription_is_shown_now_in_its_language() {
    let host = Host::start();
    let change = r#"{"fields":["customerName","items"],"language":"de","timeZone":"Europe/Berlin"}"#;
    let (id, link) = told(&host, change, ORDER).await;
    let page = host.get(&link).await;
    assert_page(&page, StatusCode::OK, "<html lang=\"de\">");
    assert!(page.text.contains("<dt>Kunde</dt>") && page.text.contains("1.200 × Pizza"), "{}", page.text);
    assert!(page.text.contains("<dt>Eingegangen</dt><dd>Sa., 31.01.2026, 13:0"), "{}", page.text);
    for hidden in ["Ring twice", "+49151", "22", "gift", "Gesamt"] {
        assert!(!page.text.contains(hidden), "{hidden}: {}", page.text);
    }
    let path = format!("/subscriptions/{id}");
    host.manage("PATCH", &path, r#"{"fields":["note"],"language":null}"#).await;
    let page = host.get(&link).await;
    assert_page(&page, StatusCode::OK, "Ring twice");
    assert!(!page.text.contains("Pizza") && !page.text.contains("Jo &#60;"), "{}", page.text);
}

/// Members of an order, each with what tells that it is shown.
const MARKED: [(&str, &str, &str); 14] = [
    ("customerName", r#""Zq-name""#, "Zq-name"),
    ("productName", r#""Zq-product""#, "Zq-product"),
    ("quantity", "773", "773"),
    ("items", r#"["Zq-item"]"#, "Zq-item"),
    ("customerEmail", r#""zq-mail@shop.example""#, "zq-mail"),
    ("customerPhone", r#""+4915112399887""#, "12399887"),
    ("total", r#""918273.64""#, "273.64"),
    ("note", r#""Zq-note""#, "Zq-note"),
    ("reference", r#""Zq-reference""#, "Zq-reference"),
    ("deliveryAddress", r#""Zq-street""#, "Zq-street"),
    ("deliverAt", r#""8947-07-19T03:33""#, "8947"),
    ("locale", r#""gsw-CH""#, "gsw"),
    ("attributes", r#"{"shop":"Zq-north"}"#, "Zq-north"),
    ("extra", r#"{"card":"Zq-card"}"#, "Zq-card"),
];

#[tokio::test]
async fn each_member_is_on_the_page_where_it_is_shown_and_only_there() {
    let host = Host::start();
    let members: Vec<_> = MARKED.iter().map(|(name, json, _)| format!("\"{name}\":{json}")).collect();
    let (id, link) = told(&host, "", &format!("{{{}}}", members.join(","))).await;
    for (alone, ..) in MARKED {
        for without in [false, true] {
            let is_shown = |name: &str| (name == alone) != without;
            let fields: Vec<_> =
                MARKED.iter().map(|(name, ..)| *name).filter(|name| is_shown(name)).collect();
            let change = json!({ "fields": fields }).to_string();
            host.manage("PATCH", &format!("/subscriptions/{id}"), &change).await;
            let page = host.get(&link).await;
            assert_page(&page, StatusCode::OK, "<dt>Order ID</dt>");
            for (name, _, mark) in MARKED {
                assert_eq!(page.text.contains(mark), is_shown(name), "{name} of {fields:?}: {}", page.text);
            }
        }
    }
}

#[tokio::test]
async fn a_link_that_expired_was_altered_or_whose_subscription_ended_says_so_and_nothing_of_the_order() {
    let host = Host::start();
    let (id, link) = told(&host, "", ORDER).await;
    let silent = |page: &Answer, what: &str| {
        for said in ["Pizza", "Jo", "Ring", "jo@"] {
            assert!(!page.text.contains(said), "{what}: {}", page.text);
        }
    };
    let mut altered = link.clone();
    altered.replace_range(20..21, if link[20..].starts_with('A') { "B" } else { "A" });
    for wrong in
        [altered.as_str(), "/o/x", "/o/%ff", &format!("/o/{}", "A".repeat(43)), &link[..link.len() - 1]]
    {
        let page = host.get(wrong).await;
        assert_page(&page, StatusCode::NOT_FOUND, "This link is not valid");
        silent(&page, wrong);
    }
    host.clock.advance(Duration::from_hours(30 * 24 - 1));
    assert_page(&host.get(&link).await, StatusCode::OK, "Pizza");
    host.clock.advance(Duration::from_hours(1));
    let expired = host.get(&link).await;
    assert_page(&expired, StatusCode::GONE, "This link has expired");
    silent(&expired, "expired");

    let host = Host::with(|app, _| app.shop = Arc::new(Shop { language: Language::Fr, ..Shop::default() }));
    let (_, link) = told(&host, "", ORDER).await;
    host.manage("DELETE", &format!("/subscriptions/{id}"), "").await;
    let ended = host.manage("GET", "/subscriptions", "").await.json()["items"][0]["subscriptionId"].clone();
    host.manage("DELETE", &format!("/subscriptions/{}", ended.as_str().unwrap()), "").await;
    let page = host.get(&link).await;
    assert_page(&page, StatusCode::GONE, "Cet abonnement a pris fin");
    silent(&page, "ended");
}

#[tokio::test]
async fn a_link_works_however_carriers_write_it_and_one_that_was_cut_says_so_to_a_person() {
    let host = Host::start();
    let (_, link) = told(&host, "", ORDER).await;
    let token = link.strip_prefix("/o/").unwrap();
    let encoded = |of: char| format!("%{:02X}", u32::from(of));
    let marks_encoded: String = token
        .chars()
        .map(|of| if of.is_ascii_alphanumeric() { of.to_string() } else { encoded(of) })
        .collect();
    let all_encoded: String = token.chars().map(encoded).collect();
    for written in [
        format!("/o/{marks_encoded}"),
        format!("/o/{all_encoded}"),
        format!("{link}/"),
        format!("{link}/?utm_source=x"),
        format!("{link}%A0"),
        format!("{link}%C2%AD"),
        format!("{link}%2F"),
        format!("{link})."),
        format!("{link}+"),
        format!("/o/3D{token}"),
    ] {
        assert_page(&host.get(&written).await, StatusCode::OK, "Pizza");
    }
    for cut in ["/o/", "/o/?x", "/o/=", "/o/&", &link[..10], &format!("{}/", &link[..10])] {
        assert_page(&host.get(cut).await, StatusCode::NOT_FOUND, "This link is not valid");
    }
}

/// A store that takes orders and then fails whoever asks for one: a test cannot bring a real one there.
struct Failing {
    orders: Arc<dyn OrderStore>,
    kind: ErrorKind,
}

#[async_trait]
impl OrderStore for Failing {
    async fn accept(&self, order: Order, key: Option<Idempotency>) -> Result<Acceptance, Error> {
        self.orders.accept(order, key).await
    }

    async fn order(&self, _: OrderId) -> Result<Option<Order>, Error> {
        let error = Error::new(self.kind, "of_the_store", "For the operator");
        Err(error.because("/data/orderbell.db: disk I/O error"))
    }

    async fn orders(&self, query: OrderQuery) -> Result<Page<Order>, Error> {
        self.orders.orders(query).await
    }

    async fn ready(&self) -> Result<Readiness, Error> {
        self.orders.ready().await
    }
}

#[tokio::test]
async fn a_store_that_fails_or_is_busy_is_told_in_the_shops_language_and_when_to_come_again() {
    let languages = [
        (Language::En, "Try again in a few minutes."),
        (Language::De, "Versuchen Sie es in ein paar Minuten noch einmal."),
        (Language::Fr, "Réessayez dans quelques minutes."),
        (Language::Es, "Inténtelo de nuevo dentro de unos minutos."),
    ];
    for (language, says) in languages {
        for (kind, retry_after) in [(ErrorKind::Busy, Some("1")), (ErrorKind::Internal, None)] {
            let host = Host::with(|app, _| {
                app.shop = Arc::new(Shop { language, ..Shop::default() });
                app.orders = Arc::new(Failing { orders: Arc::clone(&app.orders), kind });
            });
            let (_, link) = told(&host, "", ORDER).await;
            let page = host.get(&link).await;
            let status =
                retry_after.map_or(StatusCode::INTERNAL_SERVER_ERROR, |_| StatusCode::SERVICE_UNAVAILABLE);
            assert_page(&page, status, says);
            assert_eq!(page.header("retry-after"), retry_after);
            assert!(!page.text.contains("operator") && !page.text.contains("orderbell.db"), "{}", page.text);
        }
    }
}

#[tokio::test]
async fn an_order_of_two_thousand_items_is_shown_whole() {
    let host = Host::start();
    let items: Vec<_> = (0..2_000).map(|n| json!({ "productName": format!("P{n}!") })).collect();
    let order = json!({"customerName": "Jo", "items": items}).to_string();
    let (_, link) = told(&host, "", &order).await;
    let page = host.get(&link).await;
    assert_page(&page, StatusCode::OK, "<td><bdi>P1999!</bdi></td>");
    assert_eq!(page.text.matches("<tr><td>").count(), 2_000);
}

#[tokio::test]
async fn where_sns_delivers_there_is_no_such_page() {
    let host = Host::with(|app, _| app.local_delivery = None);
    let page = host.get(&format!("/o/{}", "A".repeat(43))).await;
    assert_eq!(page.status, StatusCode::NOT_IMPLEMENTED);
    assert!(page.text.contains("Not served here"), "{}", page.text);
}

/// Posts the page's form with these fields, and answers the page that it leads to.
async fn pressed(host: &Host, link: &str, form: &str) -> Answer {
    let request = Request::post(link).header("content-type", "application/x-www-form-urlencoded");
    let answer = host.send(request.body(Body::from(form.to_owned())).unwrap()).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
    assert_eq!(answer.header("location"), link.rsplit('/').next());
    host.get(link).await
}

async fn status(host: &Host) -> (String, serde_json::Value) {
    let order = host.manage("GET", "/orders", "").await.json()["items"][0].clone();
    (order["status"].as_str().unwrap().to_owned(), order["statusChange"].clone())
}

#[tokio::test]
async fn whoever_has_the_link_acknowledges_the_order_and_can_take_that_back() {
    let host = Host::start();
    let (_, link) = told(&host, "", ORDER).await;
    let page = host.get(&link).await;
    assert_page(&page, StatusCode::OK, "Nobody has acknowledged this order yet.");
    assert!(
        page.text
            .contains(r#"<input type="checkbox" name="sure" value="yes" required> I have seen this order"#)
    );
    let page = pressed(&host, &link, "status=acknowledged&sure=yes&by=Maria+%3Cb%3E").await;
    assert_page(&page, StatusCode::OK, "Acknowledged Sat, Jan 31, 2026, 12:00");
    assert!(page.text.contains(" by Maria &#60;b&#62;</bdi>"), "{}", page.text);
    let (is, change) = status(&host).await;
    let expected =
        json!({"at": "2026-01-31T12:00:00Z", "by": "Maria <b>", "way": "link", "sentTo": "j***@example.com"});
    assert_eq!((is.as_str(), change), ("acknowledged", expected));
    // Pressed late: it is so already.
    let page = pressed(&host, &link, "status=acknowledged&sure=yes&by=Jo").await;
    assert!(page.text.contains(" by Maria"), "{}", page.text);
    let page = pressed(&host, &link, "status=new&sure=yes").await;
    assert_page(&page, StatusCode::OK, "Nobody has acknowledged this order yet.");
    let page = pressed(&host, &link, "status=acknowledged&sure=yes&by=").await;
    assert!(page.text.contains(" by the link sent to j***@example.com"), "{}", page.text);
}

#[tokio::test]
async fn what_fetches_or_submits_the_page_as_it_is_acknowledges_nothing() {
    let host = Host::start();
    let (_, link) = told(&host, "", ORDER).await;
    for form in [
        "",
        "status=acknowledged",
        "status=acknowledged&by=",
        "status=acknowledged&sure=",
        "status=acknowledged&sure=no&by=test",
        "status=acknowledged&sure=on",
        "sure=yes",
        "status=completed&sure=yes",
        "status=cancelled&sure=yes",
        "status=new&sure=yes",
        "status=x&sure=yes",
        "{\"status\":\"acknowledged\",\"sure\":\"yes\"}",
    ] {
        pressed(&host, &link, form).await;
        assert_eq!(status(&host).await, ("new".to_owned(), serde_json::Value::Null), "{form}");
    }
    for method in ["GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE"] {
        let request = Request::builder().method(method).uri(format!("{link}?status=acknowledged&sure=yes"));
        host.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(status(&host).await.0, "new", "{method}");
    }
}

#[tokio::test]
async fn an_order_that_is_over_is_shown_by_no_link() {
    let host = Host::start();
    let (_, link) = told(&host, r#"{"language": "de"}"#, ORDER).await;
    let order =
        host.manage("GET", "/orders", "").await.json()["items"][0]["orderId"].as_str().unwrap().to_owned();
    for status in ["completed", "cancelled"] {
        host.manage("POST", &format!("/orders/{order}/status"), &json!({"status": status}).to_string()).await;
        let page = host.get(&link).await;
        assert_page(&page, StatusCode::GONE, "This order is done");
        assert!(!page.text.contains("Pizza"));
        let request = Request::post(&link).body(Body::from("status=new&sure=yes")).unwrap();
        assert_page(&host.send(request).await, StatusCode::GONE, "This order is done");
        host.manage("POST", &format!("/orders/{order}/status"), r#"{"status": "new"}"#).await;
        assert_page(&host.get(&link).await, StatusCode::OK, "Noch niemand hat diese Bestellung bestätigt.");
    }
}

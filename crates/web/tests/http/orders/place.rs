//! `POST /create-order`.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use application::ports::{Acceptance, Idempotency, OrderQuery, OrderStore, Page, Readiness};
use application::{Error, ErrorKind};
use async_trait::async_trait;
use axum::body::{Body, Bytes};
use domain::order::{Order, OrderId};
use http::{Request, StatusCode};
use http_body::Frame;
use orderbell_web::{Client, ClientKey, Handling, KeyHash, OrderAuth, OrderPathAlias};
use serde_json::json;

use crate::host::{ADMIN_KEY, Answer, Host, SEED_BODY};

const KEY: &str = "0123456789abcdef";
const SHOP_KEY: &str = "the-key-of-the-shop-here";

fn post() -> http::request::Builder {
    Request::post("/create-order")
}

async fn place_with(host: &Host, header: &str, value: &str, body: &str) -> Answer {
    host.send(post().header(header, value).body(Body::from(body.to_owned())).unwrap()).await
}

#[tokio::test]
async fn an_order_is_answered_past_the_table_of_routes_as_by_it() {
    let alias = OrderPathAlias::parse_list("/shop/order").unwrap();
    let host = Host::with(|_, settings| settings.order_path_aliases = alias);
    for (header, value, body) in [
        ("accept", "*/*", SEED_BODY),
        ("idempotency-key", "short", SEED_BODY),
        ("x-request-id", "the-shops-own", SEED_BODY),
        ("content-encoding", "gzip", SEED_BODY),
        ("content-type", "multipart/form-data", SEED_BODY),
        ("accept", "*/*", "{"),
        ("accept", "*/*", r#"{"customerName": "Jo"}"#),
        ("host", "elsewhere.example", SEED_BODY),
    ] {
        let [past, by] = ["/create-order", "/shop/order"]
            .map(|path| host.send(Request::post(path).header(header, value).body(Body::from(body)).unwrap()));
        let (past, by) = (past.await, by.await);
        assert_eq!(past.status, by.status, "{header}: {value}");
        assert!(past.headers.keys().eq(by.headers.keys()), "{:?} and {:?}", past.headers, by.headers);
        let same = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap()["error"].clone();
        assert_eq!(same(&past.text), same(&by.text));
    }
}

async fn orders(host: &Host) -> usize {
    host.manage("GET", "/orders", "").await.json()["items"].as_array().unwrap().len()
}

#[tokio::test]
async fn the_seeds_body_is_answered_as_the_seed_answers() {
    let host = Host::start();
    let answer = host.place(SEED_BODY).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let body = answer.json();
    assert_eq!(body["message"], "Order placed successfully");
    let id = body["orderId"].as_str().unwrap();
    assert_eq!(answer.text, format!(r#"{{"message":"Order placed successfully","orderId":"{id}"}}"#));
    let stored = host.manage("GET", &format!("/orders/{id}"), "").await.json();
    assert_eq!(
        (&stored["customerName"], &stored["productName"]),
        (&json!("John Doe"), &json!("Wireless Mouse"))
    );
}

#[tokio::test]
async fn json_is_read_whatever_the_content_type_and_only_multipart_is_refused() {
    let host = Host::start();
    for kind in ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-8", "x"] {
        assert_eq!(place_with(&host, "content-type", kind, SEED_BODY).await.status, StatusCode::OK, "{kind}");
    }
    let refused = place_with(&host, "content-type", "Multipart/form-data; boundary=x", SEED_BODY).await;
    refused.assert_problem(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type");
}

#[tokio::test]
async fn a_mark_before_the_json_is_passed_over() {
    let host = Host::start();
    let marked = format!("\u{FEFF}{SEED_BODY}");
    assert_eq!(host.place(&marked).await.status, StatusCode::OK);
    host.place("\u{FEFF}").await.assert_problem(StatusCode::BAD_REQUEST, "missing_field");
    let subscription = "\u{FEFF}{\"protocol\":\"email\",\"endpoint\":\"jo@example.com\"}";
    assert_eq!(host.manage("POST", "/subscriptions", subscription).await.status, StatusCode::CREATED);
    for value in ["identity", "Identity", "", "identity, identity"] {
        let answer = place_with(&host, "content-encoding", value, SEED_BODY).await;
        assert_eq!(answer.status, StatusCode::OK, "{value}");
    }
}

#[tokio::test]
async fn a_body_in_another_encoding_is_refused_by_its_name() {
    let host = Host::start();
    let utf_16: Vec<_> = SEED_BODY.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let marked: Vec<_> =
        [0xFE, 0xFF].into_iter().chain(SEED_BODY.encode_utf16().flat_map(u16::to_be_bytes)).collect();
    let utf_32: Vec<_> = SEED_BODY.chars().map(u32::from).flat_map(u32::to_be_bytes).collect();
    for (body, name) in [
        (utf_16, "UTF-16"),
        (marked, "UTF-16"),
        (utf_32, "UTF-32"),
        (b"\x1F\x8B\x08\0\0\0\0\0\0\x03".to_vec(), "gzip"),
        (b"\x78\x9C\xAB\x56\x4A".to_vec(), "deflate"),
        (b"\x28\xB5\x2F\xFD\x20\x01".to_vec(), "zstd"),
        (b"PK\x03\x04\x14\0\0\0".to_vec(), "zip"),
        (b"BZh91AY&SY".to_vec(), "bzip2"),
    ] {
        let answer = host.send(post().body(Body::from(body)).unwrap()).await;
        let problem = answer.assert_problem(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_encoding");
        assert!(problem["detail"].as_str().unwrap().contains(name), "{problem}");
    }
    for value in ["gzip", "deflate", "br", "zstd", "identity, GZIP", "x-unknown"] {
        let answer = place_with(&host, "content-encoding", value, SEED_BODY).await;
        let problem = answer.assert_problem(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_encoding");
        assert_eq!(problem["field"], "Content-Encoding");
    }
    assert_eq!(orders(&host).await, 0);
}

#[tokio::test]
async fn a_header_that_says_one_thing_is_given_once() {
    let host = Host::start();
    for (name, values) in [
        ("Idempotency-Key", [KEY, KEY]),
        ("Idempotency-Key", [KEY, "another-key-of-16"]),
        ("x-api-key", [ADMIN_KEY, ADMIN_KEY]),
        ("x-api-key", ["wrong", ADMIN_KEY]),
        ("Authorization", ["Bearer one", "Bearer two"]),
        ("Content-Type", ["application/json", "multipart/form-data"]),
    ] {
        let request = post().header(name, values[0]).header(name, values[1]);
        let answer = host.send(request.body(Body::from(SEED_BODY)).unwrap()).await;
        let problem = answer.assert_problem(StatusCode::BAD_REQUEST, "repeated_header");
        assert_eq!(problem["field"], name);
    }
    assert_eq!(orders(&host).await, 0);
}

#[tokio::test]
async fn missing_names_are_answered_with_the_seeds_sentence() {
    let host = Host::start();
    for body in
        ["", "{}", "[]", "null", r#"{"customerName":"Jo"}"#, r#"{"customerName":"","productName":"x"}"#]
    {
        let problem = host.place(body).await.assert_problem(StatusCode::BAD_REQUEST, "missing_field");
        assert_eq!(problem["error"], "Missing customerName or productName", "{body}");
    }
    let problem = host.place(r#"{"customerName":"Jo"}"#).await.json();
    assert_eq!(problem["field"], "productName");
    assert_eq!(orders(&host).await, 0);
}

#[tokio::test]
async fn each_mistake_has_its_own_code_and_names_its_field_where_orders_are_handled_strictly() {
    let host = Host::with(|_, settings| settings.intake_handling = Handling::Strict);
    let long = format!(r#"{{"customerName":"{}","productName":"x"}}"#, "é".repeat(1_001));
    let cases = [
        (r#"{"customerName": "John"#, "malformed_json", None),
        (r#"{"customerName":true,"productName":"x"}"#, "wrong_type", Some("customerName")),
        (r#"{"customerName":"Jo","productName":["x"]}"#, "wrong_type", Some("productName")),
        (long.as_str(), "too_long", Some("customerName")),
        (r#"{"customerName":"J\no","productName":"x"}"#, "control_character", Some("customerName")),
        (r#"{"customerName":"Jo","productName":"x","quantity":0}"#, "out_of_range", Some("quantity")),
    ];
    for (body, code, field) in cases {
        let problem = host.place(body).await.assert_problem(StatusCode::BAD_REQUEST, code);
        assert_eq!(problem.get("field").and_then(|field| field.as_str()), field, "{body}");
    }
}

/// An order of which three members cannot be read, and one is a secret.
const FAULTY: &str = r#"{"customerName":"Jo","productName":"x","quantity":"two","total":"19,90","cvc":"123",
    "attributes":{"a b":1},"gift":{"card":"Happy birthday"}}"#;

#[tokio::test]
async fn what_cannot_be_read_costs_no_order_and_the_answer_names_it() {
    let host = Host::start();
    let answer = host.place(FAULTY).await;
    assert_eq!(answer.status, StatusCode::OK);
    let placed = answer.json();
    let named: Vec<_> = placed["warnings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|warning| (&warning["field"], &warning["code"]))
        .collect();
    assert_eq!(
        serde_json::to_value(named).unwrap(),
        json!([
            ["quantity", "out_of_range"],
            ["total", "not_a_number"],
            ["attributes.a b", "invalid_attribute"],
            ["cvc", "masked"]
        ])
    );
    let order =
        host.manage("GET", &format!("/orders/{}", placed["orderId"].as_str().unwrap()), "").await.json();
    assert_eq!(
        order["extra"],
        json!({"quantity":"two","total":"19,90","cvc":"[masked]","attributes":{"a b":1},"gift":{"card":"Happy birthday"}})
    );
    assert_eq!(order["warnings"], placed["warnings"]);
    let plain = host.place(SEED_BODY).await.json();
    assert_eq!(plain.as_object().unwrap().len(), 2, "{plain}");
}

#[tokio::test]
async fn a_client_that_prefers_so_is_refused_and_told_that_its_preference_was_followed() {
    let host = Host::start();
    let prefer = |handling: &str, body: &'static str| {
        post().header("prefer", handling).body(Body::from(body)).unwrap()
    };
    let refused = host.send(prefer("handling=strict", FAULTY)).await;
    let problem = refused.assert_problem(StatusCode::BAD_REQUEST, "out_of_range");
    assert_eq!(problem["field"], "quantity");
    let taken = host.send(prefer("handling=strict", SEED_BODY)).await;
    assert_eq!((taken.status, taken.header("preference-applied")), (StatusCode::OK, Some("handling=strict")));
    let strict = Host::with(|_, settings| settings.intake_handling = Handling::Strict);
    let taken = strict.send(prefer("handling=lenient", FAULTY)).await;
    assert_eq!(
        (taken.status, taken.header("preference-applied")),
        (StatusCode::OK, Some("handling=lenient"))
    );
    let unsaid = host.send(prefer("respond-async", FAULTY)).await;
    assert_eq!((unsaid.status, unsaid.header("preference-applied")), (StatusCode::OK, None));
}

#[tokio::test]
async fn a_replay_repeats_the_warnings_and_another_order_under_the_key_is_told_apart_by_its_members() {
    let host = Host::start();
    let place =
        |body: String| post().header("idempotency-key", "0123456789abcdef").body(Body::from(body)).unwrap();
    let first = host.send(place(FAULTY.to_owned())).await.json();
    let again = host.send(place(FAULTY.to_owned())).await;
    assert_eq!((again.header("idempotency-replayed"), again.json()), (Some("true"), first));
    let other = FAULTY.replace("19,90", "29,90").replace("Jo", "Joe");
    let problem = host
        .send(place(other))
        .await
        .assert_problem(StatusCode::UNPROCESSABLE_ENTITY, "idempotency_key_reused");
    let detail = "This Idempotency-Key was used for another order: it differs in customerName, extra.total";
    assert_eq!(problem["detail"], detail);
    // The preference is judged before the key: what is refused claims none.
    let strict = post().header("idempotency-key", "another-key-of-16").header("prefer", "handling=strict");
    host.send(strict.body(Body::from(FAULTY)).unwrap())
        .await
        .assert_problem(StatusCode::BAD_REQUEST, "out_of_range");
    let lenient = post().header("idempotency-key", "another-key-of-16").body(Body::from(SEED_BODY)).unwrap();
    assert_eq!(host.send(lenient).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_body_that_is_not_utf_8_is_malformed() {
    let host = Host::start();
    let answer = host.send(post().body(Body::from(vec![b'"', 0xff, b'"'])).unwrap()).await;
    answer.assert_problem(StatusCode::BAD_REQUEST, "malformed_json");
}

fn body_of(length: usize) -> String {
    let start = r#"{"customerName":"Jo","productName":"x","unknown":""#;
    format!("{start}{}\"}}", "a".repeat(length - start.len() - 2))
}

#[tokio::test]
async fn a_body_of_64_kib_is_taken_and_one_byte_more_is_not() {
    let host = Host::start();
    assert_eq!(host.place(&body_of(65_536)).await.status, StatusCode::OK);
    host.place(&body_of(65_537)).await.assert_problem(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large");
}

#[tokio::test]
async fn a_body_that_announces_too_much_is_refused_unread() {
    let host = Host::start();
    let answer = host.send(post().header("content-length", "65537").body(Body::new(Stalled)).unwrap()).await;
    answer.assert_problem(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large");
}

/// A body that never arrives.
struct Stalled;

impl http_body::Body for Stalled {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Poll::Pending
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_never_arrives_is_not_waited_for_for_ever() {
    let host = Host::start();
    let answer = host.send(post().body(Body::new(Stalled)).unwrap()).await;
    answer.assert_problem(StatusCode::REQUEST_TIMEOUT, "body_timeout");
}

#[tokio::test]
async fn a_retry_with_the_same_key_gets_the_same_order_and_is_stored_once() {
    let host = Host::start();
    let first = place_with(&host, "idempotency-key", KEY, SEED_BODY).await;
    assert_eq!(first.header("idempotency-replayed"), None);
    let quoted = format!("\"{KEY}\"");
    let reordered = r#"{"productName":"Wireless Mouse","customerName":"John Doe"}"#;
    let again = place_with(&host, "idempotency-key", &quoted, reordered).await;
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!((again.status, again.text), (StatusCode::OK, first.text));
    assert_eq!(orders(&host).await, 1);
}

#[tokio::test]
async fn another_order_under_a_used_key_is_refused() {
    let host = Host::start();
    place_with(&host, "idempotency-key", KEY, SEED_BODY).await;
    let other =
        place_with(&host, "idempotency-key", KEY, r#"{"customerName":"Jo","productName":"Pad"}"#).await;
    other.assert_problem(StatusCode::UNPROCESSABLE_ENTITY, "idempotency_key_reused");
    assert_eq!(orders(&host).await, 1);
}

#[tokio::test]
async fn a_key_that_is_too_short_or_not_ascii_is_refused() {
    let host = Host::start();
    for key in ["short", "0123456789abcdé", ""] {
        let problem = place_with(&host, "idempotency-key", key, SEED_BODY).await;
        let problem = problem.assert_problem(StatusCode::BAD_REQUEST, "invalid_idempotency_key");
        assert_eq!(problem["field"], "Idempotency-Key");
    }
}

fn with_intake_keys() -> Host {
    Host::with(|_, settings| {
        settings.order_auth =
            OrderAuth::Keys(vec![ClientKey { name: "shop".to_owned(), hash: KeyHash::of(SHOP_KEY) }]);
    })
}

#[tokio::test]
async fn where_intake_needs_a_key_only_a_known_one_places_orders() {
    let host = with_intake_keys();
    let none = host.place(SEED_BODY).await;
    none.assert_problem(StatusCode::UNAUTHORIZED, "key_required");
    assert_eq!(none.header("www-authenticate"), Some("Bearer realm=\"orderbell\""));
    let wrong = place_with(&host, "x-api-key", "wrong", SEED_BODY).await;
    wrong.assert_problem(StatusCode::UNAUTHORIZED, "wrong_key");
    for (header, value) in [
        ("x-api-key", SHOP_KEY.to_owned()),
        ("x-api-key", ADMIN_KEY.to_owned()),
        ("authorization", format!("Bearer {SHOP_KEY}")),
        ("authorization", format!("bearer {ADMIN_KEY}")),
    ] {
        assert_eq!(place_with(&host, header, &value, SEED_BODY).await.status, StatusCode::OK, "{header}");
    }
    assert_eq!(orders(&host).await, 4);
}

#[tokio::test]
async fn where_intake_is_open_a_wrong_key_is_refused_nevertheless() {
    let host = Host::start();
    let wrong = place_with(&host, "authorization", "Bearer wrong", SEED_BODY).await;
    wrong.assert_problem(StatusCode::UNAUTHORIZED, "wrong_key");
    assert_eq!(place_with(&host, "authorization", "Basic d3Jvbmc6", SEED_BODY).await.status, StatusCode::OK);
    assert_eq!(place_with(&host, "x-api-key", ADMIN_KEY, SEED_BODY).await.status, StatusCode::OK);
}

async fn place_from(host: &Host, address: &str, body: &str) -> Answer {
    let client = Client::At(address.parse().unwrap());
    let request = post().extension(client).header("idempotency-key", KEY);
    host.send(request.body(Body::from(body.to_owned())).unwrap()).await
}

#[tokio::test]
async fn who_guesses_a_key_and_comes_first_keeps_no_order_away() {
    let host = Host::start();
    let claim = r#"{"customerName":"Mallory","productName":"Nothing"}"#;
    assert_eq!(place_from(&host, "198.51.100.1", claim).await.status, StatusCode::OK);
    let real = place_from(&host, "203.0.113.7", SEED_BODY).await;
    assert_eq!((real.status, real.header("idempotency-replayed")), (StatusCode::OK, None));
    for elsewhere in ["203.0.113.7", "192.0.2.1", "2001:db8::1"] {
        let retry = place_from(&host, elsewhere, SEED_BODY).await;
        assert_eq!((retry.status, &retry.text), (StatusCode::OK, &real.text), "{elsewhere}");
        assert_eq!(retry.header("idempotency-replayed"), Some("true"), "{elsewhere}");
    }
    assert_eq!(orders(&host).await, 2);
}

#[tokio::test]
async fn of_all_who_share_a_key_each_gets_the_own_order_again() {
    let host = Host::start();
    let order = |number: usize| format!(r#"{{"customerName":"Customer {number}","productName":"Pad"}}"#);
    let mut ids = Vec::new();
    for number in 0..20 {
        ids.push(place_from(&host, &format!("203.0.113.{number}"), &order(number)).await.text);
    }
    for (number, id) in ids.iter().enumerate().rev() {
        let address = format!("2001:db8:{number:x}::1");
        assert_eq!(place_from(&host, &address, &order(number)).await.text, *id, "{number}");
    }
    let claimed = place_from(&host, "203.0.113.7", &order(8)).await;
    assert_eq!(claimed.text, ids[8], "the same order is the same one, whoever repeats it");
    assert_eq!(orders(&host).await, 20);
}

#[tokio::test]
async fn another_order_under_a_used_key_is_refused_only_where_it_comes_from_the_same_network() {
    for (first, other, same) in [
        ("203.0.113.7", "203.0.113.7", true),
        ("203.0.113.7", "::ffff:203.0.113.7", true),
        ("203.0.113.7", "203.0.113.8", false),
        ("2001:db8:1:2::3", "2001:db8:1:2:9::9", true),
        ("2001:db8:1:2::3", "2001:db8:1:3::3", false),
        ("127.0.0.1", "::1", false),
    ] {
        let host = Host::start();
        place_from(&host, first, SEED_BODY).await;
        let answer = place_from(&host, other, r#"{"customerName":"Jo","productName":"Pad"}"#).await;
        let expected = if same { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
        assert_eq!(answer.status, expected, "{first} {other}");
        assert_eq!(orders(&host).await, if same { 1 } else { 2 }, "{first} {other}");
    }
}

#[tokio::test]
async fn the_same_idempotency_key_of_two_callers_is_two_keys() {
    let host = with_intake_keys();
    let place = |key: &'static str| {
        let request = post().header("x-api-key", key).header("idempotency-key", KEY);
        host.send(request.body(Body::from(SEED_BODY)).unwrap())
    };
    let shop = place(SHOP_KEY).await.json();
    assert_ne!(place(ADMIN_KEY).await.json(), shop);
    assert_eq!(place(SHOP_KEY).await.json(), shop);
}

#[tokio::test]
async fn the_request_id_of_a_well_behaved_client_is_kept_and_stored() {
    let host = Host::start();
    for kept in ["shop-7.a_B", "x", &"x".repeat(64)] {
        let answer = place_with(&host, "x-request-id", kept, SEED_BODY).await;
        assert_eq!(answer.header("x-request-id"), Some(kept));
        let id = answer.json()["orderId"].as_str().unwrap().to_owned();
        let stored = host.manage("GET", &format!("/orders/{id}"), "").await.json();
        assert_eq!(stored["requestId"], kept);
    }
}

#[tokio::test]
async fn a_request_has_one_id_though_it_came_with_two() {
    let host = Host::start();
    let request = post().header("x-request-id", "one").header("x-request-id", "two");
    let answer = host.send(request.body(Body::from(SEED_BODY)).unwrap()).await;
    let ids: Vec<_> = answer.headers.get_all("x-request-id").iter().collect();
    assert_eq!(ids, ["one"]);
}

#[tokio::test]
async fn a_request_id_that_could_not_stand_in_a_log_is_replaced() {
    let host = Host::start();
    for wrong in ["", "has space", "a=b", "\u{fc}", &"x".repeat(65)] {
        let answer = place_with(&host, "x-request-id", wrong, SEED_BODY).await;
        let id = answer.header("x-request-id").unwrap();
        assert!(id.len() == 16 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
        let order = answer.json()["orderId"].as_str().unwrap().to_owned();
        let stored = host.manage("GET", &format!("/orders/{order}"), "").await.json();
        assert_eq!(stored["requestId"], id);
    }
}

/// A store in a state that a test cannot bring a real one into.
struct Failing(ErrorKind);

#[async_trait]
impl OrderStore for Failing {
    async fn accept(&self, _: Order, _: Option<Idempotency>) -> Result<Acceptance, Error> {
        Err(Error::new(self.0, "of_the_store", "For the caller")
            .because("/data/orderbell.db: disk I/O error"))
    }

    async fn order(&self, _: OrderId) -> Result<Option<Order>, Error> {
        Err(Error::internal("/data/orderbell.db: disk I/O error"))
    }

    async fn orders(&self, _: OrderQuery) -> Result<Page<Order>, Error> {
        Err(Error::internal("/data/orderbell.db: disk I/O error"))
    }

    async fn ready(&self) -> Result<Readiness, Error> {
        Err(Error::new(self.0, "of_the_store", "For the caller"))
    }
}

fn with_failing_store(kind: ErrorKind) -> Host {
    Host::with(move |app, _| app.orders = Arc::new(Failing(kind)))
}

#[tokio::test]
async fn a_store_that_cannot_take_the_order_now_says_when_to_come_back() {
    for (kind, retry_after) in
        [(ErrorKind::Busy, "1"), (ErrorKind::StorageFull, "60"), (ErrorKind::Unavailable, "1")]
    {
        let host = with_failing_store(kind);
        let answer = host.place(SEED_BODY).await;
        answer.assert_problem(StatusCode::SERVICE_UNAVAILABLE, "of_the_store");
        assert_eq!(answer.header("retry-after"), Some(retry_after));
        let ready = host.get("/readyz").await;
        ready.assert_problem(StatusCode::SERVICE_UNAVAILABLE, "of_the_store");
        assert_eq!(host.get("/healthz").await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn a_broken_store_shows_its_callers_nothing_of_itself() {
    let host = with_failing_store(ErrorKind::Internal);
    for answer in [host.place(SEED_BODY).await, host.manage("GET", "/orders", "").await] {
        assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
        assert!(!answer.text.contains("orderbell.db"), "{}", answer.text);
    }
}

//! What a request leaves in the log and in the metrics.

use std::sync::{Arc, Mutex, Once};
use std::time::Duration;

use application::Error;
use application::ports::{Acceptance, Idempotency, OrderQuery, OrderStore, Page, Readiness};
use async_trait::async_trait;
use axum::body::Body;
use domain::Invalid;
use domain::endpoint::Protocol;
use domain::order::{Order, OrderId};
use http::{Request, StatusCode};
use metrics_exporter_prometheus::PrometheusBuilder;
use orderbell_web::Client;
use serde_json::Value;
use tracing::Level;
use tracing_subscriber::fmt::MakeWriter;

use crate::host::{ADMIN_KEY, Host, SEED_BODY};

/// The lines that were logged.
struct Log(&'static Mutex<Vec<u8>>);

impl Log {
    /// Logs this thread's lines from `level` on, until the guard is dropped.
    fn start(level: Level) -> (Self, tracing::subscriber::DefaultGuard) {
        // Where one thread alone listens, another that meets a line first and has nobody to tell keeps it from that one
        // too.
        static EVERYBODY_LISTENS: Once = Once::new();
        EVERYBODY_LISTENS.call_once(|| {
            tracing::subscriber::set_global_default(tracing_subscriber::registry()).unwrap();
        });
        let written: &Mutex<Vec<u8>> = Box::leak(Box::default());
        let lines =
            tracing_subscriber::fmt().json().with_max_level(level).with_writer(|| written.make_writer());
        (Self(written), tracing::subscriber::set_default(lines.finish()))
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    fn lines(&self) -> Vec<Value> {
        self.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

#[tokio::test]
async fn an_order_leaves_one_line_with_the_requests_id() {
    let host = Host::start();
    let (log, _guard) = Log::start(Level::INFO);
    let request =
        Request::post("/create-order").header("x-request-id", "shop-7").body(Body::from(SEED_BODY)).unwrap();
    assert_eq!(host.send(request).await.status, StatusCode::OK);
    let lines = log.lines();
    assert_eq!(lines.len(), 1, "{}", log.text());
    assert_eq!(lines[0]["fields"]["message"], "order accepted");
    assert_eq!(lines[0]["fields"]["request_id"], "shop-7");
}

#[tokio::test]
async fn no_line_at_any_level_holds_a_token_a_key_or_an_address() {
    let host = Host::with(|app, _| {
        let own = app.local_delivery.as_mut().unwrap();
        own.endpoint_rule = Arc::new(|endpoint| match endpoint.protocol() {
            Protocol::Webhook => Err(Invalid::new("refused", "endpoint", format!("{endpoint} is refused"))),
            _ => Ok(()),
        });
    });
    let (log, _guard) = Log::start(Level::TRACE);
    let id = host.subscribe("jo@example.com").await;
    let link = host.confirm_link(&id).await;
    host.get(&link).await;
    host.post(&link, "text/html", "").await;
    let hook = r#"{"protocol":"webhook","endpoint":"https://a-secret-place.example/hook"}"#;
    host.manage("POST", "/subscriptions", hook).await.assert_problem(StatusCode::BAD_REQUEST, "refused");
    for path in [
        "/jo@example.com",
        "/orders/jo@example.com",
        "/orders?cursor=jo@example.com",
        "/assets/jo@example.com",
    ] {
        assert!(host.manage("GET", path, "").await.status.is_client_error(), "{path}");
    }
    let text = log.text();
    assert!(text.contains("j***@example.com") && text.contains("/subscriptions/confirm"), "{text}");
    assert!(text.contains("request refused"), "{text}");
    for secret in [link.split_once("token=").unwrap().1, ADMIN_KEY, "jo@example.com", "a-secret-place"] {
        assert!(!text.contains(secret), "{secret} stands in {text}");
    }
}

#[tokio::test]
async fn wrong_keys_leave_a_line_that_says_how_many_they_were_and_of_which_network_the_last_was() {
    let host = Host::start();
    let (log, _guard) = Log::start(Level::INFO);
    let present = async |address: &str, path: &str, key: &str| {
        let method = if path == "/console/login" { "POST" } else { "GET" };
        let request = Request::builder().method(method).uri(path).header("x-api-key", key);
        let request = request.extension(Client::At(address.parse().unwrap()));
        host.send(request.body(Body::from(format!("key={key}"))).unwrap()).await
    };
    for number in 0..50 {
        present("203.0.113.7", "/orders", &format!("guess {number}")).await;
    }
    host.clock.advance(Duration::from_secs(10));
    present("2001:db8:1:2::9", "/console/login", "a last guess").await;
    present("198.51.100.1", "/metrics", ADMIN_KEY).await;
    let lines: Vec<_> = log.lines().into_iter().map(|line| line["fields"].clone()).collect();
    let told = |count: u64, client: &str| serde_json::json!({"message": "wrong keys were presented", "count": count, "client": client});
    assert_eq!(lines, [told(1, "203.0.113.*"), told(50, "2001:db8:1:*")], "{}", log.text());
}

/// A store whose disk is gone.
struct Broken;

#[async_trait]
impl OrderStore for Broken {
    async fn accept(&self, _: Order, _: Option<Idempotency>) -> Result<Acceptance, Error> {
        Err(Error::internal("disk I/O error"))
    }

    async fn order(&self, _: OrderId) -> Result<Option<Order>, Error> {
        Err(Error::internal("disk I/O error"))
    }

    async fn orders(&self, _: OrderQuery) -> Result<Page<Order>, Error> {
        Err(Error::internal("disk I/O error"))
    }

    async fn ready(&self) -> Result<Readiness, Error> {
        Err(Error::internal("disk I/O error"))
    }
}

#[tokio::test]
async fn a_failure_of_ours_is_logged_once_with_its_cause() {
    let host = Host::with(|app, _| app.orders = Arc::new(Broken));
    let (log, _guard) = Log::start(Level::INFO);
    assert_eq!(host.place(SEED_BODY).await.status, StatusCode::INTERNAL_SERVER_ERROR);
    let lines = log.lines();
    assert_eq!(lines.len(), 1, "{}", log.text());
    assert_eq!(
        (&lines[0]["level"], &lines[0]["fields"]["cause"]),
        (&Value::from("ERROR"), &Value::from("disk I/O error"),)
    );
    assert!(lines[0]["span"]["request_id"].is_string());
}

#[test]
fn requests_are_counted_by_route_and_status_and_never_by_the_callers_own_path() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let metrics = recorder.handle();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let host = Host::start();
        host.place_seed().await;
        host.place_seed().await;
        host.place("{}").await;
        host.get("/orders/1").await;
        host.get("/made/up").await;
    });
    let text = metrics.render();
    for line in [
        r#"orderbell_http_requests_total{route="/create-order",status="200"} 2"#,
        r#"orderbell_http_requests_total{route="/create-order",status="400"} 1"#,
        r#"orderbell_http_requests_total{route="/orders/{id}",status="401"} 1"#,
        r#"orderbell_http_requests_total{route="none",status="404"} 1"#,
    ] {
        assert!(text.contains(line), "{line} is not in {text}");
    }
}

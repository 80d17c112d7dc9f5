//! Who is let in: which names of a host, which pages.

use axum::body::Body;
use http::{Request, StatusCode, Version};
use orderbell_web::HostPolicy;

use crate::host::{ADMIN_KEY, Answer, Host, SEED_BODY};

/// A host on loopback behind a proxy of `orders.example`, whose own page and the shop's may place orders.
fn on_loopback() -> Host {
    Host::with(|_, settings| {
        settings.cors_allow_origins = vec!["*".to_owned()];
        settings.host_policy = HostPolicy::Loopback {
            hosts: vec!["orders.example".parse().unwrap(), "10.0.0.7".parse().unwrap()],
            origins: vec!["https://shop.example".to_owned()],
        };
    })
}

fn elsewhere() -> Host {
    Host::with(|_, settings| settings.host_policy = HostPolicy::CommonPorts)
}

async fn place(host: &Host, headers: &[(&str, &str)]) -> Answer {
    let request = headers
        .iter()
        .fold(Request::post("/create-order"), |request, (name, value)| request.header(*name, *value));
    host.send(request.body(Body::from(SEED_BODY)).unwrap()).await
}

async fn orders(host: &Host) -> usize {
    let request = Request::get("/orders").header("host", "localhost").header("x-api-key", ADMIN_KEY);
    host.send(request.body(Body::empty()).unwrap()).await.json()["items"].as_array().unwrap().len()
}

#[tokio::test]
async fn a_request_must_name_its_host_once_and_legibly() {
    for host in [elsewhere(), on_loopback()] {
        place(&host, &[]).await.assert_problem(StatusCode::BAD_REQUEST, "invalid_host");
        let twice = [("host", "localhost"), ("host", "localhost")];
        let problem = place(&host, &twice).await.assert_problem(StatusCode::BAD_REQUEST, "repeated_header");
        assert_eq!(problem["field"], "Host");
        for wrong in
            ["", " ", "a b", "a/b", "user@localhost", "localhost:99999", "[::1", "http://localhost", "a,b"]
        {
            let answer = place(&host, &[("host", wrong)]).await;
            answer.assert_problem(StatusCode::BAD_REQUEST, "invalid_host");
        }
        assert_eq!(orders(&host).await, 0);
        let mut old = Request::post("/create-order").body(Body::from(SEED_BODY)).unwrap();
        *old.version_mut() = Version::HTTP_10;
        assert_eq!(host.send(old).await.status, StatusCode::OK, "HTTP/1.0 has no Host");
    }
}

#[tokio::test]
async fn a_body_in_a_transfer_coding_that_nobody_undoes_is_refused_and_nothing_is_stored() {
    let (unknown, repeated) = (
        (StatusCode::NOT_IMPLEMENTED, "unsupported_transfer_encoding"),
        (StatusCode::BAD_REQUEST, "repeated_header"),
    );
    for host in [elsewhere(), on_loopback()] {
        for (values, (status, code)) in [
            (&["gzip, chunked"][..], unknown),
            (&["gzip", "chunked"], unknown),
            (&["identity, chunked"], unknown),
            (&["GZIP,chunked"], unknown),
            (&["x-compress ,\tchunked"], unknown),
            (&["deflate"], unknown),
            (&["chunked, gzip, chunked"], unknown),
            (&["chunked, chunked"], repeated),
            (&["chunked", "CHUNKED"], repeated),
        ] {
            let headers: Vec<_> = values.iter().map(|value| ("transfer-encoding", *value)).collect();
            let answer = place(&host, &[&headers[..], &[("host", "localhost")]].concat()).await;
            assert_eq!(answer.assert_problem(status, code)["field"], "Transfer-Encoding", "{values:?}");
        }
        assert_eq!(orders(&host).await, 0);
        for taken in ["chunked", "CHUNKED", " chunked\t", "chunked,", ", chunked"] {
            let answer = place(&host, &[("transfer-encoding", taken), ("host", "localhost")]).await;
            assert_eq!(answer.status, StatusCode::OK, "{taken:?}: {}", answer.text);
        }
    }
}

#[tokio::test]
async fn on_loopback_only_its_own_names_are_answered() {
    let host = on_loopback();
    let ours = [
        "localhost",
        "localhost:8080",
        "LOCALHOST.",
        "shop.localhost:8080",
        "127.0.0.1",
        "127.9.9.9:1",
        "[::1]:8080",
        "[::ffff:127.0.0.1]",
        "orders.example",
        "Orders.Example:443",
        "10.0.0.7:8080",
    ];
    for name in ours {
        assert_eq!(place(&host, &[("host", name)]).await.status, StatusCode::OK, "{name}");
    }
    for name in [
        "evil.example",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "evil-localhost",
        "0.0.0.0:8080",
        "10.0.0.8",
        "[::2]",
        "xorders.example",
        "169.254.169.254",
        "127.0.0.1.nip.io",
        "localtest.me:8080",
        "[::ffff:10.0.0.7]",
        "orders.example.evil.example",
        "localhost.localdomain",
        "xn--localhost-9za.example",
    ] {
        let answer = place(&host, &[("host", name)]).await;
        let problem = answer.assert_problem(StatusCode::FORBIDDEN, "host_not_allowed");
        assert!(problem["detail"].as_str().unwrap().contains("allowed_hosts"), "{problem}");
        assert!(answer.header("x-request-id").is_some());
    }
    assert_eq!(orders(&host).await, ours.len());
    let everywhere = place(&elsewhere(), &[("host", "whatever.example")]).await;
    assert_eq!(everywhere.status, StatusCode::OK);
}

#[tokio::test]
async fn on_loopback_only_pages_of_this_machine_and_those_that_are_named_are_answered() {
    let host = on_loopback();
    let ours = [
        "http://localhost:3000",
        "http://127.0.0.1:8080",
        "http://[::1]",
        "https://shop.example",
        "https://orders.example",
        "http://app.localhost",
    ];
    for origin in ours {
        let answer = place(&host, &[("host", "127.0.0.1:8080"), ("origin", origin)]).await;
        assert_eq!(answer.status, StatusCode::OK, "{origin}");
    }
    for origin in [
        "https://evil.example",
        "null",
        "http://localhost.evil.example",
        "http://127.0.0.1.evil.example",
        "file://",
        "https://shop.example.evil.example",
        "http://shop.example",
        "chrome-extension://abcdef",
        "https://shop.example:8443",
        "https://localhost@evil.example",
        "moz-extension://0b1c-localhost",
        "http://0.0.0.0:8080",
        "http://192.168.1.5",
        "localhost",
        "",
    ] {
        let answer = place(&host, &[("host", "127.0.0.1:8080"), ("origin", origin)]).await;
        let problem = answer.assert_problem(StatusCode::FORBIDDEN, "origin_not_allowed");
        assert!(problem["detail"].as_str().unwrap().contains("cors_allow_origins"), "{problem}");
        assert_eq!(answer.header("access-control-allow-origin"), None);
    }
    assert_eq!(orders(&host).await, ours.len());
}

#[tokio::test]
async fn a_page_that_is_not_let_in_learns_nothing_by_its_preflight_and_reads_no_other_route() {
    let host = on_loopback();
    for (method, path) in
        [("OPTIONS", "/create-order"), ("GET", "/orders"), ("POST", "/subscriptions"), ("GET", "/nowhere")]
    {
        let request = Request::builder().method(method).uri(path).header("host", "localhost");
        let request = request.header("origin", "https://evil.example").header("x-api-key", ADMIN_KEY);
        let request = request.header("access-control-request-method", "POST");
        let answer = host.send(request.body(Body::empty()).unwrap()).await;
        answer.assert_problem(StatusCode::FORBIDDEN, "origin_not_allowed");
        assert!(!answer.headers.keys().any(|name| name.as_str().starts_with("access-control")));
    }
}

#[tokio::test]
async fn a_request_comes_from_one_page() {
    let host = on_loopback();
    let ours = ("origin", "http://localhost");
    for other in [ours, ("origin", "https://evil.example"), ("origin", "null")] {
        for pair in [[ours, other], [other, ours]] {
            let answer = place(&host, &[("host", "localhost"), pair[0], pair[1]]).await;
            let problem = answer.assert_problem(StatusCode::BAD_REQUEST, "repeated_header");
            assert_eq!(problem["field"], "Origin");
        }
    }
    assert_eq!(orders(&host).await, 0);
}

#[tokio::test]
async fn a_target_that_is_a_whole_url_names_the_host() {
    let host = on_loopback();
    let request = Request::get("http://evil.example/healthz").header("host", "localhost");
    let answer = host.send(request.body(Body::empty()).unwrap()).await;
    answer.assert_problem(StatusCode::FORBIDDEN, "host_not_allowed");
}

#[tokio::test]
async fn no_browser_finds_a_page_in_what_is_none() {
    let host = Host::start();
    for path in ["/", "/docs", "/healthz", "/openapi.json", "/orders", "/nowhere", "/assets/style.css"] {
        assert_eq!(host.get(path).await.header("x-content-type-options"), Some("nosniff"), "{path}");
    }
    let answers =
        [host.place(SEED_BODY).await, host.place("{").await, host.manage("PUT", "/orders", "").await];
    for answer in answers {
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    }
    let refused = place(&on_loopback(), &[("host", "evil.example")]).await;
    assert_eq!(refused.header("x-content-type-options"), Some("nosniff"));
}

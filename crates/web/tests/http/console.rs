//! `/console`, `/console/login`, `/console/logout` and `/console/inbox`.

use std::time::Duration;

use axum::body::Body;
use http::{Request, StatusCode};

use crate::host::{ADMIN_KEY, Answer, Host};
use crate::inbox::keep_confirmation;

async fn log_in(host: &Host, key: &str) -> Answer {
    host.post("/console/login", "text/html", &format!("key={key}")).await
}

/// The cookie's pair, as a browser sends it back.
fn cookie(answer: &Answer) -> String {
    answer.header("set-cookie").unwrap().split(';').next().unwrap().to_owned()
}

async fn get_as(host: &Host, cookie: &str, path: &str) -> Answer {
    host.send(Request::get(path).header("cookie", cookie).body(Body::empty()).unwrap()).await
}

async fn log_out(host: &Host, cookie: &str, csrf: &str) -> Answer {
    let request = Request::post("/console/logout").header("cookie", cookie);
    host.send(request.body(Body::from(format!("csrf={csrf}"))).unwrap()).await
}

#[tokio::test]
async fn the_console_sends_who_has_no_session_to_the_login() {
    let host = Host::start();
    assert_eq!(host.get("/console").await.header("location"), Some("/console/inbox"));
    for (path, place) in [
        ("/console/", "../console"),
        ("/console/inbox/?limit=5", "../inbox?limit=5"),
        ("/console/login/", "../login"),
        ("/docs/", "../docs"),
    ] {
        let answer = host.get(path).await;
        assert_eq!(answer.status, StatusCode::PERMANENT_REDIRECT, "{path}");
        assert_eq!(answer.header("location"), Some(place), "{path}");
    }
    for path in ["/orders/", "/console//", "//console/", "/assets/none/", "//evil.example/"] {
        assert_eq!(host.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    for path in ["/console/inbox", "/console/inbox/01234567-89ab-7def-8123-456789abcdef"] {
        for answer in [host.get(path).await, get_as(&host, "orderbell_session=1.2.3", path).await] {
            assert_eq!(answer.status, StatusCode::SEE_OTHER);
            assert_eq!(answer.header("location"), Some("/console/login"));
        }
    }
    assert_eq!(host.get("/console/login").await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_admin_key_begins_a_session_that_ends_by_itself() {
    let host = Host::start();
    let answer = log_in(&host, ADMIN_KEY).await;
    assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, Some("/console/inbox")));
    let set = answer.header("set-cookie").unwrap();
    assert!(set.contains("HttpOnly") && set.contains("SameSite=Strict") && !set.contains("Secure"), "{set}");
    assert!(!set.contains(ADMIN_KEY));
    let cookie = cookie(&answer);
    assert_eq!(get_as(&host, &cookie, "/console/inbox").await.status, StatusCode::OK);
    host.clock.advance(Duration::from_hours(12));
    assert_eq!(get_as(&host, &cookie, "/console/inbox").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_cookie_goes_over_https_only_where_there_is_https() {
    let host = Host::with(|_, settings| settings.public_url = "https://orders.example".to_owned());
    assert!(log_in(&host, ADMIN_KEY).await.header("set-cookie").unwrap().ends_with("; Secure"));
}

#[tokio::test]
async fn a_wrong_key_begins_nothing() {
    let host = Host::start();
    for key in ["wrong", "", "%3Cscript%3E"] {
        let answer = log_in(&host, key).await;
        assert_eq!((answer.status, answer.header("set-cookie")), (StatusCode::FORBIDDEN, None));
        assert!(answer.text.contains("This is not the admin key") && !answer.text.contains("<script>"));
    }
}

#[tokio::test]
async fn without_an_admin_key_there_is_no_console() {
    let host = Host::with(|_, settings| settings.admin_key = None);
    assert_eq!(log_in(&host, "").await.status, StatusCode::FORBIDDEN);
    for path in ["/console/login", "/console/inbox"] {
        assert_eq!(host.get(path).await.status, StatusCode::FORBIDDEN);
    }
}

#[tokio::test]
async fn a_session_does_not_open_the_api() {
    let host = Host::start();
    let cookie = cookie(&log_in(&host, ADMIN_KEY).await);
    get_as(&host, &cookie, "/orders").await.assert_problem(StatusCode::UNAUTHORIZED, "key_required");
}

#[tokio::test]
async fn logging_out_needs_the_sessions_own_form() {
    let host = Host::start();
    let cookie = cookie(&log_in(&host, ADMIN_KEY).await);
    let page = get_as(&host, &cookie, "/console/inbox").await.text;
    let csrf = page.split("name=\"csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let forged = log_out(&host, &cookie, "forged").await;
    assert_eq!((forged.status, forged.header("set-cookie")), (StatusCode::FORBIDDEN, None));
    let out = log_out(&host, &cookie, csrf).await;
    assert_eq!((out.status, out.header("location")), (StatusCode::SEE_OTHER, Some("/console/login")));
    assert!(out.header("set-cookie").unwrap().starts_with("orderbell_session=; "));
    let after = get_as(&host, &cookie, "/console/inbox").await;
    assert_eq!(after.header("location"), Some("/console/login"), "the old cookie opens nothing");
}

#[tokio::test]
async fn the_inbox_shows_a_message_with_its_link_and_says_that_nothing_left() {
    let host = Host::start();
    let link = "http://127.0.0.1:8080/subscriptions/confirm?token=a&b=\"c";
    let id = keep_confirmation(&host, "<script>alert(1)</script> & more", link).await;
    let cookie = cookie(&log_in(&host, ADMIN_KEY).await);
    let list = get_as(&host, &cookie, "/console/inbox").await;
    assert!(
        list.text.contains(&format!("/console/inbox/{id}"))
            && list.text.contains("nothing here left this machine")
    );
    let page = get_as(&host, &cookie, &format!("/console/inbox/{id}")).await;
    assert_eq!((page.status, page.header("cache-control")), (StatusCode::OK, Some("no-store")));
    for text in [&list.text, &page.text] {
        assert!(!text.contains("<script>alert") && !text.contains("<b>your</b>"), "{text}");
    }
    assert!(page.text.contains("&#60;script&#62;alert(1)&#60;/script&#62; &#38; more"), "{}", page.text);
    let anchor = "<a href=\"http://127.0.0.1:8080/subscriptions/confirm?token=a&#38;b=&#34;c\">";
    assert!(page.text.contains(anchor), "{}", page.text);
}

#[tokio::test]
async fn a_link_that_is_not_of_the_web_is_not_clickable() {
    let host = Host::start();
    let id = keep_confirmation(&host, "text", "javascript:alert(1)").await;
    let cookie = cookie(&log_in(&host, ADMIN_KEY).await);
    let page = get_as(&host, &cookie, &format!("/console/inbox/{id}")).await;
    assert!(page.status == StatusCode::OK && !page.text.contains("javascript:"));
}

#[tokio::test]
async fn a_message_that_is_not_there_is_a_page_that_says_so() {
    let host = Host::start();
    let cookie = cookie(&log_in(&host, ADMIN_KEY).await);
    let absent = get_as(&host, &cookie, "/console/inbox/01234567-89ab-7def-8123-456789abcdef").await;
    assert_eq!(absent.status, StatusCode::NOT_FOUND);
    assert_eq!(get_as(&host, &cookie, "/console/inbox/nope").await.status, StatusCode::BAD_REQUEST);
    assert_eq!(get_as(&host, &cookie, "/console/inbox?limit=x").await.status, StatusCode::BAD_REQUEST);
}

//! `/subscriptions/confirm` and `/subscriptions/unsubscribe`.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use domain::language::Language;
use domain::shop::{Color, Logo, Shop};
use http::{Request, StatusCode};

use crate::host::{Answer, Host};

const HTML: &str = "text/html,application/xhtml+xml,application/json;q=0.5,*/*;q=0.1";
const JSON: &str = "application/json";

fn assert_page(answer: &Answer, status: StatusCode, says: &str) {
    assert_eq!(answer.status, status, "{}", answer.text);
    assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
    assert!(answer.text.contains(says), "{}", answer.text);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("referrer-policy"), Some("same-origin"));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    let policy = answer.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
}

#[tokio::test]
async fn a_fetched_confirmation_link_asks_and_only_the_post_confirms() {
    let host = Host::start();
    let id = host.subscribe("jo@example.com").await;
    let link = host.confirm_link(&id).await;
    for _ in 0..2 {
        let page = host.get(&link).await;
        assert_page(&page, StatusCode::OK, "j***@example.com");
        assert!(page.text.contains(r#"<form method="post">"#) && !page.text.contains("jo@example.com"));
        let head = host.send(Request::head(&link).body(Body::empty()).unwrap()).await;
        assert_eq!(head.status, StatusCode::OK);
        assert_eq!(host.state_of(&id).await, "pending");
    }
    assert_page(&host.post(&link, HTML, "").await, StatusCode::OK, "Subscription confirmed");
    assert_eq!(host.state_of(&id).await, "confirmed");
    assert_page(&host.get(&link).await, StatusCode::OK, "Already confirmed");
    assert_eq!(host.post(&link, HTML, "").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_program_that_prefers_json_gets_it() {
    let host = Host::start();
    let id = host.subscribe("jo@example.com").await;
    let confirmed = host.post(&host.confirm_link(&id).await, JSON, "").await.json();
    assert_eq!(
        (confirmed["subscriptionId"].as_str(), confirmed["state"].as_str()),
        (Some(&*id), Some("confirmed"))
    );
    let ended = host.post(&host.unsubscribe_link(&id), JSON, "").await.json();
    assert_eq!(ended["state"], "ended");
    let wrong = host.post("/subscriptions/confirm?token=wrong", JSON, "").await;
    wrong.assert_problem(StatusCode::BAD_REQUEST, "invalid_token");
}

#[tokio::test]
async fn a_confirmation_link_works_for_48_hours() {
    let host = Host::start();
    let id = host.subscribe("jo@example.com").await;
    let link = host.confirm_link(&id).await;
    host.clock.advance(Duration::from_hours(48));
    assert_page(&host.get(&link).await, StatusCode::GONE, "The confirmation has expired");
    assert_page(&host.post(&link, HTML, "").await, StatusCode::GONE, "no longer valid");
    let json = host.post(&link, JSON, "").await;
    json.assert_problem(StatusCode::GONE, "confirmation_expired");
    assert_eq!(host.state_of(&id).await, "pending");
}

#[tokio::test]
async fn a_confirmation_link_of_an_ended_subscription_says_so() {
    let host = Host::start();
    let id = host.subscribe("jo@example.com").await;
    let link = host.confirm_link(&id).await;
    host.manage("DELETE", &format!("/subscriptions/{id}"), "").await;
    assert_page(&host.get(&link).await, StatusCode::GONE, "has ended");
    assert_page(&host.post(&link, HTML, "").await, StatusCode::GONE, "no longer valid");
}

#[tokio::test]
async fn a_link_that_we_did_not_make_is_refused() {
    let host = Host::start();
    let id = host.subscribe("jo@example.com").await;
    let confirm = host.confirm_link(&id).await;
    let crossed = confirm.replace("/confirm", "/unsubscribe");
    for link in [
        "/subscriptions/confirm".to_owned(),
        "/subscriptions/confirm?token=".to_owned(),
        "/subscriptions/unsubscribe?token=AAAA".to_owned(),
        "/subscriptions/unsubscribe?token=%3Cscript%3Ealert(1)%3C/script%3E".to_owned(),
        "/subscriptions/confirm?other=%3Cscript%3E".to_owned(),
        crossed,
    ] {
        for answer in [host.get(&link).await, host.post(&link, HTML, "").await] {
            assert_page(&answer, StatusCode::BAD_REQUEST, "This link is not valid");
            assert!(!answer.text.contains("<script>"), "{}", answer.text);
        }
    }
    assert_eq!(host.state_of(&id).await, "pending");
}

#[tokio::test]
async fn a_fetched_unsubscribe_link_asks_and_only_the_post_ends() {
    let host = Host::start();
    let id = host.subscribe_confirmed("jo@example.com").await;
    let link = host.unsubscribe_link(&id);
    assert_page(&host.get(&link).await, StatusCode::OK, "j***@example.com");
    assert_eq!(host.state_of(&id).await, "confirmed");
    assert_page(&host.post(&link, HTML, "").await, StatusCode::OK, "Unsubscribed");
    assert_eq!(host.state_of(&id).await, "ended");
    assert_page(&host.get(&link).await, StatusCode::OK, "Already unsubscribed");
    assert_eq!(host.post(&link, HTML, "").await.status, StatusCode::OK);
}

#[tokio::test]
async fn one_click_unsubscribes_without_cookie_or_redirect() {
    let host = Host::start();
    let id = host.subscribe_confirmed("jo@example.com").await;
    let request =
        Request::post(host.unsubscribe_link(&id)).header("content-type", "application/x-www-form-urlencoded");
    let answer = host.send(request.body(Body::from("List-Unsubscribe=One-Click")).unwrap()).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!((answer.header("location"), answer.header("set-cookie")), (None, None));
    assert_eq!(host.state_of(&id).await, "ended");
}

#[tokio::test]
async fn an_unsubscribe_link_works_for_ever_and_before_confirming_too() {
    let host = Host::start();
    let id = host.subscribe("jo@example.com").await;
    host.clock.advance(Duration::from_hours(24 * 365 * 3));
    assert_eq!(host.post(&host.unsubscribe_link(&id), HTML, "").await.status, StatusCode::OK);
    assert_eq!(host.state_of(&id).await, "ended");
}

/// What mail services, trackers and readers make of a link.
fn as_carried(link: &str) -> Vec<String> {
    let (page, query) = link.split_once('?').unwrap();
    let mut carried: Vec<_> = [
        "&utm_source=x",
        "&fbclid=y&gclid=z",
        "&mc_cid=1&mc_eid=2",
        "&amp;utm_medium=mail",
        "&token=",
        ".",
        "%3E",
        "=",
        "&",
        "&%zz=%ff",
        "?utm_source=x",
        ";utm_source=x",
        "%20",
        "%0D%0A",
        "+",
        "__",
        "%E2%80%A6",
        "&utm_campaign=%F0%9F%93%A6%26token%3Dother",
        "&x[]=1&x[]=2",
        "&tokens=other&Token=other",
    ]
    .map(|tail| format!("{link}{tail}"))
    .into();
    carried
        .extend(["utm_source=x&", "a=1&amp;", "&&", "token=&"].map(|head| format!("{page}?{head}{query}")));
    carried.push(link.replace("token=", "token=3D"));
    carried
}

#[tokio::test]
async fn what_carriers_add_to_a_link_changes_nothing() {
    let host = Host::start();
    let id = host.subscribe("probe@example.com").await;
    let (confirm, unsubscribe) = (host.confirm_link(&id).await, host.unsubscribe_link(&id));
    for (number, (confirm, unsubscribe)) in
        as_carried(&confirm).iter().zip(as_carried(&unsubscribe)).enumerate()
    {
        let head = host.send(Request::head(confirm).body(Body::empty()).unwrap()).await;
        assert_eq!(
            (head.status, host.get(confirm).await.status),
            (StatusCode::OK, StatusCode::OK),
            "{confirm}"
        );
        assert_eq!(host.get(&unsubscribe).await.status, StatusCode::OK, "{unsubscribe}");
        let id = host.subscribe(&format!("reader{number}@example.com")).await;
        let confirm = as_carried(&host.confirm_link(&id).await).remove(number);
        assert_eq!(host.post(&confirm, HTML, "").await.status, StatusCode::OK, "{confirm}");
        assert_eq!(host.state_of(&id).await, "confirmed", "{confirm}");
        let unsubscribe = as_carried(&host.unsubscribe_link(&id)).remove(number);
        let one_click = host.post(&unsubscribe, JSON, "List-Unsubscribe=One-Click").await;
        assert_eq!(one_click.status, StatusCode::OK, "{unsubscribe}");
        assert_eq!(host.state_of(&id).await, "ended", "{unsubscribe}");
    }
}

/// Nobody knows which of them was meant; the same twice is one.
#[tokio::test]
async fn a_link_with_two_tokens_does_nothing() {
    let host = Host::start();
    let (jo, al) = (host.subscribe("jo@example.com").await, host.subscribe("al@example.com").await);
    for (link, other) in [
        (host.confirm_link(&jo).await, host.confirm_link(&al).await),
        (host.unsubscribe_link(&jo), host.unsubscribe_link(&al)),
    ] {
        let (page, token) = link.split_once('?').unwrap();
        let (_, other) = other.split_once('?').unwrap();
        for query in [
            format!("{token}&{other}"),
            format!("{other}&{token}"),
            format!("{token}&token=other"),
            format!("token=other&{token}"),
            format!("{token}&amp;{other}"),
            format!("{token}&utm_source=x&%74oken=other"),
            format!("{token}&{token}&{other}"),
        ] {
            let link = format!("{page}?{query}");
            assert_eq!(host.get(&link).await.status, StatusCode::BAD_REQUEST, "{query}");
            let refused = host.post(&link, JSON, "").await;
            let problem = refused.assert_problem(StatusCode::BAD_REQUEST, "invalid_token");
            assert_eq!(problem["field"], "token");
        }
    }
    assert_eq!(
        (host.state_of(&jo).await, host.state_of(&al).await),
        ("pending".to_owned(), "pending".to_owned())
    );
    let link = host.confirm_link(&jo).await;
    let (_, token) = link.split_once('?').unwrap();
    assert_eq!(host.post(&format!("{link}&{token}"), JSON, "").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_host_where_sns_confirms_says_so() {
    let host = Host::with(|app, _| app.local_delivery = None);
    let answer = host.get("/subscriptions/confirm?token=x").await;
    assert_page(&answer, StatusCode::NOT_IMPLEMENTED, "Not served here");
}

#[tokio::test]
async fn the_pages_are_in_the_subscriptions_language() {
    for (language, pages) in [
        (
            "de-AT",
            [
                "Abonnement bestätigen",
                "Abonnement bestätigt",
                "Schon bestätigt",
                "Abbestellt",
                "Schon abbestellt",
            ],
        ),
        (
            "fr",
            [
                "Confirmer l’abonnement",
                "Abonnement confirmé",
                "Déjà confirmé",
                "Désabonnement effectué",
                "Désabonnement déjà effectué",
            ],
        ),
        (
            "ES",
            [
                "Confirmar la suscripción",
                "Suscripción confirmada",
                "Ya está confirmada",
                "Se ha dado de baja",
                "Ya se dio de baja",
            ],
        ),
    ] {
        let host = Host::start();
        let body =
            serde_json::json!({"protocol": "email", "endpoint": "jo@example.com", "language": language});
        let made = host.manage("POST", "/subscriptions", &body.to_string()).await.json();
        let id = made["subscriptionId"].as_str().unwrap().to_owned();
        let tag = made["language"].as_str().unwrap();
        let (confirm, unsubscribe) = (host.confirm_link(&id).await, host.unsubscribe_link(&id));
        let answers = [
            host.get(&confirm).await,
            host.post(&confirm, HTML, "").await,
            host.get(&confirm).await,
            host.post(&unsubscribe, HTML, "").await,
            host.get(&unsubscribe).await,
        ];
        for (answer, says) in answers.iter().zip(pages) {
            assert_page(answer, StatusCode::OK, &format!("<h1>{says}</h1>"));
            assert!(answer.text.contains(&format!("<html lang=\"{tag}\">")), "{}", answer.text);
        }
        let program = host.post(&unsubscribe, JSON, "").await.json();
        assert_eq!(program["message"], "Unsubscribed", "what programs read stays as it is");
    }
}

#[tokio::test]
async fn a_page_about_a_link_that_does_nothing_is_in_the_shops_language() {
    let shop = Shop { language: Language::De, ..Shop::default() };
    let host = Host::with(|app, _| app.shop = Arc::new(shop));
    let id = host.subscribe("jo@example.com").await;
    let link = host.confirm_link(&id).await;
    assert_page(&host.get(&link).await, StatusCode::OK, "Abonnement bestätigen");
    let wrong = host.get("/subscriptions/confirm?token=wrong").await;
    assert_page(&wrong, StatusCode::BAD_REQUEST, "Dieser Link ist ungültig");
    host.clock.advance(Duration::from_hours(48));
    assert_page(&host.get(&link).await, StatusCode::GONE, "Die Frist zum Bestätigen ist abgelaufen");
}

#[tokio::test]
async fn the_pages_of_subscribers_and_customers_say_whose_they_are() {
    let imprint = Some("Café Größing GmbH\n<Main St 1>".to_owned());
    let shop = Shop { name: Some("Café <Größing>".to_owned()), imprint, ..Shop::default() };
    let host = Host::with(|app, _| app.shop = Arc::new(shop));
    let id = host.subscribe("jo@example.com").await;
    let link = host.confirm_link(&id).await;
    let pages =
        [host.get("/").await, host.get(&link).await, host.post(&link, HTML, "").await, host.get(&link).await];
    for page in &pages {
        assert!(page.text.contains(">Café &#60;Größing&#62;</a>"), "{}", page.text);
        assert!(
            page.text.contains("<footer>Café Größing GmbH<br>&#60;Main St 1&#62;<br>Orderbell "),
            "{}",
            page.text
        );
    }
}

#[tokio::test]
async fn the_buttons_of_its_pages_have_the_shops_color_where_it_chose_one() {
    assert!(
        !Host::start().get("/").await.text.contains("shop.css"),
        "the built-in one is another in the dark"
    );
    let color = Color::parse("#B00020").unwrap();
    let host = Host::with(|app, _| app.shop = Arc::new(Shop { color, ..Shop::default() }));
    let page = host.get("/").await.text;
    assert!(page.contains(r#"<link rel="stylesheet" href="/assets/shop.css">"#), "{page}");
    assert!(host.get("/assets/shop.css").await.text.contains("background: #b00020;"));
}

#[tokio::test]
async fn the_shops_logo_stands_above_its_pages_where_it_has_one() {
    assert_eq!(Host::start().get("/assets/logo").await.status, StatusCode::NOT_FOUND);
    let file = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\x01\xe0\0\0\0\x80\x08\x06\0\0\0".to_vec();
    let logo = Some(Arc::new(Logo::parse(file).unwrap()));
    let host = Host::with(|app, _| app.shop = Arc::new(Shop { logo, ..Shop::default() }));
    let page = host.get("/").await;
    assert!(
        page.text.contains(r#"<img class="logo" src="/assets/logo" alt="" width="240" height="64">"#),
        "{}",
        page.text
    );
    let request = http::Request::get("/assets/logo").body(axum::body::Body::empty()).unwrap();
    let picture = host.picture(request).await;
    assert_eq!((picture.0.as_str(), &picture.1[1..4]), ("image/png", b"PNG".as_slice()));
}

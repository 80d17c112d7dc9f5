//! `/` and its assets.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Body;
use domain::language::Language;
use domain::shop::Shop;
use http::{Request, StatusCode};
use orderbell_web::OrderAuth;

use crate::host::Host;

#[tokio::test]
async fn the_form_needs_nothing_from_elsewhere() {
    let host = Host::start();
    let page = host.get("/").await;
    assert_eq!(page.status, StatusCode::OK);
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.contains("script-src 'self'") && !policy.contains("unsafe"));
    assert!(
        !page.text.contains("http://") && !page.text.contains("https://") && !page.text.contains(" style=")
    );
    let linked = page.text.split('"').filter(|part| part.starts_with("/assets/"));
    let mut assets = 0;
    for path in linked {
        let asset = host.get(path).await;
        assert_eq!(asset.status, StatusCode::OK, "{path}");
        assert_eq!(asset.header("cache-control"), Some("public, max-age=3600"));
        assets += 1;
    }
    assert!(assets >= 3, "{assets}");
}

#[tokio::test]
async fn each_field_has_a_label_and_a_place_for_its_error() {
    let page = Host::start().get("/").await.text;
    for field in ["customerName", "productName", "quantity", "note"] {
        assert!(page.contains(&format!(r#"<label for="{field}">"#)), "{field}");
        assert!(page.contains(&format!(r#"id="{field}-error""#)), "{field}");
    }
    assert!(page.contains(r#"aria-live="polite""#));
}

#[tokio::test]
async fn the_form_asks_for_a_key_only_where_one_is_needed() {
    assert!(!Host::start().get("/").await.text.contains(r#"id="key""#));
    let keyed = Host::with(|_, settings| settings.order_auth = OrderAuth::Keys(Vec::new()));
    assert!(keyed.get("/").await.text.contains(r#"id="key""#));
}

#[tokio::test]
async fn the_form_says_which_messages_stay_here() {
    assert!(Host::start().get("/").await.text.contains("Messages by email and sms stay on this machine"));
    let live = Host::with(|app, _| app.local_delivery.as_mut().unwrap().channels.clear());
    assert!(!live.get("/").await.text.contains("stay on this machine"));
}

#[tokio::test]
async fn the_form_is_in_the_language_that_its_readers_browser_asks_for_else_in_the_shops() {
    let shop = Shop { language: Language::Es, ..Shop::default() };
    let host = Host::with(|app, _| app.shop = Arc::new(shop));
    for (accepted, tag, says) in [
        ("de-CH,de;q=0.9,en;q=0.5", "de", ["Bestellung aufgeben", "Bitte füllen Sie dieses Feld aus"]),
        ("fr", "fr", ["Passer une commande", "Veuillez remplir ce champ"]),
        ("en-GB", "en", ["Place an order", "Please fill this in"]),
        ("ja", "es", ["Hacer un pedido", "Rellene este campo"]),
    ] {
        let request = Request::get("/").header("accept-language", accepted).body(Body::empty()).unwrap();
        let page = host.send(request).await.text;
        assert!(page.contains(&format!("<html lang=\"{tag}\">")), "{page}");
        assert!(says.iter().all(|says| page.contains(says)), "{page}");
    }
}

#[tokio::test]
async fn the_contract_is_shown_with_each_member_its_examples_and_every_answer() {
    let host = Host::start();
    let (page, contract) = (host.get("/docs").await, host.get("/openapi.json").await.json());
    for (name, member) in contract["components"]["schemas"]["NewOrder"]["properties"].as_object().unwrap() {
        assert!(page.text.contains(&format!("<code>{name}</code>")), "{name}");
        for example in member["examples"].as_array().into_iter().flatten() {
            let shown = example.as_str().map_or_else(|| example.to_string(), str::to_owned);
            let escaped = shown.replace('&', "&#38;").replace('"', "&#34;");
            assert!(page.text.contains(&format!("<code>{escaped}</code>")), "{escaped}");
        }
    }
    let mut answers = BTreeMap::<&str, usize>::new();
    for (path, operations) in contract["paths"].as_object().unwrap() {
        assert!(page.text.contains(&format!("<code>{path}</code>")), "{path}");
        let responses =
            operations.as_object().unwrap().values().filter_map(|one| one["responses"].as_object());
        for (status, _) in responses.flatten() {
            *answers.entry(status).or_default() += 1;
        }
    }
    for (status, times) in answers {
        assert_eq!(page.text.matches(&format!("<dt><code>{status}</code></dt>")).count(), times, "{status}");
    }
    assert!(
        page.text.contains("The input breaks a rule; `field` names where.") && !page.text.contains("$ref")
    );
    assert!(page.text.contains("<code>Prefer</code> <span class=\"tag\">header</span>"));
}

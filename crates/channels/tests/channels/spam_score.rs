//! What `SpamAssassin`'s local tests say of each kind of mail, as a relay would hand it on.

use std::io::Write;
use std::process::{Command, Stdio};

use domain::endpoint::Protocol;

use crate::fixtures::{confirmation, message, notice, notification, notification_of, now, order};
use crate::mail_form::received;

/// The most that one rule may add. `HTML_MESSAGE`, which names what the mail is, counts as nothing.
const MOST: f64 = 0.1;

/// What the receiving server writes above: without it, rules about its absence would count.
fn received_header() -> String {
    let at = now().strftime("%a, %d %b %Y %H:%M:%S +0000");
    format!(
        "Received: from shop.example (shop.example [93.184.216.34]) by mx.example.com (Postfix) with ESMTPS id 4ABCDE \
         for <jane@example.com>;\r\n {at}\r\n"
    )
}

/// Each rule that hits `mail`, with its points.
fn rules(mail: &[u8]) -> Vec<(f64, String)> {
    let mut assassin = Command::new("spamassassin")
        .args(["--local", "--test-mode"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("`cargo xtask test` installs spamassassin");
    let mut input = assassin.stdin.take().unwrap();
    input.write_all(&[received_header().as_bytes(), mail].concat()).unwrap();
    drop(input);
    let said = assassin.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    let (_, table) = said.split_once("Content analysis details:").expect("a report");
    table.lines().filter_map(rule).collect()
}

fn rule(line: &str) -> Option<(f64, String)> {
    let mut words = line.split_whitespace();
    Some((words.next()?.parse().ok()?, words.next()?.to_owned()))
}

#[tokio::test]
async fn no_rule_of_spamassassins_local_tests_counts_against_any_kind_of_mail() {
    let mut answered = order("Jane Doe", "Wireless Mouse");
    answered.details.customer_email = Some("jane.doe@example.net".to_owned());
    let long = "A text that is long enough to be wrapped, and says little. ".repeat(30);
    let items: Vec<_> = (1..=100)
        .map(|n| serde_json::json!({ "productName": format!("Wireless Mouse {n}"), "quantity": n }))
        .collect();
    let of = |json: serde_json::Value| {
        let mut order = order("Jane Doe", "Wireless Mouse");
        order.details = domain::order::OrderDetails::parse(json.to_string().as_bytes()).unwrap();
        notification_of(order)
    };
    for (kind, content) in [
        ("notification", notification()),
        ("notification of names beyond ASCII", notification_of(order("José Ünïcode 漢字", "Maus 📦 1,5 €"))),
        (
            "notification of a hundred items",
            of(serde_json::json!({ "customerName": "Jane Doe", "items": items })),
        ),
        (
            "notification of a long note",
            of(serde_json::json!({ "customerName": "Jane Doe", "productName": "Mouse", "note": long })),
        ),
        (
            "notification of every field",
            of(
                serde_json::json!({ "customerName": "Jane Doe", "productName": "Mouse", "quantity": 2, "total": "19.90",
                "currency": "EUR", "customerPhone": "+4915112345678", "attributes": { "shop": "north" } }),
            ),
        ),
        ("notification that can be answered", notification_of(answered)),
        ("confirmation request", confirmation()),
        ("notice", notice()),
        ("test", application::ports::Content::Test),
    ] {
        let mail = received(&message(Protocol::Email, "jane@example.com", content)).await;
        let rules = rules(&mail);
        println!("{kind}: {rules:?}");
        assert!(rules.iter().any(|(_, name)| name == "HTML_MESSAGE"), "{kind}: the mail was read: {rules:?}");
        assert!(rules.iter().all(|(points, _)| *points <= MOST), "{kind}: {rules:?}");
    }
}

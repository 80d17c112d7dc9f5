//! What an order looks like to a person, with all that became of it.

use std::borrow::Cow;

use domain::language::{Language, numbers};
use domain::notification::{Fact, FactKind, Words, facts, other_facts, product_lines};
use domain::order::Order;
use domain::reader::Reader;
use domain::time_zone::TimeZone;
use serde_json::Value;

use crate::cli::deliveries::show::waits_because;
use crate::cli::display;
use crate::cli::output::{self, StdoutError};
use crate::cli::table::Column;

pub(in crate::cli) const EVENTS: [Column; 7] = [
    ("Time", "/at"),
    ("Event", "/event"),
    ("To", "/endpoint"),
    ("Attempt", "/number"),
    ("Outcome", "/outcome"),
    ("Reply", "/reply"),
    ("Reason", "/reason"),
];

/// Prints it.
pub(super) fn print(order: &Value) -> Result<(), StdoutError> {
    for (label, value) in [
        ("Order", "/shortReference"),
        ("Id", "/orderId"),
        ("Time", "/orderTime"),
        ("Customer", "/customerName"),
    ] {
        line(label, &display::member(order, value))?;
    }
    let unreadable = || Said { products: each_product(order), facts: Vec::new() };
    let said = told(order).as_ref().map_or_else(unreadable, Said::of);
    for (number, product) in said.products.iter().enumerate() {
        line(if number == 0 { "Product" } else { "" }, &display::terminal_safe(product))?;
    }
    for (label, lines) in &said.facts {
        for (number, text) in lines.iter().enumerate() {
            line(if number == 0 { label } else { "" }, &display::terminal_safe(text))?;
        }
    }
    for warning in order["warnings"].as_array().into_iter().flatten() {
        line("Warning", &display::cell(warning.get("detail")))?;
    }
    if order["status"].is_string() {
        line("Status", &status(order))?;
    }
    line("Told", &format!("{}\n", display::cell(order.get("summary"))))?;
    output::table(&events(order), &EVENTS)?;
    output::unreadable(order)?;
    for delivery in order["deliveries"].as_array().into_iter().flatten() {
        output::unreadable(delivery)?;
        if let Some(why) = waits_because(delivery) {
            output::line(&format!("{} waits: {why}", display::cell(delivery.get("endpoint"))))?;
        }
    }
    for group in order["notMatched"].as_array().into_iter().flatten() {
        let because = display::cell(group.get("because")).replace('_', " ");
        for other in group["subscriptions"].as_array().into_iter().flatten() {
            output::line(&format!("not told: {} ({because})", display::cell(other.get("endpoint"))))?;
        }
    }
    if order["notMatchedNext"].is_string() {
        let id = display::cell(order.get("orderId"));
        output::note(&format!("others are not told either: GET /orders/{id}/not-matched lists them all"));
    }
    Ok(())
}

/// What people made of it, when, and who.
fn status(order: &Value) -> String {
    let (status, change) = (display::cell(order.get("status")), &order["statusChange"]);
    let Some(at) = change["at"].as_str() else { return status };
    let since = format!("{status} since {}", display::local_time(at));
    let by = by(change).map(|by| format!(" {by}")).unwrap_or_default();
    display::terminal_safe(&(since + &by)).into_owned()
}

/// Who changed a status.
fn by(change: &Value) -> Option<String> {
    match (change["by"].as_str(), change["sentTo"].as_str()) {
        (Some(by), _) => Some(format!("by {by}")),
        (None, Some(to)) => Some(format!("by the link sent to {to}")),
        (None, None) => None,
    }
}

/// What happened, with who did it as its reason where a person did.
fn events(order: &Value) -> Vec<Value> {
    let mut events = order["timeline"].as_array().cloned().unwrap_or_default();
    for event in &mut events {
        if let Some(by) = by(&event["statusChange"]) {
            event["reason"] = by.into();
        }
    }
    events
}

fn line(label: &str, text: &str) -> Result<(), StdoutError> {
    output::line(&format!("{label:<10}{text}"))
}

/// The order as messages tell it; `None` where this program cannot read what another one answered.
fn told(order: &Value) -> Option<Order> {
    let text = |name: &str| order.get(name).and_then(Value::as_str);
    Some(Order {
        id: text("orderId")?.parse().ok()?,
        time: text("orderTime")?.parse().ok()?,
        details: serde_json::from_value(order.clone()).ok()?,
        request_id: String::new(),
    })
}

/// What an order says beside its customer, in English and by this machine's clock.
struct Said {
    /// Each with its quantity, its code and what one costs.
    products: Vec<String>,
    /// Each under its label, on one line or several. What has the client's own name, which may be any, stands behind a label
    /// of ours.
    facts: Vec<(&'static str, Vec<String>)>,
}

impl Said {
    fn of(order: &Order) -> Self {
        let reader = Reader { language: Language::En, time_zone: TimeZone::system() };
        let words = Words::of(reader.language);
        let has_product = order.details.products.product_name.is_some();
        // Said with its product, where it has one.
        let is_shown = |fact: &Fact<'_>| fact.kind != FactKind::Quantity || !has_product;
        let owned = |lines: Vec<Cow<'_, str>>| lines.into_iter().map(Cow::into_owned).collect::<Vec<_>>();
        let ours = facts(order, &reader).into_iter().filter(is_shown);
        let ours = ours.map(|fact| (words.label(fact.kind), owned(fact.lines)));
        let theirs = other_facts(order, &reader).into_iter();
        let theirs = theirs.map(|fact| {
            (words.also_sent, vec![format!("{}: {}", fact.label, owned(fact.lines).join(" / "))])
        });
        Self { products: product_lines(order, &reader), facts: ours.chain(theirs).collect() }
    }
}

/// The products of an order on one line.
pub(super) fn products(order: &Value) -> String {
    each_product(order).join(", ")
}

fn each_product(order: &Value) -> Vec<String> {
    let one = |item: &Value| {
        let name = display::cell(item.get("productName"));
        item.get("quantity").map_or(name.clone(), |quantity| format!("{quantity} × {name}"))
    };
    let named = Some(order).filter(|order| order["productName"].is_string());
    named.into_iter().chain(order["items"].as_array().into_iter().flatten()).map(one).collect()
}

/// What the order costs, with its currency.
pub(super) fn price(order: &Value) -> Option<String> {
    let total = order["total"].as_str()?;
    let Ok(amount) = total.parse() else { return Some(total.to_owned()) };
    Some(numbers::money(Language::En, amount, order["currency"].as_str()))
}

/// What people made of it, unless it is new, and how far its delivery has come.
pub(super) fn became(order: &Value) -> Option<String> {
    let status = order["status"].as_str().filter(|status| *status != "new").map(str::to_owned);
    let became: Vec<_> = status.into_iter().chain(delivery_progress(order)).collect();
    (!became.is_empty()).then(|| became.join(", "))
}

/// How far delivery has come, as in "2 of 3, 1 waiting". Nothing where another host tells.
fn delivery_progress(order: &Value) -> Option<String> {
    let counts = order["counts"].as_object()?;
    let count = |states: &[&str]| -> u64 {
        states.iter().filter_map(|state| counts.get(*state).and_then(Value::as_u64)).sum()
    };
    let spam = order.get("spamSince").map(|_| "spam".to_owned());
    let all: u64 = counts.values().filter_map(Value::as_u64).sum();
    if all == 0 {
        let why = if order["published"] == true { "nobody matched" } else { "not yet published" };
        return spam.or_else(|| Some(why.to_owned()));
    }
    let more = if order["countsAreComplete"] == false { " or more" } else { "" };
    let told = format!("{} of {all}{more}", count(&["delivered", "sandboxed"]));
    let rest = [
        ("in the sandbox", count(&["sandboxed"])),
        ("waiting", count(&["pending", "in_flight"])),
        ("held", count(&["held"])),
        ("dead", count(&["dead"])),
        ("cancelled", count(&["cancelled"])),
    ];
    let rest = rest.iter().filter(|(_, count)| *count > 0).map(|(words, count)| format!("{count} {words}"));
    Some(spam.into_iter().chain([told]).chain(rest).collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn all_that_an_order_says_is_shown_as_messages_say_it() {
        let order = json!({
            "orderId": "019ca945-0a00-7707-8707-070707070707", "orderTime": "2026-03-01T12:00:00Z",
            "customerName": "Jo", "productName": "Mouse", "quantity": 2,
            "items": [{"productName": "Pad", "sku": "P1", "quantity": 3, "unitPrice": "2.50", "extra": {"size": "XL"}}],
            "total": "22", "currency": "EUR", "note": "Ring\ntwice", "deliverAt": "2026-12-24",
            "deliveryAddress": {"streetAddress": "Main St 1", "postalCode": "12345"},
            "attributes": {"express": true}, "extra": {"gift": {"card": "x"}, "total": "19,90"},
        });
        let said = Said::of(&told(&order).unwrap());
        assert_eq!(said.products, ["2 × Mouse", "3 × Pad (P1), €2.50 each (size: XL)"]);
        let facts = said.facts.iter().map(|(label, lines)| format!("{label}={}", lines.join("|")));
        assert_eq!(
            facts.collect::<Vec<_>>(),
            [
                "Total=€22",
                "Wanted at=Thu, Dec 24, 2026",
                "Note=Ring|twice",
                "Address=Main St 1|12345",
                "Also sent=express: yes",
                "Also sent=gift.card: x",
                "Also sent=Total: 19,90",
            ]
        );
        assert_eq!(
            (products(&order), price(&order)),
            ("2 × Mouse, 3 × Pad".to_owned(), Some("€22".to_owned()))
        );
    }

    #[test]
    fn of_an_order_that_this_program_cannot_read_the_products_are_shown() {
        let order = json!({"orderId": "elsewhere", "productName": "Mouse", "total": "some"});
        assert!(told(&order).is_none());
        assert_eq!(
            (each_product(&order), price(&order)),
            (vec!["Mouse".to_owned()], Some("some".to_owned()))
        );
    }

    #[test]
    fn how_far_delivery_has_come_is_told_in_few_words() {
        for (counts, told) in [
            (json!({"delivered": 3}), "3 of 3"),
            (json!({"delivered": 2, "pending": 1, "in_flight": 1}), "2 of 4, 2 waiting"),
            (json!({"sandboxed": 1}), "1 of 1, 1 in the sandbox"),
            (json!({"dead": 1, "held": 2, "cancelled": 3}), "0 of 6, 2 held, 1 dead, 3 cancelled"),
            (json!({}), "nobody matched"),
        ] {
            let order = json!({"published": true, "counts": counts, "countsAreComplete": true});
            assert_eq!(super::delivery_progress(&order).as_deref(), Some(told), "{order}");
        }
        let many = json!({"published": true, "counts": {"delivered": 100}, "countsAreComplete": false});
        assert_eq!(delivery_progress(&many).as_deref(), Some("100 of 100 or more"));
        let fresh = json!({"published": false, "counts": {}, "countsAreComplete": true});
        assert_eq!(delivery_progress(&fresh).as_deref(), Some("not yet published"));
        assert_eq!(delivery_progress(&json!({"orderId": "elsewhere"})), None);
    }
}

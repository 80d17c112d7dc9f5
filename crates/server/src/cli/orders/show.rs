//! What an order looks like to a person, with all that became of it.

use domain::order::PostalAddress;
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
        output::line(&format!("{label:<9}{}", display::member(order, value)))?;
    }
    for (number, product) in each_item(order).into_iter().enumerate() {
        output::line(&format!("{:<9}{product}", if number == 0 { "Product" } else { "" }))?;
    }
    for (label, fact) in facts(order) {
        for (number, line) in fact.lines().enumerate() {
            let label = if number == 0 { display::terminal_safe(&label) } else { "".into() };
            output::line(&format!("{label:<8} {}", display::terminal_safe(line)))?;
        }
    }
    for warning in order["warnings"].as_array().into_iter().flatten() {
        output::line(&format!("{:<8} {}", "Warning", display::cell(warning.get("detail"))))?;
    }
    output::line(&format!("{:<9}{}\n", "Told", display::cell(order.get("summary"))))?;
    output::table(order["timeline"].as_array().map(Vec::as_slice).unwrap_or_default(), &EVENTS)?;
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

/// What else the order says, each under its label; an address and a note may have several lines.
fn facts(order: &Value) -> Vec<(String, String)> {
    let members = [
        ("Note", "/note"),
        ("Phone", "/customerPhone"),
        ("Email", "/customerEmail"),
        ("Wanted", "/deliverAt"),
        ("Ref.", "/reference"),
        ("Language", "/locale"),
    ];
    let said = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let total = price(order).map(|price| ("Total".to_owned(), price));
    let currency = order["currency"].as_str().filter(|_| total.is_none());
    let currency = currency.map(|currency| ("Currency".to_owned(), currency.to_owned()));
    let facts =
        members.iter().filter_map(|(label, at)| Some(((*label).to_owned(), said(order.pointer(at)?))));
    let address = match &order["deliveryAddress"] {
        Value::Object(parts) => {
            let parts = PostalAddress::PARTS.iter().filter_map(|part| parts.get(*part));
            parts.map(said).collect::<Vec<_>>().join("\n")
        }
        text => text.as_str().unwrap_or_default().to_owned(),
    };
    // Under the client's own names, which may be any: they stand behind a label of ours.
    let others = ["attributes", "extra"].into_iter().filter_map(|name| order[name].as_object()).flatten();
    let others = others.map(|(name, value)| ("Also".to_owned(), format!("{name}: {}", said(value))));
    let items = order["items"].as_array().into_iter().flatten().enumerate();
    let of_items = items.flat_map(|(place, item)| {
        let extra = item["extra"].as_object().into_iter().flatten();
        extra.map(move |(name, value)| ("Also".to_owned(), format!("items[{place}].{name}: {}", said(value))))
    });
    let address = Some(("Address".to_owned(), address)).filter(|(_, address)| !address.is_empty());
    total.into_iter().chain(currency).chain(facts).chain(address).chain(others).chain(of_items).collect()
}

/// The products of an order on one line.
pub(super) fn products(order: &Value) -> String {
    each_product(order).join(", ")
}

/// Each product with its code and what one costs.
fn each_item(order: &Value) -> Vec<String> {
    let items = order["items"].as_array().into_iter().flatten();
    let facts = items.map(|item| {
        let sku = item["sku"].as_str().map(|sku| format!(" ({})", display::terminal_safe(sku)));
        let price =
            item["unitPrice"].as_str().map(|price| format!(", {} each", display::terminal_safe(price)));
        sku.unwrap_or_default() + &price.unwrap_or_default()
    });
    let alone = Some(String::new()).filter(|_| order["productName"].is_string());
    each_product(order)
        .into_iter()
        .zip(alone.into_iter().chain(facts))
        .map(|(name, facts)| name + &facts)
        .collect()
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
    let total = Some(display::cell(order.get("total"))).filter(|total| !total.is_empty())?;
    Some(order["currency"].as_str().map_or(total.clone(), |currency| format!("{total} {currency}")))
}

/// How far delivery has come, as in "2 of 3, 1 waiting". Nothing where another host tells.
pub(super) fn delivery_progress(order: &Value) -> Option<String> {
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
    fn all_that_an_order_says_is_shown_under_its_label() {
        let order = json!({
            "productName": "Mouse", "quantity": 2, "items": [{"productName": "Pad", "sku": "P1", "unitPrice": "2.50", "extra": {"size": "XL"}}], "total": "22", "currency": "EUR",
            "note": "Ring\ntwice", "deliveryAddress": {"streetAddress": "Main St 1", "postalCode": "12345"},
            "attributes": {"express": true}, "extra": {"gift": {"card": "x"}, "total": "19,90"},
        });
        assert_eq!(each_product(&order), ["2 × Mouse", "Pad"]);
        assert_eq!(each_item(&order), ["2 × Mouse", "Pad (P1), 2.50 each"]);
        let shown: Vec<_> =
            facts(&order).into_iter().map(|(label, fact)| format!("{label}={fact}")).collect();
        assert_eq!(
            shown,
            [
                "Total=22 EUR",
                "Note=Ring\ntwice",
                "Address=Main St 1\n12345",
                "Also=express: true",
                "Also=gift: {\"card\":\"x\"}",
                "Also=total: 19,90",
                "Also=items[0].size: XL",
            ]
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

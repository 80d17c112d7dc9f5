//! `orderbell order place|list|show`.

use clap::{ArgGroup, Args, Subcommand};
use reqwest::Method;
use serde_json::{Map, Value, json};

use super::api_client::Server;
use super::output::Unwritten;
use super::{Failure, argument, block_on, output};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Place an order
    Place(Place),
    /// List orders, newest first
    List(List),
    /// Mark orders as spam: one, or all that fit. What waits for them is cancelled, and nothing of them is sent any more
    Spam(Spam),
    /// Take an order's mark as spam back. Nothing is sent by itself: what was cancelled stays cancelled
    NotSpam {
        /// The order's id
        #[arg(value_parser = argument::id)]
        id: String,
        #[command(flatten)]
        server: Server,
    },
    /// Show an order and all that became of it
    Show {
        /// The order's id
        #[arg(value_parser = argument::id)]
        id: String,
        #[command(flatten)]
        server: Server,
    },
}

#[derive(Args)]
pub(super) struct Place {
    /// Who places it
    #[arg(long, value_name = "NAME", value_parser = argument::words)]
    customer: String,
    /// What is ordered
    #[arg(long, value_name = "NAME", value_parser = argument::words)]
    product: String,
    /// How many
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true, value_parser = argument::whole(1..=1_000_000))]
    quantity: Option<u32>,
    /// The customer's mail address
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,
    /// The customer's phone number, such as +4915112345678
    #[arg(long, value_name = "NUMBER")]
    phone: Option<String>,
    /// The currency, such as EUR
    #[arg(long, value_name = "CODE")]
    currency: Option<String>,
    /// What the order costs, such as 19.90
    #[arg(long, value_name = "AMOUNT", allow_negative_numbers = true)]
    total: Option<String>,
    /// A remark
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    /// A fact for filter policies; can be given several times
    #[arg(long = "attribute", value_name = "KEY=VALUE", value_parser = attribute)]
    attributes: Vec<(String, String)>,
    /// Repeating the command with the same key, of 16 to 255 visible ASCII characters, places one order
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    #[command(flatten)]
    server: Server,
}

#[derive(Args)]
pub(super) struct List {
    /// Accepted at this time or later, such as 2026-01-31T00:00:00Z, or "2026-01-31 00:00" by this machine's clock
    #[arg(long, value_name = "TIME", value_parser = argument::time)]
    from: Option<String>,
    /// Accepted before this time
    #[arg(long, value_name = "TIME", value_parser = argument::time)]
    before: Option<String>,
    #[command(flatten)]
    page: Page,
    #[command(flatten)]
    server: Server,
}

/// Which orders are spam.
#[derive(Args)]
#[group(skip)]
#[command(
    group = ArgGroup::new("which").args(FITS).arg("id").required(true).multiple(true),
    override_usage = "orderbell order spam <ID>\n       orderbell order spam [--from <TIME>] [--before <TIME>] \
                      [--customer <NAME>] [--email <ADDRESS>] [--phone <NUMBER>]"
)]
pub(super) struct Spam {
    /// The order's id
    #[arg(conflicts_with_all = FITS, value_parser = argument::id)]
    id: Option<String>,
    /// Accepted at this time or later, such as 2026-01-31T00:00:00Z, or "2026-01-31 00:00" by this machine's clock
    #[arg(long, value_name = "TIME", value_parser = argument::time)]
    from: Option<String>,
    /// Accepted before this time
    #[arg(long, value_name = "TIME", value_parser = argument::time)]
    before: Option<String>,
    /// Of a customer of exactly this name
    #[arg(long, value_name = "NAME", value_parser = argument::words)]
    customer: Option<String>,
    /// Of exactly this mail address
    #[arg(long, value_name = "ADDRESS", value_parser = argument::words)]
    email: Option<String>,
    /// Of exactly this phone number, such as +4915112345678
    #[arg(long, value_name = "NUMBER", value_parser = argument::words)]
    phone: Option<String>,
    #[command(flatten)]
    server: Server,
}

/// What orders are selected by, unless it is one.
const FITS: [&str; 5] = ["from", "before", "customer", "email", "phone"];

/// Which page of a list.
#[derive(Args)]
pub(super) struct Page {
    /// How many rows
    #[arg(long, value_name = "NUMBER", default_value_t = 20, value_parser = argument::whole(1..=200))]
    limit: u32,
    /// Where the page begins, as the page before said
    #[arg(long, value_name = "CURSOR")]
    cursor: Option<String>,
}

pub(super) const COLUMNS: [output::Column; 6] = [
    ("Time", "/orderTime"),
    ("Order", "/orderId"),
    ("Customer", "/customerName"),
    ("Product", "/product"),
    ("Total", "/price"),
    ("Told", "/told"),
];
pub(super) const EVENTS: [output::Column; 7] = [
    ("Time", "/at"),
    ("Event", "/event"),
    ("To", "/endpoint"),
    ("Attempt", "/number"),
    ("Outcome", "/outcome"),
    ("Reply", "/reply"),
    ("Reason", "/reason"),
];

pub(super) fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Place(place) => block_on(self::place(place))?,
        Command::List(list) => block_on(self::list(list))?,
        Command::Spam(spam) => block_on(mark_spam(spam))?,
        Command::NotSpam { id, server } => block_on(unmark_spam(&id, server))?,
        Command::Show { id, server } => block_on(show(&id, server))?,
    }
}

async fn place(place: Place) -> Result<(), Failure> {
    let Place { customer, product, quantity, email, phone, currency, total, note, server, .. } = place;
    let mut order = Map::from_iter([
        ("customerName".to_owned(), json!(customer)),
        ("productName".to_owned(), json!(product)),
    ]);
    let optional = [
        ("quantity", quantity.map(Value::from)),
        ("customerEmail", email.map(Value::from)),
        ("customerPhone", phone.map(Value::from)),
        ("currency", currency.map(Value::from)),
        ("total", total.map(Value::from)),
        ("note", note.map(Value::from)),
    ];
    order.extend(optional.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    let attributes: Map<_, _> =
        place.attributes.into_iter().map(|(key, value)| (key, json!(value))).collect();
    if !attributes.is_empty() {
        order.insert("attributes".to_owned(), Value::Object(attributes));
    }
    let answer = server
        .ask_with(Method::POST, "/create-order", |request| match &place.idempotency_key {
            Some(key) => request.header("idempotency-key", key).json(&order),
            None => request.json(&order),
        })
        .await?;
    let shown = server.show(&answer, |answer| {
        output::note(&output::cell(answer.get("message")));
        output::line(&output::cell(answer.get("orderId")))
    });
    Ok(shown?)
}

async fn list(list: List) -> Result<(), Failure> {
    argument::refuse_backwards(list.from.as_deref(), list.before.as_deref())?;
    let query =
        [("from", list.from.as_deref()), ("before", list.before.as_deref()), ("include", Some("tally"))];
    let answer = get(&list.server, "/orders", &query, &list.page).await?;
    let shown = list.server.show(&answer, |answer| {
        let mut answer = answer.clone();
        for order in answer["items"].as_array_mut().into_iter().flatten() {
            order["product"] = json!(products(order));
            order["price"] = json!(price(order));
            order["told"] = json!(told(order));
        }
        output::list(&answer, &COLUMNS)
    });
    Ok(shown?)
}

async fn mark_spam(spam: Spam) -> Result<(), Failure> {
    let Spam { id, from, before, customer, email, phone, server } = spam;
    argument::refuse_backwards(from.as_deref(), before.as_deref())?;
    let Some(id) = id else {
        let fits = [
            ("from", from),
            ("before", before),
            ("customerName", customer),
            ("customerEmail", email),
            ("customerPhone", phone),
        ];
        let fits: Map<_, _> =
            fits.into_iter().filter_map(|(name, value)| Some((name.to_owned(), json!(value?)))).collect();
        let answer = server.ask(Method::POST, "/orders/spam", Some(&Value::Object(fits))).await?;
        return Ok(server.show(&answer, |answer| {
            output::line(&match answer["marked"].as_u64().unwrap_or_default() {
                1 => "1 order is marked as spam; what waits for it is cancelled".to_owned(),
                many => format!("{many} orders are marked as spam; what waits for them is cancelled"),
            })
        })?);
    };
    let answer = server.ask(Method::PUT, &format!("/orders/{id}/spam"), None).await?;
    Ok(server.show(&answer, |_| {
        output::line(&format!("{id} is marked as spam; what waited for it is cancelled"))
    })?)
}

async fn unmark_spam(id: &str, server: Server) -> Result<(), Failure> {
    let answer = server.ask(Method::DELETE, &format!("/orders/{id}/spam"), None).await?;
    Ok(server.show(&answer, |_| {
        output::line(&format!("{id} is no longer marked as spam; what was cancelled stays cancelled"))
    })?)
}

async fn show(id: &str, server: Server) -> Result<(), Failure> {
    let order = server.ask(Method::GET, &format!("/orders/{id}"), None).await?;
    Ok(server.show(&order, story)?)
}

fn story(order: &Value) -> Result<(), Unwritten> {
    for (label, value) in [("Order", "/orderId"), ("Time", "/orderTime"), ("Customer", "/customerName")] {
        output::line(&format!("{label:<9}{}", output::shown(order, value)))?;
    }
    for (number, product) in each_product(order).into_iter().enumerate() {
        output::line(&format!("{:<9}{product}", if number == 0 { "Product" } else { "" }))?;
    }
    let facts = [("Email", "/customerEmail"), ("Phone", "/customerPhone"), ("Note", "/note")];
    let facts = facts.map(|(label, member)| (label.to_owned(), output::shown(order, member)));
    let attributes = order["attributes"].as_object().into_iter().flatten();
    let attributes = attributes.map(|(key, value)| (key.clone(), output::cell(Some(value))));
    let total = price(order).map(|price| ("Total".to_owned(), price));
    for (label, fact) in total.into_iter().chain(facts).chain(attributes).filter(|(_, fact)| !fact.is_empty())
    {
        output::line(&format!("{label:<8} {fact}"))?;
    }
    output::line(&format!("{:<9}{}\n", "Told", output::cell(order.get("summary"))))?;
    output::table(order["timeline"].as_array().map(Vec::as_slice).unwrap_or_default(), &EVENTS)?;
    output::unreadable(order)?;
    for delivery in order["deliveries"].as_array().into_iter().flatten() {
        output::unreadable(delivery)?;
        if let Some(why) = super::delivery::waits_because(delivery) {
            output::line(&format!("{} waits: {why}", output::cell(delivery.get("endpoint"))))?;
        }
    }
    for group in order["notMatched"].as_array().into_iter().flatten() {
        let because = output::cell(group.get("because")).replace('_', " ");
        for other in group["subscriptions"].as_array().into_iter().flatten() {
            output::line(&format!("not told: {} ({because})", output::cell(other.get("endpoint"))))?;
        }
    }
    if order["notMatchedNext"].is_string() {
        let id = output::cell(order.get("orderId"));
        output::note(&format!("others are not told either: GET /orders/{id}/not-matched lists them all"));
    }
    Ok(())
}

/// Asks for a page of a list.
pub(super) async fn get(
    server: &Server,
    path: &str,
    query: &[(&str, Option<&str>)],
    page: &Page,
) -> Result<Value, Failure> {
    let limit = page.limit.to_string();
    let paging = [("limit", Some(limit.as_str())), ("cursor", page.cursor.as_deref())];
    let given: Vec<_> =
        query.iter().chain(&paging).filter_map(|(name, value)| Some((*name, (*value)?))).collect();
    server.ask_with(Method::GET, path, |request| request.query(&given)).await
}

/// The products of an order on one line.
fn products(order: &Value) -> String {
    each_product(order).join(", ")
}

fn each_product(order: &Value) -> Vec<String> {
    let one = |item: &Value| {
        let name = output::cell(item.get("productName"));
        item.get("quantity").map_or(name.clone(), |quantity| format!("{quantity} × {name}"))
    };
    match order["items"].as_array() {
        Some(items) => items.iter().map(one).collect(),
        None => vec![one(order)],
    }
}

/// What the order costs, with its currency.
fn price(order: &Value) -> Option<String> {
    let total = Some(output::cell(order.get("total"))).filter(|total| !total.is_empty())?;
    Some(order["currency"].as_str().map_or(total.clone(), |currency| format!("{total} {currency}")))
}

/// How far telling has come, as in "2 of 3, 1 waiting". Nothing where another host tells.
fn told(order: &Value) -> Option<String> {
    let tally = order["tally"].as_object()?;
    let count = |states: &[&str]| -> u64 {
        states.iter().filter_map(|state| tally.get(*state).and_then(Value::as_u64)).sum()
    };
    let spam = order.get("spamSince").map(|_| "spam".to_owned());
    let all: u64 = tally.values().filter_map(Value::as_u64).sum();
    if all == 0 {
        let why = if order["published"] == true { "nobody matched" } else { "not yet published" };
        return spam.or_else(|| Some(why.to_owned()));
    }
    let more = if order["tallyIsWhole"] == false { " or more" } else { "" };
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

fn attribute(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("must be KEY=VALUE")?;
    Ok((key.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_far_telling_has_come_is_told_in_few_words() {
        for (tally, told) in [
            (json!({"delivered": 3}), "3 of 3"),
            (json!({"delivered": 2, "pending": 1, "in_flight": 1}), "2 of 4, 2 waiting"),
            (json!({"sandboxed": 1}), "1 of 1, 1 in the sandbox"),
            (json!({"dead": 1, "held": 2, "cancelled": 3}), "0 of 6, 2 held, 1 dead, 3 cancelled"),
            (json!({}), "nobody matched"),
        ] {
            let order = json!({"published": true, "tally": tally, "tallyIsWhole": true});
            assert_eq!(super::told(&order).as_deref(), Some(told), "{order}");
        }
        let many = json!({"published": true, "tally": {"delivered": 100}, "tallyIsWhole": false});
        assert_eq!(told(&many).as_deref(), Some("100 of 100 or more"));
        let fresh = json!({"published": false, "tally": {}, "tallyIsWhole": true});
        assert_eq!(told(&fresh).as_deref(), Some("not yet published"));
        assert_eq!(told(&json!({"orderId": "elsewhere"})), None);
    }
}

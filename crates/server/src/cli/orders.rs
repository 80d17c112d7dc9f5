//! `orderbell order place|list|show|acknowledge|complete|cancel|reopen|spam|not-spam`.

mod named;
pub(super) mod show;

use clap::{ArgGroup, Args, Subcommand};
use reqwest::Method;
use serde_json::{Map, Value, json};

use self::show::{became, price, products};
use super::api_client::{Server, ServerPage};
use super::table::Column;
use super::{Failure, argument, block_on, display, output};

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
        /// Its id or the first 8 digits of that and more, its short reference, or the shop's own number for it
        #[arg(value_parser = argument::words)]
        order: String,
        #[command(flatten)]
        server: Server,
    },
    /// Say that you have seen an order
    Acknowledge(Change),
    /// Say that an order is done
    Complete(Change),
    /// Say that an order will not be done
    Cancel(Change),
    /// Make an order new again: nobody has seen it
    Reopen(Change),
    /// Show an order and all that became of it
    Show {
        /// Its id or the first 8 digits of that and more, its short reference, or the shop's own number for it
        #[arg(value_parser = argument::words)]
        order: String,
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
    /// Called so: by its id or how that begins, its short reference, or the shop's own number for it
    #[arg(long, value_name = "NAME", value_parser = argument::words, conflicts_with_all = ["from", "before"])]
    find: Option<String>,
    #[command(flatten)]
    accepted: Accepted,
    #[command(flatten)]
    page: ServerPage,
}

/// What is made of an order.
#[derive(Args)]
#[group(skip)]
pub(super) struct Change {
    /// Its id or the first 8 digits of that and more, its short reference, or the shop's own number for it
    #[arg(value_parser = argument::words)]
    order: String,
    /// Who says so
    #[arg(long, value_name = "NAME", value_parser = argument::words)]
    by: Option<String>,
    #[command(flatten)]
    server: Server,
}

/// When orders were accepted.
#[derive(Args)]
#[group(skip)]
struct Accepted {
    /// Accepted at this time or later, such as 2026-01-31T00:00:00Z, or "2026-01-31 00:00" by this machine's clock
    #[arg(long, value_name = "TIME", value_parser = argument::time)]
    from: Option<String>,
    /// Accepted before this time
    #[arg(long, value_name = "TIME", value_parser = argument::time)]
    before: Option<String>,
}

/// Which orders are spam.
#[derive(Args)]
#[group(skip)]
#[command(
    group = ArgGroup::new("which").args(FITS).arg("order").required(true).multiple(true),
    override_usage = "orderbell order spam <ORDER>\n       orderbell order spam [--from <TIME>] [--before <TIME>] \
                      [--customer <NAME>] [--email <ADDRESS>] [--phone <NUMBER>]"
)]
pub(super) struct Spam {
    /// Its id or the first 8 digits of that and more, its short reference, or the shop's own number for it
    #[arg(conflicts_with_all = FITS, value_parser = argument::words)]
    order: Option<String>,
    #[command(flatten)]
    accepted: Accepted,
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

pub(super) const COLUMNS: [Column; 7] = [
    ("Time", "/orderTime"),
    ("Order", "/shortReference"),
    ("Customer", "/customerName"),
    ("Product", "/product"),
    ("Total", "/price"),
    ("Told", "/told"),
    ("Id", "/orderId"),
];

pub(super) fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Place(place) => block_on(self::place(place))?,
        Command::List(list) => block_on(self::list(list))?,
        Command::Spam(spam) => block_on(mark_spam(spam))?,
        Command::NotSpam { order, server } => block_on(unmark_spam(&order, server))?,
        Command::Acknowledge(change) => block_on(change_status(change, "acknowledged"))?,
        Command::Complete(change) => block_on(change_status(change, "completed"))?,
        Command::Cancel(change) => block_on(change_status(change, "cancelled"))?,
        Command::Reopen(change) => block_on(change_status(change, "new"))?,
        Command::Show { order, server } => block_on(show(&order, server))?,
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
        .ask_with(Method::POST, "/create-order", |request| {
            // Whoever types an order wants to know what of it cannot be read.
            let request = request.header("prefer", "handling=strict").json(&order);
            match &place.idempotency_key {
                Some(key) => request.header("idempotency-key", key),
                None => request,
            }
        })
        .await?;
    let shown = server.show(&answer, |answer| {
        output::note(&display::cell(answer.get("message")));
        output::line(&display::cell(answer.get("orderId")))
    });
    Ok(shown?)
}

async fn list(list: List) -> Result<(), Failure> {
    let Accepted { from, before } = list.accepted;
    argument::refuse_backwards(from.as_deref(), before.as_deref())?;
    let query = [
        ("find", list.find.as_deref()),
        ("from", from.as_deref()),
        ("before", before.as_deref()),
        ("include", Some("counts")),
    ];
    let answer = list.page.ask("/orders", &query).await?;
    let shown = list.page.server.show(&answer, |answer| {
        let mut answer = answer.clone();
        for order in answer["items"].as_array_mut().into_iter().flatten() {
            order["product"] = json!(products(order));
            order["price"] = json!(price(order));
            order["told"] = json!(became(order));
        }
        output::list(&answer, &COLUMNS)
    });
    Ok(shown?)
}

async fn mark_spam(spam: Spam) -> Result<(), Failure> {
    let Spam { order, accepted: Accepted { from, before }, customer, email, phone, server } = spam;
    argument::refuse_backwards(from.as_deref(), before.as_deref())?;
    let Some(name) = order else {
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
    let id = named::id(&server, &name).await?;
    let answer = server.ask(Method::PUT, &format!("/orders/{id}/spam"), None).await?;
    Ok(server.show(&answer, |answer| {
        let order = display::cell(answer.get("shortReference"));
        output::line(&format!("{order} ({id}) is marked as spam; what waited for it is cancelled"))
    })?)
}

async fn unmark_spam(name: &str, server: Server) -> Result<(), Failure> {
    let id = named::id(&server, name).await?;
    let answer = server.ask(Method::DELETE, &format!("/orders/{id}/spam"), None).await?;
    Ok(server.show(&answer, |answer| {
        let order = display::cell(answer.get("shortReference"));
        output::line(&format!(
            "{order} ({id}) is no longer marked as spam; what was cancelled stays cancelled"
        ))
    })?)
}

async fn change_status(change: Change, status: &str) -> Result<(), Failure> {
    let Change { order, by, server } = change;
    let id = named::id(&server, &order).await?;
    let mut body = json!({"status": status});
    if let Some(by) = by {
        body["by"] = json!(by);
    }
    let answer = server.ask(Method::POST, &format!("/orders/{id}/status"), Some(&body)).await?;
    Ok(server.show(&answer, |answer| {
        let order = display::cell(answer.get("shortReference"));
        output::line(&format!("{order} ({id}) is {status}"))
    })?)
}

async fn show(name: &str, server: Server) -> Result<(), Failure> {
    let id = named::id(&server, name).await?;
    let order = server.ask(Method::GET, &format!("/orders/{id}"), None).await?;
    Ok(server.show(&order, show::print)?)
}

fn attribute(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("must be KEY=VALUE")?;
    Ok((key.to_owned(), value.to_owned()))
}

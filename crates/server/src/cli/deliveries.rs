//! `orderbell delivery list|show|redrive|retry|drop`.

pub(super) mod show;

use clap::{ArgGroup, Args, Subcommand};
use reqwest::Method;
use serde_json::{Value, json};

use super::api_client::{Server, ServerPage};
use super::table::Column;
use super::{Failure, argument, block_on, display, output};

#[derive(Subcommand)]
pub(super) enum Command {
    /// List deliveries, newest first
    List(List),
    /// Show a delivery, what it waits for, its attempts, what its provider reported and what people did
    Show {
        /// The delivery's id
        #[arg(value_parser = argument::id)]
        id: String,
        #[command(flatten)]
        server: Server,
    },
    /// Send dead or held deliveries again
    Redrive(Redrive),
    /// Try at once what waits for its next attempt
    Retry(Retry),
    /// Give up pending or held deliveries: they arrived, or need not
    Drop(Drop),
}

#[derive(Args)]
pub(super) struct List {
    /// Only those in this state
    #[arg(long, value_parser = argument::delivery_state())]
    state: Option<String>,
    /// Only those to this subscription
    #[arg(long, value_name = "ID", value_parser = argument::id)]
    subscription: Option<String>,
    /// Only those that tell of this order
    #[arg(long, value_name = "ID", value_parser = argument::id)]
    order: Option<String>,
    #[command(flatten)]
    page: ServerPage,
}

#[derive(Args)]
#[group(skip)]
#[command(
    group = which(&["id", "dead", "held"]),
    arg = argument::missing("pending", "what is pending is tried at once by `orderbell delivery retry --pending`"),
    override_usage = "orderbell delivery redrive <ID>\n       orderbell delivery redrive <--dead|--held> \
                      [--subscription <ID>] [--protocol <PROTOCOL>] [--from <TIME>] [--before <TIME>]"
)]
pub(super) struct Redrive {
    /// All that are dead
    #[arg(long, group = "state")]
    dead: bool,
    /// All that are held
    #[arg(long, group = "state")]
    held: bool,
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    server: Server,
}

#[derive(Args)]
#[group(skip)]
#[command(
    group = which(&["id", "pending"]),
    arg = argument::missing("dead", "what is dead is sent again by `orderbell delivery redrive --dead`"),
    arg = argument::missing("held", "what is held is sent again by `orderbell delivery redrive --held`"),
    override_usage = "orderbell delivery retry <ID>\n       orderbell delivery retry --pending \
                      [--subscription <ID>] [--protocol <PROTOCOL>] [--from <TIME>] [--before <TIME>]"
)]
pub(super) struct Retry {
    /// All that are pending
    #[arg(long, group = "state")]
    pending: bool,
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    server: Server,
}

#[derive(Args)]
#[group(skip)]
#[command(
    group = which(&["id", "pending", "held"]),
    arg = argument::missing(
        "dead",
        "what is dead is not sent any more unless you redrive it: there is nothing to drop"
    ),
    override_usage = "orderbell delivery drop <ID>\n       orderbell delivery drop <--pending|--held> \
                      [--subscription <ID>] [--protocol <PROTOCOL>] [--from <TIME>] [--before <TIME>]"
)]
pub(super) struct Drop {
    /// All that are pending
    #[arg(long, group = "state")]
    pending: bool,
    /// All that are held
    #[arg(long, group = "state")]
    held: bool,
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    server: Server,
}

/// One delivery, or, of those in a state, the ones that fit.
#[derive(Args)]
#[group(skip)]
struct Selection {
    /// This delivery
    #[arg(value_parser = argument::id)]
    id: Option<String>,
    /// Of these, only those to this subscription
    #[arg(long, value_name = "ID", requires = "state", value_parser = argument::id)]
    subscription: Option<String>,
    /// Of these, only those over this protocol
    #[arg(long, requires = "state", value_parser = argument::protocol())]
    protocol: Option<String>,
    /// Of these, only those made at this time or later, such as 2026-01-31T12:00:00Z
    #[arg(long, value_name = "TIME", requires = "state", value_parser = argument::time)]
    from: Option<String>,
    /// Of these, only those made before this time
    #[arg(long, value_name = "TIME", requires = "state", value_parser = argument::time)]
    before: Option<String>,
}

pub(super) const COLUMNS: [Column; 6] = [
    ("Delivery", "/deliveryId"),
    ("Kind", "/kind"),
    ("Endpoint", "/endpoint"),
    ("State", "/state"),
    ("Attempts", "/attemptsUsed"),
    ("At", "/at"),
];

/// One delivery, or all in a state.
fn which(selections: &[&'static str]) -> ArgGroup {
    ArgGroup::new("which").args(selections.iter().copied()).required(true)
}

pub(super) fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::List(list) => block_on(self::list(list))?,
        Command::Show { id, server } => block_on(show(&id, server))?,
        Command::Redrive(redrive) => block_on(self::redrive(redrive))?,
        Command::Retry(retry) => block_on(self::retry(retry))?,
        Command::Drop(drop) => block_on(self::drop(drop))?,
    }
}

async fn list(list: List) -> Result<(), Failure> {
    let query = [
        ("state", list.state.as_deref()),
        ("subscription", list.subscription.as_deref()),
        ("order", list.order.as_deref()),
    ];
    let answer = list.page.ask("/deliveries", &query).await?;
    Ok(list.page.server.show(&answer, |answer| output::list(answer, &COLUMNS))?)
}

async fn show(id: &str, server: Server) -> Result<(), Failure> {
    let delivery = server.ask(Method::GET, &format!("/deliveries/{id}"), None).await?;
    Ok(server.show(&delivery, show::print)?)
}

async fn redrive(redrive: Redrive) -> Result<(), Failure> {
    let Redrive { held, selection, server, .. } = redrive;
    let answer = selection.ask(&server, "redrive", if held { "held" } else { "dead" }).await?;
    Ok(server.say(&answer, |answer| format!("redriven: {}", display::cell(answer.get("redriven"))))?)
}

async fn retry(retry: Retry) -> Result<(), Failure> {
    let Retry { selection, server, .. } = retry;
    let answer = selection.ask(&server, "retry", "pending").await?;
    Ok(server.say(&answer, |answer| format!("retried: {}", display::cell(answer.get("retried"))))?)
}

async fn drop(drop: Drop) -> Result<(), Failure> {
    let Drop { held, selection, server, .. } = drop;
    let one = selection.id.is_some();
    let answer = selection.ask(&server, "drop", if held { "held" } else { "pending" }).await?;
    let said = server.say(&answer, |answer| match answer.get("dropped").filter(|_| !one) {
        Some(count) => format!("dropped: {}", display::cell(Some(count))),
        None => "dropped".to_owned(),
    });
    Ok(said?)
}

impl Selection {
    /// Has the server do `what` to the one delivery, or to those in the state.
    async fn ask(self, server: &Server, what: &str, state: &str) -> Result<Value, Failure> {
        let Self { id, subscription, protocol, from, before } = self;
        if let Some(id) = id {
            return server.ask(Method::POST, &format!("/deliveries/{id}/{what}"), None).await;
        }
        argument::refuse_backwards(from.as_deref(), before.as_deref())?;
        let filters =
            [("subscriptionId", subscription), ("protocol", protocol), ("from", from), ("before", before)];
        let mut selection = json!({ "state": state });
        for (name, filter) in filters {
            if let Some(filter) = filter {
                selection[name] = filter.into();
            }
        }
        server.ask(Method::POST, &format!("/deliveries/{what}"), Some(&selection)).await
    }
}

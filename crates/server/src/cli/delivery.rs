//! `orderbell delivery list|redrive`.

use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::json;

use super::api_client::Server;
use super::order::{Page, get};
use super::{Failure, block_on, output};

#[derive(Subcommand)]
pub(super) enum Command {
    /// List deliveries, newest first
    List(List),
    /// Send dead or held deliveries again
    Redrive(Redrive),
}

#[derive(Args)]
pub(super) struct List {
    /// Only those in this state: pending, `in_flight`, delivered, sandboxed, held, dead or cancelled
    #[arg(long)]
    state: Option<String>,
    /// Only those owed to this subscription
    #[arg(long, value_name = "ID")]
    subscription: Option<String>,
    /// Only those that tell of this order
    #[arg(long, value_name = "ID")]
    order: Option<String>,
    #[command(flatten)]
    page: Page,
    #[command(flatten)]
    server: Server,
}

#[derive(Args)]
#[group(skip)]
pub(super) struct Redrive {
    /// This delivery
    #[arg(required_unless_present = "dead", conflicts_with = "dead")]
    id: Option<String>,
    /// All that are dead
    #[arg(long)]
    dead: bool,
    /// Of the dead, only those owed to this subscription
    #[arg(long, value_name = "ID", requires = "dead")]
    subscription: Option<String>,
    #[command(flatten)]
    server: Server,
}

const COLUMNS: [output::Column; 6] = [
    ("Delivery", "/deliveryId"),
    ("Kind", "/kind"),
    ("Endpoint", "/endpoint"),
    ("State", "/state"),
    ("Spent", "/spent"),
    ("At", "/at"),
];

pub(super) fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::List(list) => block_on(self::list(list))?,
        Command::Redrive(redrive) => block_on(self::redrive(redrive))?,
    }
}

async fn list(list: List) -> Result<(), Failure> {
    let query = [
        ("state", list.state.as_deref()),
        ("subscription", list.subscription.as_deref()),
        ("order", list.order.as_deref()),
    ];
    let answer = get(&list.server, "/deliveries", &query, &list.page).await?;
    list.server.show(&answer, |answer| output::list(answer, &COLUMNS));
    Ok(())
}

async fn redrive(redrive: Redrive) -> Result<(), Failure> {
    let server = redrive.server;
    let answer = if let Some(id) = redrive.id {
        server.ask(Method::POST, &format!("/deliveries/{id}/redrive"), None).await?
    } else {
        let selection = json!({"state": "dead", "subscriptionId": redrive.subscription});
        server.ask(Method::POST, "/deliveries/redrive", Some(&selection)).await?
    };
    server.show(&answer, |answer| eprintln!("redriven: {}", output::cell(answer.get("redriven"))));
    Ok(())
}

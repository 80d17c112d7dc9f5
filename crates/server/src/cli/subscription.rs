//! `orderbell subscription add|list|confirm|resend|remove`.

use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Value, json};

use super::api_client::Server;
use super::order::{Page, get};
use super::{Failure, block_on, output};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Subscribe an endpoint; it is told of orders once it confirmed
    Add(Add),
    /// List subscriptions, newest first
    List(List),
    /// Confirm by the link that was sent
    Confirm {
        /// The link, or its token
        link: String,
        #[command(flatten)]
        server: Server,
    },
    /// Send the confirmation again
    Resend {
        /// The subscription's id
        id: String,
        #[command(flatten)]
        server: Server,
    },
    /// End a subscription
    Remove {
        /// The subscription's id
        id: String,
        #[command(flatten)]
        server: Server,
    },
}

#[derive(Args)]
pub(super) struct Add {
    /// email, sms or webhook
    protocol: String,
    /// A mail address, a phone number such as +4915112345678, or a URL
    endpoint: String,
    /// Which orders are wanted, as `{"currency":["EUR"]}`
    #[arg(long, value_name = "JSON", value_parser = json_text)]
    filter_policy: Option<Value>,
    #[command(flatten)]
    server: Server,
}

#[derive(Args)]
pub(super) struct List {
    /// Only those in this state: pending, confirmed, suspended or ended
    #[arg(long)]
    state: Option<String>,
    #[command(flatten)]
    page: Page,
    #[command(flatten)]
    server: Server,
}

const COLUMNS: [output::Column; 4] = [
    ("Subscription", "/subscriptionId"),
    ("Protocol", "/protocol"),
    ("Endpoint", "/endpoint"),
    ("State", "/state"),
];

pub(super) fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Add(add) => block_on(self::add(add))?,
        Command::List(list) => block_on(self::list(list))?,
        Command::Confirm { link, server } => block_on(confirm(&link, server))?,
        Command::Resend { id, server } => block_on(act(
            server,
            Method::POST,
            format!("/subscriptions/{id}/confirmation"),
            "confirmation is on its way",
        ))?,
        Command::Remove { id, server } => {
            block_on(act(server, Method::DELETE, format!("/subscriptions/{id}"), "ended"))?
        }
    }
}

async fn add(add: Add) -> Result<(), Failure> {
    let mut body = json!({"protocol": add.protocol, "endpoint": add.endpoint});
    if let Some(policy) = add.filter_policy {
        body["filterPolicy"] = policy;
    }
    let answer = add.server.ask(Method::POST, "/subscriptions", Some(&body)).await?;
    add.server.show(&answer, |answer| {
        output::line(&output::cell(answer.get("subscriptionId")));
        eprintln!("{}", output::cell(answer.get("state")));
        if let Some(secret) = answer["secret"].as_str() {
            eprintln!("signing secret (shown only now): {secret}");
        }
    });
    Ok(())
}

async fn list(list: List) -> Result<(), Failure> {
    let answer = get(&list.server, "/subscriptions", &[("state", list.state.as_deref())], &list.page).await?;
    list.server.show(&answer, |answer| output::list(answer, &COLUMNS));
    Ok(())
}

async fn confirm(link: &str, server: Server) -> Result<(), Failure> {
    let token = link.rsplit_once("token=").map_or(link, |(_, token)| token);
    let path = "/subscriptions/confirm";
    let answer = server.ask_with(Method::POST, path, |request| request.query(&[("token", token)])).await?;
    server.show(&answer, |_| eprintln!("confirmed"));
    Ok(())
}

async fn act(server: Server, method: Method, path: String, done: &str) -> Result<(), Failure> {
    let answer = server.ask(method, &path, None).await?;
    server.show(&answer, |_| eprintln!("{done}"));
    Ok(())
}

fn json_text(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|error| format!("must be JSON: {error}"))
}

//! `orderbell subscription add|list|show|confirm|resend|change|suspend|resume|rotate-secret|test|test-filter|remove`.

mod show;
mod test_filter;

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, Subcommand};
use domain::attributes::MAX_RATE;
use domain::link_token::token_in_link;
use reqwest::Method;
use serde_json::{Value, json};

use super::api_client::{Server, ServerPage};
use super::table::Column;
use super::{Failure, argument, block_on, display, output};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Subscribe an endpoint; it is told of orders once it confirmed
    Add(Add),
    /// List subscriptions, newest first
    List(List),
    /// Show a subscription, what it waits for and what to do
    Show(One),
    /// Confirm by the link that was sent
    Confirm {
        /// The link, or its token
        #[arg(value_parser = link)]
        link: String,
        #[command(flatten)]
        server: Server,
    },
    /// Send the confirmation again
    Resend(One),
    /// Change attributes, from the next order on
    Change(Change),
    /// Let deliveries wait while a receiver is mended; orders match all the same
    Suspend(One),
    /// Send to a suspended subscription again
    Resume(One),
    /// Give a webhook a new secret; the old one signs too for 24 hours
    RotateSecret(One),
    /// Send a test
    Test(One),
    /// Ask whether a filter policy wants an order; nothing is stored or sent
    ///
    /// Exits with 0 when it does, and with 1 when it does not or could not be asked.
    TestFilter(test_filter::Flags),
    /// End a subscription
    Remove(One),
}

#[derive(Args)]
pub(super) struct One {
    /// The subscription's id
    #[arg(value_parser = argument::id)]
    id: String,
    #[command(flatten)]
    server: Server,
}

#[derive(Args)]
pub(super) struct Add {
    /// Over what it is told
    #[arg(value_parser = argument::protocol())]
    protocol: String,
    /// A mail address, a phone number such as +4915112345678, or a URL
    endpoint: String,
    /// Which orders are wanted, as `{"currency":["EUR"]}`
    #[arg(long, value_name = "FILE|JSON", value_parser = argument::json::<Value>)]
    filter_policy: Option<Value>,
    /// What the policy looks at [default: `MessageAttributes`]
    #[arg(long, value_name = "SCOPE", value_parser = argument::scope(), requires = "filter_policy")]
    filter_policy_scope: Option<String>,
    /// The most messages in a second
    #[arg(long, value_name = "NUMBER", value_parser = argument::whole(1..=MAX_RATE))]
    max_receives_per_second: Option<u32>,
    /// Who gets an order too that is not delivered in time, as `{"afterMinutes":15,"subscriptionId":"…"}`
    #[arg(long, value_name = "JSON", value_parser = escalation)]
    escalation: Option<Value>,
    /// What of an order it is shown, with commas between: `customerName,items,note` [default: everything]
    #[arg(long, value_name = "NAMES", value_parser = argument::fields)]
    fields: Option<Value>,
    /// What it is told in: en, de, fr or es [default: the shop's]
    #[arg(long, value_name = "TAG", value_parser = argument::language)]
    language: Option<String>,
    /// What times are told in, such as Europe/Berlin [default: the shop's]
    #[arg(long, value_name = "ZONE")]
    time_zone: Option<String>,
    /// What it is told of; notices are for the operator
    #[arg(long, default_value = "orders", value_parser = argument::receives())]
    receives: String,
    /// Holds the secret that a webhook's receiver verifies with, `whsec_…`, if it has one already: a file, or - for standard
    /// input
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
    #[command(flatten)]
    server: Server,
}

#[derive(Args)]
#[group(required = true, multiple = true)]
pub(super) struct Changes {
    /// Which orders are wanted, as `{"currency":["EUR"]}`; `null`: all
    #[arg(long, value_name = "FILE|JSON", value_parser = argument::json::<Value>)]
    filter_policy: Option<Value>,
    /// What the policy looks at [default: `MessageAttributes`]
    #[arg(long, value_name = "SCOPE", value_parser = argument::scope(), requires = "filter_policy")]
    filter_policy_scope: Option<String>,
    /// The most messages in a second; `null`: as many as come
    #[arg(long, value_name = "NUMBER|null", value_parser = rate)]
    max_receives_per_second: Option<Value>,
    /// Who gets an order too that is not delivered in time; `null`: nobody
    #[arg(long, value_name = "JSON", value_parser = escalation)]
    escalation: Option<Value>,
    /// What of an order it is shown, with commas between: `customerName,items,note`; `null`: everything
    #[arg(long, value_name = "NAMES|null", value_parser = argument::or_null(argument::fields))]
    fields: Option<Value>,
    /// What it is told in: en, de, fr or es; `null`: the shop's
    #[arg(long, value_name = "TAG|null", value_parser = argument::or_null(argument::language))]
    language: Option<Value>,
    /// What times are told in, such as Europe/Berlin; `null`: the shop's
    #[arg(long, value_name = "ZONE|null", value_parser = argument::or_null(argument::words))]
    time_zone: Option<Value>,
}

#[derive(Args)]
pub(super) struct Change {
    /// The subscription's id
    #[arg(value_parser = argument::id)]
    id: String,
    #[command(flatten)]
    changes: Changes,
    #[command(flatten)]
    server: Server,
}

#[derive(Args)]
pub(super) struct List {
    /// Only those in this state
    #[arg(long, value_parser = argument::subscription_state())]
    state: Option<String>,
    #[command(flatten)]
    page: ServerPage,
}

pub(super) const COLUMNS: [Column; 5] = [
    ("Subscription", "/subscriptionId"),
    ("Protocol", "/protocol"),
    ("Endpoint", "/endpoint"),
    ("State", "/state"),
    ("Pending because", "/pendingReason"),
];

pub(super) fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Add(add) => block_on(self::add(add))?,
        Command::List(list) => block_on(self::list(list))?,
        Command::Show(one) => block_on(show(one))?,
        Command::Confirm { link, server } => block_on(confirm(&link, server))?,
        Command::Resend(one) => block_on(act(one, "/confirmation", "confirmation is on its way"))?,
        Command::Change(change) => block_on(self::change(change))?,
        Command::Suspend(one) => block_on(act(one, "/suspend", "suspended"))?,
        Command::Resume(one) => block_on(act(one, "/resume", "resumed"))?,
        Command::RotateSecret(one) => block_on(rotate_secret(one))?,
        Command::Test(one) => block_on(send_test(one))?,
        Command::TestFilter(flags) => block_on(test_filter::test_filter(flags))?,
        Command::Remove(one) => block_on(remove(one))?,
    }
}

async fn add(add: Add) -> Result<(), Failure> {
    let mut body = json!({"protocol": add.protocol, "endpoint": add.endpoint});
    for (name, value) in [
        ("filterPolicy", add.filter_policy),
        ("filterPolicyScope", add.filter_policy_scope.map(Value::from)),
        ("maxReceivesPerSecond", add.max_receives_per_second.map(Value::from)),
        ("escalation", add.escalation),
        ("fields", add.fields),
        ("language", add.language.map(Value::from)),
        ("timeZone", add.time_zone.map(Value::from)),
        ("receives", Some(Value::from(add.receives))),
        ("secret", add.secret_file.as_deref().map(secret).transpose()?.map(Value::from)),
    ] {
        if let Some(value) = value {
            body[name] = value;
        }
    }
    let answer = add.server.ask(Method::POST, "/subscriptions", Some(&body)).await?;
    note_idle_escalation(&add.server, &answer).await;
    let shown = add.server.show(&answer, |answer| {
        // The secret first: it is told once, and the id is found again.
        show_secret(answer);
        output::note(&display::cell(answer.get("state")));
        output::line(&display::cell(answer.get("subscriptionId")))
    });
    Ok(shown?)
}

/// The secret in a file, without the line's end that an editor puts there.
fn secret(path: &Path) -> anyhow::Result<String> {
    let bytes = argument::read(path).context("--secret-file")?;
    let text = String::from_utf8(bytes).ok().with_context(|| format!("{} is no text", path.display()))?;
    Ok(text.trim().to_owned())
}

fn show_secret(answer: &Value) {
    if let Some(secret) = answer["secret"].as_str() {
        output::note(&format!("signing secret (shown only now): {secret}"));
    }
}

async fn change(change: Change) -> Result<(), Failure> {
    let Changes {
        filter_policy,
        filter_policy_scope,
        max_receives_per_second,
        escalation,
        fields,
        language,
        time_zone,
    } = change.changes;
    let named = [
        ("filterPolicy", filter_policy),
        ("filterPolicyScope", filter_policy_scope.map(Value::from)),
        ("maxReceivesPerSecond", max_receives_per_second),
        ("escalation", escalation),
        ("fields", fields),
        ("language", language),
        ("timeZone", time_zone),
    ];
    let body: Value = named.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
    let path = format!("/subscriptions/{}", change.id);
    let answer = change.server.ask(Method::PATCH, &path, Some(&body)).await?;
    note_idle_escalation(&change.server, &answer).await;
    Ok(change.server.say(&answer, |_| "changed".to_owned())?)
}

/// Says so where it escalates to one that is sent nothing. The subscription stands as it is asked for.
async fn note_idle_escalation(server: &Server, subscription: &Value) {
    let Some(id) = subscription.pointer("/escalation/subscriptionId").and_then(Value::as_str) else { return };
    let Ok(other) = server.ask(Method::GET, &format!("/subscriptions/{id}"), None).await else { return };
    let state = display::cell(other.get("state"));
    if state != "confirmed" {
        let endpoint = display::cell(other.get("endpoint"));
        output::note(&format!(
            "WARNING: it escalates to {endpoint}, which is {state}: nothing reaches that as long as it is \
             (`orderbell subscription show {id}`)"
        ));
    }
}

async fn rotate_secret(one: One) -> Result<(), Failure> {
    let path = format!("/subscriptions/{}/rotate-secret", one.id);
    let answer = one.server.ask(Method::POST, &path, None).await?;
    let shown = one.server.show(&answer, |answer| {
        output::note("new signing secret (shown only now; the old one signs too for 24 hours):");
        output::line(&display::cell(answer.get("secret")))
    });
    Ok(shown?)
}

async fn send_test(one: One) -> Result<(), Failure> {
    let path = format!("/subscriptions/{}/test", one.id);
    let answer = one.server.ask(Method::POST, &path, None).await?;
    Ok(one.server.show(&answer, |answer| output::line(&display::cell(answer.get("deliveryId"))))?)
}

async fn remove(one: One) -> Result<(), Failure> {
    let answer = one.server.ask(Method::DELETE, &format!("/subscriptions/{}", one.id), None).await?;
    Ok(one.server.say(&answer, |_| "ended".to_owned())?)
}

async fn list(list: List) -> Result<(), Failure> {
    let answer = list.page.ask("/subscriptions", &[("state", list.state.as_deref())]).await?;
    Ok(list.page.server.show(&answer, |answer| output::list(answer, &COLUMNS))?)
}

async fn show(one: One) -> Result<(), Failure> {
    let answer = one.server.ask(Method::GET, &format!("/subscriptions/{}", one.id), None).await?;
    Ok(one.server.show(&answer, show::print)?)
}

async fn confirm(link: &str, server: Server) -> Result<(), Failure> {
    let token = token_in_link(link);
    let path = "/subscriptions/confirm";
    let answer = server.ask_with(Method::POST, path, |request| request.query(&[("token", &token)])).await?;
    Ok(server.say(&answer, |_| "confirmed".to_owned())?)
}

/// Whom to escalate to and when, or `null`.
fn escalation(text: &str) -> Result<Value, String> {
    let how = r#"must be as {"afterMinutes":15,"subscriptionId":"…"}"#;
    argument::json(text).map_err(|_| how.to_owned()).and_then(|json: Value| match json {
        Value::Object(_) | Value::Null => Ok(json),
        _ => Err(how.to_owned()),
    })
}

/// A link or its token; not the id of what it confirms.
fn link(text: &str) -> Result<String, String> {
    let text = argument::words(text)?;
    match argument::id(&text) {
        Err(_) => Ok(text),
        Ok(id) => Err(format!(
            "is an id: the link is meant that was sent, or lies in the sandbox inbox; `orderbell subscription show {id}` \
             says which"
        )),
    }
}

/// A rate, or `null` for none.
fn rate(text: &str) -> Result<Value, String> {
    let none = || format!("must be a whole number from 1 to {MAX_RATE}, or null");
    match text {
        "null" => Ok(Value::Null),
        number => argument::whole(1..=MAX_RATE)(number).map(Value::from).map_err(|_| none()),
    }
}

async fn act(one: One, verb: &str, done: &str) -> Result<(), Failure> {
    let answer = one.server.ask(Method::POST, &format!("/subscriptions/{}{verb}", one.id), None).await?;
    Ok(one.server.say(&answer, |_| done.to_owned())?)
}

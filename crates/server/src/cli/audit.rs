//! `orderbell audit`: reconciles what was ordered with what was told.

use std::path::Path;

use anyhow::anyhow;
use application::ports::Clock;
use clap::Args;
use domain::Timestamp;
use host::SystemClock;
use serde_json::{Value, json};
use sqlite::OpenError;
use sqlite::audit::{ByState, Exception, Queue, Summary, audit};

use super::display::counted;
use super::{Failure, argument, output};

#[derive(Args)]
#[group(skip)]
pub(super) struct Flags {
    #[command(flatten)]
    local: argument::LocalFlags,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Prints each exception as it is found, then the numbers; fails if there was an exception. The data folder is only read,
/// and may be in use.
pub(super) fn run(flags: &Flags) -> Result<(), Failure> {
    let (data, now) = (flags.local.resolve()?.data, SystemClock.now());
    let exceptions = if flags.json { as_json(&data, now)? } else { as_text(&data, now)? };
    if exceptions == 0 { Ok(()) } else { Err(anyhow!(counted(exceptions, "exception", "exceptions")).into()) }
}

fn as_text(data: &Path, now: Timestamp) -> Result<u64, Failure> {
    let mut written = Ok(());
    let print = |exception: Exception| {
        if written.is_ok() {
            written = output::line(&exception_line(&exception));
        }
    };
    let summary = audit(data, now, print).map_err(refused)?;
    written?;
    for line in summed_up(&summary, now) {
        output::line(&line)?;
    }
    Ok(summary.exceptions)
}

/// One object, printed piece by piece: there may be many exceptions.
fn as_json(data: &Path, now: Timestamp) -> Result<u64, Failure> {
    let (mut written, mut before) = (Ok(()), "{\"exceptions\": [");
    let print = |exception: Exception| {
        if written.is_ok() {
            written = output::line(&format!("{before}{}", exception_json(&exception)));
        }
        before = ",";
    };
    let summary = audit(data, now, print).map_err(refused)?;
    written?;
    let opened = if summary.exceptions == 0 { "{\"exceptions\": [" } else { "" };
    output::line(&format!("{opened}], \"summary\": {}}}", summary_json(&summary)))?;
    Ok(summary.exceptions)
}

fn refused(error: OpenError) -> Failure {
    match error {
        OpenError::Missing { .. } => Failure::Usage(vec![format!("data (--data, ORDERBELL_DATA): {error}")]),
        other => Failure::Failed(other.into()),
    }
}

/// One line: which, what is wrong, what to do.
fn exception_line(exception: &Exception) -> String {
    let ids = ids(exception).map(|(name, id)| id.map(|id| format!(" {name} {id}")).unwrap_or_default());
    let (kind, wrong) = (exception.kind, &exception.wrong);
    format!("{}:{}: {wrong}. To do: {}", kind.name(), ids.concat(), kind.remedy())
}

fn ids(exception: &Exception) -> [(&'static str, Option<String>); 3] {
    [
        ("order", exception.order.map(|id| id.to_string())),
        ("subscription", exception.subscription.map(|id| id.to_string())),
        ("delivery", exception.delivery.map(|id| id.to_string())),
    ]
}

fn exception_json(exception: &Exception) -> Value {
    json!({
        "kind": exception.kind.name(),
        "orderId": exception.order,
        "subscriptionId": exception.subscription,
        "deliveryId": exception.delivery,
        "wrong": exception.wrong,
        "toDo": exception.kind.remedy(),
    })
}

fn summed_up(summary: &Summary, now: Timestamp) -> Vec<String> {
    let Summary { orders, subscriptions, matched, escalated, .. } = summary;
    let mut lines = vec![
        format!(
            "{}, {}, {}, {escalated} escalated",
            counted(*orders, "order", "orders"),
            counted(*subscriptions, "subscription", "subscriptions"),
            counted(*matched, "notification", "notifications"),
        ),
        format!("notifications: {}", states(&summary.notifications)),
        format!("other messages: {}", states(&summary.others)),
    ];
    for (_, [one, many], state, queue) in queues(summary) {
        let age = queue.since.map(|since| format!(", the longest for {:#}", age(since, now)));
        if queue.count > 0 {
            let waiting = counted(queue.count, one, many);
            lines.push(format!("waiting: {waiting} {state}{}", age.unwrap_or_default()));
        }
    }
    lines
}

fn states(counts: &ByState) -> String {
    let counts = counts.iter().filter(|(_, count)| *count > 0);
    let parts: Vec<_> = counts.map(|(state, count)| format!("{count} {state}")).collect();
    if parts.is_empty() { "none".to_owned() } else { parts.join(", ") }
}

/// In whole seconds.
fn age(since: Timestamp, now: Timestamp) -> jiff::SignedDuration {
    jiff::SignedDuration::from_secs(now.duration_since(since).as_secs().max(0))
}

/// What waits: its name for programs; what one and many of them are called, and for what they wait.
fn queues(summary: &Summary) -> [(&'static str, [&'static str; 2], &'static str, Queue); 7] {
    let waiting = &summary.waiting;
    let (orders, deliveries) = (["order", "orders"], ["delivery", "deliveries"]);
    [
        ("unpublished", orders, "not yet published", waiting.unpublished),
        ("due", deliveries, "due", waiting.due),
        ("later", deliveries, "to be tried later", waiting.later),
        ("channelPaused", deliveries, "whose channel is paused", waiting.channel_paused),
        ("suspended", deliveries, "whose subscription is suspended", waiting.suspended),
        ("quarantined", deliveries, "of which something cannot be read", waiting.quarantined),
        ("unconfirmed", deliveries, "whose subscription is not confirmed", waiting.unconfirmed),
    ]
}

fn summary_json(summary: &Summary) -> Value {
    let states = |counts: &ByState| -> Value {
        counts.iter().map(|(state, count)| (state.name().to_owned(), json!(count))).collect()
    };
    let queue = |queue: Queue| json!({"count": queue.count, "since": queue.since});
    let waiting: Value =
        queues(summary).into_iter().map(|(name, _, _, waiting)| (name.to_owned(), queue(waiting))).collect();
    json!({
        "orders": summary.orders,
        "subscriptions": summary.subscriptions,
        "matched": summary.matched,
        "escalated": summary.escalated,
        "notifications": states(&summary.notifications),
        "otherMessages": states(&summary.others),
        "waiting": waiting,
        "exceptions": summary.exceptions,
    })
}

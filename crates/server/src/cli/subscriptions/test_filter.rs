//! `orderbell subscription test-filter`.

use anyhow::anyhow;
use clap::{ArgGroup, Args};
use reqwest::Method;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::cli::api_client::Server;
use crate::cli::{Failure, argument, display, output};

#[derive(Args)]
#[group(skip)]
#[command(group = ArgGroup::new("tried").args(["order", "order_id"]).required(true))]
pub(in crate::cli) struct Flags {
    /// The filter policy: JSON, or the file that holds it
    #[arg(long, value_name = "FILE|JSON", value_parser = argument::json::<Box<RawValue>>)]
    filter_policy: Box<RawValue>,
    /// What the policy looks at [default: `MessageAttributes`]
    #[arg(long, value_name = "SCOPE", value_parser = argument::scope())]
    filter_policy_scope: Option<String>,
    /// An order as it would be placed: JSON, or the file that holds it
    #[arg(long, value_name = "FILE|JSON", value_parser = argument::json::<Box<RawValue>>)]
    order: Option<Box<RawValue>>,
    /// The id of an order that was placed
    #[arg(long, value_name = "ID", value_parser = argument::id)]
    order_id: Option<String>,
    #[command(flatten)]
    server: Server,
}

/// The request; policy and order as they were written, so that their numbers stay exact.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FilterTest {
    filter_policy: Box<RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    filter_policy_scope: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    order: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    order_id: Option<String>,
}

/// Prints the answer. A policy that does not want the order is a failure, so that scripts can tell.
pub(super) async fn test_filter(flags: Flags) -> Result<(), Failure> {
    let body = FilterTest {
        filter_policy: flags.filter_policy,
        filter_policy_scope: flags.filter_policy_scope,
        order: flags.order,
        order_id: flags.order_id,
    };
    let path = "/subscriptions/test-filter";
    let answer = flags.server.ask_with(Method::POST, path, |request| request.json(&body)).await?;
    flags.server.show(&answer, |_| Ok(()))?;
    if answer["matches"] == true {
        output::note("the policy wants the order");
        return Ok(());
    }
    let because = &answer["because"];
    let (key, reason) = (display::cell(because.get("key")), display::cell(because.get("reason")));
    Err(anyhow!("the policy does not want the order: {key}: {reason}").into())
}

//! `orderbell subscription test-filter`.

use std::fs;

use anyhow::{Context, anyhow};
use clap::Args;
use reqwest::Method;
use serde::Serialize;
use serde_json::value::RawValue;

use super::api_client::Server;
use super::{Failure, output};

#[derive(Args)]
pub(super) struct Flags {
    /// The filter policy: JSON, or the file that holds it
    #[arg(long, value_name = "FILE|JSON")]
    policy: String,
    /// What the policy looks at: `MessageAttributes` (the default) or `MessageBody`
    #[arg(long, value_name = "SCOPE")]
    filter_policy_scope: Option<String>,
    /// An order as it would be placed: JSON, or the file that holds it
    #[arg(long, value_name = "FILE|JSON", required_unless_present = "order_id")]
    order: Option<String>,
    /// The id of an order that was placed
    #[arg(long, value_name = "ID", conflicts_with = "order")]
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
pub(super) async fn test(flags: Flags) -> Result<(), Failure> {
    let body = FilterTest {
        filter_policy: json(&flags.policy).map_err(|mistake| usage("--policy", &mistake))?,
        filter_policy_scope: flags.filter_policy_scope,
        order: flags.order.as_deref().map(json).transpose().map_err(|mistake| usage("--order", &mistake))?,
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
    let (key, reason) = (output::cell(because.get("key")), output::cell(because.get("reason")));
    Err(anyhow!("the policy does not want the order: {key}: {reason}").into())
}

/// The JSON that an argument is, or that lies in the file it names.
fn json(argument: &str) -> anyhow::Result<Box<RawValue>> {
    let text = if argument.trim_start().starts_with('{') {
        argument.to_owned()
    } else {
        fs::read_to_string(argument)
            .with_context(|| format!("neither a JSON object nor a file: {argument}"))?
    };
    serde_json::from_str(text.trim()).context("must be JSON")
}

fn usage(flag: &str, mistake: &anyhow::Error) -> Failure {
    Failure::Usage(vec![format!("{flag}: {mistake:#}")])
}

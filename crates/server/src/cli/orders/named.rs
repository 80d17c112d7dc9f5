//! Which order is meant by what people call it.

use anyhow::anyhow;
use reqwest::Method;
use serde_json::Value;

use super::Column;
use crate::cli::api_client::Server;
use crate::cli::{Failure, argument, display, output};

/// What is shown of orders that have one name.
const COLUMNS: [Column; 6] = [
    ("Time", "/orderTime"),
    ("Order", "/shortReference"),
    ("Reference", "/reference"),
    ("Customer", "/customerName"),
    ("Total", "/total"),
    ("Id", "/orderId"),
];

/// The id of the order of that name. Where several have it, they are listed, and nothing is done.
pub(super) async fn id(server: &Server, name: &str) -> Result<String, Failure> {
    if let Ok(id) = argument::id(name) {
        return Ok(id);
    }
    let answer = server.ask_with(Method::GET, "/orders", |request| request.query(&[("find", name)])).await?;
    let more = answer["next"].as_str();
    match answer["items"].as_array().map(Vec::as_slice).unwrap_or_default() {
        [] => Err(anyhow!(
            "there is no order {name}{}",
            more.map_or_else(String::new, |next| goes_on(name, next))
        )
        .into()),
        [order] => {
            let is_reference =
                order["reference"].as_str().is_some_and(|own| own.eq_ignore_ascii_case(name.trim()));
            if let Some(next) = more.filter(|_| is_reference) {
                output::note(&format!("this is the newest order {name}{}", goes_on(name, next)));
            }
            let id = order["orderId"].as_str().and_then(|id| argument::id(id).ok());
            id.ok_or_else(|| anyhow!("the server shows an order without an id").into())
        }
        several => {
            server.show(&answer, |_| output::table(several, &COLUMNS))?;
            output::note("several orders are called so: say which by its id");
            if let Some(next) = more {
                output::note(&format!("more: {}", next_page(name, next)));
            }
            Err(Failure::Reported)
        }
    }
}

/// That not all orders were looked at for a reference.
fn goes_on(name: &str, next: &str) -> String {
    format!(
        "; for its own number only the newest orders were looked at, and `{}` goes on",
        next_page(name, next)
    )
}

fn next_page(name: &str, next: &str) -> String {
    format!("orderbell order list --find '{}' --cursor {next}", display::cell(Some(&Value::from(name))))
}

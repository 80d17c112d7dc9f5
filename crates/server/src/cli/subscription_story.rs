//! `orderbell subscription show`: what a subscription is, what it waits for, and what to do.

use reqwest::Method;
use serde_json::{Value, json};

use super::Failure;
use super::api_client::Server;
use super::output::{self, Unwritten};

/// How many of its deliveries are looked through for the last confirmation request. One that waits to be confirmed is owed
/// little else.
const LOOKED_AT: &str = "100";

/// Members that are shown as they are, each with its label. What a subscription does not have is left out.
const FACTS: [(&str, &str); 15] = [
    ("Subscription", "/subscriptionId"),
    ("Protocol", "/protocol"),
    ("Endpoint", "/endpoint"),
    ("State", "/state"),
    ("Created", "/createdAt"),
    ("Confirmed", "/confirmedAt"),
    ("Failing since", "/failingSince"),
    ("Suspended", "/suspendedAt"),
    ("Because", "/suspensionReason"),
    ("Ended", "/endedAt"),
    ("Because", "/endReason"),
    ("Receives", "/receives"),
    ("Filter policy", "/filterPolicy"),
    ("Escalation", "/escalation"),
    ("Most a second", "/maxReceivesPerSecond"),
];

/// Asks for the subscription, and while it is pending for its last confirmation request. As JSON: both, the latter as
/// `lastConfirmation`.
pub(super) async fn show(id: &str, server: &Server) -> Result<(), Failure> {
    let mut subscription = server.ask(Method::GET, &format!("/subscriptions/{id}"), None).await?;
    if subscription["state"] == "pending" {
        subscription["lastConfirmation"] = json!(last_confirmation(id, server).await?);
    }
    Ok(server.show(&subscription, story)?)
}

async fn last_confirmation(id: &str, server: &Server) -> Result<Option<Value>, Failure> {
    let query = [("subscription", id), ("limit", LOOKED_AT)];
    let page = server.ask_with(Method::GET, "/deliveries", |request| request.query(&query)).await?;
    let mut newest_first = page["items"].as_array().into_iter().flatten();
    let Some(last) = newest_first.find(|delivery| delivery["kind"] == "confirmation") else {
        return Ok(None);
    };
    let path = format!("/deliveries/{}", output::cell(last.get("deliveryId")));
    Ok(Some(server.ask(Method::GET, &path, None).await?))
}

fn story(subscription: &Value) -> Result<(), Unwritten> {
    let fact = |label: &str, text: &str| output::line(&format!("{label:<15}{text}"));
    for (label, pointer) in FACTS {
        let text = output::shown(subscription, pointer);
        if !text.is_empty() {
            fact(label, &text)?;
        }
    }
    if subscription["state"] == "pending" {
        let (why, to_do) = why_it_is_pending(subscription);
        fact("Pending", &why)?;
        fact("To do", &to_do)?;
    }
    Ok(())
}

/// Why it is not confirmed yet, and what to do.
fn why_it_is_pending(subscription: &Value) -> (String, String) {
    let id = output::cell(subscription.get("subscriptionId"));
    let again = format!("`orderbell subscription resend {id}`");
    let request = &subscription["lastConfirmation"];
    let until = output::shown(subscription, "/confirmationExpiresAt");
    let attempt = request["attempts"].as_array().and_then(|attempts| attempts.last());
    let reply = attempt.map(|attempt| output::cell(attempt.get("reply"))).filter(|reply| !reply.is_empty());
    let is_webhook = subscription["protocol"] == "webhook";
    match request["state"].as_str() {
        None => ("no confirmation request is on record".to_owned(), format!("send one: {again}")),
        Some("sandboxed") => (
            "the confirmation request lies in the sandbox inbox: no provider is configured".to_owned(),
            "find its link with `orderbell inbox list` and `inbox show`, then `orderbell subscription confirm LINK`"
                .to_owned(),
        ),
        Some("delivered") => (
            format!("the confirmation request was delivered, and its link, which works until {until}, not yet used"),
            format!("ask the receiver to open the link and confirm; if it is lost or too old: {again}"),
        ),
        Some("dead" | "cancelled") => (
            format!("the confirmation request failed: {}", reply.as_deref().unwrap_or("no attempt was made")),
            format!("mend the receiver, then send it again: {again}"),
        ),
        Some("held") => (
            "nobody knows whether the confirmation request arrived, and it is held".to_owned(),
            format!("ask the receiver; if it did not arrive: {again}"),
        ),
        Some(_) => {
            let waits = super::delivery::waits_because(request).map(|why| format!(" ({why})")).unwrap_or_default();
            let said = reply.map(|reply| format!(": {reply}")).unwrap_or_default();
            let mend = if is_webhook && !said.is_empty() {
                "it must answer the challenge with 2xx and echo it, as docs/WEBHOOKS.md says; it is asked again by itself"
            } else {
                "nothing: it is tried again by itself"
            };
            (format!("the confirmation request is on its way{waits}{said}"), format!("{mend}; at once: {again}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_waits_to_confirm_is_told_why_and_what_to_do() {
        let refused = json!([{"reply": "404 Not Found"}, {"reply": "the challenge was not echoed"}]);
        for (request, why, to_do) in [
            (json!(null), "no confirmation request", "subscription resend S"),
            (json!({"state": "sandboxed"}), "sandbox inbox", "orderbell inbox list"),
            (json!({"state": "delivered"}), "delivered, and its link", "subscription resend S"),
            (
                json!({"state": "dead", "attempts": refused}),
                "the challenge was not echoed",
                "subscription resend S",
            ),
            (json!({"state": "held"}), "nobody knows", "ask the receiver"),
            (json!({"state": "pending", "attempts": refused}), "the challenge was not echoed", "echo it"),
            (json!({"state": "pending", "waitsBecause": "channel_paused"}), "(channel paused)", "by itself"),
            (json!({"state": "in_flight"}), "on its way", "subscription resend S"),
        ] {
            let pending = json!({"subscriptionId": "S", "state": "pending", "protocol": "webhook", "lastConfirmation": request});
            let told = why_it_is_pending(&pending);
            assert!(told.0.contains(why) && told.1.contains(to_do), "{pending}: {told:?}");
        }
    }
}

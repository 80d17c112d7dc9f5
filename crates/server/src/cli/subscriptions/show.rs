//! What a subscription looks like to a person: what it is, what it waits for, and what to do.

use serde_json::Value;

use crate::cli::display;
use crate::cli::output::{self, StdoutError};

/// Members, each with its label. What a subscription does not have is left out.
const FACTS: [(&str, &str); 25] = [
    ("Subscription", "/subscriptionId"),
    ("Protocol", "/protocol"),
    ("Endpoint", "/endpoint"),
    ("State", "/state"),
    ("Pending because", "/pendingReason"),
    ("Requested", "/confirmationRequest/requestedAt"),
    ("Last tried", "/confirmationRequest/lastAttemptAt"),
    ("Answer", "/confirmationRequest/reply"),
    ("Waits for", "/confirmationRequest/waitsBecause"),
    ("Which says", "/confirmationRequest/pauseReason"),
    ("Tried next", "/confirmationRequest/nextAttemptAt"),
    ("Link works until", "/confirmationExpiresAt"),
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
    ("Shown", "/fields"),
    ("Language", "/language"),
    ("Time zone", "/timeZone"),
];

/// Prints it.
pub(super) fn print(subscription: &Value) -> Result<(), StdoutError> {
    for (label, pointer) in FACTS {
        fact(label, &display::member(subscription, pointer))?;
    }
    let id = display::cell(subscription.get("subscriptionId"));
    fact("To do", &display::cell(subscription.get("pendingAdvice")))?;
    let is_mail = subscription["protocol"] == "email";
    for command in commands(subscription["pendingReason"].as_str(), is_mail, &id) {
        fact("", &command)?;
    }
    Ok(())
}

fn fact(label: &str, text: &str) -> Result<(), StdoutError> {
    if text.is_empty() { Ok(()) } else { output::line(&format!("{label:<18}{text}")) }
}

/// The commands that do what is advised.
fn commands(pending_because: Option<&str>, is_mail: bool, id: &str) -> Vec<String> {
    match pending_because {
        Some("channel_paused") if is_mail => vec!["orderbell doctor smtp".to_owned()],
        None | Some("on_its_way" | "channel_paused") => Vec::new(),
        Some("in_sandbox") => ["inbox list", "inbox show MESSAGE", "subscription confirm LINK"]
            .map(|command| format!("orderbell {command}"))
            .into(),
        Some(_) => vec![format!("orderbell subscription resend {id}")],
    }
}

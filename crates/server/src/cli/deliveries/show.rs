//! What a delivery looks like to a person: what it waits for, its attempts, what its provider reported and what people did.

use serde_json::Value;

use crate::cli::display;
use crate::cli::output::{self, StdoutError};
use crate::cli::table::Column;

const ATTEMPTS: [Column; 5] = [
    ("Attempt", "/number"),
    ("Began", "/startedAt"),
    ("Ended", "/endedAt"),
    ("Outcome", "/outcome"),
    ("Reply", "/reply"),
];
const RECEIPTS: [Column; 4] =
    [("Attempt", "/attempt"), ("Reported", "/at"), ("Status", "/status"), ("Reply", "/reply")];
const INTERVENTIONS: [Column; 4] =
    [("Done", "/kind"), ("At", "/at"), ("It was", "/stateBefore"), ("Since", "/since")];

/// Prints it.
pub(super) fn print(delivery: &Value) -> Result<(), StdoutError> {
    for (label, value) in [
        ("Delivery", "/deliveryId"),
        ("Kind", "/kind"),
        ("Order", "/orderId"),
        ("To", "/endpoint"),
        ("State", "/state"),
        ("At", "/at"),
    ] {
        let text = display::member(delivery, value);
        if !text.is_empty() {
            output::line(&format!("{label:<10}{text}"))?;
        }
    }
    if let Some(why) = waits_because(delivery) {
        output::line(&format!("{:<10}{why}", "Waits"))?;
    }
    if let Some(why) = delivery["cancelReason"].as_str() {
        output::line(&format!("{:<10}{}", "Because", why.replace('_', " ")))?;
    }
    output::unreadable(delivery)?;
    let tables =
        [("attempts", &ATTEMPTS[..]), ("receipts", &RECEIPTS[..]), ("interventions", &INTERVENTIONS[..])];
    for (rows, columns) in tables {
        if let Some(rows) = delivery[rows].as_array().filter(|rows| !rows.is_empty()) {
            output::line("")?;
            output::table(rows, columns)?;
        }
    }
    Ok(())
}

/// What a delivery waits for, in words.
pub(in crate::cli) fn waits_because(delivery: &Value) -> Option<String> {
    let why = delivery["waitsBecause"].as_str()?.replace('_', " ");
    Some(match (delivery["pauseReason"].as_str(), delivery["at"].as_str()) {
        (Some(reason), _) => format!("{why} ({reason})"),
        (None, Some(at)) if why == "retry" => format!("{why} at {}", display::local_time(at)),
        _ => why,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_delivery_waits_for_is_told_in_words() {
        let told = |delivery: Value| waits_because(&delivery);
        assert_eq!(told(json!({"state": "pending", "at": "T"})), None);
        let suspended = json!({"waitsBecause": "subscription_suspended", "at": "T"});
        assert_eq!(told(suspended).as_deref(), Some("subscription suspended"));
        assert_eq!(told(json!({"waitsBecause": "retry", "at": "T"})).as_deref(), Some("retry at T"));
        let paused = json!({"waitsBecause": "channel_paused", "pauseReason": "421 busy", "at": "T"});
        assert_eq!(told(paused).as_deref(), Some("channel paused (421 busy)"));
    }
}

//! The settings of chats.

use std::time::Duration;

use channels::chat::ChatSettings;
use channels::webhook::WebhookSettings;
use domain::delivery::UnknownOutcomePolicy;

use super::TIMEOUTS;
use super::rules::Rules;
use crate::config::reading::{Reading, number};

/// How long a chat may take to answer.
const TIMEOUT: u64 = 20;

const RULES: Rules = Rules {
    concurrency: ("chat.concurrency", 16, 1_000),
    max_per_second: "chat.max_per_second",
    on_unknown: ("chat.on_unknown", UnknownOutcomePolicy::Retry),
};

/// How chats are posted to; in a private network, they stand among the hosts that webhooks may call, and are trusted by the
/// same certificates.
pub(crate) fn chat(reading: &mut Reading, webhook: &WebhookSettings) -> ChatSettings {
    let (allowed_hosts, ca) = (webhook.allowed_hosts.clone(), webhook.ca.clone());
    let timeout = Duration::from_secs(reading.or("chat.timeout_seconds", TIMEOUT, number(TIMEOUTS)));
    ChatSettings { allowed_hosts, ca, timeout, rules: RULES.read(reading) }
}

//! The settings of chats.

use std::time::Duration;

use channels::chat::ChatSettings;
use channels::http::AllowedHost;
use domain::delivery::OnUnknown;

use super::rules::Rules;
use crate::config::reading::{Reading, number};

/// How long a chat may take to answer.
const TIMEOUT: u64 = 20;

const RULES: Rules = Rules {
    concurrency: ("chat.concurrency", 16, 1_000),
    max_per_second: "chat.max_per_second",
    on_unknown: ("chat.on_unknown", OnUnknown::Retry),
};

/// How chats are posted to; in a private network, they stand among the hosts that webhooks may call.
pub(crate) fn chat(reading: &mut Reading, allowed_hosts: Vec<AllowedHost>) -> ChatSettings {
    let timeout = Duration::from_secs(reading.or("chat.timeout_seconds", TIMEOUT, number(1..=120)));
    ChatSettings { allowed_hosts, timeout, rules: RULES.read(reading) }
}

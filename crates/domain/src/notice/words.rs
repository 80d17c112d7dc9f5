//! A notice in words.

use std::borrow::Cow;

use jiff::Timestamp;

use super::Notice;
use crate::endpoint::Protocol;
use crate::subscription::EndReason;

impl Notice {
    /// The notice in words; its last line is the [`command`](Self::command).
    #[must_use]
    pub fn text(&self) -> String {
        format!("{}\n{}", self.words(), self.command())
    }

    /// What happened, and when the [`command`](Self::command) is in place.
    #[must_use]
    pub fn words(&self) -> String {
        format!("{}\n{}", self.what_happened(), self.what_to_do())
    }

    /// What to type: a link would ask a browser for the admin key, which a person's browser does not have.
    #[must_use]
    pub fn command(&self) -> String {
        match self {
            Self::Suspended { count: 1, subscription_id, .. } => {
                format!("orderbell subscription resume {subscription_id}")
            }
            Self::Suspended { .. } => "orderbell subscription list --state suspended".to_owned(),
            // Its endpoint is masked here.
            Self::Ended { count: 1, protocol, .. } => {
                format!("orderbell subscription add {protocol} ENDPOINT")
            }
            Self::Ended { .. } => "orderbell subscription list --state ended".to_owned(),
            Self::Dead { .. } => "orderbell delivery list --state dead".to_owned(),
            Self::Unmatched { order_id, .. } => format!("orderbell order show {order_id}"),
            Self::Quarantined { .. } => "orderbell audit".to_owned(),
            Self::DiskFull { .. } => "df -h".to_owned(),
            Self::ChannelPaused { .. } | Self::ChannelWorks { .. } => {
                "orderbell delivery list --state pending".to_owned()
            }
        }
    }

    fn what_happened(&self) -> String {
        match self {
            Self::Suspended { count, protocol, endpoint, failing_since, .. } => {
                suspended(*count, *protocol, endpoint, *failing_since)
            }
            Self::Ended { count: 1, protocol, endpoint, reason, .. } => {
                format!("A subscription ended: {protocol} {endpoint} {}.", said(*reason))
            }
            Self::Ended { count, protocol, endpoint, reason, .. } => format!(
                "{count} subscriptions ended because their receivers said so. The newest: {protocol} {endpoint} {}.",
                said(*reason)
            ),
            Self::Dead { count: 1, protocols, since, reason } => {
                format!("A message {}failed for good at {}: {reason}.", by(protocols), minute(*since))
            }
            Self::Dead { count, protocols, since, reason } => format!(
                "{count} messages {}failed for good since {}. The newest: {reason}.",
                by(protocols),
                minute(*since)
            ),
            Self::Unmatched { count: 1, since, .. } => {
                format!("Nobody was told of an order at {}: no subscription wanted it.", minute(*since))
            }
            Self::Unmatched { count, since, .. } => {
                format!(
                    "Nobody was told of {count} orders since {}: no subscription wanted them.",
                    minute(*since)
                )
            }
            Self::Quarantined { count: 1, table, reason } => {
                format!("A row of {table} cannot be read: {reason}.")
            }
            Self::Quarantined { count, table, reason } => {
                format!("{count} rows of the store cannot be read. The newest, of {table}: {reason}.")
            }
            Self::DiskFull { since, until } => format!(
                "The disk was full from {} to {}: orders were refused.",
                minute(*since),
                minute(*until)
            ),
            Self::ChannelPaused { protocol, since, reason } => {
                format!("Nothing has gone out by {protocol} since {}: {reason}.", minute(*since))
            }
            Self::ChannelWorks { protocol, paused_since, since } => format!(
                "Messages go out by {protocol} again since {}; none had since {}.",
                minute(*since),
                minute(*paused_since)
            ),
        }
    }

    fn what_to_do(&self) -> Cow<'static, str> {
        if let Self::Ended { count: 1, subscription_id, .. } = self {
            return format!(
                "It is told nothing more. If that is a mistake, add its endpoint again, which `orderbell subscription show \
                 {subscription_id}` tells:"
            )
            .into();
        }
        Cow::Borrowed(match self {
            Self::Suspended { count: 1, .. } => {
                "Its deliveries wait. Remove it, or resume it once the receiver works again:"
            }
            Self::Suspended { .. } => {
                "Their deliveries wait. Remove each, or resume it once its receiver works again:"
            }
            Self::Ended { .. } => {
                "They are told nothing more. What ended by mistake, `orderbell subscription add` adds again. See which:"
            }
            Self::Dead { count: 1, .. } => "Look at it, and send it again if it should still arrive:",
            Self::Dead { .. } => "Look at them, and send again what should still arrive:",
            Self::Unmatched { count: 1, .. } => "See why:",
            Self::Unmatched { .. } => "See why with the newest:",
            Self::Quarantined { .. } => {
                "What depends on it waits, and the rest goes on. See all that is wrong:"
            }
            Self::DiskFull { .. } => "Orders are taken again. See how much space there is:",
            Self::ChannelPaused { .. } => "Messages over it wait, and none is lost. See which:",
            Self::ChannelWorks { .. } => "What waited is on its way. See what still waits:",
        })
    }
}

fn suspended(count: u32, protocol: Protocol, endpoint: &str, failing_since: Timestamp) -> String {
    let since = minute(failing_since);
    if count == 1 {
        return format!(
            "A subscription was suspended: nothing has got through to {protocol} {endpoint} since {since}."
        );
    }
    format!(
        "{count} subscriptions were suspended: nothing gets through to them. The newest: {protocol} {endpoint}, since {since}."
    )
}

fn said(reason: EndReason) -> &'static str {
    match reason {
        EndReason::Gone => "answered that it is gone for good",
        EndReason::OptedOut => "wants no more messages",
        EndReason::Unsubscribed => "unsubscribed",
        EndReason::Removed => "was removed",
    }
}

/// "by email, sms and chat ", or nothing.
fn by(protocols: &[Protocol]) -> String {
    let names: Vec<_> = protocols.iter().map(|protocol| protocol.name()).collect();
    match names.split_last() {
        None => String::new(),
        Some((one, [])) => format!("by {one} "),
        Some((last, others)) => format!("by {} and {last} ", others.join(", ")),
    }
}

fn minute(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

#[cfg(test)]
mod tests {
    use super::super::{NoticeGroup, quote};
    use super::*;
    use crate::id::{OrderId, SubscriptionId};

    fn at(time: &str) -> Timestamp {
        time.parse().unwrap()
    }

    fn group(count: u32, protocols: &[Protocol]) -> NoticeGroup {
        NoticeGroup { count, since: at("2026-01-31T11:59:58Z"), protocols: protocols.to_vec() }
    }

    fn dead() -> Notice {
        let since = at("2026-01-31T12:00:59.9Z");
        let reason = quote(Some(Protocol::Email), "550 5.1.1 <jo@example.com>: unknown.");
        Notice::Dead { count: 1, protocols: vec![Protocol::Email], since, reason }
    }

    fn every_notice() -> Vec<Notice> {
        let id = SubscriptionId::new(Timestamp::UNIX_EPOCH, [3; 10]);
        let (protocol, endpoint) = (Protocol::Webhook, "https://hooks.example/***".to_owned());
        let (since, until) = (at("2026-01-31T12:00:00Z"), at("2026-01-31T12:30:00Z"));
        vec![
            Notice::Suspended {
                count: 1,
                subscription_id: id,
                protocol,
                endpoint: endpoint.clone(),
                failing_since: since,
            },
            Notice::Ended { count: 1, subscription_id: id, protocol, endpoint, reason: EndReason::Gone },
            dead(),
            Notice::Unmatched { count: 1, since, order_id: OrderId::new(since, [4; 10]) },
            Notice::Quarantined { count: 1, table: "orders".to_owned(), reason: "no JSON".to_owned() },
            Notice::DiskFull { since, until },
            Notice::ChannelPaused {
                protocol: Protocol::Email,
                since,
                reason: "connection refused".to_owned(),
            },
            Notice::ChannelWorks { protocol: Protocol::Email, paused_since: since, since: until },
        ]
    }

    #[test]
    fn one_message_that_failed_is_told_with_its_reason_and_without_its_address() {
        assert_eq!(
            dead().text(),
            "A message by email failed for good at 2026-01-31 12:00 UTC: 550 5.1.1 <j***@example.com>: unknown.\n\
             Look at it, and send it again if it should still arrive:\n\
             orderbell delivery list --state dead"
        );
    }

    #[test]
    fn many_messages_that_failed_are_told_in_one_notice() {
        let all = dead().grouped(group(10_000, &[Protocol::Email, Protocol::Sms, Protocol::Chat]));
        assert_eq!(
            all.words().lines().next().unwrap(),
            "10000 messages by email, sms and chat failed for good since 2026-01-31 11:59 UTC. \
             The newest: 550 5.1.1 <j***@example.com>: unknown."
        );
        let two = dead().grouped(group(2, &[Protocol::Email, Protocol::Webhook]));
        assert!(two.words().starts_with("2 messages by email and webhook failed"), "{}", two.words());
    }

    #[test]
    fn what_a_receiver_ended_says_what_it_said() {
        let ended = every_notice().remove(1);
        assert_eq!(
            ended.text(),
            "A subscription ended: webhook https://hooks.example/*** answered that it is gone for good.\n\
             It is told nothing more. If that is a mistake, add its endpoint again, which `orderbell subscription show \
             00000000-0000-7303-8303-030303030303` tells:\n\
             orderbell subscription add webhook ENDPOINT"
        );
    }

    #[test]
    fn a_pause_is_told_with_its_reason_and_its_end_with_both_times() {
        let [paused, works]: [Notice; 2] = every_notice().split_off(6).try_into().unwrap();
        assert_eq!(
            paused.text(),
            "Nothing has gone out by email since 2026-01-31 12:00 UTC: connection refused.\n\
             Messages over it wait, and none is lost. See which:\norderbell delivery list --state pending"
        );
        assert!(works.words().starts_with(
            "Messages go out by email again since 2026-01-31 12:30 UTC; none had since 2026-01-31 12:00 UTC.\n"
        ));
    }

    #[test]
    fn every_notice_is_short_ends_with_one_command_and_reads_back_as_it_was() {
        for one in every_notice() {
            for notice in [one.clone(), one.grouped(group(3, &[Protocol::Email]))] {
                let text = notice.text();
                assert_eq!(text.lines().count(), 3, "{text}");
                assert!(text.chars().count() <= 320, "two parts or so as a text message: {text}");
                assert!(text.ends_with(&format!(":\n{}", notice.command())), "{text}");
                assert!(notice.route().starts_with('/'));
                let stored = serde_json::to_string(&notice).unwrap();
                assert_eq!(serde_json::from_str::<Notice>(&stored).unwrap(), notice, "{stored}");
            }
        }
    }
}

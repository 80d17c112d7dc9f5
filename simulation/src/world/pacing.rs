//! The rates of channels and subscriptions, held against when attempts are begun.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use application::ports::{ChannelRules, Intent};
use domain::Timestamp;
use domain::endpoint::Protocol;

use super::World;

/// When the last attempt was begun, by this process and this clock. A restart finds out its pace anew, and nobody waits
/// for a clock that was set.
#[derive(Debug, Default)]
pub(super) struct LastBegun {
    channels: BTreeMap<Protocol, Timestamp>,
    subscriptions: BTreeMap<i64, Timestamp>,
}

impl World<'_> {
    /// Takes in what the engine begins. All rates of the simulation are one a second.
    pub(super) fn rates_are_kept(&mut self, intents: &[Intent]) -> Result<()> {
        for intent in intents {
            let delivery = self.promises.delivery(intent.delivery).context("what is not on disk is begun")?;
            let to = &self.promises.subscriptions[&delivery.subscription];
            let limited = |(channel, rules): &(Protocol, ChannelRules)| {
                *channel == to.protocol && rules.max_per_second.is_some()
            };
            let limited = self.channels.iter().any(limited);
            let LastBegun { channels, subscriptions } = &mut self.last_begun;
            let channel = limited.then(|| channels.insert(to.protocol, intent.at)).flatten();
            let subscription =
                to.slow.then(|| subscriptions.insert(delivery.subscription, intent.at)).flatten();
            for last in channel.into_iter().chain(subscription) {
                let apart = intent.at.duration_since(last);
                ensure!(apart.as_secs() >= 1, "{} is begun {apart:#} after the one before", intent.delivery);
            }
        }
        Ok(())
    }
}

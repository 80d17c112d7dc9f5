//! The rates of channels and subscriptions, held against when attempts were begun.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use application::ports::{ChannelRules, Clock};
use domain::endpoint::Protocol;

use super::World;
use crate::ledger::Entry;

/// When the last attempt was begun, by this process and this clock, in microseconds. A restart finds out its rate anew,
/// and nobody waits for a clock that was set.
#[derive(Debug, Default)]
pub(super) struct LastBegun {
    channels: BTreeMap<Protocol, i64>,
    subscriptions: BTreeMap<i64, i64>,
}

/// All rates of the simulation are one a second.
const APART: i64 = 1_000_000;

impl World<'_> {
    /// Takes in what was begun. What was begun by a clock that was set back meanwhile tells nothing.
    pub(super) fn rates_are_kept(&mut self, entries: &[Entry]) -> Result<()> {
        let now = self.clock.now().as_microsecond();
        let attempts = entries.iter().filter_map(|entry| match entry {
            Entry::Attempt { delivery, at, .. } if *at <= now => Some((*delivery, *at)),
            _ => None,
        });
        for (place, at) in attempts {
            let delivery = self.facts.deliveries.get(&place).context("what is not on disk is begun")?;
            let to = &self.facts.subscriptions[&delivery.subscription];
            let limited = |(channel, rules): &(Protocol, ChannelRules)| {
                *channel == to.protocol && rules.max_per_second.is_some()
            };
            let limited = self.channels.iter().any(limited);
            let LastBegun { channels, subscriptions } = &mut self.last_begun;
            let channel = limited.then(|| channels.insert(to.protocol, at)).flatten();
            let subscription = to.slow.then(|| subscriptions.insert(delivery.subscription, at)).flatten();
            for last in channel.into_iter().chain(subscription) {
                let apart = at - last;
                ensure!(apart >= APART, "{} is begun {apart} µs after the one before", delivery.id);
            }
        }
        Ok(())
    }
}

//! The settings that every channel has.

use std::ops::RangeInclusive;

use application::ports::{ChannelRules, Concurrency};
use domain::attributes::MAX_RATE;
use domain::delivery::UnknownOutcomePolicy;

use crate::config::reading::{Reading, number};

/// The messages a second that can be chosen: the same for a channel as for a subscription.
const PER_SECOND: RangeInclusive<u32> = 1..=MAX_RATE;

/// The settings of one channel's rules, with their defaults.
pub(super) struct Rules {
    /// The setting, its default and its maximum.
    pub(super) concurrency: (&'static str, usize, usize),
    /// The setting; by default there is no limit.
    pub(super) max_per_second: &'static str,
    /// The setting and its default.
    pub(super) on_unknown: (&'static str, UnknownOutcomePolicy),
}

impl Rules {
    /// Reads them. One message at a time goes to one endpoint, so that they arrive in the order of their orders.
    pub(super) fn read(&self, reading: &mut Reading) -> ChannelRules {
        let (setting, default, most) = self.concurrency;
        let channel = reading.or(setting, default, number(1..=most));
        let max_per_second = reading.optional(self.max_per_second, number(PER_SECOND));
        let (setting, default) = self.on_unknown;
        ChannelRules {
            concurrency: Concurrency { channel, endpoint: 1 },
            max_per_second: max_per_second.and_then(std::num::NonZeroU32::new),
            on_unknown: reading.or(setting, default, on_unknown),
        }
    }
}

fn on_unknown(text: &str) -> Result<UnknownOutcomePolicy, String> {
    match text {
        "retry" => Ok(UnknownOutcomePolicy::Retry),
        "hold" => Ok(UnknownOutcomePolicy::Hold),
        _ => Err("must be retry or hold".to_owned()),
    }
}

//! Those who receive: endpoints with moods, behind channels that may be down.

use std::num::NonZeroU32;
use std::time::Duration;

use application::ports::{ChannelRules, Concurrency};
use domain::attempt::{Outcome, OutcomeKind, Scope};
use domain::delivery::UnknownOutcomePolicy;
use domain::endpoint::{Endpoint, Protocol};

use crate::channel::Answer;
use crate::rng::SeededRng;

/// What a channel says where this machine lacks what an attempt takes.
pub(crate) const OWN_WANT: &str = "this machine has no file descriptors left";

/// How each channel is used.
pub(crate) type Channels = [(Protocol, ChannelRules); 4];

/// So many attempts at one endpoint are recorded together, where they may be repeated.
const BATCH: usize = 4;

/// How they are used where text messages of unknown outcome are treated so.
pub(crate) fn channels(texts: UnknownOutcomePolicy) -> Channels {
    [
        (Protocol::Email, rules(3, 2, None, UnknownOutcomePolicy::Retry)),
        (Protocol::Sms, rules(2, 1, None, texts)),
        (Protocol::Webhook, rules(4, 1, None, UnknownOutcomePolicy::Retry)),
        (Protocol::Chat, rules(2, 1, NonZeroU32::new(1), UnknownOutcomePolicy::Retry)),
    ]
}

fn rules(
    channel: usize,
    endpoint: usize,
    max_per_second: Option<NonZeroU32>,
    on_unknown: UnknownOutcomePolicy,
) -> ChannelRules {
    ChannelRules { concurrency: Concurrency { channel, endpoint }, batch: BATCH, max_per_second, on_unknown }
}

/// An endpoint that can be subscribed.
#[derive(Debug)]
pub(crate) struct Receiver {
    pub(crate) endpoint: Endpoint,
    behavior: ReceiverBehavior,
    /// It fails, whatever else would become of it.
    forsaken: bool,
}

/// What a receiver does with what it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum ReceiverBehavior {
    Takes,
    /// Does something else each time.
    Flaps,
    /// Its server fails.
    Fails,
    /// Does not want this message now.
    Defers,
    /// Will never want this message.
    Rejects,
    /// Its provider refuses, and does not say whom.
    Refuses,
    /// Throttles; for how long, it may say.
    Throttles,
    /// Says 410.
    Gone,
    /// Says nothing, and has nothing.
    Hangs,
    /// Takes it, and drops the line before it says so.
    Lies,
    /// Says what its channel panics at, having taken it or not.
    Confuses,
}

const BEHAVIORS: [(u32, ReceiverBehavior); 11] = [
    (40, ReceiverBehavior::Takes),
    (14, ReceiverBehavior::Flaps),
    (10, ReceiverBehavior::Fails),
    (6, ReceiverBehavior::Defers),
    (6, ReceiverBehavior::Rejects),
    (4, ReceiverBehavior::Refuses),
    (8, ReceiverBehavior::Throttles),
    (2, ReceiverBehavior::Gone),
    (7, ReceiverBehavior::Hangs),
    (7, ReceiverBehavior::Lies),
    (3, ReceiverBehavior::Confuses),
];

/// What a receiver did.
#[derive(Debug)]
pub(crate) struct Reaction {
    /// It has the message.
    pub(crate) arrived: bool,
    /// What the channel makes of what it said.
    pub(crate) outcome: Answer<Outcome>,
    /// How long it took to say so.
    pub(crate) after: Duration,
}

impl Receiver {
    /// The receiver of that number.
    pub(crate) fn new(number: usize, rng: &mut SeededRng) -> Self {
        let protocol = rng.weighted(&[
            (4, Protocol::Webhook),
            (3, Protocol::Email),
            (3, Protocol::Sms),
            (1, Protocol::Chat),
        ]);
        let address = match protocol {
            Protocol::Email => format!("s{number}@example.com"),
            Protocol::Sms => format!("+49151{number:07}"),
            Protocol::Webhook => format!("https://s{number}.example.com/hook"),
            Protocol::Chat => format!("https://chat.example.com/services/{number}"),
        };
        let endpoint =
            Endpoint::parse(protocol, &address).unwrap_or_else(|_| unreachable!("{address} is one"));
        Self { endpoint, behavior: ReceiverBehavior::any(rng), forsaken: false }
    }

    /// It takes that behavior, if it still can.
    pub(crate) fn turn(&mut self, behavior: ReceiverBehavior) {
        if !self.forsaken {
            self.behavior = behavior;
        }
    }

    /// It fails from now on.
    pub(crate) fn forsake(&mut self) {
        (self.behavior, self.forsaken) = (ReceiverBehavior::Fails, true);
    }

    /// It takes what it is sent from now on.
    pub(crate) fn heal(&mut self) {
        (self.behavior, self.forsaken) = (ReceiverBehavior::Takes, false);
    }

    pub(crate) fn react(&self, rng: &mut SeededRng) -> Reaction {
        let mut behavior = self.behavior;
        while behavior == ReceiverBehavior::Flaps {
            behavior = ReceiverBehavior::any(rng);
        }
        let kind = behavior.outcome(self.endpoint.protocol(), rng);
        let arrived = match behavior {
            ReceiverBehavior::Takes | ReceiverBehavior::Lies => true,
            ReceiverBehavior::Confuses => rng.percent(50),
            _ => false,
        };
        let limit = if kind == OutcomeKind::Unknown { 30_000 } else { 300 };
        let after = rng.up_to(Duration::from_millis(limit));
        let outcome =
            (behavior != ReceiverBehavior::Confuses).then(|| Outcome::new(kind, format!("{behavior:?}")));
        Reaction { arrived, outcome, after }
    }
}

impl ReceiverBehavior {
    pub(crate) fn any(rng: &mut SeededRng) -> Self {
        rng.weighted(&BEHAVIORS)
    }

    fn outcome(self, protocol: Protocol, rng: &mut SeededRng) -> OutcomeKind {
        match self {
            Self::Takes | Self::Flaps => OutcomeKind::Delivered,
            Self::Fails => OutcomeKind::Transient(Scope::Endpoint),
            Self::Defers => OutcomeKind::Transient(Scope::Delivery),
            Self::Throttles => {
                let seconds = rng.pick(&[None, Some(0), Some(7), Some(600), Some(1_000_000)]);
                OutcomeKind::Throttled {
                    scope: Scope::Endpoint,
                    retry_after: seconds.map(Duration::from_secs),
                }
            }
            Self::Gone if protocol != Protocol::Email => OutcomeKind::Permanent(Scope::Endpoint),
            Self::Refuses if protocol.has_provider() => OutcomeKind::Permanent(Scope::Unclear),
            Self::Refuses | Self::Rejects | Self::Gone => OutcomeKind::Permanent(Scope::Delivery),
            Self::Hangs | Self::Lies | Self::Confuses => OutcomeKind::Unknown,
        }
    }
}

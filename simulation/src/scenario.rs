//! What a seed has in store: what people will do, and how much will go wrong.

use std::time::Duration;

use domain::delivery::UnknownOutcomePolicy;

use crate::rng::SeededRng;

/// One run, before it begins.
#[derive(Debug)]
pub(crate) struct Scenario {
    /// What happens from outside, and when.
    pub(crate) actions: Vec<(Duration, Action)>,
    /// How likely it is that the process dies at a step, in thousandths.
    pub(crate) crashes: u32,
    /// How likely it is that a commit or a read fails, in thousandths.
    pub(crate) store_trouble: u32,
    /// Whether the disk can be full. What else is on a disk decides when it is, so that each such run has its own.
    pub(crate) full: bool,
    /// How many orders may wait for the writer.
    pub(crate) waiting_orders: usize,
    /// How many endpoints can be subscribed.
    pub(crate) endpoints: usize,
    /// Whether mail and text messages begin in the sandbox.
    pub(crate) sandbox: bool,
    /// What follows when nobody knows whether a text message arrived.
    pub(crate) texts: UnknownOutcomePolicy,
}

/// What happens from outside. Whom it happens to is chosen when it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Action {
    PlaceOrder,
    /// Several orders at once.
    Rush,
    Subscribe,
    ChangeFilterPolicy,
    RemoveSubscription,
    ResendConfirmation,
    Redrive,
    RedriveAll,
    Retry,
    RetryAll,
    DropHeld,
    DropPending,
    /// A person calls an order spam.
    MarkSpam,
    /// A person calls all orders of a client spam.
    MarkSpamOfClient,
    UnmarkSpam,
    Suspend,
    Resume,
    SendTest,
    RotateSecret,
    /// An endpoint's receiver takes another behavior.
    ChangeBehavior,
    /// An endpoint's receiver fails for days, in which orders come.
    Forsake,
    /// A channel breaks, for a while.
    BreakChannel,
    MendChannels,
    /// This machine lacks file descriptors for some attempts over a channel.
    LackDescriptors,
    /// A column of a row says nothing any more, for a while.
    DamageRow,
    MendRow,
    SetClock,
    /// The program is asked to end, and starts again.
    Stop,
}

const ACTIONS: [(u32, Action); 26] = [
    (34, Action::PlaceOrder),
    (6, Action::Rush),
    (14, Action::Subscribe),
    (6, Action::ChangeFilterPolicy),
    (4, Action::RemoveSubscription),
    (4, Action::ResendConfirmation),
    (6, Action::Redrive),
    (2, Action::RedriveAll),
    (3, Action::Retry),
    (2, Action::RetryAll),
    (3, Action::DropHeld),
    (1, Action::DropPending),
    (2, Action::MarkSpam),
    (1, Action::MarkSpamOfClient),
    (1, Action::UnmarkSpam),
    (4, Action::Suspend),
    (4, Action::Resume),
    (2, Action::SendTest),
    (1, Action::RotateSecret),
    (14, Action::ChangeBehavior),
    (1, Action::Forsake),
    (5, Action::BreakChannel),
    (2, Action::LackDescriptors),
    (10, Action::DamageRow),
    (3, Action::SetClock),
    (2, Action::Stop),
];

/// In how many runs of a thousand hundreds subscribe.
const CROWDED: u32 = 10;

impl Scenario {
    /// What this seed has in store.
    pub(crate) fn of(seed: u64) -> (Self, SeededRng) {
        let mut rng = SeededRng::new(seed);
        (Self::new(&mut rng), rng)
    }

    fn new(rng: &mut SeededRng) -> Self {
        let span = Duration::from_secs(rng.pick(&[1, 10, 600, 7_200, 86_400]));
        let is_crowded = rng.permille(CROWDED);
        let endpoints = if is_crowded { 200 + rng.below(201) } else { 2 + rng.below(5) };
        let subscribers = if is_crowded { endpoints } else { 2 };
        let mut actions = vec![(Duration::ZERO, Action::Subscribe); subscribers];
        for _ in 0..4 + rng.below(16) {
            actions.push((rng.up_to(span), rng.weighted(&ACTIONS)));
        }
        let mut scenario = Self {
            actions,
            crashes: if is_crowded { rng.pick(&[0, 1]) } else { rng.pick(&[0, 2, 10, 40]) },
            store_trouble: rng.pick(&[0, 0, 20, 120]),
            full: rng.percent(8),
            waiting_orders: rng.pick(&[1, 100, 100, 100]),
            endpoints,
            sandbox: rng.percent(20),
            texts: rng.pick(&[
                UnknownOutcomePolicy::Hold,
                UnknownOutcomePolicy::Hold,
                UnknownOutcomePolicy::Retry,
            ]),
        };
        if scenario.sandbox {
            // Seldom enough is somebody suspended while the trial lasts.
            scenario.actions.push((rng.up_to(span), Action::Suspend));
        }
        scenario
    }
}

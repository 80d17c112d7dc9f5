//! What a seed has in store: what people will do, and how much will go wrong.

use std::time::Duration;

use domain::delivery::UnknownOutcomePolicy;

use crate::dice::Dice;

/// One story, before it is told.
#[derive(Debug)]
pub(crate) struct Scenario {
    /// What happens from outside, and when.
    pub(crate) deeds: Vec<(Duration, Deed)>,
    /// How likely it is that the process dies at a step, in thousandths.
    pub(crate) crashes: u32,
    /// How likely it is that a commit or a read fails, in thousandths.
    pub(crate) store_trouble: u32,
    /// Whether the disk can be full. What else is on a disk decides when it is, so that each such story has its own.
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
pub(crate) enum Deed {
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
    /// An endpoint's receiver takes another mood.
    ChangeMood,
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

const DEEDS: [(u32, Deed); 26] = [
    (34, Deed::PlaceOrder),
    (6, Deed::Rush),
    (14, Deed::Subscribe),
    (6, Deed::ChangeFilterPolicy),
    (4, Deed::RemoveSubscription),
    (4, Deed::ResendConfirmation),
    (6, Deed::Redrive),
    (2, Deed::RedriveAll),
    (3, Deed::Retry),
    (2, Deed::RetryAll),
    (3, Deed::DropHeld),
    (1, Deed::DropPending),
    (2, Deed::MarkSpam),
    (1, Deed::MarkSpamOfClient),
    (1, Deed::UnmarkSpam),
    (4, Deed::Suspend),
    (4, Deed::Resume),
    (2, Deed::SendTest),
    (1, Deed::RotateSecret),
    (14, Deed::ChangeMood),
    (1, Deed::Forsake),
    (5, Deed::BreakChannel),
    (2, Deed::LackDescriptors),
    (10, Deed::DamageRow),
    (3, Deed::SetClock),
    (2, Deed::Stop),
];

/// In how many stories of a thousand hundreds subscribe.
const CROWDED: u32 = 10;

impl Scenario {
    /// What this seed has in store.
    pub(crate) fn of(seed: u64) -> (Self, Dice) {
        let mut dice = Dice::new(seed);
        (Self::new(&mut dice), dice)
    }

    fn new(dice: &mut Dice) -> Self {
        let span = Duration::from_secs(dice.pick(&[1, 10, 600, 7_200, 86_400]));
        let is_crowded = dice.permille(CROWDED);
        let endpoints = if is_crowded { 200 + dice.below(201) } else { 2 + dice.below(5) };
        let subscribers = if is_crowded { endpoints } else { 2 };
        let mut deeds = vec![(Duration::ZERO, Deed::Subscribe); subscribers];
        for _ in 0..4 + dice.below(16) {
            deeds.push((dice.up_to(span), dice.weighted(&DEEDS)));
        }
        let mut scenario = Self {
            deeds,
            crashes: if is_crowded { dice.pick(&[0, 1]) } else { dice.pick(&[0, 2, 10, 40]) },
            store_trouble: dice.pick(&[0, 0, 20, 120]),
            full: dice.percent(8),
            waiting_orders: dice.pick(&[1, 100, 100, 100]),
            endpoints,
            sandbox: dice.percent(20),
            texts: dice.pick(&[
                UnknownOutcomePolicy::Hold,
                UnknownOutcomePolicy::Hold,
                UnknownOutcomePolicy::Retry,
            ]),
        };
        if scenario.sandbox {
            // Seldom enough is somebody suspended while the trial lasts.
            scenario.deeds.push((dice.up_to(span), Deed::Suspend));
        }
        scenario
    }
}

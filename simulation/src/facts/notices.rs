//! Notices: what ends by itself is noted by the commit in which it does, and nothing that is noted is forgotten.

use std::collections::BTreeSet;

use anyhow::Result;
use domain::delivery::DeliveryKind;
use oracle::notices;
use oracle::subscriptions::State;

use super::{Facts, kept};

/// What operators are to be told of.
#[derive(Default)]
pub(super) struct Notices {
    /// The kinds of what is noted and not settled.
    open: BTreeSet<String>,
    /// Of the commit that is looked at: the kinds that were noted.
    noted: BTreeSet<String>,
    /// Of the commit that is looked at: whether a subscription was suspended by the program itself.
    pub(super) suspended: bool,
    /// Of the commit that is looked at: the deliveries that died.
    pub(super) died: Vec<i64>,
    /// Of the commit that is looked at: whom notices were made for.
    pub(super) made_for: Vec<i64>,
}

impl Notices {
    pub(super) fn note(&mut self, kind: &str) {
        self.noted.insert(kind.to_owned());
        self.open.insert(kind.to_owned());
    }
}

impl Facts {
    /// What was noted is settled: by a notice to an operator, if there is one.
    pub(super) fn settled(&mut self, kind: &str) -> Result<()> {
        let mut operators = self.subscriptions.iter().filter(|(_, subscription)| {
            subscription.receives.notices() && subscription.state == State::Confirmed
        });
        let told = operators.clone().any(|(operator, _)| self.notices.made_for.contains(operator));
        kept(notices::settled(kind, operators.next().is_some(), told), || "notices".to_owned())?;
        self.notices.open.remove(kind);
        Ok(())
    }

    /// Whenever a commit is over, what ended by itself in it is noted; a death of a notice need not be, nor one whose
    /// subscription ended.
    pub(super) fn what_happened_is_noted(&mut self) -> Result<()> {
        let open = std::mem::take(&mut self.notices.open);
        let commit = std::mem::replace(&mut self.notices, Notices { open, ..Notices::default() });
        let is_noted = |kind| commit.noted.contains(kind);
        let suspended =
            commit.suspended.then(|| notices::noted("a suspension", is_noted("suspended"))).flatten();
        kept(suspended, || "notices".to_owned())?;
        for seq in &commit.died {
            let delivery = &self.deliveries[seq];
            let ended = self.subscriptions[&delivery.subscription].state == State::Ended;
            let news = delivery.kind != DeliveryKind::Notice && !ended;
            let died = news.then(|| notices::noted("its death", is_noted("dead"))).flatten();
            kept(died, || format!("delivery {seq}"))?;
        }
        Ok(())
    }

    /// Whether something is noted that nobody was told of.
    pub(crate) fn is_something_to_tell(&self) -> bool {
        !self.notices.open.is_empty()
    }
}

//! Messages as they are sent, arrive, and are reported: each on record before it leaves, and again only with cause.

use crate::deliveries::Outcome;
use crate::{Promise, Violation};

/// What may make a message come again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Causes {
    /// So many attempts were in flight when the program was killed.
    pub killed: u32,
    /// So many attempts came to nothing that anyone knows, those that were killed among them.
    pub unknown: u32,
    /// So often a provider had reported it undelivered, and a person sent it again.
    pub reported: u32,
    /// Where nobody knows, it is held until a person has it sent again: nobody had.
    pub held_back: bool,
}

/// How often a message came again, by why.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Repeats {
    /// An attempt before was in flight when the program was killed.
    pub killed: u32,
    /// An attempt before came to nothing that anyone knows.
    pub unknown: u32,
    /// Its provider had reported it undelivered, and a person sent it again.
    pub reported: u32,
    /// For none of these reasons.
    pub unexplained: u32,
}

impl Repeats {
    /// Why a message that came `times` came again.
    #[must_use]
    pub fn of(times: u32, causes: Causes) -> Self {
        let mut left = times.saturating_sub(1);
        let mut explain = |by: u32| {
            let explained = left.min(by);
            left -= explained;
            explained
        };
        let Causes { killed, unknown, reported, held_back } = causes;
        let (killed, unknown) = if held_back { (0, 0) } else { (killed, unknown.saturating_sub(killed)) };
        let (killed, unknown, reported) = (explain(killed), explain(unknown), explain(reported));
        Self { killed, unknown, reported, unexplained: left }
    }

    /// All of them.
    #[must_use]
    pub fn total(self) -> u32 {
        self.killed + self.unknown + self.reported + self.unexplained
    }
}

/// A message arrives that arrived before, by an attempt that came to `earlier`; `bounced`: its provider reported since that
/// it had not arrived after all.
#[must_use]
pub fn again(earlier: Option<Outcome>, bounced: bool) -> Option<Violation> {
    let nobody_knew = earlier == Some(Outcome::Unknown);
    (!nobody_knew && !bounced).then(|| {
        let wrong = format!("it arrives again, and what came of the attempt before is known: {earlier:?}");
        Promise::RepeatExplained.broken(wrong)
    })
}

/// Of so many attempts that left, so many are on record.
#[must_use]
pub fn on_record(sent: usize, recorded: usize) -> Option<Violation> {
    (recorded < sent).then(|| {
        let wrong = format!("it was sent {sent} times, of which {recorded} are recorded");
        Promise::AttemptsOnRecord.broken(wrong)
    })
}

/// What is called delivered did arrive.
#[must_use]
pub fn arrived(outcome: Outcome, arrived: bool) -> Option<Violation> {
    let wrong = "it is called delivered, and never arrived";
    (outcome == Outcome::Delivered && !arrived).then(|| Promise::StateExplained.broken(wrong))
}

/// What is held had an attempt that was cut short, by a kill or by its provider.
#[must_use]
pub fn held(cut_short: bool) -> Option<Violation> {
    (!cut_short).then(|| Promise::StateExplained.broken("it is held, and none of its attempts was cut short"))
}

/// A receipt whose provider was answered is on record.
#[must_use]
pub fn receipt_kept(is_there: bool) -> Option<Violation> {
    (!is_there).then(|| Promise::ReceiptKept.broken("a receipt of it was answered and is not there"))
}

/// A message comes again as often as something explains.
#[must_use]
pub fn explained(repeats: Repeats) -> Option<Violation> {
    let wrong = || format!("it came again {} times without cause", repeats.unexplained);
    (repeats.unexplained > 0).then(|| Promise::RepeatExplained.broken(wrong()))
}

/// A message is signed with a secret that its receiver was told.
#[must_use]
pub fn signed(with_a_known_secret: bool) -> Option<Violation> {
    (!with_a_known_secret).then(|| Promise::Signed.broken("it is signed with no secret that was told"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeat_is_explained_by_as_many_causes_as_there_are() {
        let repeats = |times, killed, unknown| {
            let it = Repeats::of(times, Causes { killed, unknown, ..Causes::default() });
            (it.killed, it.unknown, it.unexplained)
        };
        assert_eq!(repeats(1, 0, 0), (0, 0, 0));
        assert_eq!(repeats(2, 0, 0), (0, 0, 1));
        assert_eq!(repeats(2, 1, 1), (1, 0, 0), "the one that was killed is of unknown outcome, too");
        assert_eq!(repeats(3, 1, 2), (1, 1, 0));
        assert_eq!(repeats(4, 1, 2), (1, 1, 1));
        let once_too_often = Repeats { unexplained: 1, ..Repeats::default() };
        assert!(explained(once_too_often).is_some() && explained(Repeats::default()).is_none());
    }

    #[test]
    fn what_is_held_back_comes_again_only_at_a_persons_word() {
        let held_back = Causes { killed: 1, unknown: 1, held_back: true, ..Causes::default() };
        assert_eq!(Repeats::of(2, held_back).unexplained, 1);
        assert_eq!(Repeats::of(2, Causes { held_back: false, ..held_back }).unexplained, 0);
        assert_eq!(Repeats::of(2, Causes { reported: 1, ..held_back }).unexplained, 0);
    }

    #[test]
    fn a_message_arrives_again_where_nobody_knew_or_its_provider_took_it_back() {
        assert!(again(Some(Outcome::Delivered), false).is_some() && again(None, false).is_some());
        assert_eq!(again(Some(Outcome::Unknown), false), None);
        assert_eq!(again(Some(Outcome::Delivered), true), None);
    }

    #[test]
    fn what_left_is_on_record_and_what_is_delivered_arrived() {
        assert!(on_record(2, 1).is_some() && on_record(2, 2).is_none() && on_record(0, 1).is_none());
        assert!(arrived(Outcome::Delivered, false).is_some() && arrived(Outcome::Unknown, false).is_none());
        assert!(held(false).is_some() && held(true).is_none());
        assert!(signed(false).is_some() && signed(true).is_none());
        assert!(receipt_kept(false).is_some() && receipt_kept(true).is_none());
    }
}

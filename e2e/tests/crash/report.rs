//! The verdict in figures. A repeat is put down to a kill while the attempt before was in flight (`killed`), or to an
//! attempt before that ended without an answer (`unheard`), or to a person after the provider had reported the text
//! undelivered (`reported`).

use std::fmt;

use domain::endpoint::Protocol;
use oracle::Promise;

use crate::repeats::Received;
use crate::verdict::Verdict;

/// So many broken promises are named.
const NAMED: usize = 20;

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kills_and_orders(f)?;
        self.subscriptions(f)?;
        self.notifications(f)?;
        self.texts(f)?;
        line(f, "mails put off", self.mail_troubles.put_off)?;
        line(f, "lines dropped after a mail", self.mail_troubles.dropped)?;
        let columns = ["received", "repeats", "killed", "unheard", "reported", "unexplained"];
        let [received, repeats, killed, unheard, reported, unexplained] = columns;
        write!(f, "{:32}{received:>9}{repeats:>9}{killed:>9}{unheard:>9}{reported:>9}{unexplained:>13}", "")?;
        for (protocol, Received { times, repeats }) in &self.received {
            let name = format!("repeats by {protocol}");
            write!(f, "\n{name:32}{times:>9}{:>9}", repeats.total())?;
            write!(f, "{:>9}{:>9}{:>9}", repeats.killed, repeats.unknown, repeats.reported)?;
            write!(f, "{:>13}", repeats.unexplained)?;
        }
        write!(f, "\n{:32}{:>9}", "promises broken", self.broken.len())?;
        for (about, violation) in self.broken.iter().take(NAMED) {
            write!(f, "\n  {}: {about}: {}", violation.promise.name(), violation.wrong)?;
        }
        Ok(())
    }
}

impl Verdict {
    fn kills_and_orders(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        line(f, "kills", self.kills)?;
        line(f, "  with attempts in flight", self.kills_in_flight)?;
        line(f, "  inside a commit", self.kills_in_commit)?;
        line(f, "orders acknowledged", self.acknowledged)?;
        line(f, "  lost, or not as answered", self.count(Promise::OrderStored))?;
        line(f, "  stored twice", self.count(Promise::StoredOnce))
    }

    fn subscriptions(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        line(f, "subscribe, confirm, unsubscribe", self.subscribed + self.confirmed + self.unsubscribed)?;
        line(f, "  subscribed", self.subscribed)?;
        line(f, "  confirmed", self.confirmed)?;
        line(f, "  unsubscribed", self.unsubscribed)?;
        line(f, "suspended and resumed", self.suspensions)?;
        line(f, "filter changes", self.filter_changes)?;
        line(f, "secrets rotated", self.rotations)?;
        line(f, "tests sent", self.tests)
    }

    fn notifications(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for protocol in Protocol::ALL {
            let matched = self.matched.get(&protocol).copied().unwrap_or_default();
            line(f, &format!("matched by {protocol}"), matched)?;
        }
        line(f, "cancelled by unsubscribing", self.cancelled)?;
        line(f, "dropped by a person", self.given_up)?;
        line(f, "matched and not delivered", self.count(Promise::MatchedIsDelivered))?;
        line(f, "delivered and not matched", self.count(Promise::UnmatchedIsNot))?;
        line(f, "signed with no known secret", self.count(Promise::Signed))
    }

    fn texts(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        line(f, "held", self.held)?;
        line(f, "  in flight at a kill", self.held_by_kill)?;
        line(f, "  the provider dropped the line", self.held_by_provider)?;
        line(f, "  redriven", self.redriven)?;
        line(f, "dead by report and redriven", self.revived)?;
        line(f, "reports of the provider taken", self.reports)?;
        line(f, "  lost", self.count(Promise::ReceiptKept))?;
        line(f, "  that settled an unknown outcome", self.settled)
    }
}

fn line(f: &mut fmt::Formatter<'_>, name: &str, count: impl fmt::Display) -> fmt::Result {
    writeln!(f, "{name:32}{count:>9}")
}

//! The verdict in figures. A repeat is put down to a kill while the attempt before was in flight (`killed`), or to an
//! attempt before that ended without an answer (`unheard`), or to a person after the provider had reported the text
//! undelivered (`reported`).

use std::fmt;

use domain::endpoint::Protocol;

use crate::verdict::Verdict;

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
        for (protocol, repeats) in &self.repeats {
            let name = format!("repeats by {protocol}");
            write!(f, "\n{name:32}{:>9}{:>9}", repeats.received, repeats.total())?;
            write!(f, "{:>9}{:>9}{:>9}", repeats.killed, repeats.unheard, repeats.reported)?;
            write!(f, "{:>13}", repeats.unexplained)?;
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
        line(f, "  lost", self.lost)?;
        line(f, "  stored twice", self.stored_twice)?;
        line(f, "  another id when repeated", self.changed_ids)
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
            let (owed, undelivered) = self.owed.get(&protocol).copied().unwrap_or_default();
            line(f, &format!("owed by {protocol}"), owed)?;
            line(f, "  undelivered", undelivered)?;
        }
        line(f, "cancelled by unsubscribing", self.cancelled)?;
        line(f, "dropped by a person", self.given_up)?;
        line(f, "notified though not confirmed", self.notified_unconfirmed)?;
        line(f, "notified against the filter", self.notified_unwanted)?;
        line(f, "signed with no known secret", self.wrongly_signed)
    }

    fn texts(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        line(f, "held", self.held)?;
        line(f, "  in flight at a kill", self.held_by_kill)?;
        line(f, "  the provider dropped the line", self.held - self.held_by_kill - self.held_unexplained)?;
        line(f, "  unexplained", self.held_unexplained)?;
        line(f, "  redriven", self.redriven)?;
        line(f, "  still held afterwards", self.still_held)?;
        line(f, "dead by report and redriven", self.revived)?;
        line(f, "redriven at last, not delivered", self.released_in_vain)?;
        line(f, "reports of the provider taken", self.reports)?;
        line(f, "  lost", self.reports_lost)?;
        line(f, "  that settled an unknown outcome", self.settled)?;
        line(f, "  failed and yet not dead", self.not_dead)
    }
}

fn line(f: &mut fmt::Formatter<'_>, name: &str, count: impl fmt::Display) -> fmt::Result {
    writeln!(f, "{name:32}{count:>9}")
}

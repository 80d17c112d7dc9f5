//! Holds the promises against what was seen.

use std::collections::{HashMap, HashSet};
use std::fmt;

use anyhow::{Result, ensure};

use crate::killer::{Kill, hit_enough};
use crate::load::Order;
use crate::receivers::Receipt;
use crate::store::Stored;
use crate::subscribers::Subscription;

/// What was seen from outside.
pub(crate) struct Evidence {
    /// Every order, each answered with success.
    pub(crate) orders: Vec<Order>,
    /// Every subscription.
    pub(crate) subscriptions: Vec<Subscription>,
    /// Every kill.
    pub(crate) killings: Vec<Kill>,
    /// Every notification that reached a webhook.
    pub(crate) receipts: Vec<Receipt>,
}

/// What became of the promises.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    kills: usize,
    kills_in_flight: usize,
    kills_in_commit: usize,
    hit_enough: bool,
    acknowledged: usize,
    lost: usize,
    stored_twice: usize,
    changed_ids: usize,
    subscriptions: usize,
    confirmed: usize,
    owed: usize,
    cancelled: usize,
    undelivered: usize,
    notified_unconfirmed: usize,
    repeats: Repeats,
}

/// Notifications that a webhook got more than once, by why.
#[derive(Debug, Default)]
struct Repeats {
    /// The attempt before was in flight when the program was killed.
    killed: u32,
    /// The attempt before ended without an answer.
    unheard: u32,
    /// Neither.
    unexplained: u32,
}

/// Which endpoints got which orders; an endpoint is a path or a mail address, an order's id is without hyphens.
type Received<'a> = HashSet<(&'a str, String)>;

impl Verdict {
    /// Judges.
    pub(crate) fn of(evidence: &Evidence, stored: &Stored, wanted_kills: usize) -> Self {
        let Evidence { orders, subscriptions, killings, receipts } = evidence;
        let received = received(receipts, stored, orders);
        let mut verdict = Self {
            kills: killings.len(),
            kills_in_flight: killings.iter().filter(|kill| !kill.in_flight.is_empty()).count(),
            kills_in_commit: killings.iter().filter(|kill| kill.in_commit.is_some()).count(),
            hit_enough: hit_enough(killings, wanted_kills),
            acknowledged: orders.len(),
            changed_ids: orders.iter().filter(|order| order.changed_its_id).count(),
            subscriptions: subscriptions.len(),
            confirmed: subscriptions.iter().filter(|subscription| subscription.confirmed.is_some()).count(),
            repeats: Repeats::of(receipts, killings, stored),
            ..Self::default()
        };
        verdict.judge_orders(orders, stored);
        for subscription in subscriptions {
            verdict.judge_subscription(subscription, orders, stored, &received);
        }
        verdict
    }

    fn judge_orders(&mut self, orders: &[Order], stored: &Stored) {
        let stored_ids: HashSet<_> = stored.orders.iter().map(|(_, id)| id.as_str()).collect();
        let plain = |order: &Order| order.id.replace('-', "");
        self.lost = orders.iter().filter(|order| !stored_ids.contains(plain(order).as_str())).count();
        let mut times = HashMap::<&str, usize>::new();
        for (key, _) in &stored.orders {
            *times.entry(key).or_default() += 1;
        }
        self.stored_twice = times.values().filter(|times| **times > 1).count();
    }

    fn judge_subscription(
        &mut self,
        subscription: &Subscription,
        orders: &[Order],
        stored: &Stored,
        received: &Received<'_>,
    ) {
        for order in orders {
            let id = order.id.replace('-', "");
            let has_it = received.contains(&(subscription.endpoint.as_str(), id.clone()));
            if has_it && must_not_have(subscription, order) {
                self.notified_unconfirmed += 1;
            }
            if !is_owed(subscription, order) {
                continue;
            }
            self.owed += 1;
            let state = stored.deliveries.get(&(subscription.id.clone(), id));
            let cancelled = subscription.leaving.is_some() && state.is_some_and(|state| state == "cancelled");
            self.cancelled += usize::from(!has_it && cancelled);
            self.undelivered += usize::from(!has_it && !cancelled);
        }
    }

    /// Fails unless every promise was kept, and enough was tried.
    pub(crate) fn accept(&self, wanted_kills: usize) -> Result<()> {
        ensure!(self.lost == 0, "{} acknowledged orders were lost", self.lost);
        ensure!(self.stored_twice == 0, "{} orders were stored twice", self.stored_twice);
        ensure!(self.changed_ids == 0, "{} repeated orders were answered with another id", self.changed_ids);
        ensure!(self.undelivered == 0, "{} notifications that were owed never came", self.undelivered);
        ensure!(
            self.notified_unconfirmed == 0,
            "{} notifications were not wanted",
            self.notified_unconfirmed
        );
        ensure!(self.repeats.unexplained == 0, "{} repeats are unexplained", self.repeats.unexplained);
        ensure!(self.owed > 0 && self.confirmed > 0, "nothing was tried");
        ensure!(self.kills >= wanted_kills, "only {} kills", self.kills);
        ensure!(self.hit_enough, "too few kills hit what they should");
        Ok(())
    }
}

/// What reached whom: at the webhooks, and in the inbox.
fn received<'a>(receipts: &'a [Receipt], stored: &'a Stored, orders: &[Order]) -> Received<'a> {
    let ids: HashMap<_, _> =
        orders.iter().map(|order| (order.id.as_str(), order.id.replace('-', ""))).collect();
    let by_text = |text: &str| {
        let id = text.lines().find_map(|line| line.strip_prefix("Order ID: "))?;
        ids.get(id).cloned()
    };
    let mails = stored.inbox.iter().filter_map(|(to, text)| Some((to.as_str(), by_text(text)?)));
    let hooks = receipts.iter().map(|receipt| (receipt.path.as_str(), receipt.order.replace('-', "")));
    mails.chain(hooks).collect()
}

/// Confirmed before the order was first posted, and not going before it was answered.
fn is_owed(subscription: &Subscription, order: &Order) -> bool {
    subscription.confirmed.is_some_and(|confirmed| confirmed < order.posted)
        && subscription.leaving.is_none_or(|leaving| order.answered < leaving)
}

/// Nobody had consented when the order was answered, or the subscription had ended when it was first posted.
fn must_not_have(subscription: &Subscription, order: &Order) -> bool {
    subscription.consented.is_none_or(|consented| order.answered < consented)
        || subscription.left.is_some_and(|left| left < order.posted)
}

impl Repeats {
    fn of(receipts: &[Receipt], killings: &[Kill], stored: &Stored) -> Self {
        let mut killed = HashMap::<&str, u32>::new();
        for id in killings.iter().flat_map(|kill| &kill.in_flight) {
            *killed.entry(id).or_default() += 1;
        }
        let mut times = HashMap::<&str, u32>::new();
        for receipt in receipts {
            *times.entry(&receipt.id).or_default() += 1;
        }
        let mut repeats = Self::default();
        for (id, times) in times {
            let plain = id.replace('-', "");
            let in_flight = killed.get(plain.as_str()).copied().unwrap_or(0);
            let unheard = stored.unheard.get(&plain).copied().unwrap_or(0);
            let repeated = times - 1;
            repeats.killed += repeated.min(in_flight);
            repeats.unheard += repeated.min(in_flight.max(unheard)) - repeated.min(in_flight);
            repeats.unexplained += repeated.saturating_sub(in_flight.max(unheard));
        }
        repeats
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Repeats { killed, unheard, unexplained } = self.repeats;
        writeln!(f, "kills                          {:>7}", self.kills)?;
        writeln!(f, "  with attempts in flight      {:>7}", self.kills_in_flight)?;
        writeln!(f, "  inside a commit              {:>7}", self.kills_in_commit)?;
        writeln!(f, "orders acknowledged            {:>7}", self.acknowledged)?;
        writeln!(f, "  lost                         {:>7}", self.lost)?;
        writeln!(f, "  stored twice                 {:>7}", self.stored_twice)?;
        writeln!(f, "  another id when repeated     {:>7}", self.changed_ids)?;
        writeln!(f, "subscriptions                  {:>7}", self.subscriptions)?;
        writeln!(f, "  confirmed                    {:>7}", self.confirmed)?;
        writeln!(f, "notifications owed             {:>7}", self.owed)?;
        writeln!(f, "  undelivered                  {:>7}", self.undelivered)?;
        writeln!(f, "  cancelled by unsubscribing   {:>7}", self.cancelled)?;
        writeln!(f, "notified though not confirmed  {:>7}", self.notified_unconfirmed)?;
        writeln!(f, "repeats                        {:>7}", killed + unheard + unexplained)?;
        writeln!(f, "  in flight when killed        {killed:>7}")?;
        writeln!(f, "  attempt's answer not heard   {unheard:>7}")?;
        write!(f, "  unexplained                  {unexplained:>7}")
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    fn order(id: &str, posted: Instant) -> Order {
        let answered = posted + Duration::from_secs(1);
        Order { key: format!("key-of-{id}"), posted, answered, id: id.to_owned(), changed_its_id: false }
    }

    fn confirmed(endpoint: &str, at: Instant) -> Subscription {
        Subscription {
            id: format!("id-of{endpoint}"),
            endpoint: endpoint.to_owned(),
            consented: Some(at),
            confirmed: Some(at),
            leaving: None,
            left: None,
        }
    }

    fn receipt(path: &str, order: &str) -> Receipt {
        Receipt { path: path.to_owned(), id: format!("{path}{order}"), order: order.to_owned() }
    }

    fn nothing_stored() -> Stored {
        let (deliveries, unheard) = (HashMap::new(), HashMap::new());
        Stored { orders: Vec::new(), deliveries, unheard, inbox: Vec::new() }
    }

    fn judge(orders: Vec<Order>, subscriptions: Vec<Subscription>, receipts: Vec<Receipt>) -> Verdict {
        Verdict::of(&Evidence { orders, subscriptions, killings: Vec::new(), receipts }, &nothing_stored(), 0)
    }

    #[test]
    fn an_order_that_is_not_in_the_store_is_lost() {
        assert_eq!(judge(vec![order("a", Instant::now())], Vec::new(), Vec::new()).lost, 1);
    }

    #[test]
    fn an_order_that_is_in_the_store_under_two_ids_is_stored_twice() {
        let mut stored = nothing_stored();
        stored.orders =
            vec![("key-of-a".to_owned(), "a".to_owned()), ("key-of-a".to_owned(), "b".to_owned())];
        let evidence = Evidence {
            orders: vec![order("a", Instant::now())],
            subscriptions: Vec::new(),
            killings: Vec::new(),
            receipts: Vec::new(),
        };
        let verdict = Verdict::of(&evidence, &stored, 0);
        assert_eq!((verdict.lost, verdict.stored_twice), (0, 1));
    }

    #[test]
    fn what_a_confirmed_subscription_did_not_get_is_undelivered() {
        let start = Instant::now();
        let orders =
            || vec![order("a", start + Duration::from_secs(1)), order("b", start + Duration::from_secs(2))];
        let subscriptions = || vec![confirmed("/one", start)];
        let verdict = judge(orders(), subscriptions(), vec![receipt("/one", "a")]);
        assert_eq!((verdict.owed, verdict.undelivered), (2, 1));
        let verdict = judge(orders(), subscriptions(), vec![receipt("/one", "a"), receipt("/one", "b")]);
        assert_eq!(verdict.undelivered, 0);
    }

    #[test]
    fn what_an_unconfirmed_subscription_got_is_a_broken_promise() {
        let start = Instant::now();
        let never = Subscription { consented: None, confirmed: None, ..confirmed("/one", start) };
        let later = confirmed("/two", start + Duration::from_mins(1));
        let receipts = vec![receipt("/one", "a"), receipt("/two", "a")];
        assert_eq!(judge(vec![order("a", start)], vec![never, later], receipts).notified_unconfirmed, 2);
    }

    #[test]
    fn a_repeat_is_explained_only_by_an_attempt_that_was_cut_short() {
        let receipts = || vec![receipt("/one", "a"), receipt("/one", "a")];
        let kill = Kill { in_commit: None, in_flight: vec!["/onea".to_owned()] };
        let repeats = Repeats::of(&receipts(), &[], &nothing_stored());
        assert_eq!((repeats.killed, repeats.unexplained), (0, 1));
        let repeats = Repeats::of(&receipts(), &[kill], &nothing_stored());
        assert_eq!((repeats.killed, repeats.unexplained), (1, 0));
    }
}

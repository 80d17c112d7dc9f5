//! What waits for the writer: two bounded queues, so that orders and outcomes never starve one another.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use application::Error;

use crate::failure::{shutting_down, store_failed, too_busy};
use crate::pace::Pace;
use crate::write::Write;

/// The most orders in one batch.
const MAX_ORDERS: usize = 1_024;
/// About how many rows one batch takes on besides its orders: some 10 ms of work.
const MAX_OTHER_ROWS: usize = 1_000;
/// How long the writer sleeps, while no write comes, before it does its own upkeep.
const MAX_IDLE: Duration = Duration::from_secs(1);

/// The two queues.
#[derive(Debug)]
pub(crate) struct Queue {
    waiting: Mutex<Waiting>,
    wake: Condvar,
    capacity: usize,
    /// What telling wants for each row that orders add, in nanoseconds.
    cost: AtomicU64,
}

#[derive(Debug, Default)]
struct Waiting {
    orders: VecDeque<Write>,
    others: VecDeque<Write>,
    gate: Gate,
    pace: Pace,
    /// Orders that wait were not taken when they might have been, to give way.
    gave_way: bool,
    /// What the writer sleeps for: waking it costs a system call, so that this is worth knowing.
    asleep: Asleep,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Asleep {
    #[default]
    No,
    /// Until anything comes.
    UntilAny,
    /// Until orders may be taken, or something else comes.
    UntilDue,
}

#[derive(Debug, Default, Clone)]
enum Gate {
    #[default]
    Open,
    /// What waits is still done; nothing new is taken.
    Closing,
    /// Nothing more is done.
    Failed(String),
}

impl Queue {
    /// At most `capacity` orders wait; the callers of other writes are bounded by [`Store`](crate::Store).
    pub(crate) fn new(capacity: usize) -> Self {
        Self { waiting: Mutex::default(), wake: Condvar::new(), capacity, cost: AtomicU64::new(0) }
    }

    /// Lets an order wait, or answers `too_busy` at once.
    pub(crate) fn push_order(&self, write: Write) -> Result<(), Error> {
        let mut waiting = self.admitted()?;
        if waiting.orders.len() >= self.capacity {
            return Err(too_busy());
        }
        waiting.orders.push_back(write);
        if waiting.asleep != Asleep::UntilDue || waiting.orders.len() >= MAX_ORDERS {
            self.wake_writer(waiting);
        }
        Ok(())
    }

    /// Orders are to give way to telling from now on: what that wants for each row that orders add.
    pub(crate) fn give_way(&self, cost: Duration) {
        self.cost.store(u64::try_from(cost.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// So many rows follow from orders.
    pub(crate) fn charge(&self, rows: usize) {
        let (cost, now) = (self.cost(), now());
        self.lock().pace.charge(rows, cost, now);
    }

    fn cost(&self) -> Duration {
        Duration::from_nanos(self.cost.load(Ordering::Relaxed))
    }

    /// Lets anything else wait.
    pub(crate) fn push_other(&self, write: Write) -> Result<(), Error> {
        let mut waiting = self.admitted()?;
        waiting.others.push_back(write);
        self.wake_writer(waiting);
        Ok(())
    }

    /// Whether an order would be let in.
    pub(crate) fn ready(&self) -> Result<(), Error> {
        if self.admitted()?.orders.len() >= self.capacity { Err(too_busy()) } else { Ok(()) }
    }

    /// Blocks until something waits and takes a batch of it, an empty one when nothing came for a second; `None`: the
    /// store is closed and all is done.
    ///
    /// Threads that are about to add something go first, where they share the processor with the writer: a commit costs
    /// the same however much is in it. Where the processor is free, that takes no time.
    pub(crate) fn next_batch(&self) -> Option<Vec<Write>> {
        if self.sleep_until_something_waits()? {
            thread::yield_now();
        }
        Some(self.lock().take(self.cost(), now()))
    }

    /// Whether something waits that may be taken, in a second at most; `None`: the store is closed and all is done.
    fn sleep_until_something_waits(&self) -> Option<bool> {
        let mut waiting = self.lock();
        while waiting.others.is_empty() {
            let hold = waiting.hold(now());
            let nothing = waiting.orders.is_empty();
            if nothing && !matches!(waiting.gate, Gate::Open) {
                return None;
            }
            if !nothing && hold.is_zero() {
                break;
            }
            let (asleep, most) =
                if nothing { (Asleep::UntilAny, MAX_IDLE) } else { (Asleep::UntilDue, hold) };
            waiting.asleep = asleep;
            waiting.gave_way |= asleep == Asleep::UntilDue;
            let (woken, slept) =
                self.wake.wait_timeout(waiting, most).unwrap_or_else(PoisonError::into_inner);
            waiting = woken;
            if slept.timed_out() && waiting.is_empty() {
                break;
            }
        }
        waiting.asleep = Asleep::No;
        Some(!waiting.is_empty())
    }

    /// Takes a batch of what waits, if anything does.
    #[cfg(feature = "simulation")]
    pub(crate) fn take(&self) -> Vec<Write> {
        self.lock().take(self.cost(), now())
    }

    /// Whether anything waits.
    #[cfg(feature = "simulation")]
    pub(crate) fn has_waiting(&self) -> bool {
        !self.lock().is_empty()
    }

    /// Takes nothing new from now on.
    pub(crate) fn close(&self) {
        let mut waiting = self.lock();
        if matches!(waiting.gate, Gate::Open) {
            waiting.gate = Gate::Closing;
        }
        self.wake_writer(waiting);
    }

    /// Does nothing more: what waits is told so.
    pub(crate) fn fail(&self, reason: &str) {
        let mut waiting = self.lock();
        waiting.gate = Gate::Failed(reason.to_owned());
        let Waiting { orders, others, .. } = &mut *waiting;
        for write in orders.drain(..).chain(others.drain(..)) {
            write.answer(Err(store_failed(reason)));
        }
    }

    fn admitted(&self) -> Result<MutexGuard<'_, Waiting>, Error> {
        let waiting = self.lock();
        match &waiting.gate {
            Gate::Open => Ok(waiting),
            Gate::Closing => Err(shutting_down()),
            Gate::Failed(reason) => Err(store_failed(reason)),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake_writer(&self, mut waiting: MutexGuard<'_, Waiting>) {
        let asleep = std::mem::take(&mut waiting.asleep);
        drop(waiting);
        if asleep != Asleep::No {
            self.wake.notify_one();
        }
    }
}

impl Waiting {
    fn is_empty(&self) -> bool {
        self.orders.is_empty() && self.others.is_empty()
    }

    /// How long orders still wait for telling. None is refused for that: as many as fit in a batch are taken at once.
    fn hold(&self, now: Instant) -> Duration {
        let may_wait = matches!(self.gate, Gate::Open) && self.orders.len() < MAX_ORDERS;
        if may_wait { self.pace.wait(now) } else { Duration::ZERO }
    }

    /// Some of both queues, and at least one of each that has any; no orders while these give way.
    fn take(&mut self, cost: Duration, now: Instant) -> Vec<Write> {
        let mut rows = 0;
        let others = self.others.iter().take_while(|write| {
            let fits = rows < MAX_OTHER_ROWS;
            rows += write.weight();
            fits
        });
        let others = others.count();
        let orders = if self.hold(now).is_zero() { self.orders.len().min(MAX_ORDERS) } else { 0 };
        if orders > 0 {
            self.pace.took(orders, cost, now);
            count_given_way(orders, std::mem::take(&mut self.gave_way));
        } else {
            self.gave_way = !self.orders.is_empty();
        }
        self.others.drain(..others).chain(self.orders.drain(..orders)).collect()
    }
}

fn count_given_way(orders: usize, gave_way: bool) {
    if gave_way {
        metrics::counter!("orderbell_orders_gave_way_total").increment(orders as u64);
    }
}

#[expect(clippy::disallowed_methods, reason = "it decides only how soon orders are taken")]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write() -> Write {
        heavy(1)
    }

    fn heavy(rows: usize) -> Write {
        Write::new(rows, |_| Ok(())).0
    }

    #[test]
    fn an_order_too_many_is_refused_at_once() {
        let queue = Queue::new(2);
        queue.push_order(write()).unwrap();
        queue.ready().unwrap();
        queue.push_order(write()).unwrap();
        assert_eq!(queue.push_order(write()).unwrap_err().code, "too_busy");
        assert_eq!(queue.ready().unwrap_err().code, "too_busy");
        queue.push_other(write()).unwrap();
    }

    #[test]
    fn a_batch_takes_of_both_queues_however_long_either_is() {
        let queue = Queue::new(10_000);
        for _ in 0..3_000 {
            queue.push_order(write()).unwrap();
            queue.push_other(heavy(400)).unwrap();
        }
        assert_eq!(queue.next_batch().unwrap().len(), MAX_ORDERS + 3);
        assert_eq!(queue.next_batch().unwrap().len(), MAX_ORDERS + 3);
    }

    #[test]
    fn while_orders_give_way_all_else_goes_at_once() {
        let (mut waiting, start) = (Waiting::default(), now());
        let cost = Duration::from_millis(10);
        waiting.orders.push_back(write());
        assert_eq!(waiting.take(cost, start).len(), 1);
        waiting.orders.push_back(write());
        waiting.others.push_back(write());
        assert_eq!(waiting.take(cost, start).len(), 1);
        assert_eq!((waiting.orders.len(), waiting.others.len()), (1, 0));
        assert_eq!(waiting.take(cost, start + cost).len(), 1);
    }

    #[test]
    fn orders_give_way_no_further_than_to_a_full_batch_nor_when_the_store_closes() {
        let (mut waiting, start) = (Waiting::default(), now());
        waiting.pace.took(1, Duration::MAX, start);
        waiting.orders.extend((1..MAX_ORDERS).map(|_| write()));
        assert!(waiting.take(Duration::ZERO, start).is_empty());
        waiting.orders.push_back(write());
        assert_eq!(waiting.take(Duration::MAX, start).len(), MAX_ORDERS);
        waiting.orders.push_back(write());
        assert!(waiting.take(Duration::MAX, start).is_empty());
        waiting.gate = Gate::Closing;
        assert_eq!(waiting.take(Duration::MAX, start).len(), 1);
    }

    #[test]
    fn what_waits_when_the_store_closes_is_still_done() {
        let queue = Queue::new(10);
        queue.push_order(write()).unwrap();
        queue.close();
        assert_eq!(queue.push_order(write()).unwrap_err().code, "shutting_down");
        assert_eq!(queue.next_batch().unwrap().len(), 1);
        assert!(queue.next_batch().is_none());
    }

    #[test]
    fn what_waits_when_the_store_fails_is_told_so() {
        let queue = Queue::new(10);
        let (write, answer) = Write::new(1, |_| Ok(()));
        queue.push_order(write).unwrap();
        queue.fail("the disk is gone");
        assert_eq!(answer.now().unwrap_err().code, "store_failed");
        assert_eq!(queue.push_other(heavy(1)).unwrap_err().code, "store_failed");
        assert!(queue.next_batch().is_none());
    }
}

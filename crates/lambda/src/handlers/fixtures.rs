//! What tests of the handlers start from.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex};

use application::Error;
use application::ports::{Published, Publisher};
use async_trait::async_trait;
use aws::Unpublished;
use domain::Timestamp;
use domain::order::{LoggedOrder, Order, OrderDetails, OrderId, Seq};

use super::sweep::Backlog;

/// The order of that number, placed at that second. Its id tells both.
pub(crate) fn order(number: u16, second: i64) -> Order {
    let time = Timestamp::from_second(second).unwrap();
    let mut random = [0; 10];
    random[8..].copy_from_slice(&number.to_be_bytes());
    let details =
        OrderDetails::parse(br#"{"customerName":"John Doe","productName":"Wireless Mouse"}"#).unwrap();
    Order { id: OrderId::new(time, random), time, details, request_id: "8f5e".to_owned() }
}

/// A topic that marks what it published, as SNS and the table do together, and that fails when told to.
#[derive(Default)]
pub(crate) struct FakePublisher {
    state: Mutex<TopicState>,
}

#[derive(Default)]
struct TopicState {
    /// How often each order was sent.
    sent: HashMap<OrderId, usize>,
    /// How often each order is still to fail.
    failing: HashMap<OrderId, usize>,
    down: bool,
    hanging: bool,
}

impl FakePublisher {
    /// Lets publishing an order fail so many times.
    pub(crate) fn fail(&self, order: OrderId, times: usize) {
        self.state.lock().unwrap().failing.insert(order, times);
    }

    /// Lets every call fail, or end that.
    pub(crate) fn set_down(&self, down: bool) {
        self.state.lock().unwrap().down = down;
    }

    /// Lets calls never end.
    pub(crate) fn hang(&self) {
        self.state.lock().unwrap().hanging = true;
    }

    /// How often an order was sent.
    pub(crate) fn sent(&self, order: OrderId) -> usize {
        self.state.lock().unwrap().sent.get(&order).copied().unwrap_or_default()
    }

    pub(crate) fn published(&self) -> HashSet<OrderId> {
        self.state.lock().unwrap().sent.keys().copied().collect()
    }
}

#[async_trait]
impl Publisher for FakePublisher {
    async fn publish(&self, orders: &[LoggedOrder]) -> Result<Published, Error> {
        let hanging = self.state.lock().unwrap().hanging;
        if hanging {
            return std::future::pending().await;
        }
        let TopicState { sent, failing, down, .. } = &mut *self.state.lock().unwrap();
        if *down {
            return Err(Error::internal("the topic is down"));
        }
        let mut published = Published::default();
        for id in orders
            .iter()
            .map(|logged| logged.order.id)
            .filter(|id| !sent.contains_key(id))
            .collect::<Vec<_>>()
        {
            match failing.get_mut(&id).filter(|times| **times > 0) {
                Some(times) => {
                    *times -= 1;
                    published.failed.push(id);
                }
                None => *sent.entry(id).or_default() += 1,
            }
        }
        Ok(published)
    }
}

/// What of some orders the topic has not published.
pub(crate) struct FakeBacklog {
    orders: Vec<Order>,
    publisher: Arc<FakePublisher>,
    hangs_behind: Mutex<Option<OrderId>>,
    damaged: Mutex<HashSet<OrderId>>,
    invalid_keys: Mutex<BTreeSet<String>>,
    holder: Mutex<Option<String>>,
}

impl FakeBacklog {
    pub(crate) fn new(orders: Vec<Order>, publisher: Arc<FakePublisher>) -> Self {
        Self {
            orders,
            publisher,
            hangs_behind: Mutex::default(),
            damaged: Mutex::default(),
            invalid_keys: Mutex::default(),
            holder: Mutex::default(),
        }
    }

    /// Lets nobody read an order.
    pub(crate) fn damage(&self, order: OrderId) {
        self.damaged.lock().unwrap().insert(order);
    }

    /// Puts an item among them whose key is no id.
    pub(crate) fn stray(&self, key: &str) {
        self.invalid_keys.lock().unwrap().insert(key.to_owned());
    }

    /// Lets another sweep be on its way.
    pub(crate) fn hold(&self) {
        *self.holder.lock().unwrap() = Some("another".to_owned());
    }

    /// Whether a sweep is on its way.
    pub(crate) fn is_held(&self) -> bool {
        self.holder.lock().unwrap().is_some()
    }

    /// Lets everything be read again.
    pub(crate) fn mend(&self) {
        self.damaged.lock().unwrap().clear();
    }

    /// Lets the read behind an order never end.
    pub(crate) fn hang_behind(&self, order: OrderId) {
        *self.hangs_behind.lock().unwrap() = Some(order);
    }
}

#[async_trait]
impl Backlog for FakeBacklog {
    async fn unpublished(&self, after: Option<OrderId>, limit: usize) -> Result<Unpublished, Error> {
        let hanging = after.is_some() && after == *self.hangs_behind.lock().unwrap();
        if hanging {
            return std::future::pending().await;
        }
        let published = self.publisher.published();
        let behind = self.orders.iter().filter(|order| after.is_none_or(|after| order.id > after));
        let invalid_keys = self.invalid_keys.lock().unwrap().clone();
        let mut unpublished = Unpublished { invalid_keys, ..Unpublished::default() };
        for order in behind.filter(|order| !published.contains(&order.id)) {
            if self.damaged.lock().unwrap().contains(&order.id) {
                unpublished.unreadable.push(order.id);
            } else if unpublished.orders.len() < limit {
                let seq = Seq(i64::try_from(unpublished.orders.len()).unwrap());
                unpublished.orders.push(LoggedOrder { seq, order: order.clone() });
            } else {
                break;
            }
        }
        Ok(unpublished)
    }

    async fn take_lease(&self, holder: &str, _: Timestamp) -> Result<bool, Error> {
        let mut held = self.holder.lock().unwrap();
        let is_free = held.is_none();
        held.get_or_insert_with(|| holder.to_owned());
        Ok(is_free)
    }

    async fn end_lease(&self, holder: &str) -> Result<(), Error> {
        self.holder.lock().unwrap().take_if(|held| held == holder);
        Ok(())
    }
}

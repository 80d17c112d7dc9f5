//! What arrived at the receivers, of whichever protocol.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard};

use domain::endpoint::Protocol;

/// A message that arrived: an order's notification or a test, not a confirmation.
#[derive(Debug, Clone)]
pub(crate) struct Receipt {
    /// How it came.
    pub(crate) protocol: Protocol,
    /// The path of a webhook or a chat, or the phone number.
    pub(crate) endpoint: String,
    /// The delivery's id without hyphens, where the message tells it: a post to a chat does not.
    pub(crate) delivery: Option<String>,
    /// The order that it tells of, without hyphens; a test tells of none.
    pub(crate) order: Option<String>,
    /// How it was signed, if it is a webhook's.
    pub(crate) signed: Option<Signed>,
}

/// What a signature covers, and the signatures.
#[derive(Debug, Clone)]
pub(crate) struct Signed {
    /// `webhook-id`.
    pub(crate) id: String,
    /// `webhook-timestamp`.
    pub(crate) timestamp: String,
    /// `webhook-signature`: one or more, between spaces.
    pub(crate) signatures: String,
    /// The body as it came.
    pub(crate) body: String,
}

/// All that arrived so far. Every receiver writes into the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ledger(Arc<Mutex<Entries>>);

#[derive(Debug, Default)]
struct Entries {
    receipts: Vec<Receipt>,
    known: HashSet<(String, Option<String>, Option<String>)>,
    links: HashMap<String, String>,
}

impl Ledger {
    /// Writes down a message; whether it is the first of its kind.
    pub(crate) fn add(&self, receipt: Receipt) -> bool {
        let mut entries = self.entries();
        let key = (receipt.endpoint.clone(), receipt.delivery.clone(), receipt.order.clone());
        entries.receipts.push(receipt);
        entries.known.insert(key)
    }

    /// Writes down the link that confirms what `endpoint` was asked for.
    pub(crate) fn add_link(&self, endpoint: &str, link: String) {
        self.entries().links.insert(endpoint.to_owned(), link);
    }

    /// The newest link that was sent to `endpoint`.
    pub(crate) fn link(&self, endpoint: &str) -> Option<String> {
        self.entries().links.get(endpoint).cloned()
    }

    /// All messages so far.
    pub(crate) fn receipts(&self) -> Vec<Receipt> {
        self.entries().receipts.clone()
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().expect("no receiver panics")
    }
}

/// The order, without hyphens, that a message's text tells of.
pub(crate) fn order_in(text: &str) -> Option<String> {
    text.lines().find_map(|line| line.strip_prefix("Order ID: ")).map(|id| id.replace('-', ""))
}

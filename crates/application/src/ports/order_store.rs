//! Where orders are stored.

use std::time::Duration;

use async_trait::async_trait;
use domain::Timestamp;
use domain::order::idempotency::{Fingerprint, IdempotencyKey};
use domain::order::{Order, OrderId};

use super::{Page, PageRequest};
use crate::Error;

/// Stores orders. An adapter MUST keep these promises:
///
/// - When [`accept`](Self::accept) answers [`Acceptance::Stored`], the order and its idempotency record are on disk:
///   neither a crash nor a loss of power takes them away.
/// - Both are stored together or not at all, however often and however concurrently the same key is used.
/// - Of the orders that anonymous callers send under one key, equal ones are one order, wherever they come from; different
///   ones from different places are different orders, and cost the same however many there are.
/// - When it fails with `Busy` or `StorageFull`, nothing was stored.
#[async_trait]
pub trait OrderStore: Send + Sync {
    /// Stores an order, once for its key while the key lives.
    async fn accept(&self, order: Order, idempotency: Option<Idempotency>) -> Result<Acceptance, Error>;

    /// The order of that id.
    async fn order(&self, id: OrderId) -> Result<Option<Order>, Error>;

    /// Orders, newest (last accepted) first. A bad cursor is `Invalid`, code `invalid_cursor`.
    async fn orders(&self, query: OrderQuery) -> Result<Page<Order>, Error>;

    /// Whether orders can be stored at present; the error says why they cannot.
    async fn ready(&self) -> Result<Readiness, Error>;
}

/// What a store that takes orders says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Readiness {
    /// When it last wrote to its disk, if it has one and has written since it was opened.
    pub last_commit: Option<Timestamp>,
    /// What it vouches for, for a person.
    pub vouches_for: &'static str,
}

/// Under which key an order is placed, and what counts as the same order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Idempotency {
    /// Whose key it is; equal keys of other callers are other keys. Anonymous callers share the empty scope.
    pub scope: String,
    /// From where an anonymous caller came; nothing for one who is known. Callers of the empty scope cannot be told
    /// apart, so that nobody may claim a key for the others: only another order from the same place is refused.
    pub client_digest: Option<ClientDigest>,
    /// The client's key.
    pub key: IdempotencyKey,
    /// What was asked for.
    pub fingerprint: Fingerprint,
    /// How long the key lives, from the time of the order that was stored under it.
    pub lifetime: Duration,
}

/// A digest of the network that an anonymous request came from (SHA-256 over a secret of the host and the address, cut to
/// 16 bytes), for the scope of its idempotency key: it tells whether two requests came from the same one, and neither the
/// store nor who reads it learns which. It lives as long as the key that it stands with.
pub type ClientDigest = [u8; 16];

/// What came of accepting an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Acceptance {
    /// It is stored.
    Stored,
    /// The same order was stored under this key before, with this id; nothing was stored now.
    Repeated(OrderId),
    /// Another order of the same caller, or from the same place, was stored under this key before, with this id; nothing
    /// was stored now.
    KeyReused(OrderId),
}

/// Which orders are wanted: of all, the last accepted first; of a time, the latest by its milliseconds first, which is the
/// same where no clock jumped. Either way each order stands on one page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OrderQuery {
    /// Accepted at or after this time.
    pub from: Option<Timestamp>,
    /// Accepted before this time.
    pub to: Option<Timestamp>,
    /// Which page.
    pub page: PageRequest,
}

//! A write: what a caller does within a commit, and how it is answered what came of that.

use std::fmt::{self, Debug, Formatter};
use std::sync::Arc;

use application::Error;
use rusqlite::Connection;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use crate::commit_health::FullDisk;
use crate::failure::{Failure, store_failed};
use crate::orders::known_keys::KnownKeys;
use crate::replies::Replies;

/// About how many rows one write touches at most, so that new orders need not wait for it: whatever touches more goes
/// on in commits of its own.
pub(crate) const MAX_ROWS_PER_WRITE: usize = 500;

/// The transaction that is open, and all that a write may change. Times and ids are the caller's.
pub(crate) struct Transaction<'a> {
    /// The one connection that writes.
    pub(crate) connection: &'a Connection,
    /// Where idempotency keys are found.
    pub(crate) keys: &'a mut KnownKeys,
    /// The last place in the log that was given to an order.
    pub(crate) last_seq: &'a mut i64,
    /// Whether the disk was full.
    pub(crate) full_disk: &'a mut FullDisk,
    /// What others should be told once it is committed.
    pub(crate) effects: &'a mut Effects,
}

/// What a batch did that others wait for.
#[derive(Debug)]
pub(crate) struct Effects {
    /// Orders were stored.
    pub(crate) orders: bool,
    /// Deliveries may be due.
    pub(crate) deliveries: bool,
    /// Endpoints are no longer to be left alone.
    pub(crate) pauses_lifted: bool,
    /// What is left to be done, in commits of their own, so that new orders need not wait for it. A crash loses it: the
    /// next start finds what matters.
    pub(crate) follow_ups: Vec<FollowUp>,
    /// How many rows this commit may still touch besides those that its writes are about.
    pub(crate) row_budget: usize,
}

impl Default for Effects {
    fn default() -> Self {
        Self {
            orders: false,
            deliveries: false,
            pauses_lifted: false,
            follow_ups: Vec::new(),
            row_budget: MAX_ROWS_PER_WRITE,
        }
    }
}

/// The effects of a batch before a write, to roll back to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EffectsSavepoint {
    orders: bool,
    deliveries: bool,
    pauses_lifted: bool,
    follow_ups: usize,
    row_budget: usize,
}

impl Effects {
    /// A savepoint before the next write.
    pub(crate) fn savepoint(&self) -> EffectsSavepoint {
        let Self { orders, deliveries, pauses_lifted, follow_ups, row_budget } = self;
        EffectsSavepoint {
            orders: *orders,
            deliveries: *deliveries,
            pauses_lifted: *pauses_lifted,
            follow_ups: follow_ups.len(),
            row_budget: *row_budget,
        }
    }

    /// Takes back those of a write that failed.
    pub(crate) fn roll_back_to(&mut self, savepoint: EffectsSavepoint) {
        let EffectsSavepoint { orders, deliveries, pauses_lifted, follow_ups, row_budget } = savepoint;
        (self.orders, self.deliveries, self.pauses_lifted, self.row_budget) =
            (orders, deliveries, pauses_lifted, row_budget);
        self.follow_ups.truncate(follow_ups);
    }
}

/// What one commit of several changed, and where the next goes on.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Progress<P = i64> {
    /// How many.
    pub(crate) count: usize,
    /// Where the next commit goes on, if there may be more.
    pub(crate) next: Option<P>,
}

/// A write that waits for its commit.
#[derive(Debug)]
pub(crate) struct Write {
    work: Box<dyn Work>,
    weight: usize,
    undoes_itself: bool,
    follow_up: Option<FollowUp>,
    /// Where those who wait are answered together.
    answered_on: Option<Arc<Replies>>,
    /// Held until it is answered, though its caller may long be gone.
    permit: Option<OwnedSemaphorePermit>,
}

/// The result of a [`Write`], once its commit is over.
#[derive(Debug)]
pub(crate) struct PendingWrite<T>(oneshot::Receiver<Result<T, Error>>);

/// A write that the store makes in the background: nobody waits for it, and it is made again should its commit fail. A
/// crash loses it; the next start finds what matters.
#[derive(Clone)]
pub(crate) struct FollowUp(Arc<Apply>);

type Apply = dyn Fn(&mut Transaction<'_>) -> Result<(), Failure> + Send + Sync;

/// What is common to writes, whatever they answer.
trait Work: Debug + Send {
    fn apply(&mut self, transaction: &mut Transaction<'_>) -> Result<(), Failure>;
    fn answer(self: Box<Self>, committed: Result<(), Error>);
}

struct WriteRequest<T, F> {
    write: Option<F>,
    done: Option<T>,
    reply: oneshot::Sender<Result<T, Error>>,
}

impl Write {
    /// Of about so many rows. `write` is applied once; if it fails, or its commit does, nothing of it stays.
    pub(crate) fn new<T, F>(weight: usize, write: F) -> (Self, PendingWrite<T>)
    where
        T: Send + 'static,
        F: FnOnce(&mut Transaction<'_>) -> Result<T, Failure> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let work = Box::new(WriteRequest { write: Some(write), done: None, reply });
        let write =
            Self { work, weight, undoes_itself: false, follow_up: None, answered_on: None, permit: None };
        (write, PendingWrite(answer))
    }

    /// Should it fail, nothing of it stays in the transaction even without a savepoint.
    pub(crate) fn undoing_itself(self) -> Self {
        Self { undoes_itself: true, ..self }
    }

    /// It is answered together with others on that thread, if there is one.
    pub(crate) fn answered_together_on(self, thread: Option<Arc<Replies>>) -> Self {
        Self { answered_on: thread, ..self }
    }

    /// Where it is answered together with others.
    pub(crate) fn answered_on(&self) -> Option<&Arc<Replies>> {
        self.answered_on.as_ref()
    }

    /// `permit` is free again when it is answered.
    pub(crate) fn holding(self, permit: OwnedSemaphorePermit) -> Self {
        Self { permit: Some(permit), ..self }
    }

    /// About how many rows it touches: a batch takes on a bounded number of them.
    pub(crate) fn weight(&self) -> usize {
        self.weight.max(1)
    }

    /// Whether it needs no savepoint.
    pub(crate) fn undoes_itself(&self) -> bool {
        self.undoes_itself
    }

    /// What is to be done again where its commit fails.
    pub(crate) fn follow_up(&self) -> Option<&FollowUp> {
        self.follow_up.as_ref()
    }

    /// Applies it within the open transaction.
    pub(crate) fn apply(&mut self, transaction: &mut Transaction<'_>) -> Result<(), Failure> {
        self.work.apply(transaction)
    }

    /// Tells whoever asked what came of it. They may have gone.
    pub(crate) fn answer(self, committed: Result<(), Error>) {
        self.work.answer(committed);
        drop(self.permit);
    }
}

impl<T> PendingWrite<T> {
    /// What came of it.
    pub(crate) async fn wait(self) -> Result<T, Error> {
        self.0.await.unwrap_or_else(|_| Err(store_failed("the writer died before it answered")))
    }

    /// What came of it, once it is known.
    #[cfg(test)]
    pub(crate) fn now(mut self) -> Result<T, Error> {
        self.0.try_recv().expect("it was answered")
    }
}

impl FollowUp {
    /// It may be applied several times.
    pub(crate) fn new(
        apply: impl Fn(&mut Transaction<'_>) -> Result<(), Failure> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(apply))
    }

    /// The write that does it.
    pub(crate) fn write(self) -> Write {
        let apply = Arc::clone(&self.0);
        let (write, _) = Write::new(MAX_ROWS_PER_WRITE, move |transaction| apply(transaction));
        Write { follow_up: Some(self), ..write }
    }
}

impl<T, F> Work for WriteRequest<T, F>
where
    T: Send,
    F: FnOnce(&mut Transaction<'_>) -> Result<T, Failure> + Send,
{
    fn apply(&mut self, transaction: &mut Transaction<'_>) -> Result<(), Failure> {
        if let Some(write) = self.write.take() {
            self.done = Some(write(transaction)?);
        }
        Ok(())
    }

    fn answer(self: Box<Self>, committed: Result<(), Error>) {
        let Self { done, reply, .. } = *self;
        let _ =
            reply.send(committed.and_then(|()| done.ok_or_else(|| Error::internal("it was not applied"))));
    }
}

impl<T, F> Debug for WriteRequest<T, F> {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str("WriteRequest")
    }
}

impl Debug for FollowUp {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str("FollowUp")
    }
}

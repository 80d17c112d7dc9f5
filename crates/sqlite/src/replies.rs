//! What the writer answers, on its way to the threads that wait for it.
//!
//! To wake a task on another thread's runtime costs a system call and a lock, as often as there are tasks. So a thread on
//! which many wait takes its answers together: it is woken once for all that a commit answers there, and hands them on by
//! itself.

use std::cell::RefCell;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use application::Error;
use tokio::sync::Notify;

use crate::write::Write;

thread_local! {
    static HERE: RefCell<Option<Arc<Replies>>> = const { RefCell::new(None) };
}

/// A write, and what came of its commit.
type Reply = (Write, Result<(), Error>);

/// What is to be answered on a thread.
#[derive(Debug, Default)]
pub(crate) struct Replies {
    arrived: Mutex<Arrived>,
    came: Notify,
}

#[derive(Debug, Default)]
struct Arrived {
    replies: Vec<Reply>,
    /// Nobody takes them any more.
    closed: bool,
}

/// Hands on, while it runs, whatever is answered to those who wait on this thread; it never ends. Tasks that place orders
/// are answered without it, too, each by a wake-up of its own.
///
/// It is meant for a thread whose runtime has no other: its tasks stay on it.
pub async fn hand_on_replies() {
    let here = TakenHere(Arc::default());
    HERE.set(Some(Arc::clone(&here.0)));
    loop {
        here.0.came.notified().await;
        let replies = mem::take(&mut here.0.lock().replies);
        answer_each(replies);
    }
}

/// Answers all of a batch, each on the thread that it is to be answered on.
pub(crate) fn answer_all(replies: impl Iterator<Item = Reply>) {
    let mut threads: Vec<(Arc<Replies>, Vec<Reply>)> = Vec::new();
    for (write, answer) in replies {
        let Some(thread) = write.answered_on() else {
            write.answer(answer);
            continue;
        };
        match threads.iter_mut().find(|(known, _)| Arc::ptr_eq(known, thread)) {
            Some((_, replies)) => replies.push((write, answer)),
            None => threads.push((Arc::clone(thread), vec![(write, answer)])),
        }
    }
    for (thread, replies) in threads {
        thread.take(replies);
    }
}

impl Replies {
    /// Where those who wait on this thread are answered together, if they are.
    pub(crate) fn here() -> Option<Arc<Self>> {
        HERE.with_borrow(Clone::clone)
    }

    fn take(&self, replies: Vec<Reply>) {
        let mut arrived = self.lock();
        if arrived.closed {
            drop(arrived);
            answer_each(replies);
        } else {
            arrived.replies.extend(replies);
            drop(arrived);
            self.came.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Arrived> {
        self.arrived.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn answer_each(replies: Vec<Reply>) {
    for (write, answer) in replies {
        write.answer(answer);
    }
}

/// Replies that are handed on as long as this lives; whatever comes later is answered where it comes from.
struct TakenHere(Arc<Replies>);

impl Drop for TakenHere {
    fn drop(&mut self) {
        let mut arrived = self.0.lock();
        arrived.closed = true;
        let left = mem::take(&mut arrived.replies);
        drop(arrived);
        answer_each(left);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply_on(thread: &Arc<Replies>) -> (Reply, crate::write::PendingWrite<u8>) {
        let (mut write, answer) = Write::new(1, |_| Ok(7));
        write = write.answered_together_on(Some(Arc::clone(thread)));
        ((write, Err(crate::failure::store_failed("a full disk"))), answer)
    }

    #[tokio::test]
    async fn all_that_a_commit_answers_on_a_thread_is_handed_on_there() {
        let handing_on = hand_on_replies();
        let asking = async {
            let here = Replies::here().expect("they are answered together");
            let (replies, answers): (Vec<_>, Vec<_>) = (0..3).map(|_| reply_on(&here)).unzip();
            answer_all(replies.into_iter());
            assert_eq!(here.lock().replies.len(), 3, "they wait for this thread");
            for answer in answers {
                assert_eq!(answer.wait().await.unwrap_err().code, "store_failed");
            }
        };
        tokio::select! {
            biased;
            () = handing_on => {}
            () = asking => {}
        }
    }

    #[tokio::test]
    async fn who_waits_is_answered_though_nobody_hands_on_replies_any_more() {
        let here = TakenHere(Arc::default());
        let (before, answer_before) = reply_on(&here.0);
        let (after, answer_after) = reply_on(&here.0);
        answer_all([before].into_iter());
        drop(here);
        answer_all([after].into_iter());
        assert!(answer_before.now().is_err() && answer_after.now().is_err());
    }
}

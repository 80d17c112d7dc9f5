//! What is under way on the one thread: futures that are polled one at a time, in an order that chance gives.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

/// Futures under way.
pub(crate) struct Tasks<T> {
    running: Vec<Task<T>>,
}

struct Task<T> {
    name: &'static str,
    future: Pin<Box<dyn Future<Output = T> + Send>>,
    woken: Arc<Flag>,
    waker: Waker,
}

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl<T> Tasks<T> {
    pub(crate) fn new() -> Self {
        Self { running: Vec::new() }
    }

    pub(crate) fn spawn(&mut self, name: &'static str, future: impl Future<Output = T> + Send + 'static) {
        let woken = Arc::new(Flag(AtomicBool::new(true)));
        let waker = Waker::from(Arc::clone(&woken));
        self.running.push(Task { name, future: Box::pin(future), woken, waker });
    }

    /// The places of those that can go on.
    pub(crate) fn ready(&self) -> impl Iterator<Item = usize> {
        let is_ready = |task: &Task<T>| task.woken.0.load(Ordering::Relaxed);
        self.running.iter().enumerate().filter(move |(_, task)| is_ready(task)).map(|(place, _)| place)
    }

    /// Lets one go on; what it came to, if it ended.
    pub(crate) fn poll(&mut self, place: usize) -> Option<T> {
        let task = &mut self.running[place];
        task.woken.0.store(false, Ordering::Relaxed);
        match task.future.as_mut().poll(&mut Context::from_waker(&task.waker)) {
            Poll::Pending => None,
            Poll::Ready(told) => {
                self.running.remove(place);
                Some(told)
            }
        }
    }

    pub(crate) fn name(&self, place: usize) -> &'static str {
        self.running[place].name
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.running.iter().map(|task| task.name)
    }
}

/// What a future comes to that waits for nothing but its next turn.
pub(crate) fn at_once<T>(future: impl Future<Output = T>) -> Option<T> {
    const TURNS: usize = 10;
    let mut future = pin!(future);
    (0..TURNS).find_map(|_| match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(told) => Some(told),
        Poll::Pending => None,
    })
}

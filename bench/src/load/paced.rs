//! Orders at a steady rate, whatever becomes of those before: each is due at its time, and one that is answered late delays
//! none but where every connection waits for an answer. How long an order took is counted from when it was due, so that
//! what a stall did to those behind it counts, too.

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use tokio::runtime;
use tokio::sync::Mutex;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;

use super::connection::Connection;

/// How many orders may wait for their answers at once.
const CONNECTIONS: usize = 64;

/// For no less: at high rates waking up would be the load itself. What this delays counts as any delay does.
const SHORTEST_SLEEP: Duration = Duration::from_micros(200);

/// An order that was accepted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Accepted {
    /// Its id.
    pub(crate) order: u128,
    /// When it was to be placed.
    pub(crate) due: Instant,
    /// When its answer was read.
    pub(crate) answered: Instant,
}

/// Places so many orders a second for so long.
///
/// # Errors
/// A connection breaks, or an answer is not that of an accepted order.
pub(crate) fn place(server: SocketAddr, per_second: f64, length: Duration) -> Result<Vec<Accepted>> {
    place_while(server, per_second, length, || true)
}

/// Places so many orders a second while that is wanted, for no longer than so long. It is asked before each order.
///
/// # Errors
/// A connection breaks, or an answer is not that of an accepted order.
pub(crate) fn place_while(
    server: SocketAddr,
    per_second: f64,
    longest: Duration,
    wanted: impl FnMut() -> bool,
) -> Result<Vec<Accepted>> {
    let (sender, due) = unbounded_channel();
    let placing = thread::spawn(move || {
        let runtime = runtime::Builder::new_current_thread().enable_io().build()?;
        runtime.block_on(place_all(server, due))
    });
    call(per_second, longest, wanted, &sender);
    drop(sender);
    placing.join().map_err(|_| anyhow!("the thread that placed orders panicked"))?
}

/// Says of each order when it is due, once it is. This thread waits, since tokio's timers tell milliseconds; it wakes for
/// several at once where they are closer than [`SHORTEST_SLEEP`].
fn call(
    per_second: f64,
    longest: Duration,
    mut wanted: impl FnMut() -> bool,
    due: &UnboundedSender<Instant>,
) {
    let start = Instant::now();
    for after in times(per_second, longest) {
        let until = (start + after).saturating_duration_since(Instant::now());
        if !until.is_zero() {
            thread::sleep(until.max(SHORTEST_SLEEP));
        }
        if !wanted() || due.send(start + after).is_err() {
            return;
        }
    }
}

/// When each order is due, from the start on.
fn times(per_second: f64, length: Duration) -> impl Iterator<Item = Duration> {
    let every = Duration::from_secs_f64(1.0 / per_second);
    (0_u32..).map(move |number| every * number).take_while(move |after| *after < length)
}

async fn place_all(server: SocketAddr, due: UnboundedReceiver<Instant>) -> Result<Vec<Accepted>> {
    let due = Arc::new(Mutex::new(due));
    let mut placing: JoinSet<_> =
        (0..CONNECTIONS).map(|number| place_in_turn(server, number, Arc::clone(&due))).collect();
    let mut all = Vec::new();
    while let Some(accepted) = placing.join_next().await {
        all.append(&mut accepted.context("a connection panicked")??);
    }
    Ok(all)
}

async fn place_in_turn(
    server: SocketAddr,
    number: usize,
    next: Arc<Mutex<UnboundedReceiver<Instant>>>,
) -> Result<Vec<Accepted>> {
    let mut connection = Connection::open(server, number, "Mechanical keyboard").await?;
    let mut accepted = Vec::new();
    loop {
        let due = next.lock().await.recv().await;
        let Some(due) = due else { return Ok(accepted) };
        connection.place_order().await?;
        let order = connection.placed().context("an orderId")?;
        accepted.push(Accepted { order, due, answered: Instant::now() });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_are_due_at_even_distances_and_none_after_the_end() {
        let times: Vec<_> = times(400.0, Duration::from_secs(1)).collect();
        assert_eq!(times.len(), 400);
        assert_eq!(&times[..3], [0, 2_500, 5_000].map(Duration::from_micros));
    }

    #[test]
    fn an_order_is_due_at_its_time_even_where_nobody_takes_those_before() {
        let (sender, mut due) = unbounded_channel();
        call(1_000.0, Duration::from_millis(20), || true, &sender);
        drop(sender);
        let mut all = Vec::new();
        while let Ok(at) = due.try_recv() {
            all.push(at);
        }
        let distances: Vec<_> = all.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert_eq!(distances, [Duration::from_millis(1); 19]);
    }

    #[test]
    fn no_order_is_due_once_none_is_wanted() {
        let (sender, mut due) = unbounded_channel();
        let mut left = 3;
        let wanted = || {
            left -= 1;
            left >= 0
        };
        call(10_000.0, Duration::from_mins(1), wanted, &sender);
        drop(sender);
        let mut called = 0;
        while due.try_recv().is_ok() {
            called += 1;
        }
        assert_eq!(called, 3);
    }

    #[tokio::test]
    async fn a_stall_counts_for_each_order_that_was_due_meanwhile() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (open, stalled) = tokio::sync::watch::channel(false);
        tokio::task::spawn(async move {
            while let Ok((line, _)) = listener.accept().await {
                tokio::task::spawn(answer_once_open(line, stalled.clone()));
            }
        });
        let (sender, due) = unbounded_channel();
        let orders = 3 * CONNECTIONS;
        let first = Instant::now();
        (0..orders).for_each(|_| sender.send(first).unwrap());
        drop(sender);
        let placing = tokio::task::spawn(place_all(address, due));
        tokio::time::sleep(Duration::from_millis(30)).await;
        let opened = Instant::now();
        open.send(true).unwrap();
        let accepted = placing.await.unwrap().unwrap();
        // Two thirds of them were only sent after the stall.
        assert_eq!(accepted.len(), orders);
        assert!(accepted.iter().all(|order| order.answered - order.due >= opened - first));
    }

    async fn answer_once_open(
        mut line: tokio::net::TcpStream,
        mut stalled: tokio::sync::watch::Receiver<bool>,
    ) {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let body = r#"{"orderId":"01890a5d-ac96-774b-bcce-b302099a8057"}"#;
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        let mut request = [0; 4_096];
        while line.read(&mut request).await.is_ok_and(|length| length > 0) {
            stalled.wait_for(|open| *open).await.unwrap();
            line.write_all(answer.as_bytes()).await.unwrap();
        }
    }
}

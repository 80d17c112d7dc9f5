//! Kills the program, looks at what it left, and starts it again.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use orderbell_e2e::process;
use orderbell_e2e::program::Program;
use orderbell_e2e::writer_thread::{self, Thread};
use rustix::process::Signal;
use tokio::sync::watch;

use crate::store;

/// How long the program runs between kills, in milliseconds.
const LIFE: std::ops::Range<u64> = 100..1_000;
/// One kill in so many comes when it comes; the others wait for a commit.
const UNAIMED: usize = 3;
const LONGEST_AIM: Duration = Duration::from_millis(300);
/// A stop takes effect once the call that it falls into is over; on a slow disk that may take a while.
const LONGEST_STOP: Duration = Duration::from_secs(10);

/// Of fewer kills than this, in a few seconds on a machine that has other work, one call of each for four kills will do,
/// and one hit of each kind.
pub(crate) const A_LONG_RUN: usize = 50;

/// One kill.
#[derive(Debug)]
pub(crate) struct Kill {
    /// The call of a commit that the writer thread was killed in.
    pub(crate) in_commit: Option<&'static str>,
    /// The deliveries whose attempts had no outcome on disk, by their ids without hyphens.
    pub(crate) in_flight: Vec<String>,
}

/// Kills the program so often, and starts it again each time; more often, but at most three times as often, if too few of the
/// kills fell into a commit or found attempts in flight.
pub(crate) async fn kill_again_and_again(
    program: &mut Program,
    up: &watch::Sender<bool>,
    kills: usize,
) -> Result<Vec<Kill>> {
    let mut killings = Vec::new();
    while killings.len() < kills || killings.len() < 3 * kills && !hit_enough(&killings, kills) {
        tokio::time::sleep(Duration::from_millis(fastrand::u64(LIFE))).await;
        let in_commit = strike(program.id(), !killings.len().is_multiple_of(UNAIMED));
        up.send_replace(false);
        program.kill()?;
        let log = program.log();
        ensure!(!log.contains("panicked"), "the program panicked before it was killed:\n{log}");
        killings.push(Kill { in_commit, in_flight: store::in_flight(&program.data())? });
        program.restart().await?;
        up.send_replace(true);
    }
    Ok(killings)
}

/// Whether, of so many kills, a fifth fell into a commit and three tenths found attempts in flight; of few kills, one did.
pub(crate) fn hit_enough(killings: &[Kill], kills: usize) -> bool {
    let in_commit = killings.iter().filter(|kill| kill.in_commit.is_some()).count();
    let in_flight = killings.iter().filter(|kill| !kill.in_flight.is_empty()).count();
    if kills < A_LONG_RUN {
        return in_commit > 0 && in_flight > 0;
    }
    in_commit * 5 >= kills && in_flight * 10 >= kills * 3
}

/// Sends SIGKILL; answers what part of a commit it fell into.
///
/// The process is stopped first: what a stopped thread is in the middle of, it never returns from once the kill comes. Where
/// a commit is aimed at, the process is let go on until it is stopped in one.
fn strike(process: u32, aimed: bool) -> Option<&'static str> {
    let writer = Thread::named(writer_thread::NAME, process);
    let in_commit = || writer.as_ref().and_then(Thread::in_commit);
    let start = Instant::now();
    let hit = loop {
        while aimed && in_commit().is_none() && start.elapsed() < LONGEST_AIM {}
        process::signal(process, Signal::STOP);
        while writer.as_ref().is_some_and(|writer| !writer.is_stopped()) && start.elapsed() < LONGEST_STOP {}
        let hit = in_commit();
        if !aimed || hit.is_some() || start.elapsed() >= LONGEST_AIM {
            break hit;
        }
        process::signal(process, Signal::CONT);
    };
    process::signal(process, Signal::KILL);
    hit
}

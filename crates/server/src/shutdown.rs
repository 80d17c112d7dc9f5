//! Shutting the program down: in good order at a signal, in any case within a time, and at once at a second signal.

use std::fs;
use std::future::poll_fn;
use std::io;
use std::task::Poll;
use std::thread;
use std::time::Duration;

use tokio::runtime::{self, Runtime};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;

use crate::logging::Log;
use driver::{Stop, stopped};

/// How long shutting down may take, whatever hangs: twice what requests and attempts in flight are given.
const MAX_SHUTDOWN: Duration = Duration::from_secs(20);
/// How long threads that wait for something outside, such as a name to be resolved, may take once all else has stopped.
const BLOCKING_THREADS_GRACE: Duration = Duration::from_secs(1);

/// Runs this work on a runtime whose threads keep the program from ending for a moment at most.
///
/// # Errors
/// The system gives no threads.
pub(crate) fn run_on_runtime<T>(work: impl Future<Output = T>) -> io::Result<T> {
    let runtime = runtime::Builder::new_multi_thread().enable_all().build()?;
    let done = runtime.block_on(work);
    runtime.shutdown_timeout(BLOCKING_THREADS_GRACE);
    Ok(done)
}

/// Watches for signals on a thread of its own, so that nothing that hangs can hold it up: what it returns is told when a
/// signal asks the program to shut down. Once it shuts down, for that reason or another, it exits at a second SIGINT or
/// SIGTERM or after [`MAX_SHUTDOWN`].
///
/// # Errors
/// The system gives no thread, or no signals.
pub(crate) fn watch_signals(log: Log, mut stop: Stop) -> io::Result<oneshot::Receiver<()>> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    let mut signals = Signals::install(&runtime)?;
    let (tell, signalled) = oneshot::channel();
    let watching = async move {
        tokio::select! {
            () = signals.next() => drop(tell.send(())),
            () = stopped(&mut stop) => {}
        }
        // A terminal that closes says so twice, by its shell and by the kernel: a hangup is no second word.
        signals.hangup = None;
        match tokio::time::timeout(MAX_SHUTDOWN, signals.next()).await {
            Ok(()) => log.say("orderbell: told again to end; ending at once"),
            Err(_) => log.say("orderbell: something does not come to its end; ending without it"),
        }
        log.end();
        std::process::exit(1);
    };
    thread::Builder::new().name("shutdown".to_owned()).spawn(move || runtime.block_on(watching))?;
    Ok(signalled)
}

/// The signals that ask the program to shut down.
struct Signals {
    asked: [Signal; 2],
    hangup: Option<Signal>,
}

impl Signals {
    /// Installs handlers of SIGINT, SIGTERM and SIGHUP; but the last not where the program was started to outlive its
    /// terminal (`nohup`).
    fn install(runtime: &Runtime) -> io::Result<Self> {
        let _within = runtime.enter();
        let hangup = Some(SignalKind::hangup()).filter(|hangup| !is_ignored(hangup.as_raw_value()));
        let asked = [signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?];
        Ok(Self { asked, hangup: hangup.map(signal).transpose()? })
    }

    async fn next(&mut self) {
        poll_fn(|context| {
            let mut signals = self.asked.iter_mut().chain(&mut self.hangup);
            let signalled = signals.any(|signal| signal.poll_recv(context).is_ready());
            if signalled { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}

/// Whether this process ignores a signal. Source: proc(5), `SigIgn` in `/proc/self/status`.
fn is_ignored(signal: i32) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    ignores(&status, signal)
}

fn ignores(status: &str, signal: i32) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default();
    mask >> (signal - 1) & 1 == 1
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn a_thread_that_waits_for_ever_does_not_keep_the_program_from_ending() {
        let (for_ever, wait) = mpsc::channel::<()>();
        let (begun, begins) = mpsc::channel();
        let done = run_on_runtime(async move {
            tokio::task::spawn_blocking(move || {
                let _ = begun.send(());
                let _ = wait.recv();
            });
            let _ = begins.recv();
            "done"
        });
        assert_eq!(done.unwrap(), "done");
        drop(for_ever);
    }

    #[test]
    fn what_nohup_ignores_stays_ignored() {
        let status = "Name:\torderbell\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000001001\nSigCgt:\t0\n";
        assert!(ignores(status, 1));
        assert!(ignores(status, 13));
        assert!(!ignores(status, 2));
        assert!(!ignores("", 1));
    }
}

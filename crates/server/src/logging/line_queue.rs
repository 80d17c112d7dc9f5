//! Lines on their way to whoever reads the log: bounded, and lost rather than waited for.

use std::io::{self, ErrorKind, Write};
use std::mem;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// Counts the lines that could not be written.
const DROPPED: &str = "orderbell_log_lines_dropped_total";
/// How many bytes may wait to be written, beside as many that are being written: some 4,000 lines.
const MAX_PENDING_BYTES: usize = 1024 * 1024;
/// How long lines gather after some were written: a thread that wakes for each costs more than the lines do.
const GATHER_TIME: Duration = Duration::from_millis(5);
/// How long the last lines may take.
const FINAL_FLUSH: Duration = Duration::from_secs(1);
/// How long to wait for a reader that would have to be waited for.
const RETRY_PAUSE: Duration = Duration::from_millis(50);

/// Lines that wait for a thread of their own to write them. Nobody who adds one waits for that.
pub(super) struct LineQueue {
    waiting: Mutex<PendingLines>,
    /// Rung when there is something to write, or nothing will come any more.
    come: Condvar,
    /// Rung when nothing will be written any more.
    done: Condvar,
}

#[derive(Default)]
struct PendingLines {
    lines: Vec<u8>,
    lost: u64,
    phase: Phase,
}

#[derive(Default, PartialEq, Eq)]
enum Phase {
    #[default]
    Open,
    Ending,
    Done,
}

impl LineQueue {
    /// Starts to write to `out`; `said` is the line that tells how many were lost.
    ///
    /// # Errors
    /// The system gives no thread.
    pub(super) fn start(out: impl Write + Send + 'static, said: fn(u64) -> String) -> io::Result<Arc<Self>> {
        let waiting = Mutex::new(PendingLines::default());
        let queue = Arc::new(Self { waiting, come: Condvar::new(), done: Condvar::new() });
        let written = Arc::clone(&queue);
        let writer = Writer { out, said, lost: 0, torn: false };
        thread::Builder::new().name("log".to_owned()).spawn(move || written.write_to(writer))?;
        Ok(queue)
    }

    /// Adds a line, or counts it as lost where too much waits.
    pub(super) fn push(&self, line: &[u8]) {
        let mut waiting = self.lock();
        if waiting.lines.len() + line.len() > MAX_PENDING_BYTES {
            waiting.lost += 1;
            drop(waiting);
            metrics::counter!(DROPPED).increment(1);
            return;
        }
        let wakes = waiting.lines.is_empty();
        waiting.lines.extend_from_slice(line);
        drop(waiting);
        if wakes {
            self.come.notify_one();
        }
    }

    /// Waits until what was added is written, but not for ever.
    pub(super) fn end(&self) {
        let mut waiting = self.lock();
        if waiting.phase == Phase::Open {
            waiting.phase = Phase::Ending;
        }
        self.come.notify_one();
        let ended =
            self.done.wait_timeout_while(waiting, FINAL_FLUSH, |waiting| waiting.phase != Phase::Done);
        drop(ended);
    }

    fn write_to(&self, mut writer: Writer<impl Write>) {
        while let Some((lines, lost)) = self.next() {
            writer.write(&lines, lost);
            self.gather();
        }
        self.lock().phase = Phase::Done;
        self.done.notify_all();
    }

    /// Lets lines come, unless these were the last.
    fn gather(&self) {
        let is_open = |waiting: &mut PendingLines| waiting.phase == Phase::Open;
        drop(self.come.wait_timeout_while(self.lock(), GATHER_TIME, is_open));
    }

    /// The lines that have come since, and how many were lost; nothing once all was taken and no more will come.
    fn next(&self) -> Option<(Vec<u8>, u64)> {
        let waiting = self.lock();
        let mut waiting = self
            .come
            .wait_while(waiting, |waiting| waiting.lines.is_empty() && waiting.phase == Phase::Open)
            .unwrap_or_else(PoisonError::into_inner);
        if waiting.lines.is_empty() {
            return None;
        }
        Some((mem::take(&mut waiting.lines), mem::take(&mut waiting.lost)))
    }

    fn lock(&self) -> MutexGuard<'_, PendingLines> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where the lines go.
struct Writer<W> {
    out: W,
    said: fn(u64) -> String,
    /// How many lines were lost and not yet spoken of.
    lost: u64,
    /// Whether what was written last ends within a line.
    torn: bool,
}

impl<W: Write> Writer<W> {
    /// Writes these lines, before which so many others were `lost`; those that cannot be written are lost too.
    fn write(&mut self, lines: &[u8], lost: u64) {
        self.lost += lost;
        let begun = !self.torn || write_whole(&mut self.out, b"\n").is_ok();
        let written = if begun { write_whole(&mut self.out, lines) } else { Err(lines) };
        let unwritten = written.err().unwrap_or_default();
        let taken = &lines[..lines.len() - unwritten.len()];
        self.torn = !begun || taken.last().is_some_and(|byte| *byte != b'\n');
        if unwritten.is_empty() {
            if self.lost > 0 && write_whole(&mut self.out, (self.said)(self.lost).as_bytes()).is_ok() {
                self.lost = 0;
            }
            return;
        }
        let unwritten = unwritten.split_inclusive(|byte| *byte == b'\n').count() as u64;
        self.lost += unwritten;
        metrics::counter!(DROPPED).increment(unwritten);
    }
}

/// Writes all of it, or gives what could not be written.
#[expect(clippy::disallowed_methods, reason = "this thread does nothing but wait for whoever reads the log")]
fn write_whole<'a>(out: &mut impl Write, mut bytes: &'a [u8]) -> Result<(), &'a [u8]> {
    while !bytes.is_empty() {
        match out.write(bytes) {
            Ok(0) => return Err(bytes),
            Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(RETRY_PAUSE),
            Err(_) => return Err(bytes),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Instant;

    use super::*;

    /// What is written to, as it is told: so many bytes are taken, then it fails for so many calls.
    #[derive(Default)]
    struct Disk {
        text: Vec<u8>,
        takes: usize,
        fails: usize,
    }

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.takes == 0 && self.fails > 0 {
                self.fails -= 1;
                return Err(ErrorKind::StorageFull.into());
            }
            let taken = if self.fails > 0 { bytes.len().min(self.takes) } else { bytes.len() };
            self.takes = self.takes.saturating_sub(taken);
            self.text.extend_from_slice(&bytes[..taken]);
            Ok(taken)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn writer(takes: usize, fails: usize) -> Writer<Disk> {
        let said = |lost| format!("{lost} lost\n");
        Writer { out: Disk { text: Vec::new(), takes, fails }, said, lost: 0, torn: false }
    }

    fn text(writer: &Writer<Disk>) -> &str {
        std::str::from_utf8(&writer.out.text).unwrap()
    }

    #[test]
    fn lines_that_cannot_be_written_are_counted_and_spoken_of_once_when_writing_works_again() {
        let mut writer = writer(0, 2);
        writer.write(b"one\ntwo\n", 0);
        writer.write(b"three\n", 0);
        assert_eq!(text(&writer), "");
        writer.write(b"four\n", 0);
        writer.write(b"five\n", 0);
        assert_eq!(text(&writer), "four\n3 lost\nfive\n");
    }

    #[test]
    fn a_line_that_was_torn_does_not_swallow_the_next() {
        let mut writer = writer(6, 2);
        writer.write(b"one\ntwo\nthree\n", 0);
        writer.write(b"four\n", 0);
        writer.write(b"five\n", 0);
        assert_eq!(text(&writer), "one\ntw\nfive\n3 lost\n");
    }

    #[test]
    fn lines_for_which_there_was_no_room_are_spoken_of_behind_those_before_them() {
        let mut writer = writer(0, 0);
        writer.write(b"one\n", 7);
        assert_eq!(text(&writer), "one\n7 lost\n");
    }

    /// Nobody reads, until this is told to.
    struct Stalled {
        begun: mpsc::Sender<()>,
        read: mpsc::Receiver<()>,
        sender: mpsc::Sender<Vec<u8>>,
    }

    impl Write for Stalled {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.begun.send(());
            let _ = self.read.recv();
            let _ = self.sender.send(bytes.to_vec());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_that_stalls_keeps_nobody_waiting_and_costs_bounded_memory() {
        let ((begun, begins), (reads, read), (sender, receiver)) =
            (mpsc::channel(), mpsc::channel(), mpsc::channel());
        let said = |lost| format!("{lost} lost\n");
        let queue = LineQueue::start(Stalled { begun, read, sender }, said).unwrap();
        queue.push(b"the first\n");
        begins.recv().unwrap();
        let line = [b"x".repeat(1023), b"\n".to_vec()].concat();
        for _ in 0..MAX_PENDING_BYTES / line.len() + 100 {
            queue.push(&line);
        }
        assert_eq!(queue.lock().lines.len(), MAX_PENDING_BYTES);
        queue.end();
        assert!(queue.lock().phase == Phase::Ending, "the last lines were not waited for for ever");

        drop(reads);
        assert_eq!(receiver.recv().unwrap(), b"the first\n");
        assert_eq!(receiver.recv().unwrap().len(), MAX_PENDING_BYTES);
        assert_eq!(receiver.recv().unwrap(), b"100 lost\n");
        assert!(receiver.recv().is_err(), "nothing else was written");
    }

    #[test]
    #[expect(
        clippy::disallowed_methods,
        reason = "how many writes there may be follows from the time they took"
    )]
    fn lines_that_come_one_after_the_other_are_written_together() {
        let (sender, receiver) = mpsc::channel();
        let start = Instant::now();
        let queue = LineQueue::start(ChannelWriter(sender), |lost| format!("{lost} lost\n")).unwrap();
        for _ in 0..10_000 {
            queue.push(b"one of many\n");
        }
        queue.end();
        let writes = receiver.iter().count();
        let most = start.elapsed().as_millis() / GATHER_TIME.as_millis() + 2;
        assert!(writes as u128 <= most, "{writes} writes where {most} do");
    }

    #[test]
    fn a_line_larger_than_all_that_may_wait_is_lost_alone() {
        let (sender, receiver) = mpsc::channel();
        let queue = LineQueue::start(ChannelWriter(sender), |lost| format!("{lost} lost\n")).unwrap();
        queue.push(&vec![b'x'; MAX_PENDING_BYTES + 1]);
        queue.push(b"next\n");
        queue.end();
        assert_eq!(receiver.iter().collect::<Vec<_>>().concat(), b"next\n1 lost\n");
    }

    struct ChannelWriter(mpsc::Sender<Vec<u8>>);

    impl Write for ChannelWriter {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.0.send(bytes.to_vec());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
}

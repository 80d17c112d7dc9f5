//! Input at random, made from known input: for whatever reads what others wrote.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::{Duration, Instant};

use fastrand::Rng;
use http::StatusCode;

use crate::http::{HttpResponse, MAX_RESPONSE_BYTES};

/// How many inputs there are without `ORDERBELL_FUZZ_SECONDS`.
const FEW: u64 = 3_000;
/// The most memory that a run by the clock may take at any time, in MiB: many times what the readers keep, and little beside
/// what they are given.
const MOST_MEMORY: u64 = 128;
/// How long an input may become, in bytes.
const LONGEST: usize = 100_000;
/// What breaks many a reader.
const BYTES: [&[u8]; 12] = [
    b"\r\n",
    b"\n",
    b"\r",
    b"\0",
    b" ",
    b"-",
    b"=",
    b"250",
    b"421",
    b"\xff\xfe",
    b"\xc3",
    b"99999999999999999999",
];

/// Gives `target` inputs made from `seeds`, and chance of its own: for `ORDERBELL_FUZZ_SECONDS` seconds, else a few. A panic
/// fails, and so does growing memory; the input that led to it is told with the seed that makes it again (`ORDERBELL_FUZZ_SEED`).
#[expect(clippy::disallowed_methods, reason = "how long it goes on is what is asked")]
pub(crate) fn fuzz(what: &str, seeds: &[&[u8]], target: impl Fn(&[u8], &mut Rng)) {
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seconds = number("ORDERBELL_FUZZ_SECONDS").map(Duration::from_secs);
    let first = number("ORDERBELL_FUZZ_SEED").unwrap_or_else(|| seconds.map_or(0, |_| fastrand::u64(..)));
    let start = Instant::now();
    let mut done = 0;
    while seconds.map_or(done < FEW, |limit| start.elapsed() < limit) {
        let seed = first.wrapping_add(done);
        let mut chance = Rng::with_seed(seed);
        let input = changed(seeds, &mut chance);
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| target(&input, &mut chance))) {
            let shown = input[..input.len().min(2_000)].escape_ascii();
            eprintln!("{what}: ORDERBELL_FUZZ_SEED={seed}, {} bytes: {shown}", input.len());
            resume_unwind(panic);
        }
        done += 1;
    }
    let (time, peak) = (start.elapsed().as_secs_f64(), peak_memory());
    let memory = peak.map_or("unknown".to_owned(), |peak| format!("{peak} MiB"));
    eprintln!(
        "fuzzed {what}: {done} inputs from seed {first} on, in {time:.1} s; the most memory held: {memory}"
    );
    // Beside other tests it would be theirs, too.
    assert!(seconds.is_none() || peak.is_none_or(|peak| peak <= MOST_MEMORY), "{what}: {memory}");
}

/// A response of those bytes, half of the time with the status of success.
pub(crate) fn response(success: u16, bytes: &[u8], chance: &mut Rng) -> HttpResponse {
    let status = if chance.bool() { success } else { chance.u16(100..1_000) };
    let head = &bytes[..bytes.len().min(chance.usize(0..40))];
    HttpResponse {
        status: StatusCode::from_u16(status).unwrap(),
        retry_after: chance.bool().then(|| String::from_utf8_lossy(head).into_owned()),
        body: bytes[..bytes.len().min(MAX_RESPONSE_BYTES)].to_vec(),
        incomplete: chance.bool(),
    }
}

/// The most memory that this process held at any time, in MiB; where the system tells (Linux).
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse::<u64>().ok().map(|kib| kib / 1024)
}

/// Some of the known inputs, one after the other, with a few changes.
fn changed(seeds: &[&[u8]], chance: &mut Rng) -> Vec<u8> {
    let mut input = Vec::new();
    for _ in 0..chance.usize(1..=4) {
        input.extend_from_slice(chance.choice(seeds).copied().unwrap_or_default());
    }
    for _ in 0..chance.usize(0..=8) {
        let from = chance.usize(0..=input.len());
        let to = chance.usize(from..=input.len().min(from + 64));
        let new = match chance.u8(0..6) {
            0 => Vec::new(),
            1 => vec![chance.u8(..)],
            2 => input[from..to].repeat(chance.usize(1..=3)),
            3 => vec![chance.u8(..); chance.usize(0..=5_000)],
            _ => chance.choice(BYTES).unwrap_or_default().to_vec(),
        };
        input.splice(from..to, new);
    }
    input.truncate(LONGEST);
    input
}

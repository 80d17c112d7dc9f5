//! Orderbell beside others that do the same work on this machine in the same run: an order by HTTP, on disk before its
//! answer, and a POST to each subscriber.

mod peer;
mod postgres;
mod work;

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use clap::{Args, ValueEnum};

use crate::report::{Report, Row};
use peer::{Peer, Places};
use work::Work;

/// What is compared.
#[derive(Args, Clone)]
pub(crate) struct Comparison {
    /// Only this one; may be given several times
    #[arg(long = "peer", value_enum)]
    peers: Vec<Peer>,
    /// Only this; may be given several times
    #[arg(long = "work", value_enum)]
    works: Vec<Work>,
    /// How often each is measured, in turn
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Where what the peers need is installed
    #[arg(long, default_value = ".tools/peers")]
    tools: PathBuf,
    /// The peers' own sources
    #[arg(long, default_value = "bench/peers")]
    sources: PathBuf,
}

/// What one peer made of one work: of each figure the rounds.
struct Measured {
    peer: Peer,
    work: Work,
    rounds: Vec<Vec<f64>>,
}

/// What each comparison leaves out.
const NOTES: [&str; 6] = [
    "Orderbell signs each message, keeps every attempt on record, and tells in order unless 16 go at once.",
    "graphile-worker and pg-boss tell up to 16 messages at once, in no order, sign nothing and keep no attempts: the one \
     deletes a job that is done, the other keeps its row. Each takes orders in one process of Node and tells in another.",
    "FastAPI keeps nothing of what is still to be told, so that nothing waits for a drain: it is lost where the process ends.",
    "pgbench speaks no HTTP and tells nobody.",
    "PostgreSQL has its defaults; a commit is on disk before it is answered, as in all others.",
    "All share the cores with the load and the receiver. What did not come 4 s after the last order counts as told then.",
];

/// Measures every peer at every work, each time with an empty store, one after the other in each round.
///
/// # Errors
/// A peer is not installed, does not start, or refuses an order.
pub(crate) fn measure(program: &Path, comparison: &Comparison) -> Result<Report> {
    ensure!(comparison.rounds > 0, "there is nothing to measure");
    let whole = |path: &Path| path.canonicalize().with_context(|| path.display().to_string());
    let places = Places {
        program: whole(program)?,
        sources: whole(&comparison.sources)?,
        tools: whole(&comparison.tools)?,
    };
    let mut report = Report::begin(
        "peers",
        program,
        "an order by HTTP, on disk before its answer, and a POST to each subscriber; 64 connections",
    )?;
    for work in chosen(&comparison.works) {
        let peers = chosen(&comparison.peers).into_iter().filter(|peer| work.is_for(*peer));
        let mut all: Vec<_> = peers.map(|peer| Measured { peer, work, rounds: Vec::new() }).collect();
        for round in 1..=comparison.rounds {
            for measured in &mut all {
                measured.round(&places, round)?;
            }
        }
        report.rows.extend(rows(work, &all));
    }
    for note in NOTES {
        report.note(note);
    }
    Ok(report)
}

/// What was chosen; everything where nothing was.
fn chosen<T: ValueEnum>(those: &[T]) -> Vec<T> {
    if those.is_empty() { T::value_variants().to_vec() } else { those.to_vec() }
}

impl Measured {
    fn round(&mut self, places: &Places, round: usize) -> Result<()> {
        let Self { peer, work, .. } = *self;
        writeln!(std::io::stderr(), "round {round}: {}, {}", work.figures()[0].0, peer.name())?;
        let figures = work.measure(peer, places);
        self.rounds.push(figures.with_context(|| format!("{}, {}", work.figures()[0].0, peer.name()))?);
        Ok(())
    }

    fn figure(&self, number: usize) -> Vec<f64> {
        self.rounds.iter().filter_map(|figures| figures.get(number)).copied().collect()
    }
}

/// The rows of a work, each figure's peers below each other, as a share of what Orderbell came to in the same rounds.
fn rows(work: Work, all: &[Measured]) -> Vec<Row> {
    let orderbell = all.iter().find(|it| it.peer == Peer::Orderbell);
    let row = |number: usize, measured: &Measured| {
        let (what, unit) = work.figures()[number];
        let rounds = measured.figure(number);
        let row = Row::new(format!("{what}: {}", measured.peer.name()), unit, &rounds);
        match orderbell.filter(|_| measured.peer != Peer::Orderbell) {
            Some(orderbell) => row.over(Peer::Orderbell.name(), &rounds, &orderbell.figure(number)),
            None => row,
        }
    };
    let numbers = 0..work.figures().len();
    numbers
        .flat_map(|number| all.iter().map(move |measured| (number, measured)))
        .map(|(n, m)| row(n, m))
        .collect()
}

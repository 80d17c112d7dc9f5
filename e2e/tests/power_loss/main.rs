//! The power-loss test: the program runs under a load while strace writes down all that it does to its files and all
//! that it sends. From that the disk is rebuilt as it may be when the power fails at a moment of one's choice: what
//! was synced is there, and of what was not, anything. From each such disk the store must open, whole, and hold all
//! that was answered before.

mod cuts;
mod disk;
mod fate;
mod load;
mod program;
mod recording;
mod reports;
mod store;
mod strace;
mod subscribers;
mod summary;
mod told;
mod trace;
mod verdict;

use std::env;
use std::io::Write;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Result, ensure};
use tokio::runtime::Handle;
use tokio::sync::OnceCell;
use tokio::task::JoinSet;

use cuts::{Cut, Windows};
use disk::Syncs;
use recording::Recording;
use summary::Summary;
use verdict::{Promises, Verdict};

/// How many images are judged at once.
const AT_ONCE: usize = 2;
/// On one image in so many the whole program is started.
const STARTED: usize = 9;
/// How many cuts show what a disk that ignores syncs would do.
const LYING: usize = 10;

/// How many broken promises are shown.
const SHOWN: usize = 20;

/// A number that the environment may set.
fn setting(name: &str) -> Result<Option<u64>> {
    env::var(name).ok().map(|value| Ok(value.parse()?)).transpose()
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("power-loss")
}

/// Past the capture of the test harness: the figures are worth reading when all is well, too.
fn say(line: &str) -> Result<()> {
    Ok(writeln!(std::io::stderr(), "{line}")?)
}

/// What the program did: recorded now, or, to replay one cut (`ORDERBELL_POWER_LOSS_CUT`), as it was recorded last.
async fn recording() -> Result<&'static Arc<Recording>> {
    static RECORDING: OnceCell<Arc<Recording>> = OnceCell::const_new();
    let record = async || {
        if setting("ORDERBELL_POWER_LOSS_CUT")?.is_none() {
            recording::record(&folder()).await?;
        }
        Ok(Arc::new(recording::read(&folder())?))
    };
    RECORDING.get_or_try_init(record).await
}

/// Makes the image of a cut, opens it and judges it; starts the program on it, too, if that is wanted.
async fn judge(recording: &Recording, cut: &Cut, syncs: Syncs, start: bool) -> Result<Verdict> {
    let home = orderbell_e2e::program::new_home()?;
    let image = cut.image(&recording.trace, syncs);
    let promises = Promises::before(cut.place, recording);
    image.write(home.path())?;
    let mut verdict = verdict::judge(home.path(), &promises, recording, image.losses).await?;
    if start {
        verdict.started = true;
        let home = orderbell_e2e::program::new_home()?;
        image.write(home.path())?;
        verdict.broken.extend(program::judge(home, &promises).await?);
    }
    Ok(verdict)
}

async fn judge_all(
    recording: &Arc<Recording>,
    seed: u64,
    cuts: Range<usize>,
    syncs: Syncs,
) -> Result<Summary> {
    let windows = Arc::new(Windows::of(&recording.trace));
    let mut judging = JoinSet::new();
    for worker in 0..AT_ONCE {
        let (recording, windows) = (Arc::clone(recording), Arc::clone(&windows));
        let share = cuts.clone().skip(worker).step_by(AT_ONCE);
        judging.spawn_blocking(move || {
            let judged = share.map(|number| {
                let cut = Cut::choose(seed, number, &recording.trace, &windows);
                let start = syncs == Syncs::Honoured && number.is_multiple_of(STARTED);
                let verdict = Handle::current().block_on(judge(&recording, &cut, syncs, start))?;
                Ok((cut, verdict))
            });
            judged.collect::<Result<Vec<_>>>()
        });
    }
    let mut summary = Summary::new(seed, recording, &windows);
    while let Some(judged) = judging.join_next().await {
        for (cut, verdict) in judged?? {
            summary.add(&cut, &windows, verdict);
        }
    }
    Ok(summary)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_was_answered_is_lost_wherever_the_power_is_cut() -> Result<()> {
    let start = Instant::now();
    let recording = recording().await?;
    say(&format!("recorded in {}: {} s", folder().display(), start.elapsed().as_secs()))?;
    let seed = setting("ORDERBELL_POWER_LOSS_SEED")?.unwrap_or_else(|| fastrand::u64(..));
    let wanted = usize::try_from(setting("ORDERBELL_POWER_LOSS_CUTS")?.unwrap_or(200))?;
    let only = setting("ORDERBELL_POWER_LOSS_CUT")?.map(usize::try_from).transpose()?;
    let cuts = only.map_or(0..wanted, |only| only..only + 1);
    let summary = judge_all(recording, seed, cuts, Syncs::Honoured).await?;
    say(&format!("\n{summary}\npower-loss test: {} s", start.elapsed().as_secs()))?;
    for (cut, promise) in summary.broken.iter().take(SHOWN) {
        say(&format!("cut {cut}: {promise}"))?;
    }
    if let Some((cut, _)) = summary.broken.first() {
        say(&format!("to see one again: cargo xtask power-loss --seed {seed} --cut {cut}"))?;
    }
    ensure!(summary.broken.is_empty(), "{} promises were broken", summary.broken.len());
    ensure!(summary.opened == summary.cuts, "an image was not opened");
    ensure!(only.is_some() || summary.within_commits * 3 >= wanted, "too few cuts fell into commits");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_ignores_syncs_loses_what_was_answered_so_the_replay_would_show_it() -> Result<()> {
    let summary = judge_all(recording().await?, fastrand::u64(..), 0..LYING, Syncs::Ignored).await?;
    ensure!(summary.missing > 0, "nothing was lost:\n{summary}");
    Ok(())
}

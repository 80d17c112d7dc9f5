//! `orderbell backup`: copies the store into one file, beside a running program or without one.

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;

use application::ports::Clock;
use clap::Args;
use domain::delivery::DeliveryState;
use host::SystemClock;
use sqlite::OpenError;
use sqlite::audit::{ByState, Exception, Summary};
use sqlite::backup::{self, CopyError, backup};

use super::display::counted;
use super::output::note;
use super::{Failure, argument};
use crate::keys;

#[derive(Args)]
#[group(skip)]
pub(super) struct Flags {
    /// The file to be made; one that is there is not overwritten
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    local: argument::LocalFlags,
}

/// Makes the backup, and says how large it is and what is in it. The keys of the data folder go with it.
pub(super) fn run(flags: &Flags) -> Result<(), Failure> {
    let (data, now) = (flags.local.resolve()?.data, SystemClock.now());
    let kept = keys::kept_in(&data)?;
    let made = backup(&data, &flags.file, &kept, now, told_on_a_terminal(), |exception| tell(&exception));
    let made = made.map_err(failed)?;
    let megabytes = megabytes(made.bytes);
    note(&format!("{}: {megabytes} MB, {}", flags.file.display(), in_numbers(&made.summary)));
    say_exceptions(&made.summary);
    if let Err(error) = backup::note(&data, now) {
        note(&format!("orderbell: that there is a backup could not be noted in {}: {error}", data.display()));
    }
    Ok(())
}

/// How far it has come, each time that another tenth is written.
fn told_on_a_terminal() -> impl FnMut(u64, u64) + Send + 'static {
    let (mut tenths, shown) = (0, io::stderr().is_terminal());
    move |written, total| {
        let now = written * 10 / total.max(1);
        if now > tenths {
            tenths = now;
            let end = if shown { "\r" } else { "\n" };
            let _ = write!(io::stderr().lock(), "{} % of {} MB{end}", now * 10, megabytes(total));
        }
    }
}

fn megabytes(bytes: u64) -> u64 {
    bytes.div_ceil(1_000_000)
}

/// One line for what the audit of the copy found: it is the same in the store itself.
pub(super) fn tell(exception: &Exception) {
    note(&format!("{}: {}", exception.kind.name(), exception.wrong));
}

pub(super) fn say_exceptions(summary: &Summary) {
    if summary.exceptions > 0 {
        let found = counted(summary.exceptions, "exception", "exceptions");
        note(&format!("its audit found {found}, as in the store"));
    }
}

/// What is in a store, in numbers.
pub(super) fn in_numbers(summary: &Summary) -> String {
    let all = |counts: &ByState| counts.iter().map(|(_, count)| count).sum::<u64>();
    let held = |counts: &ByState| {
        counts.iter().filter(|(state, _)| *state == DeliveryState::Held).map(|(_, count)| count).sum::<u64>()
    };
    format!(
        "{}, {}, {}, {} of them held",
        counted(summary.orders, "order", "orders"),
        counted(summary.subscriptions, "subscription", "subscriptions"),
        counted(all(&summary.notifications) + all(&summary.others), "delivery", "deliveries"),
        held(&summary.notifications) + held(&summary.others),
    )
}

pub(super) fn failed(error: CopyError) -> Failure {
    match error {
        CopyError::Store(OpenError::Missing { .. }) => {
            Failure::Usage(vec![format!("data (--data, ORDERBELL_DATA): {error}")])
        }
        other => Failure::Failed(other.into()),
    }
}

//! `orderbell restore`: makes a data folder of a backup.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::ensure;
use clap::Args;
use host::{SystemClock, SystemRandomness};
use sqlite::Options;
use sqlite::restore::{Restored, restore};

use super::backup::{failed, in_numbers, say_exceptions, tell};
use super::display::counted;
use super::output::note;
use super::{Failure, argument, block_on};
use crate::keys;

#[derive(Args)]
#[group(skip)]
pub(super) struct Flags {
    /// The backup
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    local: argument::LocalFlags,
}

/// Restores the backup into a data folder that has no database, and says what is held.
pub(super) fn run(flags: &Flags) -> Result<(), Failure> {
    let data = flags.local.resolve()?.data;
    let options = Options::new(Arc::new(SystemClock), Arc::new(SystemRandomness));
    let restoring = restore(&flags.file, &data, options, |exception| tell(&exception));
    let restored = block_on(restoring)?.map_err(failed)?;
    let mut said = vec![format!("{}: {}", data.display(), in_numbers(&restored.summary))];
    if restored.held > 0 {
        said.push(format!(
            "{} when the backup was made: held, since it may have been sent meanwhile. `orderbell delivery redrive --held` \
             sends what is held, `orderbell delivery drop --held` gives it up",
            counted(restored.held as u64, "message waited", "messages waited")
        ));
    }
    say_exceptions(&restored.summary);
    install(restored, &data)?;
    for line in said {
        note(&line);
    }
    Ok(())
}

/// The keys first: once the database is there, the program can be started.
fn install(restored: Restored, data: &Path) -> Result<(), Failure> {
    for name in keys::FILES {
        let kept = restored.companion_files.iter().find(|(kept, _)| kept == name);
        if let Some((_, content)) = kept {
            let there = keys::restore(data, name, content)?;
            ensure_same(&there, content, data, name)?;
        } else {
            let there = data.join(name).exists();
            let then =
                if there { "the one that is there is used" } else { "a new one is made at the next start" };
            note(&format!("the backup holds no {name}: {then}"));
        }
    }
    restored.install().map_err(failed)
}

fn ensure_same(there: &[u8], kept: &[u8], data: &Path, name: &str) -> anyhow::Result<()> {
    ensure!(
        there == kept,
        "{} is not that of the backup, and is not overwritten: move it away first",
        data.join(name).display()
    );
    Ok(())
}

//! What runs the tests.

use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::cargo::cargo;

/// Two that run the same tests and tell their counts differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Runner {
    /// cargo-nextest: each test is a process of its own, and those of several programs run at once, which is faster by the
    /// time that they wait. `.config/nextest.toml` says which stand alone.
    Nextest,
    /// `cargo test`: one test program after the other.
    Cargo,
}

impl Runner {
    /// cargo-nextest where it is installed.
    pub(crate) fn find(root: &Path) -> Self {
        let mut version = cargo(root, &["nextest", "--version"]);
        let found = version.stdout(Stdio::null()).stderr(Stdio::null()).status();
        if found.is_ok_and(|status| status.success()) { Self::Nextest } else { Self::Cargo }
    }

    /// The command that runs the tests that `selection` selects, in cargo's words; all of them, even if some fail.
    pub(crate) fn command(self, root: &Path, selection: &[&str]) -> Command {
        let run: &[&str] = match self {
            Self::Nextest => &["nextest", "run", "--color", "never"],
            Self::Cargo => &["test"],
        };
        cargo(root, &[run, &["--no-fail-fast", "--offline"], selection].concat())
    }

    /// Has the command tell what its tests did `to` there.
    pub(crate) fn told(self, command: &mut Command, to: Stdio) -> &mut Command {
        match self {
            Self::Nextest => command.stderr(to),
            Self::Cargo => command.stdout(to),
        }
    }

    /// Where a command that was [`Self::told`] to use a pipe tells what its tests did.
    pub(crate) fn output(self, child: &mut Child) -> Option<Box<dyn Read>> {
        match self {
            Self::Nextest => child.stderr.take().map(|output| Box::new(output) as Box<dyn Read>),
            Self::Cargo => child.stdout.take().map(|output| Box::new(output) as Box<dyn Read>),
        }
    }
}

//! Where and what was measured.

use std::fmt;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

/// The machine, as far as it decides what a figure says.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Machine {
    /// How many cores this process may use.
    pub(crate) cores: usize,
    /// The processor's own name.
    pub(crate) processor: String,
    /// Its memory in GB (10⁹ bytes).
    pub(crate) memory_gb: f64,
    /// The kernel's release.
    pub(crate) kernel: String,
}

/// The program under measurement.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Build {
    /// What it says of itself.
    pub(crate) version: String,
    /// The profile that it was built with: the name of the folder it lies in.
    pub(crate) profile: String,
    /// The commit of the sources at hand; `-dirty` where they were changed. Unknown outside a checkout.
    pub(crate) commit: String,
}

impl Machine {
    /// This one. Source: proc(5).
    ///
    /// # Errors
    /// The system does not say.
    pub(super) fn this() -> Result<Self> {
        let memory = fs::read_to_string("/proc/meminfo").context("/proc/meminfo")?;
        let kib: f64 = field(&memory, "MemTotal").trim_end_matches(" kB").parse().unwrap_or_default();
        let processor = fs::read_to_string("/proc/cpuinfo").context("/proc/cpuinfo")?;
        Ok(Self {
            cores: thread::available_parallelism()?.get(),
            processor: field(&processor, "model name").to_owned(),
            memory_gb: (kib * 1024.0 / 1e8).round() / 10.0,
            kernel: fs::read_to_string("/proc/sys/kernel/osrelease")?.trim().to_owned(),
        })
    }
}

/// The value of the first line of that name.
fn field<'a>(text: &'a str, name: &str) -> &'a str {
    let values = text.lines().filter_map(|line| line.strip_prefix(name)?.trim_start().strip_prefix(':'));
    values.map(str::trim).next().unwrap_or("unknown")
}

impl Build {
    /// That of the program at this path.
    ///
    /// # Errors
    /// It does not run.
    pub(super) fn of(program: &Path) -> Result<Self> {
        let version = Command::new(program).arg("--version").output();
        let version = version.with_context(|| format!("running {}", program.display()))?;
        let profile = program.parent().and_then(Path::file_name).unwrap_or_default();
        let commit = Command::new("git").args(["describe", "--always", "--dirty"]).output();
        let commit = commit.ok().filter(|described| described.status.success());
        Ok(Self {
            version: String::from_utf8_lossy(&version.stdout).trim().to_owned(),
            profile: profile.to_string_lossy().into_owned(),
            commit: commit.map_or_else(
                || "unknown".to_owned(),
                |described| String::from_utf8_lossy(&described.stdout).trim().to_owned(),
            ),
        })
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cores, processor, memory_gb, kernel } = self;
        write!(f, "{cores} cores of {processor}, {memory_gb} GB, Linux {kernel}")
    }
}

impl fmt::Display for Build {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { version, profile, commit } = self;
        write!(f, "{version}, {profile} build, {commit}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_read_up_to_the_end_of_its_line() {
        let text =
            "MemTotalOther: 1 kB\nMemTotal:       24683844 kB\nmodel name\t: AMD EPYC\nmodel name\t: other\n";
        assert_eq!(field(text, "MemTotal"), "24683844 kB");
        assert_eq!(field(text, "model name"), "AMD EPYC");
        assert_eq!(field(text, "flags"), "unknown");
    }

    #[test]
    fn this_machine_says_what_it_is() {
        let machine = Machine::this().unwrap();
        assert!(machine.cores > 0 && machine.memory_gb > 0.0, "{machine}");
    }
}

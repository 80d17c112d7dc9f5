//! A PostgreSQL server with an empty database, for one measurement.

use std::fs;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, geteuid, kill_process};
use tempfile::TempDir;

/// Where Debian's package lays its programs.
pub(super) const PROGRAMS: &str = "/usr/lib/postgresql/15/bin";
/// Whom it runs as where this runs as root, as whom it does not run at all; Debian's package makes the account.
const ACCOUNT: &str = "postgres";
const LONGEST_START: Duration = Duration::from_secs(20);

/// A running server; it is stopped, and what it stored is removed, when this is dropped.
///
/// It keeps PostgreSQL's defaults, under which a commit is on disk before it is answered (`fsync` and `synchronous_commit`
/// are on), but for the connections: as many as pgbench needs, on a socket in its own folder alone.
pub(super) struct Postgres {
    process: Child,
    home: TempDir,
}

impl Postgres {
    /// Starts it with what it stores below `folder`.
    ///
    /// # Errors
    /// It is not installed, or does not start.
    pub(super) fn start(folder: &Path) -> Result<Self> {
        let home = tempfile::tempdir_in(folder)?;
        if geteuid().is_root() {
            chown(home.path(), Some(id_of_account("-u")?), Some(id_of_account("-g")?))?;
        }
        let data = home.path().join("data");
        let mut init = Self::command("initdb");
        init.arg("--pgdata").arg(&data).args(["--username=orderbell", "--auth=trust", "--encoding=UTF8"]);
        let init = init.args(["--no-locale", "--no-sync", "--no-instructions"]).output().context("initdb")?;
        ensure!(init.status.success(), "initdb: {}", String::from_utf8_lossy(&init.stderr));
        let log = fs::File::create(home.path().join("log"))?;
        let mut command = Self::command("postgres");
        command.arg("-D").arg(&data).arg("-k").arg(home.path()).args([
            "-c",
            "listen_addresses=",
            "-N",
            "200",
        ]);
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let mut server = Self { process: command.spawn().context("postgres")?, home };
        server.wait_until_it_answers()?;
        // What was written for the start is not written while something is measured.
        rustix::fs::sync();
        Ok(server)
    }

    /// One of its programs, as its own account; the kernel ends it where this program ends.
    fn command(program: &str) -> Command {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "QUIT"]);
        if geteuid().is_root() {
            command.args(["--reuid", ACCOUNT, "--regid", ACCOUNT, "--clear-groups"]);
        }
        command.arg("--").arg(Path::new(PROGRAMS).join(program));
        command
    }

    fn wait_until_it_answers(&mut self) -> Result<()> {
        let start = Instant::now();
        loop {
            let asked = self.client("pg_isready").arg("--quiet").status()?;
            if asked.success() {
                return Ok(());
            }
            if let Some(status) = self.process.try_wait()? {
                bail!("postgres ended with {status}: {}", fs::read_to_string(self.home.path().join("log"))?);
            }
            ensure!(start.elapsed() < LONGEST_START, "postgres does not answer");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// One of its clients' programs, for the empty database.
    pub(super) fn client(&self, program: &str) -> Command {
        let mut command = Command::new(Path::new(PROGRAMS).join(program));
        self.tell(&mut command);
        command
    }

    /// Tells a command in its environment, as every client knows it, where the empty database is.
    pub(super) fn tell(&self, command: &mut Command) {
        let database: [(&str, PathBuf); 3] = [
            ("PGHOST", self.home.path().to_owned()),
            ("PGUSER", "orderbell".into()),
            ("PGDATABASE", "postgres".into()),
        ];
        command.envs(database);
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // At once, with all its processes: nothing of it is needed.
        let _ended_already = kill_process(Pid::from_child(&self.process), Signal::QUIT);
        let _ended_already = self.process.wait();
    }
}

/// The account's user (`-u`) or group (`-g`).
fn id_of_account(which: &str) -> Result<u32> {
    let output = Command::new("id").args([which, ACCOUNT]).output().context("id")?;
    let id = String::from_utf8(output.stdout)?;
    id.trim().parse().with_context(|| format!("there is no account {ACCOUNT}"))
}

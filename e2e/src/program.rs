//! The program under test, as a process of its own.

use std::env;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};

use anyhow::{Context, Result, bail};
use rustix::process::Signal;
use tempfile::TempDir;

use crate::client::Client;
use crate::log::Log;
use crate::{process, wait};

/// Settings of the program: names of environment variables and their values.
pub type Settings = Vec<(&'static str, String)>;

/// A running `orderbell serve` on a free port of the loopback interface, with a data folder of its own. When it is
/// dropped the process is killed, the folder removed, and its log printed (a test shows that only when it fails).
#[derive(Debug)]
pub struct Program {
    child: Child,
    home: TempDir,
    settings: Settings,
    tracer: Vec<OsString>,
    address: SocketAddr,
    log: Log,
}

impl Program {
    /// Starts it with an empty data folder, and waits until it is ready.
    ///
    /// # Errors
    /// It does not become ready soon; the error holds its log.
    pub async fn start(settings: Settings) -> Result<Self> {
        Self::start_in(new_home()?, settings, Vec::new()).await
    }

    /// As [`start`](Self::start), with what already lies in `home`, and under the command `tracer` if that is not empty:
    /// the program and its arguments follow the tracer's own, and it stays our child (`strace --daemonize`).
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub async fn start_in(home: TempDir, settings: Settings, tracer: Vec<OsString>) -> Result<Self> {
        let log = Log::default();
        let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut child = spawn(home.path(), &settings, &tracer, any_port, &log)?;
        let address = wait_for_address(&mut child, &log).await?;
        let program = Self { child, home, settings, tracer, address, log };
        program.wait_until_ready().await?;
        Ok(program)
    }

    /// Starts it again on the same data folder and port, after it ended, and waits until it is ready.
    ///
    /// # Errors
    /// It does not become ready soon; the error holds its log.
    pub async fn restart(&mut self) -> Result<()> {
        self.log.clear();
        self.child = spawn(self.home.path(), &self.settings, &self.tracer, self.address, &self.log)?;
        wait_for_address(&mut self.child, &self.log).await?;
        self.wait_until_ready().await
    }

    /// As [`restart`](Self::restart), with other settings from now on.
    ///
    /// # Errors
    /// As [`restart`](Self::restart).
    pub async fn restart_with(&mut self, settings: Settings) -> Result<()> {
        self.settings = settings;
        self.restart().await
    }

    /// Kills it (SIGKILL) and waits for its end.
    ///
    /// # Errors
    /// The system refuses.
    pub fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Asks it to end (SIGTERM) and waits until it did.
    ///
    /// # Errors
    /// It does not end soon.
    pub async fn terminate(&mut self) -> Result<ExitStatus> {
        self.end(Signal::TERM).await
    }

    /// As [`terminate`](Self::terminate), by another signal.
    ///
    /// # Errors
    /// It does not end soon.
    pub async fn end(&mut self, signal: Signal) -> Result<ExitStatus> {
        process::signal(self.id(), signal);
        self.ended().await
    }

    /// Waits until it ended, for whatever reason.
    ///
    /// # Errors
    /// It does not end soon.
    pub async fn ended(&mut self) -> Result<ExitStatus> {
        wait::until("the program ends", async || Ok(self.child.try_wait()?)).await
    }

    /// Its process.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Where it answers, such as `http://127.0.0.1:43210`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Its data folder.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        data(self.home.path())
    }

    /// What it wrote to its standard output and error since it was last started.
    #[must_use]
    pub fn log(&self) -> String {
        self.log.text()
    }

    /// A client that holds the admin key.
    ///
    /// # Errors
    /// The key file cannot be read.
    pub fn client(&self) -> Result<Client> {
        let key = std::fs::read_to_string(self.data().join("admin.key")).context("the admin key")?;
        Client::new(&self.url(), Some(key.trim()))
    }

    /// A client that holds no key.
    ///
    /// # Errors
    /// The client cannot be made.
    pub fn stranger(&self) -> Result<Client> {
        Client::new(&self.url(), None)
    }

    /// Runs another command of the program against this one, as an operator on this machine does.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn command(&self, args: &[&str]) -> Result<Output> {
        self.command_with(args, &Settings::new())
    }

    /// As [`command`](Self::command), with settings of its own.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn command_with(&self, args: &[&str], settings: &Settings) -> Result<Output> {
        let mut command = orderbell(self.home.path());
        command.envs(settings.iter().map(|(name, value)| (*name, value.as_str())));
        command.env("ORDERBELL_DATA", self.data()).args(args);
        command.output().context("starting the program")
    }

    async fn wait_until_ready(&self) -> Result<()> {
        let client = self.stranger()?;
        let ready = async || {
            let answer = client.get("/readyz").await;
            Ok(answer.ok().filter(|answer| answer.status == 200).map(drop))
        };
        wait::until("the program is ready", ready).await.with_context(|| self.log())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ended_already = self.kill();
        eprintln!("the program's log:\n{}", self.log());
    }
}

/// The program's command, without any of this machine's own settings, in the folder `home`.
///
/// It is the one that `ORDERBELL_BIN` names, or cargo's debug build.
#[must_use]
pub fn orderbell(home: &Path) -> Command {
    orderbell_under(&[], home)
}

fn orderbell_under(tracer: &[OsString], home: &Path) -> Command {
    let mut command = match tracer.split_first() {
        None => Command::new(binary()),
        Some((tracer, arguments)) => {
            let mut command = Command::new(tracer);
            command.args(arguments).arg(binary());
            command
        }
    };
    for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("ORDERBELL_")) {
        command.env_remove(name);
    }
    command.current_dir(home).stdin(Stdio::null());
    command
}

fn binary() -> PathBuf {
    let built = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/debug/orderbell");
    env::var_os("ORDERBELL_BIN").map_or_else(built, PathBuf::from)
}

/// The data folder of the program that runs in `home`.
#[must_use]
pub fn data(home: &Path) -> PathBuf {
    home.join("data")
}

/// A folder for a program to run in. It lies beside the program: on a disk, where a commit takes its time, and not in a
/// memory file system.
///
/// # Errors
/// It cannot be made.
pub fn new_home() -> Result<TempDir> {
    let program = binary();
    let beside = program.parent().unwrap_or(Path::new(".")).canonicalize().context("the program's folder")?;
    Ok(tempfile::tempdir_in(beside)?)
}

fn spawn(
    home: &Path,
    settings: &Settings,
    tracer: &[OsString],
    address: SocketAddr,
    log: &Log,
) -> Result<Child> {
    let mut command = orderbell_under(tracer, home);
    command.arg("serve").args(["--listen", &address.to_string()]).arg("--data").arg(data(home));
    command.envs(settings.iter().map(|(name, value)| (*name, value.as_str())));
    let program = command.get_program().display().to_string();
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("starting {program}; `cargo build` makes it"))?;
    log.follow(child.stdout.take().context("its output")?);
    log.follow(child.stderr.take().context("its errors")?);
    Ok(child)
}

/// The address in the URL that it prints once it listens.
async fn wait_for_address(child: &mut Child, log: &Log) -> Result<SocketAddr> {
    let found = async || {
        if let Some(status) = child.try_wait()? {
            bail!("the program ended with {status}");
        }
        Ok(address_in(&log.text()))
    };
    wait::until("the program prints its URL", found).await.with_context(|| log.text())
}

fn address_in(log: &str) -> Option<SocketAddr> {
    let (_, rest) = log.split_once("http://127.0.0.1:")?;
    let end = rest.find(|c: char| !c.is_ascii_digit())?;
    let port = rest[..end].parse().ok().filter(|port| *port != 0)?;
    Some(SocketAddr::from(([127, 0, 0, 1], port)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_found_in_what_the_program_prints() {
        let line = "2026-01-02T03:04:05Z INFO listening on http://127.0.0.1:4321/ …\n";
        assert_eq!(address_in(line), Some(SocketAddr::from(([127, 0, 0, 1], 4321))));
        assert_eq!(address_in("http://127.0.0.1:43"), None, "the line is not whole yet");
        assert_eq!(address_in("opening the store\n"), None);
    }
}

//! A server under measurement, as a process of its own.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

const LONGEST_START: Duration = Duration::from_secs(20);

/// Variables of the program's environment.
pub(crate) type Settings = &'static [(&'static str, &'static str)];

/// A running server; it is killed, and what it stored is removed, when this is dropped.
pub(crate) struct Server {
    process: Child,
    home: TempDir,
    /// What the program is set to by its environment, besides what every measurement needs.
    settings: Settings,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// Its log, where nobody reads it.
    _stalled: Option<BufReader<ChildStderr>>,
}

impl Server {
    /// Starts the program with an empty store, on the disk that the program itself lies on, its log going to a file.
    ///
    /// # Errors
    /// It does not start.
    pub(crate) fn program(program: &Path) -> Result<Self> {
        Self::program_with(program, &[])
    }

    /// Starts the program as [`program`](Self::program) does, with variables in its environment, which it keeps when it is
    /// [`restarted`](Self::restarted).
    ///
    /// # Errors
    /// It does not start.
    pub(crate) fn program_with(program: &Path, settings: Settings) -> Result<Self> {
        let program = program.canonicalize().with_context(|| program.display().to_string())?;
        let home = tempfile::tempdir_in(program.parent().unwrap_or(Path::new("/")))?;
        Self::serve(&program, home, settings)
    }

    /// Kills the program, does something to its data folder, and starts it again.
    ///
    /// # Errors
    /// What is done fails, or it does not start.
    pub(crate) fn restarted(
        mut self,
        program: &Path,
        change: impl FnOnce(&Path) -> Result<()>,
    ) -> Result<Self> {
        self.kill();
        let home = std::mem::replace(&mut self.home, tempfile::tempdir()?);
        change(&home.path().join("data"))?;
        Self::serve(&program.canonicalize()?, home, self.settings)
    }

    fn serve(program: &Path, home: TempDir, settings: Settings) -> Result<Self> {
        let mut command = Command::new(program);
        command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(home.path().join("data"));
        command.env("ORDERBELL_WEBHOOK_ALLOWED_HOSTS", "127.0.0.1").envs(settings.iter().copied());
        let mut server = Self::start(command, home)?;
        server.settings = settings;
        Ok(server)
    }

    /// Starts the program as [`program`](Self::program) does, its log going to a pipe that nobody reads once it has said
    /// where it listens.
    ///
    /// # Errors
    /// It does not start.
    pub(crate) fn with_stalled_log(program: &Path) -> Result<Self> {
        let program = program.canonicalize().with_context(|| program.display().to_string())?;
        let home = tempfile::tempdir_in(program.parent().unwrap_or(Path::new("/")))?;
        let mut command = Command::new(program);
        command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(home.path().join("data"));
        command.env("ORDERBELL_WEBHOOK_ALLOWED_HOSTS", "127.0.0.1").current_dir(home.path());
        let mut process =
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        let mut log = BufReader::new(process.stderr.take().context("its log")?);
        let mut text = String::new();
        let address = loop {
            if log.read_line(&mut text)? == 0 {
                bail!("the server ended: {text}");
            }
            if let Some(address) = address_in(&text) {
                break address;
            }
        };
        Ok(Self { process, home, settings: &[], address, _stalled: Some(log) })
    }

    /// Starts the bare echo.
    ///
    /// # Errors
    /// It does not start.
    pub(crate) fn echo() -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("echo");
        Self::start(command, tempfile::tempdir()?)
    }

    /// Starts a server in the folder, its log going to a file there, and waits until that names the URL it listens at.
    ///
    /// # Errors
    /// It does not start.
    pub(crate) fn start(mut command: Command, home: TempDir) -> Result<Self> {
        let log = home.path().join("log");
        let file = File::create(&log)?;
        command.current_dir(home.path()).stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
        let name = command.get_program().display().to_string();
        let process = command.spawn().with_context(|| format!("starting {name}"))?;
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut server = Self { process, home, settings: &[], address, _stalled: None };
        server.address = server.wait_for_address(&log)?;
        Ok(server)
    }

    fn wait_for_address(&mut self, log: &Path) -> Result<SocketAddr> {
        let start = Instant::now();
        loop {
            let text = fs::read_to_string(log)?;
            if let Some(address) = address_in(&text) {
                return Ok(address);
            }
            if let Some(status) = self.process.try_wait()? {
                bail!("the server ended with {status}: {text}");
            }
            if start.elapsed() > LONGEST_START {
                bail!("the server does not say where it listens: {text}");
            }
            thread::sleep(Duration::from_millis(1));
        }
    }

    fn kill(&mut self) {
        let _ended_already = self.process.kill();
        let _ended_already = self.process.wait();
    }

    /// Its process.
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// The key that opens its management routes.
    ///
    /// # Errors
    /// The key file cannot be read.
    pub(crate) fn admin_key(&self) -> Result<String> {
        let key = fs::read_to_string(self.home.path().join("data/admin.key")).context("the admin key")?;
        Ok(key.trim().to_owned())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The address in the URL that a server prints.
fn address_in(log: &str) -> Option<SocketAddr> {
    let (_, rest) = log.split_once("http://127.0.0.1:")?;
    let end = rest.find(|c: char| !c.is_ascii_digit())?;
    let port = rest[..end].parse().ok()?;
    Some(SocketAddr::from(([127, 0, 0, 1], port)))
}

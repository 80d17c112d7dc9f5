//! The Lambda program under AWS's Runtime Interface Emulator.

use std::ffi::OsStr;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::Signal;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::sync::Mutex;

use super::emulators::{bootstrap, credentials, runtime_interface_emulator};
use crate::log::Log;
use crate::program::Settings;
use crate::{client, process, wait};

/// Longer than any invocation may take by its own time-outs.
const TIMEOUT: Duration = Duration::from_mins(1);
const PAUSE: Duration = Duration::from_millis(1);

/// A running execution environment: the emulator and, as its child, the program as one of its parts. It takes one
/// event at a time, as Lambda has it. The emulator starts the program when the first event comes. When this is dropped
/// its processes end.
#[derive(Debug)]
pub struct Function {
    emulator: Child,
    address: SocketAddr,
    http: reqwest::Client,
    turn: Mutex<()>,
    log: Log,
    prints_log: bool,
}

/// What came of an invocation.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The function answered.
    Answer(Value),
    /// It answered with an error, or its process ended before it answered.
    Failed(String),
}

impl Outcome {
    /// The answer.
    ///
    /// # Errors
    /// There is none.
    pub fn answer(self) -> Result<Value> {
        match self {
            Self::Answer(answer) => Ok(answer),
            Self::Failed(reason) => bail!("the function failed: {reason}"),
        }
    }
}

impl Function {
    /// Starts the program as the part that `handler` names (`http`, `stream` or `sweep`), with these settings. When it
    /// is dropped its log is printed (a test shows that only when it fails).
    ///
    /// # Errors
    /// It does not start; `cargo build -p orderbell-lambda` makes it.
    pub async fn start(handler: &str, settings: &Settings) -> Result<Self> {
        let program = bootstrap();
        let mut function = Self::launch(&[program.as_os_str(), handler.as_ref()], Path::new("."), settings)?;
        function.prints_log = true;
        function.wait_until_it_listens().await?;
        Ok(function)
    }

    /// Launches the emulator for any runtime's program, to run in `folder`, and waits for nothing.
    ///
    /// # Errors
    /// The emulator is not there.
    pub fn launch(program: &[&OsStr], folder: &Path, settings: &Settings) -> Result<Self> {
        let mut command = Command::new(runtime_interface_emulator()?);
        command.env_clear().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.envs(credentials()).env("AWS_LAMBDA_FUNCTION_NAME", "orderbell").current_dir(folder);
        command.envs(settings.iter().map(|(name, value)| (*name, value.as_str())));
        let address = free_address()?;
        command.arg("--runtime-interface-emulator-address").arg(address.to_string());
        command.arg("--runtime-api-address").arg(free_address()?.to_string());
        let http = client::http()?;
        let mut emulator =
            command.args(program).spawn().context("starting the Runtime Interface Emulator")?;
        let log = Log::default();
        log.follow(emulator.stdout.take().context("its output")?);
        log.follow(emulator.stderr.take().context("its errors")?);
        Ok(Self { emulator, address, http, turn: Mutex::new(()), log, prints_log: false })
    }

    /// Waits until events can be handed to it.
    ///
    /// # Errors
    /// That is not so soon.
    pub async fn wait_until_it_listens(&self) -> Result<()> {
        let start = Instant::now();
        while let Err(error) = TcpStream::connect(self.address).await {
            if start.elapsed() > wait::SOON {
                return Err(error).with_context(|| self.log.text());
            }
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    }

    /// Hands it an event, once it is done with the one before.
    ///
    /// # Errors
    /// The emulator does not answer.
    pub async fn invoke(&self, event: &Value) -> Result<Outcome> {
        let _turn = self.turn.lock().await;
        let url = format!("http://{}/2015-03-31/functions/function/invocations", self.address);
        let request = self.http.post(url).timeout(TIMEOUT).body(event.to_string());
        let response = request.send().await.with_context(|| self.log.text())?;
        let succeeded = response.status().is_success();
        let text = response.text().await?;
        Ok(match serde_json::from_str(&text) {
            // The emulator has no header that tells an error from an answer, as Lambda has.
            Ok(Value::Object(answer)) if succeeded && !answer.contains_key("errorType") => {
                Outcome::Answer(Value::Object(answer))
            }
            _ => Outcome::Failed(text),
        })
    }

    /// Kills the program (SIGKILL), whatever it is doing; the emulator tells whoever waits for an answer.
    pub fn kill(&self) {
        for process in process::descendants(self.emulator.id()) {
            process::signal(process, Signal::KILL);
        }
    }

    /// The most memory that the program took so far, in bytes (`VmHWM`).
    ///
    /// # Errors
    /// It does not run.
    pub fn peak_memory(&self) -> Result<u64> {
        let processes = process::descendants(self.emulator.id());
        let peaks: Result<Vec<_>> = processes.into_iter().map(process::peak_memory).collect();
        peaks.map(|peaks| peaks.into_iter().sum())
    }

    /// What it wrote to its log.
    #[must_use]
    pub fn log(&self) -> String {
        self.log.text()
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        self.kill();
        let _ended_already = self.emulator.kill();
        let _ended_already = self.emulator.wait();
        if self.prints_log {
            eprintln!("the function's log:\n{}", self.log());
        }
    }
}

/// An address on which nobody listens. Between here and the emulator's start anybody may take a free port of 127.0.0.1, if only
/// to connect from it: this is of a loopback address that no other process has.
fn free_address() -> Result<SocketAddr> {
    let [_, high, middle, low] = std::process::id().to_be_bytes();
    // Linux has process ids of 22 bits (proc(5), pid_max); all of 127.0.0.0/8 is loopback (RFC 1122, 3.2.1.3).
    let own = [127, 64 | high, middle, low];
    Ok(TcpListener::bind(SocketAddr::from((own, 0)))?.local_addr()?)
}

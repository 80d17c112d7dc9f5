//! `cargo xtask emulators -- COMMAND…`: runs a command beside emulators of AWS, in a network of its own.
//!
//! DynamoDB Local listens on every interface and asks nobody for a key. Within a network namespace nobody else sees it,
//! and its port is free however many of these run at once.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{self, Child, Command, ExitCode, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::cargo::forget_own;
use crate::install::{Emulators, install_emulators, is_root};
use crate::steps::succeed;

const DYNAMODB_PORT: u16 = 8000;
const MOTO_PORT: u16 = 5000;

/// How long an emulator may take until it answers.
const TIMEOUT: Duration = Duration::from_mins(1);
const PAUSE: Duration = Duration::from_millis(50);

/// Runs `command` and gives its exit code. The command finds in its environment:
///
/// - `ORDERBELL_TEST_DYNAMODB` and `ORDERBELL_TEST_MOTO`: the emulators' URLs;
/// - `ORDERBELL_TEST_RIE`: the path of the Runtime Interface Emulator;
/// - `ORDERBELL_TEST_PYTHON`: a Python with boto3 and Lambda's runtime client;
/// - a region and keys, which the emulators ask for and do not check.
///
/// # Errors
/// Something cannot be installed, no network can be made here, an emulator does not answer, or the command does not
/// start.
pub(crate) fn run(root: &Path, command: &[OsString]) -> Result<ExitCode> {
    install_emulators(root)?;
    let status = network(command)?.status().context("unshare, of the Debian package util-linux")?;
    Ok(exit_code(status.code()))
}

/// The command that makes a network and runs `command` beside the emulators in it.
///
/// # Errors
/// The system does not say who this is.
pub(crate) fn network(command: &[OsString]) -> Result<Command> {
    let mut unshare = Command::new("unshare");
    unshare.arg("--net");
    if !is_root()? {
        unshare.arg("--map-root-user");
    }
    // Not by its path: a build may have replaced the file meanwhile.
    let this = format!("/proc/{}/exe", process::id());
    unshare.args(["--", &this, "within-network", "--"]).args(command);
    forget_own(&mut unshare);
    Ok(unshare)
}

/// As [`run`], within the new network.
///
/// # Errors
/// As [`run`].
pub(crate) fn run_within_network(root: &Path, command: &[OsString]) -> Result<ExitCode> {
    let emulators = install_emulators(root)?;
    succeed(Command::new("ip").args(["link", "set", "lo", "up"]))?;
    let logs = root.join("target/emulators");
    fs::create_dir_all(&logs)?;
    let mut dynamodb = Emulator::start(dynamodb(&emulators), DYNAMODB_PORT, logs.join("dynamodb.log"))?;
    let mut moto = Emulator::start(moto(&emulators), MOTO_PORT, logs.join("moto.log"))?;
    dynamodb.wait_until_it_answers()?;
    moto.wait_until_it_answers()?;
    let (program, arguments) = command.split_first().context("a command")?;
    let mut inner = Command::new(program);
    inner.args(arguments).envs(environment(&emulators));
    let status = inner.status().with_context(|| format!("starting {}", program.display()))?;
    Ok(exit_code(status.code()))
}

fn environment(emulators: &Emulators) -> [(&'static str, OsString); 7] {
    [
        ("ORDERBELL_TEST_DYNAMODB", format!("http://127.0.0.1:{DYNAMODB_PORT}").into()),
        ("ORDERBELL_TEST_MOTO", format!("http://127.0.0.1:{MOTO_PORT}").into()),
        ("ORDERBELL_TEST_RIE", emulators.rie.clone().into()),
        ("ORDERBELL_TEST_PYTHON", emulators.python.clone().into()),
        ("AWS_ACCESS_KEY_ID", "emulator".into()),
        ("AWS_SECRET_ACCESS_KEY", "emulator".into()),
        ("AWS_REGION", "us-east-1".into()),
    ]
}

fn dynamodb(emulators: &Emulators) -> Command {
    let libraries = format!("-Djava.library.path={}", emulators.dynamodb.join("DynamoDBLocal_lib").display());
    let mut java = ending_with_this("java");
    java.args(["-Xmx512m", &libraries, "-jar"]).arg(emulators.dynamodb.join("DynamoDBLocal.jar"));
    java.args(["-inMemory", "-sharedDb", "-disableTelemetry", "-port", &DYNAMODB_PORT.to_string()]);
    // It leaves a file where it runs.
    java.current_dir(&emulators.dynamodb);
    java
}

fn moto(emulators: &Emulators) -> Command {
    let mut moto = ending_with_this(emulators.python.as_os_str());
    moto.args(["-m", "moto.server", "-H", "127.0.0.1", "-p", &MOTO_PORT.to_string()]);
    moto
}

/// A command that the kernel ends when this program ends, even if this one is killed.
fn ending_with_this(program: impl Into<OsString>) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "--"]).arg(program.into());
    command
}

/// An exit status as a code of our own; 1 for a command that was ended by a signal.
fn exit_code(code: Option<i32>) -> ExitCode {
    ExitCode::from(code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}

/// A running emulator; it ends when this is dropped.
struct Emulator {
    child: Child,
    port: u16,
    log: PathBuf,
}

impl Emulator {
    fn start(mut command: Command, port: u16, log: PathBuf) -> Result<Self> {
        let output = File::create(&log).with_context(|| log.display().to_string())?;
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        let child = command.spawn().context("setpriv, of the Debian package util-linux")?;
        Ok(Self { child, port, log })
    }

    fn wait_until_it_answers(&mut self) -> Result<()> {
        let start = Instant::now();
        while !answers(self.port) {
            if let Some(status) = self.child.try_wait()? {
                bail!("an emulator ended with {status}; see {}", self.log.display());
            }
            if start.elapsed() > TIMEOUT {
                bail!("an emulator does not answer; see {}", self.log.display());
            }
            sleep(PAUSE);
        }
        Ok(())
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        let _ended_already = self.child.kill();
        let _ended_already = self.child.wait();
    }
}

/// Whether a server on this machine answers HTTP with anything at all.
fn answers(port: u16) -> bool {
    let ask = || {
        let mut line = TcpStream::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
        line.set_read_timeout(Some(Duration::from_secs(5)))?;
        line.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        line.read_exact(&mut [0; 4])
    };
    ask().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commands_exit_code_is_passed_on_and_a_signal_is_a_failure() {
        assert_eq!(exit_code(Some(0)), ExitCode::SUCCESS);
        assert_eq!(exit_code(Some(101)), ExitCode::from(101));
        assert_eq!(exit_code(None), ExitCode::FAILURE);
    }

    #[test]
    fn nobody_answers_on_a_port_that_is_closed() {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        assert!(!answers(port));
    }
}

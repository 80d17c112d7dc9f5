//! The log costs nobody anything: not where its reader stalls, not where it cannot be written at all.

use std::fs::OpenOptions;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, ChildStderr, Command, Stdio};

use anyhow::{Context, Result, ensure};
use orderbell_e2e::client::Client;
use orderbell_e2e::program::{new_home, orderbell};
use orderbell_e2e::{process, wait};
use rustix::process::Signal;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufStream};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Requests whose paths make lines in the log: so many fill all that may wait for its reader, in lines and in bytes.
const MANY: usize = 18_000;
/// How many are sent before their answers are read.
const AT_ONCE: usize = 100;

/// The program with a standard error of its own, killed when this is dropped.
struct Program {
    child: Child,
    address: SocketAddr,
    _home: TempDir,
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ended_already = self.child.kill();
        let _ended_already = self.child.wait();
    }
}

impl Program {
    /// Starts it as `started` does with the command, whose arguments are complete.
    fn start(started: impl FnOnce(&mut Command) -> Result<Child>) -> Result<Self> {
        let home = new_home()?;
        let address = free_address()?;
        let mut command = orderbell(home.path());
        command.args(["serve", "--listen", &address.to_string(), "--data"]).arg(home.path().join("data"));
        command.env("ORDERBELL_LOG", "debug").env("ORDERBELL_ADMIN_KEY", ADMIN_KEY).stdout(Stdio::null());
        Ok(Self { child: started(&mut command)?, address, _home: home })
    }

    async fn answers(&mut self) -> Result<Client> {
        let client = Client::new(&format!("http://{}", self.address), Some(ADMIN_KEY))?;
        let healthy = async || {
            ensure!(self.child.try_wait()?.is_none(), "the program ended");
            Ok(client.get("/healthz").await.ok().filter(|answer| answer.status == 200).map(drop))
        };
        wait::until("the program answers", healthy).await?;
        Ok(client)
    }

    async fn ends_when_told(&mut self) -> Result<()> {
        process::signal(self.child.id(), Signal::TERM);
        let ended = wait::until("the program ends", async || Ok(self.child.try_wait()?)).await?;
        ensure!(ended.success(), "{ended}");
        Ok(())
    }

    /// Starts it with a log that is a pipe, which is read until it says where it listens and then no further.
    async fn with_stalled_log() -> Result<(Self, BufReader<ChildStderr>, Client)> {
        let mut program = Self::start(|command| Ok(command.stderr(Stdio::piped()).spawn()?))?;
        let mut log = BufReader::new(program.child.stderr.take().context("its log")?);
        let mut line = String::new();
        while !line.contains("listens on") {
            line.clear();
            ensure!(log.read_line(&mut line)? > 0, "the program ended");
        }
        let client = program.answers().await?;
        program.log_lines(MANY).await?;
        Ok((program, log, client))
    }

    /// Has it log so many lines.
    async fn log_lines(&self, count: usize) -> Result<()> {
        let mut line = BufStream::new(TcpStream::connect(self.address).await?);
        let requests = "GET /lost HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(AT_ONCE);
        let logged = timeout(wait::SOON * 2, async {
            for _ in 0..count / AT_ONCE {
                line.write_all(requests.as_bytes()).await?;
                line.flush().await?;
                for _ in 0..AT_ONCE {
                    answer(&mut line).await?;
                }
            }
            anyhow::Ok(())
        });
        logged.await.context("the program stopped answering")?
    }
}

/// Reads an answer of 404.
async fn answer(line: &mut BufStream<TcpStream>) -> Result<()> {
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let begun = head.len();
        ensure!(line.read_line(&mut head).await? > 0, "it closed the connection");
        match head[begun..].trim_end().to_ascii_lowercase().strip_prefix("content-length: ") {
            Some(of_the_body) => length = of_the_body.parse()?,
            None if head.ends_with("\r\n\r\n") => break,
            None => {}
        }
    }
    ensure!(head.starts_with("HTTP/1.1 404"), "{head}");
    line.read_exact(&mut vec![0; length]).await?;
    Ok(())
}

/// Opens the metrics.
const ADMIN_KEY: &str = "obk_admin_0123456789abcdef";

fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

/// How many lines were lost, as the metrics have it.
async fn dropped(client: &Client) -> Result<u64> {
    let metrics = client.get("/metrics").await?.body;
    let line = metrics.lines().find_map(|line| line.strip_prefix("orderbell_log_lines_dropped_total "));
    Ok(line.context("the metric is there from the start")?.parse()?)
}

#[tokio::test]
async fn a_reader_of_the_log_that_stalls_stops_nothing_and_is_told_later_what_it_missed() -> Result<()> {
    let (mut program, mut log, client) = Program::with_stalled_log().await?;
    client.place_order("John Doe", "Wireless Mouse").await?;
    let lost = dropped(&client).await?;
    assert!(lost > 0, "some of {MANY} lines");

    let read = std::thread::spawn(move || {
        let mut said = None;
        let mut line = String::new();
        while log.read_line(&mut line).is_ok_and(|read| read > 0) {
            if line.contains("lines of the log were dropped") {
                said.get_or_insert_with(|| line.clone());
            }
            line.clear();
        }
        said
    });
    program.ends_when_told().await?;
    let said = read.join().unwrap().context("the loss is said")?;
    let said: serde_json::Value = serde_json::from_str(&said)?;
    assert!(said["lines"].as_u64() >= Some(lost), "{lost} were lost: {said}");
    Ok(())
}

#[tokio::test]
async fn told_to_end_it_ends_though_nobody_reads_its_log() -> Result<()> {
    let (mut program, _log, _) = Program::with_stalled_log().await?;
    program.ends_when_told().await
}

#[tokio::test]
async fn nothing_is_lost_of_a_log_that_is_read() -> Result<()> {
    let mut program = Program::start(|command| Ok(command.stderr(Stdio::piped()).spawn()?))?;
    let mut log = program.child.stderr.take().context("its log")?;
    let read = std::thread::spawn(move || {
        let mut text = String::new();
        log.read_to_string(&mut text).map(|_| text)
    });
    let client = program.answers().await?;
    assert_eq!(dropped(&client).await?, 0);
    // Fewer than may wait, however slowly this machine reads them.
    let few = MANY / 3;
    program.log_lines(few).await?;
    assert_eq!(dropped(&client).await?, 0);
    program.ends_when_told().await?;
    // A line tells the route, and not the path that anybody may choose.
    assert_eq!(read.join().unwrap()?.matches("\"route\":\"none\"").count(), few);
    Ok(())
}

#[tokio::test]
async fn it_starts_where_its_log_cannot_be_written() -> Result<()> {
    let full = || OpenOptions::new().write(true).open("/dev/full");
    let mut program = Program::start(|command| Ok(command.stderr(full()?).spawn()?))?;
    let client = program.answers().await?;
    client.place_order("John Doe", "Wireless Mouse").await?;
    assert!(dropped(&client).await? > 0);
    program.ends_when_told().await?;

    let mut program = Program::start(|command| {
        let (reader, writer) = std::io::pipe()?;
        drop(reader);
        Ok(command.stderr(writer).spawn()?)
    })?;
    program.answers().await?;
    program.ends_when_told().await?;

    let mut program = Program::start(|command| Ok(without_standard_error(command).spawn()?))?;
    program.answers().await?;
    program.ends_when_told().await?;

    // The pipe is full already, and nobody will read it: the case of a restart beside a reader that stalled.
    let (reader, mut writer) = std::io::pipe()?;
    rustix::io::ioctl_fionbio(&writer, true)?;
    while writer.write(&[b'x'; 4_096]).is_ok() {}
    rustix::io::ioctl_fionbio(&writer, false)?;
    let mut program = Program::start(|command| Ok(command.stderr(writer).spawn()?))?;
    program.answers().await?;
    program.ends_when_told().await?;
    drop(reader);
    Ok(())
}

/// The same command, by a shell that closes its standard error first.
fn without_standard_error(command: &Command) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", "exec \"$@\" 2>&-", "sh"]).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    shell.stdout(Stdio::null());
    shell
}

#[test]
fn a_failure_that_cannot_be_said_keeps_its_exit_code() -> Result<()> {
    let full = || OpenOptions::new().write(true).open("/dev/full");
    let (home, taken) = (tempfile::tempdir()?, TcpListener::bind("127.0.0.1:0")?);
    let taken = taken.local_addr()?.to_string();
    for (arguments, code) in [
        (vec!["serve", "--listen", &taken], 1),
        (vec!["serve", "--listen", "nowhere"], 2),
        (vec!["order", "list", "--url", "http://127.0.0.1:1"], 1),
        (vec!["key", "new", "no/name"], 2),
        (vec!["key", "new", "shop"], 0),
        (vec!["no-such-command"], 2),
    ] {
        let output =
            orderbell(home.path()).args(&arguments).stdout(Stdio::null()).stderr(full()?).output()?;
        assert_eq!(output.status.code(), Some(code), "{arguments:?}");
    }
    Ok(())
}

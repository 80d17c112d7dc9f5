//! How fast mail that waits is handed over to Postfix's `smtp-sink`, beside Postfix's own `smtp-source`, which sends as many
//! mails of the same size over as many sessions, each kept for the next mail or opened anew for it.

use std::cell::Cell;
use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;

use crate::report::{Report, Row};
use crate::server::Server;
use crate::stored::{Due, confirm_mail, let_wait};

/// How long one round may take.
const TIMEOUT: Duration = Duration::from_mins(1);
/// How often is looked whether all have arrived.
const PAUSE: Duration = Duration::from_micros(200);
/// How large the mail of such an order is, in bytes.
const MAIL_BYTES: &str = "2400";
const SENDER: &str = "orders@shop.example";

/// The load.
#[derive(Args, Clone)]
pub(crate) struct Load {
    /// Where Debian's mail relays were unpacked
    #[arg(long, default_value = ".tools/relays/unpacked")]
    relays: PathBuf,
    /// How many mails wait in all
    #[arg(long, default_value_t = 10_000)]
    mails: usize,
    /// How many recipients they are for
    #[arg(long, default_value_t = 500)]
    recipients: usize,
    /// How many sessions there are at once
    #[arg(long, value_delimiter = ',', default_value = "4,16")]
    sessions: Vec<usize>,
    /// How often each is measured, in turn
    #[arg(long, default_value_t = 3)]
    rounds: usize,
}

/// What the rounds with one number of sessions came to, in mails a second.
#[derive(Default)]
struct Rounds {
    told: Vec<f64>,
    kept: Vec<f64>,
    anew: Vec<f64>,
}

/// Measures all three for each number of sessions, the program each time on a new store.
///
/// # Errors
/// Postfix's programs are not there, the program does not start, or not every mail arrives.
pub(crate) fn measure(program: &Path, load: &Load) -> Result<Report> {
    let Load { mails, recipients, .. } = load;
    ensure!(load.rounds > 0 && *recipients > 0 && mails >= recipients, "there is nothing to measure");
    let what = format!(
        "{mails} waiting mails to {recipients} recipients handed over after a start, beside smtp-source"
    );
    let mut report = Report::begin("mail", program, what)?;
    let mut rounds: Vec<_> = load.sessions.iter().map(|_| Rounds::default()).collect();
    for _ in 0..load.rounds {
        for (sessions, rounds) in load.sessions.iter().zip(&mut rounds) {
            rounds.one(program, load, *sessions)?;
        }
    }
    for (sessions, Rounds { told, kept, anew }) in load.sessions.iter().zip(&rounds) {
        report.add(Row::new(format!("smtp-source, {sessions} sessions kept"), "/s", kept));
        report.add(Row::new(format!("smtp-source, a session a mail, {sessions} at once"), "/s", anew));
        let row = Row::new(format!("handed over, {sessions} sessions"), "/s", told);
        report.add(row.over("smtp-source, kept", told, kept).at_least(0.7));
    }
    report.note(
        "Each goes to Postfix's smtp-sink, from the sender's start to the last mail. smtp-source stores nothing and \
         sends the same bytes each time; by default it opens a session for each mail.",
    );
    Ok(report)
}

impl Rounds {
    fn one(&mut self, program: &Path, load: &Load, sessions: usize) -> Result<()> {
        let each = load.mails / load.recipients;
        let mails = load.recipients * each;
        self.told.push(by_the_program(program, load, sessions, each)?);
        self.kept.push(by_postfix(load, sessions, mails, &["-d"])?);
        self.anew.push(by_postfix(load, sessions, mails, &[])?);
        Ok(())
    }
}

fn by_the_program(program: &Path, load: &Load, sessions: usize, each: usize) -> Result<f64> {
    let server = Server::program(program)?;
    let mails = load.recipients * each;
    let sink = Sink::start(load, mails)?;
    let (port, begun) = (sink.address.port(), Cell::default());
    let server = server.restarted(program, |data| {
        let settings = format!(
            "[smtp]\nhost = \"127.0.0.1\"\nport = {port}\ntls = \"none\"\nfrom = \"{SENDER}\"\nconcurrency = {sessions}\n"
        );
        fs::write(data.with_file_name("orderbell.toml"), settings)?;
        confirm_mail(data, load.recipients)?;
        let_wait(data, each, Due::Now)?;
        begun.set(Some(Instant::now()));
        Ok(())
    })?;
    let rate = sink.rate(begun.get().context("a start")?, mails);
    drop(server);
    rate
}

fn by_postfix(load: &Load, sessions: usize, mails: usize, keep: &[&str]) -> Result<f64> {
    let sink = Sink::start(load, mails)?;
    let begun = Instant::now();
    let mut source = postfix(load, "smtp-source");
    source.args(keep).args(["-s", &sessions.to_string(), "-m", &mails.to_string(), "-l", MAIL_BYTES]);
    source.args(["-f", SENDER, "-t", "jane@example.com", &sink.address.to_string()]);
    let mut source = source.stdin(Stdio::null()).stderr(Stdio::null()).spawn()?;
    let rate = sink.rate(begun, mails);
    // The sink's end, after the last mail, cuts it off.
    let _whatever_it_says = source.wait()?;
    rate
}

/// Postfix's `smtp-sink`, which ends once it took all mails, or when this is dropped.
struct Sink {
    process: Child,
    address: SocketAddr,
}

impl Sink {
    fn start(load: &Load, mails: usize) -> Result<Self> {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let mut command = postfix(load, "smtp-sink");
        if rustix::process::getuid().is_root() {
            command.args(["-u", "nobody"]);
        }
        command.args(["-M", &mails.to_string(), &address.to_string(), "1024"]);
        let process =
            command.stdin(Stdio::null()).spawn().context("smtp-sink: `cargo xtask bench mail` has it")?;
        let sink = Self { process, address };
        let start = Instant::now();
        while TcpStream::connect(address).is_err() {
            ensure!(start.elapsed() < TIMEOUT, "smtp-sink does not listen");
            thread::sleep(PAUSE);
        }
        Ok(sink)
    }

    /// How many mails a second came since then, until all came.
    fn rate(mut self, begun: Instant, mails: usize) -> Result<f64> {
        loop {
            if let Some(status) = self.process.try_wait()? {
                ensure!(status.success(), "smtp-sink: {status}");
                return Ok(f64::from(u32::try_from(mails)?) / begun.elapsed().as_secs_f64());
            }
            if begun.elapsed() > TIMEOUT {
                bail!("not all mails arrived");
            }
            thread::sleep(PAUSE);
        }
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        let _ended_already = self.process.kill();
        let _ended_already = self.process.wait();
    }
}

/// One of Postfix's programs, with its libraries beside it.
fn postfix(load: &Load, name: &str) -> Command {
    let mut command = Command::new(load.relays.join("usr/sbin").join(name));
    command.env("LD_LIBRARY_PATH", load.relays.join("usr/lib/postfix"));
    command
}

//! Who is measured, and how each is started.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;
use serde_json::Value;

use super::postgres::Postgres;
use crate::load::paced;
use crate::receiver::Receiver;
use crate::server::{Server, Settings};
use crate::stored::{Due, let_wait};
use crate::subscribers::subscribe;

/// Who is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Peer {
    /// The program itself, as it is by default.
    Orderbell,
    /// The program with up to 16 messages at once to an endpoint, in no order, as the queues on PostgreSQL tell.
    OrderbellAtOnce,
    /// FastAPI on SQLite, telling in background tasks.
    Recipe,
    /// A Node service on PostgreSQL, told by graphile-worker.
    GraphileWorker,
    /// A Node service on PostgreSQL, told by pg-boss.
    PgBoss,
    /// PostgreSQL alone, its rows inserted by pgbench.
    Postgres,
}

/// Where the peers' programs are.
#[derive(Debug, Clone)]
pub(super) struct Places {
    /// A release build of the program; every store lies on the disk that it lies on.
    pub(super) program: PathBuf,
    /// What `bench/peers` holds.
    pub(super) sources: PathBuf,
    /// Where what the peers need was installed.
    pub(super) tools: PathBuf,
}

impl Places {
    /// The folder in which stores are made.
    fn stores(&self) -> &Path {
        self.program.parent().unwrap_or(Path::new("/"))
    }
}

/// A peer that takes orders. What it stored is removed when this is dropped.
pub(super) struct Running {
    /// What tells of orders, where that is a process of its own.
    teller: Option<Server>,
    taker: Server,
    database: Option<Postgres>,
}

impl Peer {
    /// What it is called in tables.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Orderbell => "Orderbell",
            Self::OrderbellAtOnce => "Orderbell, 16 at once",
            Self::Recipe => "FastAPI, SQLite",
            Self::GraphileWorker => "graphile-worker",
            Self::PgBoss => "pg-boss",
            Self::Postgres => "pgbench",
        }
    }

    /// The script of a queue on PostgreSQL.
    fn script(self) -> Option<&'static str> {
        match self {
            Self::GraphileWorker => Some("graphile_worker.mjs"),
            Self::PgBoss => Some("pg_boss.mjs"),
            _ => None,
        }
    }

    /// What the program itself is set to; none where the peer is another.
    fn settings(self) -> Option<Settings> {
        match self {
            Self::Orderbell => Some(&[]),
            Self::OrderbellAtOnce => Some(&[("ORDERBELL_WEBHOOK_ENDPOINT_CONCURRENCY", "16")]),
            _ => None,
        }
    }

    /// Starts the peer, but for PostgreSQL alone, with an empty store; it tells so many endpoints of the receiver.
    ///
    /// # Errors
    /// It does not start, or does not confirm the endpoints.
    pub(super) fn start(self, places: &Places, receiver: &Receiver, endpoints: usize) -> Result<Running> {
        if let Some(settings) = self.settings() {
            let server = Server::program_with(&places.program, settings)?;
            subscribe(&server, receiver, endpoints, &Value::Null)?;
            return Ok(Running::alone(server));
        }
        let mut running = self.start_without_telling(places, receiver, endpoints)?;
        if endpoints > 0 {
            self.let_tell(&mut running, places)?;
        }
        Ok(running)
    }

    /// Starts the peer as [`start`](Self::start) does, but with so many messages that wait for each endpoint; it begins to
    /// tell them.
    ///
    /// # Errors
    /// As there, or it does not take the orders.
    pub(super) fn start_with_waiting(
        self,
        places: &Places,
        receiver: &Receiver,
        endpoints: usize,
        each: usize,
    ) -> Result<Running> {
        if let Some(settings) = self.settings() {
            let server = Server::program_with(&places.program, settings)?;
            subscribe(&server, receiver, endpoints, &Value::Null)?;
            let waiting = server.restarted(&places.program, |data| let_wait(data, each, Due::Now))?;
            return Ok(Running::alone(waiting));
        }
        let mut running = self.start_without_telling(places, receiver, endpoints)?;
        let (orders, second) = (f64::from(u32::try_from(each)?), Duration::from_secs(1));
        paced::place(running.address(), orders, second)?;
        self.let_tell(&mut running, places)?;
        Ok(running)
    }

    fn start_without_telling(
        self,
        places: &Places,
        receiver: &Receiver,
        endpoints: usize,
    ) -> Result<Running> {
        let endpoints: Vec<_> = (0..endpoints).map(|number| receiver.url_of(number)).collect();
        let Some(script) = self.script() else { return Ok(Running::alone(recipe(places, &endpoints)?)) };
        let database = Postgres::start(places.stores())?;
        let taker = node(places, script, "take", &database, &endpoints)?;
        Ok(Running { teller: None, taker, database: Some(database) })
    }

    /// Starts what tells of orders, where that is a process of its own.
    fn let_tell(self, running: &mut Running, places: &Places) -> Result<()> {
        if let (Some(script), Some(database)) = (self.script(), &running.database) {
            running.teller = Some(node(places, script, "tell", database, &[])?);
        }
        Ok(())
    }
}

impl Running {
    fn alone(taker: Server) -> Self {
        Self { teller: None, taker, database: None }
    }

    /// Where it takes orders.
    pub(super) fn address(&self) -> SocketAddr {
        self.taker.address
    }
}

fn node(
    places: &Places,
    script: &str,
    role: &str,
    database: &Postgres,
    endpoints: &[String],
) -> Result<Server> {
    let mut command = Command::new(places.tools.join("node/node_modules/.bin/node"));
    command.arg(places.tools.join("node").join(script)).arg(role).env("PEER_ENDPOINTS", endpoints.join(","));
    database.tell(&mut command);
    Server::start(command, tempfile::tempdir_in(places.stores())?)
}

fn recipe(places: &Places, endpoints: &[String]) -> Result<Server> {
    let mut command = Command::new(places.tools.join("recipe/bin/python"));
    command.args(["-m", "uvicorn", "recipe:app", "--port", "0", "--no-access-log", "--app-dir"]);
    command.arg(places.sources.join("recipe")).env("PEER_ENDPOINTS", endpoints.join(","));
    Server::start(command, tempfile::tempdir_in(places.stores())?)
}

/// Single rows that pgbench inserts in a second over so many connections, each on disk before the next of its connection.
pub(super) fn inserted_per_second(places: &Places, connections: usize, seconds: u64) -> Result<f64> {
    let database = Postgres::start(places.stores())?;
    let folder = places.sources.join("pgbench");
    let made = database.client("psql").args(["--quiet", "--file"]).arg(folder.join("orders.sql")).status()?;
    ensure!(made.success(), "psql ended with {made}");
    let mut bench = database.client("pgbench");
    bench.args(["--no-vacuum", "--protocol=prepared", "--jobs=2", "--client", &connections.to_string()]);
    bench.args(["--time", &seconds.to_string(), "--file"]).arg(folder.join("order.sql"));
    let output = bench.output().context("pgbench")?;
    ensure!(output.status.success(), "pgbench: {}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8(output.stdout)?;
    let rate = said.lines().find_map(|line| line.strip_prefix("tps = ")?.split(' ').next());
    Ok(rate.context("pgbench's rate")?.parse()?)
}

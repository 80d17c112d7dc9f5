//! How fast what waits is told once its endpoints take messages again, beside a bare client that posts the same to the same
//! receiver, one message at a time to each endpoint.

use std::io::Write;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use comfy_table::{CellAlignment, Table, presets};
use jiff::Timestamp;
use rusqlite::Connection;
use serde_json::json;
use tokio::runtime;
use tokio::task::JoinSet;

use crate::exchange::exchange;
use crate::receiver::{Message, Receiver};
use crate::report::median;
use crate::server::Server;

/// How long an endpoint may take to be confirmed, and everything to arrive.
const TIMEOUT: Duration = Duration::from_mins(2);

/// The load.
#[derive(Args, Clone)]
pub(crate) struct Load {
    /// How many endpoints are told, in turn
    #[arg(long, value_delimiter = ',', default_value = "1,20,500")]
    endpoints: Vec<usize>,
    /// How many deliveries wait in all
    #[arg(long, default_value_t = 20_000)]
    deliveries: usize,
    /// How often each is measured, in turn
    #[arg(long, default_value_t = 3)]
    rounds: usize,
}

/// What one round came to, in messages a second.
#[derive(Clone, Copy)]
struct Rates {
    told: f64,
    bare: f64,
}

/// Measures both for each number of endpoints, each time on a new store, and prints the medians.
///
/// # Errors
/// The program does not start, does not confirm an endpoint, or does not tell all of what waits.
pub(crate) fn compare(program: &Path, load: &Load) -> Result<()> {
    ensure!(load.rounds > 0 && load.endpoints.iter().all(|count| *count > 0), "there is nothing to measure");
    let mut rates = vec![Vec::new(); load.endpoints.len()];
    for round in 1..=load.rounds {
        for (endpoints, rates) in load.endpoints.iter().zip(&mut rates) {
            writeln!(std::io::stderr(), "round {round}: {endpoints} endpoints")?;
            rates.push(one_round(program, *endpoints, load.deliveries / endpoints)?);
        }
    }
    print(load, &rates)
}

fn one_round(program: &Path, endpoints: usize, each: usize) -> Result<Rates> {
    let receiver = Receiver::start()?;
    let server = Server::program(program)?;
    for number in 0..endpoints {
        let body = json!({"protocol": "webhook", "endpoint": receiver.url_of(number)}).to_string();
        exchange(server.address, "POST", "/subscriptions", Some(&server.admin_key()?), &body)?;
    }
    let start = Instant::now();
    while receiver.confirmed() < endpoints {
        ensure!(start.elapsed() < TIMEOUT, "waited in vain for the confirmations");
        thread::sleep(Duration::from_millis(20));
    }
    // What came of the last challenge is on record by then.
    thread::sleep(Duration::from_millis(500));
    let server = server.restarted(program, |data| let_wait(&data.join("orderbell.db"), each))?;
    let told = until_taken(&receiver, endpoints * each)?;
    drop(server);
    let message = receiver.first().context("a message")?;
    let bare = Receiver::start()?;
    let loops = {
        let urls: Vec<_> = (0..endpoints).map(|number| bare.url_of(number)).collect();
        thread::spawn(move || post_all(urls, each, &message))
    };
    let rate = until_taken(&bare, endpoints * each)?;
    match loops.join() {
        Ok(posted) => posted?,
        Err(_) => bail!("the bare client broke off"),
    }
    Ok(Rates { told, bare: rate })
}

/// How many messages a second came between the first and the last.
fn until_taken(receiver: &Receiver, messages: usize) -> Result<f64> {
    let begun = Instant::now();
    let mut first = None;
    loop {
        let taken = usize::try_from(receiver.taken())?;
        if taken > 0 && first.is_none() {
            first = Some((Instant::now(), taken));
        }
        if let Some((start, before)) = first.filter(|_| taken >= messages) {
            let count = u32::try_from(messages - before)?;
            return Ok(f64::from(count) / start.elapsed().as_secs_f64());
        }
        ensure!(begun.elapsed() < TIMEOUT, "{taken} of {messages} messages arrived");
        thread::sleep(Duration::from_micros(200));
    }
}

/// Writes so many orders into the store, of each of which everyone is to be told now.
fn let_wait(database: &Path, each: usize) -> Result<()> {
    let mut store = Connection::open(database).context("the store")?;
    let transaction = store.transaction()?;
    let now = Timestamp::now().as_microsecond();
    let body =
        json!({"customerName": "Ada Lovelace", "productName": "Wireless Mouse", "quantity": 1}).to_string();
    let order =
        "INSERT INTO orders (id, order_time, body, request_id) VALUES (randomblob(16), ?1, ?2, 'bench')";
    let deliveries = "INSERT INTO deliveries (id, kind, subscription, order_seq, state, created_at, at) \
                      SELECT randomblob(16), 'notification', seq, ?1, 'pending', ?2, ?2 FROM subscriptions \
                      WHERE state = 'confirmed'";
    for _ in 0..each {
        transaction.prepare_cached(order)?.execute((now, &body))?;
        let seq = transaction.last_insert_rowid();
        transaction.prepare_cached(deliveries)?.execute((seq, now))?;
    }
    transaction.execute("UPDATE relay SET published_through = (SELECT max(seq) FROM orders)", ())?;
    Ok(transaction.commit()?)
}

/// Posts a message so often to each endpoint, one after the other, over connections that are kept.
fn post_all(urls: Vec<String>, each: usize, message: &Message) -> Result<()> {
    let _installed_already = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().build()?;
    runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
        let mut loops = JoinSet::new();
        for url in urls {
            let (client, message) = (client.clone(), message.clone());
            loops.spawn(async move {
                for _ in 0..each {
                    let request =
                        client.post(&url).headers(message.headers.clone()).body(message.body.clone());
                    request.send().await?.error_for_status()?.bytes().await?;
                }
                Ok::<(), reqwest::Error>(())
            });
        }
        loops.join_all().await.into_iter().collect::<Result<(), _>>().context("the bare client")
    })
}

fn print(load: &Load, rates: &[Vec<Rates>]) -> Result<()> {
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY);
    table.set_header(["endpoints", "told a second", "bare client", "share, median", "least", "most"]);
    for (endpoints, rates) in load.endpoints.iter().zip(rates) {
        let mut shares: Vec<_> = rates.iter().map(|rates| rates.told / rates.bare).collect();
        let (told, bare) = (
            median(rates.iter().map(|it| it.told).collect()),
            median(rates.iter().map(|it| it.bare).collect()),
        );
        shares.sort_by(f64::total_cmp);
        let share = |at: usize| format!("{:.2}", shares.get(at).copied().unwrap_or_default());
        table.add_row([
            endpoints.to_string(),
            format!("{told:.0}"),
            format!("{bare:.0}"),
            share(shares.len() / 2),
            share(0),
            share(shares.len() - 1),
        ]);
    }
    for column in 0..6 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let Load { deliveries, rounds, .. } = load;
    let mut out = std::io::stdout();
    writeln!(
        out,
        "{deliveries} deliveries wait, one at a time to each endpoint, in order; {rounds} rounds of each"
    )?;
    writeln!(out, "the bare client records nothing and signs nothing anew")?;
    writeln!(out, "{table}")?;
    Ok(())
}

//! What a load of orders and its healthy receiver notice while everyone else behaves badly at once: clients that send
//! nothing or read nothing, receivers that drip their answers, a log that nobody reads, people who read one long timeline
//! again and again.

mod crowd;
mod orders;
mod receivers;

use std::fs;
use std::io::Write;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use rustix::process::{Resource, getrlimit, setrlimit};
use serde_json::{Value, json};
use tokio::runtime;

use crate::exchange::exchange;
use crate::memory::peak_mb;
use crate::report::spread::quantile_ms;
use crate::report::{Report, Row};
use crate::server::Server;
use orders::Orders;
use receivers::{Dripping, Healthy};

/// The product that only the dripping receivers are told of: an order in twenty, or the store would hold little else.
const DRIPPING_PRODUCT: &str = "Dripping tap";
/// How long confirmations, the last notifications and the last descriptors may take.
const TIMEOUT: Duration = Duration::from_mins(2);

/// How bad it is; by default, what the program has to bear.
#[derive(Args, Clone, Copy)]
pub(crate) struct Siege {
    /// For how long, in seconds.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// How many orders are placed in a second.
    #[arg(long, default_value_t = 200)]
    rate: u32,
    /// How many clients send nothing, or requests whose answers they never read.
    #[arg(long, default_value_t = 2_000)]
    clients: usize,
    /// How many webhook receivers drip their answers.
    #[arg(long, default_value_t = 64)]
    dripping: usize,
    /// How many people read the timeline.
    #[arg(long, default_value_t = 12)]
    readers: usize,
    /// How many subscriptions the timeline tells of.
    #[arg(long, default_value_t = 5_000)]
    subscriptions: usize,
}

/// Lays siege to the program, and tells what came of that.
///
/// # Errors
/// The program does not start, or does not confirm everyone.
pub(crate) fn measure(program: &Path, siege: Siege) -> Result<Report> {
    let what = "what orders and a healthy receiver notice while everyone else behaves badly at once";
    let mut report = Report::begin("siege", program, what)?;
    raise_descriptors()?;
    let server = Server::with_stalled_log(program)?;
    let key = server.admin_key()?;
    say(&format!("{} subscriptions that wait for their confirmation", siege.subscriptions))?;
    subscribe_the_many(&server, &key, siege.subscriptions)?;
    let (healthy, dripping) = (Healthy::start()?, Dripping::start()?);
    let told = json!({"productName": [{"anything-but": DRIPPING_PRODUCT}]});
    let healthy_id = subscribe(&server, &key, &healthy.url(), &told)?;
    let policy = json!({"productName": [DRIPPING_PRODUCT]});
    let dripping_ids: Vec<_> = (0..siege.dripping)
        .map(|number| subscribe(&server, &key, &dripping.url(number), &policy))
        .collect::<Result<_>>()?;
    wait_for_confirmations(&server, &key, siege.dripping + 1)?;
    let read = place_order(&server)?;
    let at_the_start = idle_descriptors(&server)?;

    say(&format!("{} seconds of siege", siege.seconds))?;
    let (orders, peak) = besiege(&server, &key, &read, siege)?;
    let expected = orders.of_the_healthy + 1;
    let arrived = healthy.wait_for(expected, TIMEOUT);
    let failed = failed_attempts(&server, &key, &healthy_id)?;
    for id in dripping_ids {
        exchange(server.address, "DELETE", &format!("/subscriptions/{id}"), Some(&key), "")?;
    }
    let left = descriptors_left(&server, at_the_start)?;
    let rest = Rest { expected, arrived, failed, peak, at_the_start, left };
    tell(&mut report, siege, &orders, &healthy.latencies(), &rest);
    Ok(report)
}

/// What was seen besides latencies.
struct Rest {
    expected: usize,
    arrived: usize,
    failed: usize,
    peak: f64,
    at_the_start: usize,
    left: usize,
}

/// The crowd has threads of its own: how long an order takes is not to depend on how busy the crowd keeps this process.
fn besiege(server: &Server, key: &str, read: &str, siege: Siege) -> Result<(Orders, f64)> {
    let crowds = runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    for number in 0..siege.clients {
        crowds.spawn(crowd::occupy(server.address, number));
    }
    for _ in 0..siege.readers {
        crowds.spawn(crowd::read(server.address, key.to_owned(), read.to_owned()));
    }
    let placing = runtime::Builder::new_current_thread().enable_all().build()?;
    let length = Duration::from_secs(siege.seconds);
    let orders = placing.block_on(orders::place(server.address, siege.rate, length))?;
    let peak = peak_mb(server)?;
    crowds.shutdown_background();
    Ok((orders, peak))
}

/// Subscriptions of mail that nobody confirms; several at a time, since each is a commit.
fn subscribe_the_many(server: &Server, key: &str, count: usize) -> Result<()> {
    const AT_ONCE: usize = 16;
    thread::scope(|scope| {
        let subscribing = |first: usize| {
            for number in (first..count).step_by(AT_ONCE) {
                let body = json!({"protocol": "email", "endpoint": format!("reader{number}@example.com")});
                exchange(server.address, "POST", "/subscriptions", Some(key), &body.to_string())?;
            }
            Ok(())
        };
        let threads: Vec<_> = (0..AT_ONCE).map(|first| scope.spawn(move || subscribing(first))).collect();
        threads.into_iter().try_for_each(|thread| match thread.join() {
            Ok(subscribed) => subscribed,
            Err(_) => bail!("a thread that subscribed panicked"),
        })
    })
}

fn subscribe(server: &Server, key: &str, endpoint: &str, policy: &Value) -> Result<String> {
    let body = json!({"protocol": "webhook", "endpoint": endpoint, "filterPolicy": policy}).to_string();
    let made = exchange(server.address, "POST", "/subscriptions", Some(key), &body)?;
    Ok(made["subscriptionId"].as_str().context("a subscriptionId")?.to_owned())
}

fn wait_for_confirmations(server: &Server, key: &str, count: usize) -> Result<()> {
    let start = Instant::now();
    loop {
        let confirmed = list(server, key, "/subscriptions?state=confirmed&limit=100")?.len();
        if confirmed >= count {
            return Ok(());
        }
        ensure!(start.elapsed() < TIMEOUT, "{confirmed} of {count} were confirmed");
        thread::sleep(Duration::from_millis(100));
    }
}

fn place_order(server: &Server) -> Result<String> {
    let order = r#"{"customerName":"First","productName":"Bell"}"#;
    let placed = exchange(server.address, "POST", "/create-order", None, order)?;
    Ok(placed["orderId"].as_str().context("an orderId")?.to_owned())
}

/// Attempts of the healthy receiver that were not its success.
fn failed_attempts(server: &Server, key: &str, subscription: &str) -> Result<usize> {
    let deliveries = list(server, key, &format!("/deliveries?subscription={subscription}&limit=100"))?;
    let attempts = deliveries.iter().filter_map(|delivery| delivery["attempts"].as_array()).flatten();
    Ok(attempts.filter(|attempt| attempt["outcome"] != "delivered").count())
}

/// Every item of a list.
fn list(server: &Server, key: &str, path: &str) -> Result<Vec<Value>> {
    let (mut items, mut cursor) = (Vec::new(), String::new());
    loop {
        let mut page = exchange(server.address, "GET", &format!("{path}{cursor}"), Some(key), "")?;
        items.append(page["items"].as_array_mut().context("items")?);
        let Some(next) = page["next"].as_str() else { return Ok(items) };
        cursor = format!("&cursor={next}");
    }
}

/// How many it has besides those of the store's own connections: these are opened as they are first needed, kept, and at
/// most six.
fn descriptors(server: &Server) -> Result<usize> {
    let open = fs::read_dir(format!("/proc/{}/fd", server.id()))?.filter_map(Result::ok);
    // One that was closed meanwhile names nothing.
    let names = open.filter_map(|descriptor| fs::read_link(descriptor.path()).ok());
    Ok(names.filter(|name| !name.to_string_lossy().contains("/orderbell.db")).count())
}

/// How many it has once it has let go of the connections that it keeps for its next calls.
fn idle_descriptors(server: &Server) -> Result<usize> {
    let (start, mut least) = (Instant::now(), descriptors(server)?);
    while start.elapsed() < Duration::from_secs(25) {
        thread::sleep(Duration::from_millis(500));
        least = least.min(descriptors(server)?);
    }
    Ok(least)
}

/// How many it has in the end, once they are as few as at the start or there was time enough for that.
fn descriptors_left(server: &Server, at_the_start: usize) -> Result<usize> {
    let start = Instant::now();
    loop {
        let left = descriptors(server)?;
        if left <= at_the_start || start.elapsed() > TIMEOUT {
            return Ok(left);
        }
        thread::sleep(Duration::from_millis(500));
    }
}

fn raise_descriptors() -> Result<()> {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    Ok(setrlimit(Resource::Nofile, limit)?)
}

fn say(what: &str) -> Result<()> {
    Ok(writeln!(std::io::stderr(), "{what}")?)
}

fn tell(report: &mut Report, siege: Siege, orders: &Orders, deliveries: &[Duration], rest: &Rest) {
    let Siege { seconds, rate, clients, dripping, readers, subscriptions } = siege;
    report.note(format!(
        "{seconds} s, {rate} orders/s, {clients} clients that say or read nothing, {dripping} dripping receivers, \
         {readers} readers of a timeline of {subscriptions} subscriptions, a log that nobody reads"
    ));
    let counted = |name: &str, number: usize| Row::new(name, "", &[count(number)]);
    report.add(counted("orders accepted", orders.latencies.len()));
    report.add(counted("orders refused", orders.refused).at_most(0.0));
    let mut timed = |name: &str, times: &[Duration], share, most| {
        report.add(Row::new(name, "ms", &[quantile_ms(times, share)]).at_most(most));
    };
    timed("order, p50", &orders.latencies, 0.5, 100.0);
    timed("order, p99", &orders.latencies, 0.99, 100.0);
    timed("order, slowest", &orders.latencies, 1.0, 1_000.0);
    timed("accepted to received, healthy receiver, p50", deliveries, 0.5, 1_000.0);
    timed("accepted to received, healthy receiver, p99", deliveries, 0.99, 1_000.0);
    report.add(counted("notifications that did not arrive", rest.expected - rest.arrived).at_most(0.0));
    report.add(counted("attempts of the healthy receiver that failed", rest.failed).at_most(0.0));
    report.add(Row::new("peak resident memory", "MB", &[rest.peak]).at_most(96.0));
    report.add(counted("descriptors before", rest.at_the_start));
    let more = rest.left.saturating_sub(rest.at_the_start);
    report.add(counted("descriptors more afterwards", more).at_most(0.0));
}

#[expect(clippy::cast_precision_loss, reason = "there are far fewer than 2^52")]
fn count(number: usize) -> f64 {
    number as f64
}

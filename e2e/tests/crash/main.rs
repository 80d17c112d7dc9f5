//! The crash test: while orders with keys are placed, subscriptions of every protocol come, confirm, change and go, and
//! a provider reports, the program is killed with SIGKILL again and again. In the end every promise is held against what
//! its clients and receivers saw, and the audit against what it left.

mod callbacks;
mod drain;
mod killer;
mod load;
mod mail_relay;
mod operations;
mod receipts;
mod reconciliation;
mod repeats;
mod report;
mod signatures;
mod store;
mod subscribers;
mod subscription;
mod twilio;
mod verdict;
mod web_receivers;

use std::env;
use std::io::Write;
use std::time::Instant;

use anyhow::Result;
use orderbell_e2e::program::Program;
use orderbell_e2e::receiver::Receiver;
use tokio::sync::{mpsc, watch};

use drain::Release;
use mail_relay::MailRelay;
use receipts::Ledger;
use subscribers::World;
use twilio::Twilio;
use verdict::{Evidence, Verdict};

/// How many kills at least: `ORDERBELL_CRASH_KILLS`, or 50.
fn wanted_kills() -> Result<usize> {
    env::var("ORDERBELL_CRASH_KILLS").map_or(Ok(50), |kills| Ok(kills.parse()?))
}

/// Past the capture of the test harness: the figures are worth reading when all is well, too.
fn say(line: &str) -> Result<()> {
    Ok(writeln!(std::io::stderr(), "{line}")?)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_promise_is_broken_however_often_the_program_is_killed() -> Result<()> {
    let kills = wanted_kills()?;
    let start = Instant::now();
    let ledger = Ledger::default();
    let web = web_receivers::start(ledger.clone()).await?;
    let (tell, taken) = mpsc::unbounded_channel();
    let (twilio, settings) = Twilio::start(ledger.clone(), tell).await?;
    let relay = MailRelay::start(ledger.clone())?;
    let settings = [Receiver::settings(), settings, relay.settings()].concat();
    let mut program = Program::start(settings).await?;

    let (mut evidence, relay) =
        under_load(&mut program, kills, (&ledger, web), (&twilio, taken), relay).await?;
    say(&format!("\n{} s of kills", start.elapsed().as_secs()))?;
    evidence.release = drain::release_what_is_held(&program, &program.client()?).await?;
    let hastened = drain::deliver_all_that_waits(&mut program).await?;
    program.terminate().await?;
    relay.write_down()?;
    evidence.receipts = ledger.receipts();

    store::check_with_shell(&program.data(), evidence.orders.len())?;
    let verdict = Verdict::of(&evidence, &store::read(&program.data())?, kills);
    say(&format!("{verdict}\n{hastened} retries due later were made due at once"))?;
    say(&format!("{} times the provider asked for patience", twilio.refused()))?;
    say(&format!("audit:\n{}", reconciliation::is_clean(&program)?))?;
    verdict.accept(kills)?;
    say(&format!("a row deleted by hand:\n{}", reconciliation::names_what_is_deleted(&program)?))?;
    say(&format!("crash test: {} s", start.elapsed().as_secs()))
}

/// All that is seen while the program is killed so often; what is held, and what arrived, is for later.
async fn under_load(
    program: &mut Program,
    kills: usize,
    (ledger, web): (&Ledger, String),
    (twilio, taken): (&Twilio, mpsc::UnboundedReceiver<twilio::Taken>),
    relay: MailRelay,
) -> Result<(Evidence, MailRelay)> {
    let client = program.client()?;
    let (up, is_up) = watch::channel(true);
    let (stop, stopping) = watch::channel(false);
    let (settled, all_settled) = watch::channel(0);
    let callbacks = callbacks::start(taken, &client, &is_up);
    let orders = load::start(&client, &is_up, &stopping);
    let (trouble, may_misbehave) = watch::channel(false);
    let watching = relay.watch(stopping.clone(), may_misbehave);
    let subscriptions =
        subscribers::start(World { client, web, ledger: ledger.clone(), is_up, stopping, settled });

    subscribers::settle(all_settled).await?;
    trouble.send_replace(true);
    let killings = killer::kill_again_and_again(program, &up, kills).await?;
    stop.send_replace(true);
    let (orders, subscriptions) = (orders.await?, subscriptions.await?);
    twilio.behave();
    let (relay, troubles) = watching.await??;
    let evidence = Evidence {
        orders,
        subscriptions,
        killings,
        callbacks: callbacks.await?,
        dropped_lines: twilio.dropped(),
        mail_troubles: troubles,
        release: Release::default(),
        receipts: Vec::new(),
    };
    Ok((evidence, relay))
}

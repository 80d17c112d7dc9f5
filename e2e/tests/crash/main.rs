//! The crash test: while orders with keys are placed and subscriptions come, confirm and go, the program is killed with
//! SIGKILL again and again. In the end every promise is held against what its clients and receivers saw.

mod killer;
mod load;
mod receivers;
mod store;
mod subscribers;
mod verdict;

use std::env;
use std::io::Write;
use std::time::Instant;

use anyhow::Result;
use orderbell_e2e::program::Program;
use orderbell_e2e::receiver::Receiver;
use tokio::sync::watch;

use receivers::Receivers;
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
    let receivers = Receivers::start().await?;
    let mut program = Program::start(Receiver::settings()).await?;
    let client = program.client()?;
    let (up, is_up) = watch::channel(true);
    let (stop, stopping) = watch::channel(false);
    let orders = load::start(&client, &is_up, &stopping);
    let subscriptions = subscribers::start(&client, &receivers, &is_up, &stopping);

    let killings = killer::kill_again_and_again(&mut program, &up, kills).await?;
    stop.send_replace(true);
    let evidence = Evidence {
        orders: orders.await?,
        subscriptions: subscriptions.await?,
        killings,
        receipts: Vec::new(),
    };
    let hastened = store::deliver_all_that_is_owed(&mut program).await?;
    program.terminate().await?;
    let evidence = Evidence { receipts: receivers.receipts(), ..evidence };

    store::check_with_shell(&program.data(), evidence.orders.len())?;
    let verdict = Verdict::of(&evidence, &store::read(&program.data())?, kills);
    say(&format!("\n{verdict}\n{hastened} retries due later were made due at once"))?;
    say(&format!("crash test: {} s", start.elapsed().as_secs()))?;
    verdict.accept(kills)
}

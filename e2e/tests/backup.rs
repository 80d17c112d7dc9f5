//! Backups of a running program under load, killed at any moment; and what is restored from them.

use std::collections::HashSet;
use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use orderbell_e2e::client::Client;
use orderbell_e2e::program::{Program, data, new_home, orderbell};
use orderbell_e2e::receiver::Receiver;
use orderbell_e2e::wait;
use rusqlite::{Connection, OpenFlags};
use tokio::task::{JoinHandle, block_in_place};

/// How many backups are killed, unless `ORDERBELL_BACKUP_KILLS` says otherwise.
const KILLS: usize = 8;
const LANES: usize = 4;
/// Four of these make 200 orders a second at most.
const BETWEEN_ORDERS: Duration = Duration::from_millis(20);

/// Clients that place orders until it is dropped.
struct Load {
    answered: Arc<Mutex<Vec<String>>>,
    lanes: Vec<JoinHandle<()>>,
}

impl Load {
    fn start(client: &Client) -> Self {
        let answered = Arc::<Mutex<Vec<String>>>::default();
        let lanes = (0..LANES).map(|_| tokio::spawn(place_orders(client.clone(), Arc::clone(&answered))));
        Self { lanes: lanes.collect(), answered }
    }

    /// The orders that were answered so far, their ids without hyphens.
    fn answered(&self) -> Vec<String> {
        self.answered.lock().expect("no lane panics").clone()
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.lanes.iter().for_each(JoinHandle::abort);
    }
}

async fn place_orders(client: Client, answered: Arc<Mutex<Vec<String>>>) {
    loop {
        if let Ok(id) = client.place_order("Ada", "Mouse").await {
            answered.lock().expect("no lane panics").push(id.replace('-', ""));
        }
        tokio::time::sleep(BETWEEN_ORDERS).await;
    }
}

/// The orders in a file that is whole.
fn stored(file: &Path) -> Result<HashSet<String>> {
    let copy = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let whole: String = copy.query_row("PRAGMA integrity_check", (), |row| row.get(0))?;
    ensure!(whole == "ok", "{whole}");
    let mut statement = copy.prepare("SELECT lower(hex(id)) FROM orders")?;
    Ok(statement.query_map((), |row| row.get(0))?.collect::<Result<_, _>>()?)
}

fn backup(program: &Program, file: &Path) -> Command {
    let mut command = orderbell(file.parent().unwrap_or(file));
    command.arg("backup").arg(file).arg("--data").arg(program.data());
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// Starts a backup and kills it within that time; answers whether its file is there.
fn killed_backup(program: &Program, file: &Path, within: Duration) -> Result<bool> {
    let mut child = backup(program, file).spawn()?;
    let most = u64::try_from(within.as_micros()).unwrap_or(u64::MAX);
    std::thread::sleep(Duration::from_micros(fastrand::u64(..most.max(1))));
    child.kill()?;
    child.wait()?;
    if file.exists() {
        stored(file).context("a backup that was killed has its name and is not whole")?;
    }
    Ok(file.exists())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_under_load_is_whole_however_it_ends_and_restored_it_tells_nobody_twice() -> Result<()> {
    let mut program = Program::start(Receiver::settings()).await?;
    let (client, receiver) = (program.client()?, Receiver::start().await?);
    let made = client.subscribe("webhook", &receiver.url("/hook")).await?;
    let id = made["subscriptionId"].as_str().context("a subscriptionId")?;
    client.wait_for_subscription(id, "confirmed").await?;
    let place = new_home()?;
    let file = place.path().join("shop.backup");
    let load = Load::start(&client);
    wait::until("orders are answered", async || Ok((load.answered().len() > 50).then_some(()))).await?;

    // One that nobody disturbs, and how long it takes.
    let (before, start) = (load.answered(), Instant::now());
    ensure!(block_in_place(|| backup(&program, &file).status())?.success(), "it failed");
    let took = start.elapsed();
    let copied = stored(&file)?;
    assert!(before.iter().all(|order| copied.contains(order)), "an order that was answered is missing");
    ensure!(program.data().join("last-backup").exists(), "it left no note");
    ensure!(!block_in_place(|| backup(&program, &file).status())?.success(), "it was overwritten");
    let (unheard, full) =
        (place.path().join("unheard.backup"), File::options().write(true).open("/dev/full")?);
    ensure!(
        block_in_place(|| backup(&program, &unheard).stderr(full).status())?.success(),
        "it failed for want of someone to tell"
    );

    // Killed at any moment, the program in the end too.
    let kills =
        std::env::var("ORDERBELL_BACKUP_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(KILLS);
    for _ in 0..kills {
        let another = place.path().join("killed.backup");
        if block_in_place(|| killed_backup(&program, &another, took))? {
            std::fs::remove_file(another)?;
        }
    }
    let last = place.path().join("last.backup");
    let mut under_way = backup(&program, &last).spawn()?;
    program.kill()?;
    let answered = load.answered();
    drop(load);
    let ended = block_in_place(|| under_way.wait())?;
    assert_eq!(ended.success(), last.exists());
    program.restart().await?;
    let killed = place.path().join("killed.backup");
    let before_the_last = client.list("/orders").await?.len();
    ensure!(
        block_in_place(|| backup(&program, &killed).status())?.success(),
        "what the killed ones left is in the way"
    );
    ensure!(!place.path().join("killed.backup.partial").exists(), "it is left");
    let copied = stored(&killed)?;
    assert!(answered.iter().all(|order| copied.contains(order)), "an order that was answered is missing");
    assert!(copied.len() >= before_the_last);

    restored_it_tells_nobody_twice(program, &receiver, &killed).await
}

async fn restored_it_tells_nobody_twice(
    mut program: Program,
    receiver: &Receiver,
    file: &Path,
) -> Result<()> {
    program.terminate().await?;
    let home = new_home()?;
    let restore = |home: &Path| {
        let mut command = orderbell(home);
        command.arg("restore").arg(file).arg("--data").arg(data(home)).output()
    };
    let output = restore(home.path())?;
    ensure!(output.status.success(), "{output:?}");
    ensure!(!restore(home.path())?.status.success(), "it was overwritten");
    for key in ["admin.key", "link.key"] {
        assert_eq!(
            std::fs::read(data(home.path()).join(key))?,
            std::fs::read(program.data().join(key))?,
            "{key}"
        );
    }
    let audit = orderbell(home.path()).arg("audit").arg("--data").arg(data(home.path())).output()?;
    ensure!(audit.status.success(), "{audit:?}");

    let told_before = receiver.notifications().len();
    let anew = Program::start_in(home, Receiver::settings(), Vec::new()).await?;
    let client = anew.client()?;
    let order = client.place_order("Ada", "A new one").await?;
    receiver.wait_for_notifications(told_before + 1).await?;
    let told = receiver.notifications();
    assert_eq!(told.len(), told_before + 1, "only the new order is told");
    assert_eq!(told.last().context("one")?.json()["data"]["orderId"], order);
    let held = client.list("/deliveries?state=held").await?.len();
    ensure!(anew.command(&["delivery", "redrive", "--held"])?.status.success(), "they are released");
    receiver.wait_for_notifications(told_before + 1 + held.min(50)).await?;
    Ok(())
}

#[tokio::test]
async fn a_program_whose_data_folder_is_deleted_ends_and_says_so() -> Result<()> {
    let mut program = Program::start(Vec::new()).await?;
    program.client()?.place_order("Ada", "Mouse").await?;
    std::fs::remove_dir_all(program.data())?;
    let ended = program.ended().await?;
    assert_eq!(ended.code(), Some(1));
    let log = program.log();
    ensure!(log.contains("orderbell.db is no longer the file that was opened"), "{log}");
    Ok(())
}

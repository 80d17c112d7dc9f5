use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use application::ports::OrderStore;
use domain::Timestamp;
use domain::order::{Order, OrderDetails, OrderId};
use host::{SetClock, SystemRandomness};
use tempfile::TempDir;

use super::*;
use crate::readers::{Readers, Reading};
use crate::{Options, Store, opening};

/// A store whose writer has its turns, and its time, from the test.
fn store() -> (TempDir, Store, Writer, Arc<SetClock>) {
    let folder = tempfile::tempdir().unwrap();
    let opened = opening::open(folder.path()).unwrap();
    let state = State::read(opened.connection, 65_536).unwrap();
    let reading = Reading::Pool(Readers::new(opened.file));
    let clock = Arc::new(SetClock::at_second(1_700_000_000));
    let options = Options::new(Arc::clone(&clock) as Arc<dyn Clock>, Arc::new(SystemRandomness));
    let (store, writer) = Store::around(state, options, reading);
    (folder, store, writer.watching(opened.files), clock)
}

/// Places an order of about 60 KB; answers the code of the error, if it is refused.
async fn place(store: &Store, writer: &mut Writer, number: u8) -> Option<&'static str> {
    let note = "x".repeat(60_000);
    let json = format!(r#"{{"customerName":"Ada","productName":"Mouse","attributes":{{"a":"{note}"}}}}"#);
    let details = OrderDetails::parse(json.as_bytes())
        .unwrap_or_else(|_| OrderDetails::parse(br#"{"customerName":"Ada","productName":"Mouse"}"#).unwrap());
    let time = Timestamp::from_second(1_700_000_000).unwrap();
    let order = Order { id: OrderId::new(time, [number; 10]), time, details, request_id: note };
    let turn = async { writer.turn(store.queue().next_batch().unwrap()) };
    let (answer, ()) = tokio::join!(store.accept(order, None), turn);
    answer.err().map(|error| error.code)
}

fn pages(writer: &Writer, more: i64) {
    let connection = &writer.state.connection;
    let pages: i64 = connection.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
    connection.pragma_update_and_check(None, "max_page_count", pages + more, |_| Ok(())).unwrap();
}

#[tokio::test]
async fn a_full_disk_makes_the_store_unready_until_it_finds_room_by_itself() {
    let (_folder, store, mut writer, clock) = store();
    assert_eq!(store.ready().await.unwrap().last_commit, None);
    assert_eq!(place(&store, &mut writer, 1).await, None);
    assert_eq!(store.ready().await.unwrap().last_commit, Some(clock.now()));
    pages(&writer, 0);
    assert_eq!(place(&store, &mut writer, 2).await, Some("storage_full"));
    for _ in 0..10 {
        let unready = store.ready().await.unwrap_err();
        assert_eq!(unready.code, "storage_full");
        assert!(unready.message.contains("2023-11-14T22:13:"), "{unready}");
        clock.advance(Duration::from_secs(1));
        writer.idle();
        writer.probe();
        // There is always room for something small.
        let (clear, _) = Write::new(1, |transaction| clear_probe(transaction.connection));
        assert!(writer.commit(&mut [clear], Proves::OrdersOnly).0[0].is_ok());
    }
    pages(&writer, 1_000);
    let mut seconds = 0;
    while store.ready().await.is_err() {
        writer.probe();
        writer.probe();
        clock.advance(Duration::from_secs(1));
        seconds += 1;
    }
    assert!((2..=4).contains(&seconds), "{seconds}");
    let left: i64 =
        writer.state.connection.query_row("SELECT count(*) FROM probe", (), |row| row.get(0)).unwrap();
    assert_eq!(left, 0);
    assert_eq!(place(&store, &mut writer, 2).await, None);
}

#[tokio::test]
async fn an_order_that_is_stored_after_all_makes_the_store_ready_at_once() {
    let (_folder, store, mut writer, _) = store();
    assert_eq!(place(&store, &mut writer, 1).await, None);
    pages(&writer, 0);
    assert_eq!(place(&store, &mut writer, 2).await, Some("storage_full"));
    pages(&writer, 1_000);
    assert_eq!(place(&store, &mut writer, 3).await, None);
    store.ready().await.unwrap();
}

#[tokio::test]
async fn a_caller_that_hangs_up_gives_no_room_to_another_while_its_write_waits() {
    let (_folder, store, mut writer, _) = store();
    let hang_up = async |store: &Store| {
        let write = store.write(1, |transaction| clear_probe(transaction.connection));
        assert!(tokio::time::timeout(Duration::ZERO, write).await.is_err());
    };
    for _ in 0..1_000 {
        hang_up(&store).await;
    }
    let waiting = store.queue().next_batch().unwrap();
    assert_eq!(waiting.len(), 256, "as many as may be under way");
    writer.turn(waiting);
    hang_up(&store).await;
    assert_eq!(store.queue().next_batch().unwrap().len(), 1, "once they are done there is room again");
}

#[tokio::test]
async fn what_the_store_asks_of_itself_outlives_a_commit_that_fails() {
    let (_folder, store, mut writer, _) = store();
    assert_eq!(place(&store, &mut writer, 1).await, None);
    pages(&writer, 0);
    let times = Arc::new(AtomicI64::new(0));
    let counted = Arc::clone(&times);
    let follow_up = FollowUp::new(move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
        Ok(())
    });
    let _ = store.queue().push_other(follow_up.write());
    assert_eq!(place(&store, &mut writer, 2).await, Some("storage_full"));
    pages(&writer, 1_000);
    assert_eq!(place(&store, &mut writer, 3).await, None);
    assert_eq!(times.load(Ordering::Relaxed), 1, "in the commit that failed");
    let again = store.queue().next_batch().unwrap();
    assert_eq!(again.len(), 1, "it is asked again, once");
    writer.turn(again);
    assert_eq!(times.load(Ordering::Relaxed), 2);
    assert!(writer.left.is_empty());
}

//! Opening a data folder: what is refused, in which words, and that what is refused is left as it was.

#![expect(clippy::unwrap_used, reason = "what a test asks for outside its own function must not fail either")]

mod opened;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use application::ports::OrderStore;
use opened::{open, options, order};
use orderbell_sqlite::{OpenError, Store};
use rusqlite::Connection;

fn refusal(folder: &Path) -> OpenError {
    Store::open(folder, options()).err().expect("it is refused")
}

/// A folder whose store held some orders and was closed.
async fn used() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    for _ in 0..200 {
        store.accept(order(), None).await.unwrap();
    }
    store.close().await;
    folder
}

#[tokio::test]
async fn the_folder_and_its_files_are_for_their_owner_alone() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("orderbell-data");
    let store = open(&folder);
    store.accept(order(), None).await.unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    for file in fs::read_dir(&folder).unwrap() {
        let path = file.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
    store.close().await;
}

#[tokio::test]
async fn a_fresh_file_can_give_back_to_the_disk_what_it_no_longer_uses() {
    let folder = used().await;
    let shell = Connection::open(folder.path().join("orderbell.db")).unwrap();
    let pragma =
        |name: &str| -> i64 { shell.query_row(&format!("PRAGMA {name}"), (), |row| row.get(0)).unwrap() };
    assert_eq!(pragma("auto_vacuum"), 2, "INCREMENTAL");
    let pages = pragma("page_count");
    shell.execute("DELETE FROM orders", ()).unwrap();
    let unused = pragma("freelist_count");
    assert!(unused > 0);
    let mut vacuum = shell.prepare("PRAGMA incremental_vacuum").unwrap();
    let mut given_back = vacuum.query(()).unwrap();
    while given_back.next().unwrap().is_some() {}
    assert_eq!((pragma("page_count"), pragma("freelist_count")), (pages - unused, 0));
}

#[tokio::test]
async fn a_folder_in_use_is_refused_and_free_again_once_it_is_closed() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let error = refusal(folder.path());
    assert!(matches!(error, OpenError::Locked { .. }), "{error:?}");
    let named = folder.path().display().to_string();
    assert!(error.to_string().contains(&named), "{error}");
    store.accept(order(), None).await.unwrap();
    store.close().await;
    open(folder.path()).close().await;
}

#[tokio::test]
async fn a_schema_from_a_newer_version_is_refused_and_left_as_it_was() {
    let folder = used().await;
    let file = folder.path().join("orderbell.db");
    Connection::open(&file).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let before = fs::read(&file).unwrap();
    let error = refusal(folder.path());
    assert!(matches!(error, OpenError::Newer { found: 99, .. }), "{error:?}");
    assert!(error.to_string().contains("schema 99, this program knows 1"), "{error}");
    assert_eq!(fs::read(&file).unwrap(), before);
}

#[test]
fn a_database_of_another_program_is_refused_and_left_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("orderbell.db");
    Connection::open(&file).unwrap().execute_batch("CREATE TABLE theirs (x)").unwrap();
    let before = fs::read(&file).unwrap();
    assert!(matches!(refusal(folder.path()), OpenError::Foreign { .. }));
    assert_eq!(fs::read(&file).unwrap(), before);
}

#[test]
fn a_file_that_is_no_database_is_refused_and_left_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("orderbell.db");
    let garbage = b"these are not the rows you are looking for\n".repeat(500);
    fs::write(&file, &garbage).unwrap();
    let error = refusal(folder.path());
    assert!(matches!(error, OpenError::Damaged { .. }), "{error:?}");
    assert!(error.to_string().contains("restore a backup"), "{error}");
    assert_eq!(fs::read(&file).unwrap(), garbage);
}

#[tokio::test]
async fn a_damaged_page_is_found_and_left_as_it_was() {
    let folder = used().await;
    let file = folder.path().join("orderbell.db");
    let page: u64 = Connection::open(&file)
        .unwrap()
        .query_row("SELECT max(rootpage) FROM sqlite_schema WHERE tbl_name = 'orders'", (), |row| {
            row.get::<_, i64>(0)
        })
        .unwrap()
        .unsigned_abs();
    let mut bytes = fs::read(&file).unwrap();
    let start = usize::try_from((page - 1) * 4096).unwrap();
    bytes[start..start + 4096].fill(0xa5);
    fs::write(&file, &bytes).unwrap();
    let error = refusal(folder.path());
    assert!(matches!(error, OpenError::Damaged { .. }), "{error:?}");
    assert_eq!(fs::read(&file).unwrap(), bytes);
}

#[test]
fn a_folder_that_cannot_be_is_refused_by_name() {
    let parent = tempfile::tempdir().unwrap();
    fs::write(parent.path().join("file"), "").unwrap();
    let folder = parent.path().join("file/data");
    let error = refusal(&folder);
    assert!(error.to_string().contains(&folder.display().to_string()), "{error}");
}

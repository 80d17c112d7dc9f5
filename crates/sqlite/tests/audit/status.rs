//! What people made of orders, and what somebody made of that.

use application::ports::StatusChanges;
use domain::order::{OrderStatus, StatusChange, Way};
use orderbell_sqlite::audit::ExceptionKind::StatusUnexplained;
use rusqlite::Connection;

use crate::fixtures::{audited, kinds, place};
use crate::opened::{now, open};

#[tokio::test]
async fn a_status_that_nobody_can_have_changed_so_is_named_by_its_order() {
    for (damage, named) in [
        ("UPDATE status_changes SET number = 7 WHERE number = 2", vec![StatusUnexplained; 2]),
        ("DELETE FROM status_changes WHERE number = 1", vec![StatusUnexplained]),
        ("UPDATE status_changes SET status = 'acknowledged' WHERE number = 2", vec![StatusUnexplained]),
        ("UPDATE status_changes SET status = 'seen' WHERE number = 3", vec![StatusUnexplained]),
        ("UPDATE status_changes SET at = 9223372036854775807 WHERE number = 3", vec![StatusUnexplained]),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path());
        let order = place(&store).await;
        for status in [OrderStatus::Acknowledged, OrderStatus::New, OrderStatus::Completed] {
            let change = StatusChange { status, at: now(), who: None, way: Way::Operator };
            store.change_status(order, change).await.unwrap();
        }
        assert_eq!(audited(folder.path()).1, []);
        let shell = Connection::open(folder.path().join("orderbell.db")).unwrap();
        assert_ne!(shell.execute(damage, ()).unwrap(), 0);
        let found = audited(folder.path()).1;
        assert_eq!(kinds(&found), named, "{damage}: {found:?}");
        assert!(found.iter().all(|one| one.order == Some(order)), "{damage}");
        let last = store.last_status_changes(vec![order]).await.unwrap();
        assert!(last.len() <= 1, "{damage}: what cannot be read hinders nobody");
        store.close().await;
    }
}

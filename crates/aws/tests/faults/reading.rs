//! Reads and marks while the table fails: they are tried again, and a failure says what it is.

use application::ErrorKind;
use application::ports::{OrderLog, OrderQuery, OrderStore, PageRequest};
use serde_json::json;

use super::emulated::{now, order};
use super::{Given, Happening, error, failed, failed_after, throttled};

#[tokio::test]
async fn a_read_that_failed_is_tried_again() {
    let given = Given::table().await;
    let order = order();
    given.itself.accept(order.clone(), None).await.unwrap();
    given.proxy.next("GetItem", [failed(), throttled()]);
    assert_eq!(given.table.order(order.id).await.unwrap(), Some(order.clone()));
    given.proxy.next("Query", [failed(), throttled()]);
    assert_eq!(given.table.unpublished(10).await.unwrap()[0].order, order);
}

#[tokio::test]
async fn a_read_that_keeps_failing_says_why_to_the_log_alone_and_in_our_words() {
    let given = Given::table().await;
    let page = PageRequest { limit: 10, cursor: None };
    for (happening, kind) in [(throttled(), ErrorKind::Busy), (failed(), ErrorKind::Unavailable)] {
        given.proxy.next("GetItem", vec![happening.clone(); 6]);
        given.proxy.next("Query", vec![happening; 60]);
        let query = OrderQuery { page: page.clone(), ..OrderQuery::default() };
        let failures = [
            given.table.order(order().id).await.unwrap_err(),
            given.table.ready().await.unwrap_err(),
            given.table.orders(query).await.unwrap_err(),
        ];
        for failure in failures {
            assert_eq!(failure.kind, kind);
            assert!(failure.retry_after.is_some());
            assert!(!failure.to_string().contains("secret"), "{failure}");
            assert!(failure.cause().contains("DynamoDB answered"), "{}", failure.cause());
            assert!(!failure.cause().contains("secret"), "{}", failure.cause());
        }
    }
}

#[tokio::test]
async fn an_index_that_is_being_built_is_unavailable_for_now() {
    let given = Given::table().await;
    let message = "Cannot read from backfilling global secondary index: unpublished";
    let body = error("ValidationException").replace("arn:secret", message);
    given.proxy.always("Query", Happening::Instead(400, body));
    assert_eq!(given.table.unpublished(1).await.unwrap_err().kind, ErrorKind::Unavailable);
}

#[tokio::test]
async fn marks_that_the_table_leaves_out_are_asked_for_again() {
    let given = Given::table().await;
    let order = order();
    given.itself.accept(order.clone(), None).await.unwrap();
    given.itself.mark_published(order.id, "message", now()).await.unwrap();
    let wanted = json!({
        "ConsistentRead": true,
        "Keys": [{"orderId": {"S": order.id.to_string()}}],
        "ProjectionExpression": "#key, #at",
        "ExpressionAttributeNames": {"#key": "orderId", "#at": "publishedAt"},
    });
    let name = given.name.as_str();
    let left_out = json!({"Responses": {}, "UnprocessedKeys": {name: wanted}}).to_string();
    given.proxy.next("BatchGetItem", vec![Happening::Instead(200, left_out.clone()); 2]);
    assert!(given.table.already_published(&[order.id]).await.unwrap().contains(&order.id));
    given.proxy.always("BatchGetItem", Happening::Instead(200, left_out));
    assert_eq!(given.table.already_published(&[order.id]).await.unwrap_err().kind, ErrorKind::Busy);
}

#[tokio::test]
async fn a_mark_whose_answer_was_lost_is_set_again() {
    let given = Given::table().await;
    let order = order();
    given.itself.accept(order.clone(), None).await.unwrap();
    given.proxy.next("UpdateItem", [failed_after()]);
    given.table.mark_published(order.id, "message", now()).await.unwrap();
    assert!(given.itself.already_published(&[order.id]).await.unwrap().contains(&order.id));
    assert!(given.itself.unpublished(1).await.unwrap().is_empty());
}

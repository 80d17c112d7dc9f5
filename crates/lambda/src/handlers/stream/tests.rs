use super::*;
use crate::handlers::fixtures::{FakePublisher, order};

const POISON: usize = 30;
const FLAKY: usize = 60;

/// The `NewImage` of an order, as DynamoDB's stream has it.
fn image(order: &Order) -> Value {
    json!({
        "orderId": { "S": order.id },
        "kind": { "S": "order" },
        "orderTime": { "S": order.time },
        "customerName": { "S": order.details.customer_name },
        "productName": { "S": order.details.products.to_string() },
        "details": { "S": serde_json::to_string(&order.details).unwrap() },
        "requestId": { "S": order.request_id },
        "newest": { "S": "3" },
        "unpublished": { "S": "3" },
    })
}

fn record(place: usize, event_name: &str, image: &Value) -> Value {
    json!({
        "eventID": format!("e{place}"), "eventName": event_name, "eventVersion": "1.1", "eventSource": "aws:dynamodb",
        "awsRegion": "eu-central-1", "eventSourceARN": "arn:aws:dynamodb:eu-central-1:123456789012:table/Orders/stream/1",
        "dynamodb": {
            "ApproximateCreationDateTime": 1_700_000_000, "Keys": { "orderId": { "S": "a" } }, "NewImage": image,
            "SequenceNumber": number(place), "SizeBytes": 300, "StreamViewType": "NEW_IMAGE",
        },
    })
}

fn number(place: usize) -> String {
    format!("4421584500000000017450{place:03}")
}

fn poison(place: usize) -> Value {
    record(
        place,
        "INSERT",
        &json!({ "orderId": { "S": "a" }, "kind": { "S": "order" }, "details": { "S": "{" } }),
    )
}

/// A stream's function and its topic.
struct World {
    publisher: Arc<FakePublisher>,
    stream: Stream,
}

impl World {
    fn new() -> Self {
        let publisher = Arc::new(FakePublisher::default());
        let stream = Stream { publisher: Arc::clone(&publisher) as _, key: "orderId".to_owned() };
        Self { publisher, stream }
    }

    async fn publish_batch(&self, records: &[Value]) -> Result<Value, Diagnostic> {
        self.stream.publish_batch(&json!({ "Records": records }).to_string()).await
    }

    /// The sequence numbers that the function reports.
    async fn failures(&self, records: &[Value]) -> Vec<String> {
        let answer = self.publish_batch(records).await.unwrap();
        let failures = answer["batchItemFailures"].as_array().unwrap();
        failures.iter().map(|failure| failure["itemIdentifier"].as_str().unwrap().to_owned()).collect()
    }
}

/// A hundred records: one that cannot be read, and 99 orders.
fn hundred() -> (Vec<Order>, Vec<Value>) {
    let orders: Vec<_> = (0..100).map(|number| order(number, 1_700_000_000)).collect();
    let records = orders.iter().enumerate().map(|(place, order)| match place {
        POISON => poison(place),
        _ => record(place, "INSERT", &image(order)),
    });
    let records = records.collect();
    (orders, records)
}

#[tokio::test]
async fn a_batch_with_one_poison_record_and_one_that_fails_twice_is_reported_exactly_at_each_step() {
    let (orders, records) = hundred();
    let world = World::new();
    world.publisher.fail(orders[FLAKY].id, 2);

    // 98 are published at once; the others are named, the lower one being the checkpoint.
    assert_eq!(world.failures(&records).await, [number(POISON), number(FLAKY)]);
    assert_eq!(world.publisher.published().len(), 98);

    // Lambda sends everything from the checkpoint on again. The poison record stands first now: only halving helps.
    let refused = world.publish_batch(&records[POISON..]).await.unwrap_err();
    assert_eq!(refused.error_type, "Orderbell.PoisonRecord");
    assert!(refused.error_message.contains(&number(POISON)));
    assert_eq!(world.publisher.published().len(), 98, "the other one failed a second time");

    // The halves: the second has no failure left, the first is halved until the poison record stands alone.
    assert_eq!(world.failures(&records[65..]).await, [""; 0]);
    assert!(world.publish_batch(&records[POISON..65]).await.is_err());
    assert_eq!(world.publisher.published().len(), 99, "it was published at the third time");
    assert!(world.publish_batch(&records[POISON..47]).await.is_err());
    assert_eq!(world.failures(&records[47..65]).await, [""; 0]);
    assert_eq!(world.failures(&records[POISON..=POISON]).await, [number(POISON)]);
    assert_eq!(world.failures(&records[POISON + 1..47]).await, [""; 0]);

    let sent = |place: usize| world.publisher.sent(orders[place].id);
    assert!((0..100).filter(|place| *place != POISON).all(|place| sent(place) == 1), "each went out once");
    assert_eq!(sent(POISON), 0);
}

#[tokio::test]
async fn while_the_topic_is_down_every_order_is_reported_and_nothing_else() {
    let orders = [order(1, 0), order(2, 0)];
    let records = [
        record(1, "INSERT", &image(&orders[0])),
        record(2, "MODIFY", &image(&orders[0])),
        record(3, "INSERT", &image(&orders[1])),
    ];
    let world = World::new();
    world.publisher.set_down(true);
    assert_eq!(world.failures(&records).await, [number(1), number(3)]);
    world.publisher.set_down(false);
    assert_eq!(world.failures(&records).await, [""; 0]);
    assert_eq!(world.publisher.published(), orders.map(|order| order.id).into());
}

#[tokio::test]
async fn what_is_no_new_order_is_passed_over() {
    let known = order(1, 0);
    let records = [
        record(1, "MODIFY", &image(&known)),
        json!({ "eventName": "REMOVE", "dynamodb": { "SequenceNumber": number(2), "OldImage": image(&known) } }),
        record(3, "INSERT", &json!({ "orderId": { "S": "idem#00" }, "kind": { "S": "idempotency" } })),
        record(4, "INSERT", &json!({ "FileName": { "S": "a" }, "customerName": { "S": "John Doe" } })),
    ];
    let world = World::new();
    assert_eq!(world.failures(&records).await, [""; 0]);
    assert!(world.publisher.published().is_empty());
}

#[tokio::test]
async fn whatever_is_wrong_with_a_record_only_that_record_is_reported() {
    let good = order(1, 0);
    let broken = [
        json!({ "eventName": "INSERT", "dynamodb": { "SequenceNumber": number(2) } }),
        json!({ "eventName": 7, "dynamodb": { "SequenceNumber": number(2) } }),
        record(2, "INSERT", &json!({ "orderId": { "What": "a" } })),
        record(2, "INSERT", &json!("no map")),
        poison(2),
    ];
    for record_of_a_kind in broken {
        let world = World::new();
        let records =
            [record(1, "INSERT", &image(&good)), record_of_a_kind, record(3, "INSERT", &image(&order(3, 0)))];
        assert_eq!(world.failures(&records).await, [number(2)], "{}", records[1]);
        assert_eq!(world.publisher.published().len(), 2, "{}", records[1]);
    }
}

#[test]
fn why_a_record_cannot_be_read_is_said_without_its_data() {
    for image in [
        json!({ "customerEmail": "ada@example.com" }),
        json!({ "total": { "N": ["ada@example.com"] } }),
        json!({ "ada@example.com": { "ada@example.com": 1 } }),
        json!({ "orderId": { "S": "ada@example.com" }, "kind": { "S": "order" } }),
    ] {
        let reason = find(&record(1, "INSERT", &image).to_string(), "orderId").err().unwrap();
        assert!(!reason.contains("ada@example.com"), "{reason}");
    }
}

#[tokio::test]
async fn a_batch_whose_records_cannot_be_named_fails_as_a_whole() {
    for event in [
        json!({}),
        json!(7),
        json!({ "Records": [{ "eventSource": "aws:sqs", "body": "" }] }),
        json!({ "Records": [{ "eventName": "INSERT", "dynamodb": { "SequenceNumber": "" } }] }),
    ] {
        let refused = World::new().stream.publish_batch(&event.to_string()).await.unwrap_err();
        assert_eq!(refused.error_type, "Orderbell.NoBatch", "{event}");
    }
    assert_eq!(World::new().failures(&[]).await, [""; 0]);
}

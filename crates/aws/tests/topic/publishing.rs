//! Which orders are published, marked and reported, whatever SNS answers.

use application::ErrorKind;
use application::ports::{Published, Publisher as _};
use domain::order::ShortReference;

use crate::fixtures::{ids, keys, logged, orders};
use crate::scripted::{Aws, Call, accept, entries, error, topic};

const REFUSED: &str = "<member><Id>{id}</Id><Code>InvalidParameter</Code><Message>no</Message><SenderFault>true\
                       </SenderFault></member>";

fn of(number: u8) -> String {
    logged(number).order.id.to_string()
}

#[tokio::test]
async fn every_order_is_published_and_marked() {
    let aws = Aws::playing(|call| accept(call, |_| None)).await;
    let orders = orders(0..23);
    assert_eq!(aws.topic.publish(&orders).await.unwrap(), Published::default());
    let mut sizes: Vec<_> = aws.calls().iter().map(|call| entries(call).len()).collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [3, 10, 10]);
    assert_eq!(aws.marked(), keys(&orders));
    aws.topic.publish(&orders).await.unwrap();
    assert_eq!(aws.calls().len(), 3, "what was marked was published again");
}

#[tokio::test]
async fn a_message_says_the_order_to_every_protocol_and_carries_its_facts() {
    let aws = Aws::playing(|call| accept(call, |_| None)).await;
    aws.topic.publish(&orders(1..2)).await.unwrap();
    let call = &aws.calls()[0];
    let entry = |name: &str| call[&format!("PublishBatchRequestEntries.member.1.{name}")].clone();
    assert_eq!(entry("Subject"), "New Order Notification");
    assert_eq!(entry("MessageStructure"), "json");
    let message: serde_json::Value = serde_json::from_str(&entry("Message")).unwrap();
    let text = format!(
        "📦 New Order Received!\nOrder ID: {}\nCustomer: Ada\nProduct: Mouse\n\nCurrency: EUR",
        of(1)
    );
    assert_eq!(message["default"], text);
    let reference = ShortReference::of(logged(1).order.id);
    assert_eq!(message["sms"], format!("{reference}: Mouse\nCustomer: Ada\nCurrency: EUR"));
    let structured: serde_json::Value = serde_json::from_str(message["https"].as_str().unwrap()).unwrap();
    assert_eq!(
        (&structured["type"], &structured["data"]["currency"]),
        (&"order.placed".into(), &"EUR".into())
    );
    let carried: Vec<_> = (1..=5)
        .map(|place| format!("MessageAttributes.entry.{place}"))
        .map(|path| (entry(&format!("{path}.Name")), entry(&format!("{path}.Value.StringValue"))))
        .collect();
    assert!(carried.contains(&("currency".to_owned(), "EUR".to_owned())), "{carried:?}");
    assert!(carried.contains(&("AWS.SNS.SMS.SMSType".to_owned(), "Transactional".to_owned())), "{carried:?}");
    assert!(carried.contains(&("orderId".to_owned(), of(1))), "{carried:?}");
}

#[tokio::test]
async fn an_order_that_sns_refuses_is_reported_and_holds_up_no_other() {
    let poison = of(4);
    let aws =
        Aws::playing(move |call| accept(call, |said| said.contains(&poison).then(|| REFUSED.to_owned())))
            .await;
    let published = aws.topic.publish(&orders(0..10)).await.unwrap();
    assert_eq!(published.failed, [logged(4).order.id]);
    assert_eq!(aws.marked().len(), 9);
    assert!(!aws.marked().contains(&of(4)));
}

#[tokio::test]
async fn an_order_that_the_answer_does_not_name_is_reported() {
    let unnamed = of(7);
    let aws = Aws::playing(move |call| accept(call, |said| said.contains(&unnamed).then(String::new))).await;
    assert_eq!(aws.topic.publish(&orders(0..10)).await.unwrap().failed, [logged(7).order.id]);
    assert_eq!(aws.marked().len(), 9);
}

#[tokio::test]
async fn a_batch_that_is_refused_for_one_message_is_published_message_by_message() {
    let poison = of(4);
    let refuses = move |call: &Call| entries(call).values().any(|message| message.contains(&poison));
    let aws = Aws::playing(move |call| {
        if refuses(call) { error(400, "InvalidParameter", "no") } else { accept(call, |_| None) }
    })
    .await;
    assert_eq!(aws.topic.publish(&orders(0..10)).await.unwrap().failed, [logged(4).order.id]);
    assert_eq!((aws.calls().len(), aws.marked().len()), (11, 9));
}

#[tokio::test]
async fn a_batch_that_fails_fails_alone() {
    let first = of(0);
    let fails = move |call: &Call| entries(call).values().any(|message| message.contains(&first));
    let aws = Aws::playing(move |call| {
        if fails(call) { error(403, "AuthorizationError", "no") } else { accept(call, |_| None) }
    })
    .await;
    let orders = orders(0..15);
    let published = aws.topic.publish(&orders).await.unwrap();
    assert_eq!(published.failed, ids(&orders[..10]));
    assert_eq!(aws.marked(), keys(&orders[10..]));
}

#[tokio::test]
async fn an_order_whose_mark_fails_is_not_reported_and_stays_unmarked() {
    let aws = Aws::playing(|call| accept(call, |_| None)).await;
    aws.break_table();
    assert_eq!(aws.topic.publish(&orders(0..2)).await.unwrap(), Published::default());
    assert!(aws.marked().is_empty());
}

#[tokio::test]
async fn an_order_that_sns_took_is_not_published_again_however_long_its_mark_fails() {
    let aws = Aws::playing(|call| accept(call, |_| None)).await;
    let orders = orders(0..2);
    aws.break_table();
    for _ in 0..3 {
        aws.topic.publish(&orders).await.unwrap();
    }
    assert_eq!((aws.calls().len(), aws.marked().len()), (1, 0));
    aws.mend_table();
    aws.topic.publish(&orders).await.unwrap();
    assert_eq!((aws.calls().len(), aws.marked()), (1, keys(&orders)));
}

#[tokio::test]
async fn only_unmarked_orders_are_published() {
    let aws = Aws::playing(|call| accept(call, |_| None)).await;
    aws.mark(logged(1).order.id);
    aws.topic.publish(&orders(0..3)).await.unwrap();
    let said: String = entries(&aws.calls()[0]).into_values().collect();
    assert!(said.contains(&of(0)) && said.contains(&of(2)) && !said.contains(&of(1)));
}

#[tokio::test]
async fn nothing_is_published_where_the_marks_cannot_be_read() {
    let unreachable = topic("http://127.0.0.1:9");
    let error = unreachable.publish(&orders(0..1)).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unavailable);
    assert_eq!(unreachable.publish(&[]).await.unwrap(), Published::default());
}

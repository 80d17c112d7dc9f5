//! SNS's list of subscriptions, a page of ours at a time.

use application::ErrorKind;
use application::ports::{PageRequest, SubscriptionQuery, Subscriptions as _};
use domain::attributes::AttributesChange;
use domain::endpoint::Protocol;
use domain::subscription::SubscriptionState::{self, Confirmed, Ended, Pending};
use domain::subscription::{EndReason, Subscription};

use crate::fixtures::start;
use crate::scripted::{Aws, attributes, error, page};

const FIRST: [(&str, &str, &str); 4] = [
    ("arn:1", "email", "ada@example.com"),
    ("arn:2", "sqs", "arn:aws:sqs:us-east-1:123456789012:queue"),
    ("PendingConfirmation", "sms", "+4915112345678"),
    ("arn:3", "http", "http://example.com/a"),
];
const SECOND: [(&str, &str, &str); 2] =
    [("Deleted", "email", "bob@example.com"), ("arn:4", "https", "https://example.com/a")];
const TOKEN: &str = "AAF/+x==";

async fn sns() -> Aws {
    Aws::playing(|call| match (call["Action"].as_str(), call.get("NextToken").map(String::as_str)) {
        ("ListSubscriptionsByTopic", None) => page(&FIRST, Some(TOKEN)),
        ("ListSubscriptionsByTopic", Some(TOKEN)) => page(&SECOND, None),
        ("ListSubscriptionsByTopic", Some(_)) => error(400, "InvalidParameter", "NextToken"),
        _ => attributes(&[("PendingConfirmation", "false")]),
    })
    .await
}

async fn listed(aws: &Aws, query: SubscriptionQuery, limit: usize) -> Vec<Subscription> {
    let (mut all, mut cursor) = (Vec::new(), None);
    loop {
        let query = SubscriptionQuery { page: PageRequest { limit, cursor }, ..query.clone() };
        let found = aws.topic.subscriptions(query).await.unwrap();
        assert!(found.items.len() <= limit);
        all.extend(found.items);
        cursor = found.next;
        if cursor.is_none() {
            return all;
        }
    }
}

fn endpoints(subscriptions: &[Subscription]) -> Vec<String> {
    subscriptions.iter().map(|subscription| subscription.endpoint.to_string()).collect()
}

#[tokio::test]
async fn pages_of_any_size_neither_repeat_nor_skip_a_subscription() {
    let aws = sns().await;
    let ours = [
        "ada@example.com",
        "+4915112345678",
        "http://example.com/a",
        "bob@example.com",
        "https://example.com/a",
    ];
    for limit in 1..=7 {
        assert_eq!(
            endpoints(&listed(&aws, SubscriptionQuery::default(), limit).await),
            ours,
            "{limit} at a time"
        );
    }
}

#[tokio::test]
async fn filters_hold_together() {
    let aws = sns().await;
    let mail = SubscriptionQuery { protocol: Some(Protocol::Email), ..SubscriptionQuery::default() };
    assert_eq!(endpoints(&listed(&aws, mail.clone(), 1).await), ["ada@example.com", "bob@example.com"]);
    let confirmed = SubscriptionQuery { state: Some(SubscriptionState::Confirmed), ..mail };
    assert_eq!(endpoints(&listed(&aws, confirmed, 1).await), ["ada@example.com"]);
}

#[tokio::test]
async fn each_is_found_again_by_its_id_and_stands_as_sns_says() {
    let aws = sns().await;
    let all = listed(&aws, SubscriptionQuery::default(), 10).await;
    let states: Vec<_> = all.iter().map(|subscription| subscription.state).collect();
    assert_eq!(states, [Confirmed, Pending, Confirmed, Ended, Confirmed]);
    for subscription in all {
        assert_eq!(aws.topic.subscription(subscription.id).await.unwrap(), Some(subscription));
    }
}

#[tokio::test]
async fn a_bad_cursor_is_refused() {
    let aws = sns().await;
    for cursor in ["nonsense", "0.bm9uc2Vuc2U"] {
        let page = PageRequest { limit: 10, cursor: Some(cursor.to_owned()) };
        let error = aws
            .topic
            .subscriptions(SubscriptionQuery { page, ..SubscriptionQuery::default() })
            .await
            .unwrap_err();
        assert_eq!((error.kind, error.code), (ErrorKind::Invalid, "invalid_cursor"), "{cursor}");
    }
}

#[tokio::test]
async fn a_policy_that_ours_cannot_say_hides_no_subscription() {
    let foreign = r#"{"shop":[{"wildcard":"n*"}]}"#;
    let aws = Aws::playing(move |call| match call["Action"].as_str() {
        "ListSubscriptionsByTopic" => page(&FIRST, None),
        _ => attributes(&[("FilterPolicy", foreign)]),
    })
    .await;
    assert_eq!(listed(&aws, SubscriptionQuery::default(), 10).await.len(), 3);
}

/// Each such call counts against what SNS takes of an account.
#[tokio::test]
async fn sns_is_asked_once_about_each_subscription() {
    let asked =
        |aws: &Aws| aws.actions().iter().filter(|action| *action == "GetSubscriptionAttributes").count();
    let aws = sns().await;
    let all = listed(&aws, SubscriptionQuery::default(), 1).await;
    assert_eq!(asked(&aws), 3, "those that have an ARN");
    let mails = SubscriptionQuery { protocol: Some(Protocol::Email), ..SubscriptionQuery::default() };
    listed(&aws, mails, 10).await;
    assert_eq!(asked(&aws), 4, "the mail that has one");
    let ada = all[0].id;
    let same = AttributesChange::default();
    assert_eq!(aws.topic.change_attributes(ada, same).await.unwrap(), all[0]);
    assert_eq!(asked(&aws), 5);
    aws.topic.unsubscribe(ada, EndReason::Unsubscribed, start()).await.unwrap();
    assert_eq!(asked(&aws), 6);
}

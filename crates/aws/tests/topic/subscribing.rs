//! Subscriptions that wait for SNS's confirmation, those that stand, and what SNS refuses.

use application::ErrorKind;
use application::ports::{NewSubscription, Subscribed, Subscriptions as _};
use domain::attributes::{Attributes, AttributesChange};
use domain::endpoint::Protocol;
use domain::subscription::{EndReason, SubscriptionId, SubscriptionState};

use crate::fixtures::{new, policy, start};
use crate::scripted::{Answer, Aws, Call, answer, attributes, error, page, topic};

const ARN: &str = "arn:aws:sns:us-east-1:123456789012:orders:1";
const ADA: (&str, &str) = ("email", "ada@example.com");
const EURO: &str = r#"{"currency":["EUR"]}"#;
const DIFFERENT: &str =
    "Invalid parameter: Attributes Reason: Subscription already exists with different attributes";

fn ada() -> NewSubscription {
    new(Protocol::Email, ADA.1)
}

/// SNS with one subscription of Ada's, under that ARN, and what else it answers to the rest.
async fn with(arn: &'static str, mut rest: impl FnMut(&Call) -> Answer + Send + 'static) -> Aws {
    Aws::playing(move |call| match call["Action"].as_str() {
        "ListSubscriptionsByTopic" => page(&[(arn, ADA.0, ADA.1)], None),
        _ => rest(call),
    })
    .await
}

fn asked() -> Answer {
    answer("Subscribe", &format!("<SubscriptionArn>{ARN}</SubscriptionArn>"))
}

fn pending(call: &Call) -> Answer {
    match call["Action"].as_str() {
        "Subscribe" => asked(),
        _ => attributes(&[("PendingConfirmation", "true"), ("FilterPolicy", EURO)]),
    }
}

async fn id_of_ada(aws: &Aws) -> SubscriptionId {
    let all = aws.topic.subscriptions(application::ports::SubscriptionQuery::default()).await.unwrap();
    all.items[0].id
}

#[tokio::test]
async fn a_new_subscription_is_pending_and_tells_no_more_than_sns_does() {
    let aws = Aws::playing(|call| match call["Action"].as_str() {
        "ListSubscriptionsByTopic" => page(&[], None),
        _ => pending(call),
    })
    .await;
    let wanted = NewSubscription { attributes: Attributes::with_filter_policy(Some(policy(EURO))), ..ada() };
    let Subscribed::Created(made) = aws.topic.subscribe(wanted).await.unwrap() else { panic!("not created") };
    assert_eq!(
        (made.state, &made.attributes.filter_policy),
        (SubscriptionState::Pending, &Some(policy(EURO)))
    );
    assert_eq!((made.created_at, made.confirmation_expires_at, made.confirmation), (None, None, None));
    assert_eq!((made.end, made.secrets), (None, None));
    let call = &aws.calls()[1];
    assert_eq!((call["Protocol"].as_str(), call["Endpoint"].as_str()), ADA);
    assert_eq!(call["ReturnSubscriptionArn"], "true");
    let set: Vec<_> =
        call.iter().filter(|(name, _)| name.starts_with("Attributes.")).map(|(_, value)| value).collect();
    assert!(set.iter().any(|value| *value == EURO) && set.iter().any(|value| *value == "MessageAttributes"));
}

#[tokio::test]
async fn a_pending_subscription_is_found_and_asked_again_with_its_policy() {
    let aws = with("PendingConfirmation", pending).await;
    let id = id_of_ada(&aws).await;
    let found = aws.topic.subscription(id).await.unwrap().unwrap();
    assert_eq!(found.state, SubscriptionState::Pending);
    let confirmation = ada().confirmation;
    let again = aws.topic.resend_confirmation(id, confirmation, start()).await.unwrap();
    assert_eq!((again.id, again.attributes.filter_policy), (id, Some(policy(EURO))));
    let same = NewSubscription { attributes: Attributes::with_filter_policy(Some(policy(EURO))), ..ada() };
    assert!(
        matches!(aws.topic.subscribe(same).await.unwrap(), Subscribed::Existing(found) if found.id == id)
    );
}

#[tokio::test]
async fn a_subscription_that_sns_lists_by_its_arn_and_says_is_pending_is_pending() {
    let aws = with(ARN, pending).await;
    let id = id_of_ada(&aws).await;
    for (state, listed) in [(SubscriptionState::Pending, 1), (SubscriptionState::Confirmed, 0)] {
        let query = application::ports::SubscriptionQuery { state: Some(state), ..Default::default() };
        assert_eq!(aws.topic.subscriptions(query).await.unwrap().items.len(), listed, "{state:?}");
    }
    let found = aws.topic.subscription(id).await.unwrap().unwrap();
    assert_eq!(
        (found.state, found.attributes.filter_policy),
        (SubscriptionState::Pending, Some(policy(EURO)))
    );
    let again = aws.topic.resend_confirmation(id, ada().confirmation, start()).await.unwrap();
    assert_eq!(again.state, SubscriptionState::Pending);
    let same = NewSubscription { attributes: Attributes::with_filter_policy(Some(policy(EURO))), ..ada() };
    assert!(matches!(aws.topic.subscribe(same).await.unwrap(), Subscribed::Existing(_)));
    let asked = aws.actions().iter().filter(|action| *action == "Subscribe").count();
    assert_eq!(asked, 2, "the owner was not asked again");
    for error in [
        aws.topic.unsubscribe(id, EndReason::Removed, start()).await.unwrap_err(),
        aws.topic.change_attributes(id, AttributesChange::with_filter_policy(None)).await.unwrap_err(),
    ] {
        assert_eq!(error.code, "subscription_pending");
    }
}

#[tokio::test]
async fn a_pending_subscription_is_pending_however_sns_writes_it() {
    for (arn, says) in [
        ("PendingConfirmation", "true"),
        ("pending confirmation", "true"),
        (ARN, "true"),
        (ARN, "True"),
        (ARN, "TRUE"),
        ("Pending Confirmation", "true"),
        ("pending", "true"),
        ("", "true"),
    ] {
        let aws = with(arn, move |_| attributes(&[("PendingConfirmation", says)])).await;
        let all = aws.topic.subscriptions(application::ports::SubscriptionQuery::default()).await.unwrap();
        assert_eq!(all.items[0].state, SubscriptionState::Pending, "{arn} {says}");
    }
}

#[tokio::test]
async fn a_subscription_with_an_arn_is_confirmed_unless_sns_says_that_it_is_pending() {
    for said in [Some("false"), Some("False"), Some(""), Some("no"), None] {
        let says = said.map(|said| ("PendingConfirmation", said));
        let aws = with(ARN, move |_| attributes(says.as_slice())).await;
        let all = aws.topic.subscriptions(application::ports::SubscriptionQuery::default()).await.unwrap();
        assert_eq!(all.items[0].state, SubscriptionState::Confirmed, "{said:?}");
    }
}

#[tokio::test]
async fn a_pending_subscription_with_other_attributes_is_told_apart_by_sns() {
    let aws = with("PendingConfirmation", |_| error(400, "InvalidParameter", DIFFERENT)).await;
    let id = id_of_ada(&aws).await;
    assert!(
        matches!(aws.topic.subscribe(ada()).await.unwrap(), Subscribed::Differs(found) if found.id == id)
    );
    let error = aws.topic.resend_confirmation(id, ada().confirmation, start()).await.unwrap_err();
    assert_eq!((error.kind, error.code), (ErrorKind::Conflict, "subscription_differs"));
}

#[tokio::test]
async fn what_sns_cannot_do_while_it_waits_is_a_conflict_that_says_so() {
    let aws = with("PendingConfirmation", pending).await;
    let id = id_of_ada(&aws).await;
    let errors = [
        aws.topic.unsubscribe(id, EndReason::Removed, start()).await.unwrap_err(),
        aws.topic.change_attributes(id, AttributesChange::with_filter_policy(None)).await.unwrap_err(),
    ];
    for error in errors {
        assert_eq!((error.kind, error.code), (ErrorKind::Conflict, "subscription_pending"));
        assert!(error.message.contains("gone after 48 hours"), "{}", error.message);
    }
}

#[tokio::test]
async fn a_confirmed_subscription_with_other_attributes_is_left_as_it_is() {
    let aws = with(ARN, |_| attributes(&[("PendingConfirmation", "false"), ("FilterPolicy", EURO)])).await;
    assert!(matches!(aws.topic.subscribe(ada()).await.unwrap(), Subscribed::Differs(found)
        if found.attributes.filter_policy == Some(policy(EURO))));
    let same = NewSubscription {
        attributes: Attributes::with_filter_policy(Some(policy(r#"{ "currency": ["EUR"] }"#))),
        ..ada()
    };
    assert!(matches!(aws.topic.subscribe(same).await.unwrap(), Subscribed::Existing(_)));
    assert!(!aws.actions().contains(&"Subscribe".to_owned()), "the owner was asked again");
}

#[tokio::test]
async fn a_confirmed_subscription_is_not_asked_again() {
    let aws = with(ARN, |_| attributes(&[])).await;
    let error =
        aws.topic.resend_confirmation(id_of_ada(&aws).await, ada().confirmation, start()).await.unwrap_err();
    assert_eq!((error.kind, error.code), (ErrorKind::Conflict, "already_confirmed"));
}

#[tokio::test]
async fn an_ended_subscription_takes_no_change_and_can_be_made_anew() {
    let aws = with("Deleted", pending).await;
    let id = id_of_ada(&aws).await;
    let ended = aws.topic.unsubscribe(id, EndReason::Removed, start()).await.unwrap();
    assert_eq!(ended.state, SubscriptionState::Ended);
    let errors = [
        aws.topic.change_attributes(id, AttributesChange::with_filter_policy(None)).await.unwrap_err(),
        aws.topic.resend_confirmation(id, ada().confirmation, start()).await.unwrap_err(),
    ];
    for error in errors {
        assert_eq!((error.kind, error.code), (ErrorKind::Conflict, "subscription_ended"));
    }
    assert!(matches!(aws.topic.subscribe(ada()).await.unwrap(), Subscribed::Created(_)));
}

#[tokio::test]
async fn what_sns_refuses_is_the_callers_to_mend_and_repeats_nothing_that_sns_said() {
    let aws = Aws::playing(|call| match call["Action"].as_str() {
        "ListSubscriptionsByTopic" => page(&[], None),
        _ => error(400, "InvalidParameter", "Invalid SMS endpoint: +4915112345678"),
    })
    .await;
    let error = aws.topic.subscribe(new(Protocol::Sms, "+4915112345678")).await.unwrap_err();
    assert_eq!((error.kind, error.code), (ErrorKind::Invalid, "subscription_refused"));
    assert!(
        !error.message.contains("4915112345678") && !error.cause().contains("4915112345678"),
        "{}",
        error.cause()
    );
}

#[tokio::test]
async fn a_policy_on_what_no_message_carries_is_refused() {
    let aws = Aws::playing(|_| panic!("SNS is not asked")).await;
    let wanted = NewSubscription {
        attributes: Attributes::with_filter_policy(Some(policy(r#"{"AWS.x":[1]}"#))),
        ..ada()
    };
    assert_eq!(aws.topic.subscribe(wanted).await.unwrap_err().code, "invalid_filter_policy");
}

#[tokio::test]
async fn a_policy_that_sns_refuses_is_the_callers_to_mend() {
    let aws =
        with(ARN, |call| match (call["Action"].as_str(), call.get("AttributeName").map(String::as_str)) {
            ("GetSubscriptionAttributes", _) => attributes(&[]),
            (_, Some("FilterPolicy")) => error(400, "InvalidParameter", "FilterPolicy: value out of range"),
            _ => answer("SetSubscriptionAttributes", ""),
        })
        .await;
    let id = id_of_ada(&aws).await;
    let error = aws
        .topic
        .change_attributes(id, AttributesChange::with_filter_policy(Some(policy(r#"{"total":[20]}"#))))
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind, error.code, error.field.as_deref()),
        (ErrorKind::Invalid, "invalid_filter_policy", Some("filterPolicy"))
    );
}

#[tokio::test]
async fn each_failure_of_sns_has_its_kind() {
    let failures = [
        (400, "Throttled", ErrorKind::Busy, "topic_busy"),
        (429, "TooManyRequestsException", ErrorKind::Busy, "topic_busy"),
        (500, "InternalError", ErrorKind::Unavailable, "topic_unavailable"),
        (503, "ServiceUnavailable", ErrorKind::Unavailable, "topic_unavailable"),
        (403, "AuthorizationError", ErrorKind::Internal, "internal"),
        (404, "NotFound", ErrorKind::Internal, "internal"),
        (403, "SubscriptionLimitExceeded", ErrorKind::Unprocessable, "quota_exceeded"),
    ];
    for (status, code, kind, ours) in failures {
        let aws = Aws::playing(move |_| error(status, code, "the secret of SNS")).await;
        let error = aws.topic.subscribe(ada()).await.unwrap_err();
        assert_eq!((error.kind, error.code), (kind, ours), "{code}");
        assert_eq!(error.retry_after.is_some(), kind == ErrorKind::Busy, "{code}");
        assert!(
            error.cause().contains(code) && !error.message.contains("secret"),
            "{code}: {}",
            error.cause()
        );
    }
    let error = topic("http://127.0.0.1:9").subscription(ada().id).await.unwrap_err();
    assert_eq!((error.kind, error.code), (ErrorKind::Unavailable, "topic_unavailable"));
}

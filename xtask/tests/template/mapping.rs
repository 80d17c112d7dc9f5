//! How the stream is read. Lambda's defaults would retry a bad record for a day while all behind it wait, and tell
//! nobody: <https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-eventsourcemapping.html>

use serde_json::{Value, json};

use crate::document::properties;
use crate::sources;

fn mapping() -> Value {
    let mut events = properties("StreamFunction")["Events"].take();
    assert_eq!(events.as_object().unwrap().len(), 1);
    assert_eq!(events["Orders"]["Type"], "DynamoDB");
    events["Orders"]["Properties"].take()
}

#[test]
fn only_new_orders_reach_the_function() {
    let filters = mapping()["FilterCriteria"]["Filters"].take();
    let [filter] = filters.as_array().unwrap().as_slice() else {
        panic!("one filter: several widen each other")
    };
    let pattern: Value = serde_json::from_str(filter["Pattern"].as_str().unwrap()).unwrap();
    let wanted =
        json!({ "eventName": ["INSERT"], "dynamodb": { "NewImage": { "kind": { "S": ["order"] } } } });
    assert_eq!(pattern, wanted);
}

#[test]
fn what_the_function_reports_is_what_is_tried_again() {
    assert_eq!(mapping()["FunctionResponseTypes"], json!(["ReportBatchItemFailures"]));
}

#[test]
fn a_batch_that_crashes_the_function_is_halved_until_its_bad_record_stands_alone() {
    assert_eq!(mapping()["BisectBatchOnFunctionError"], true);
    assert_eq!(mapping()["BatchSize"], 100);
}

#[test]
fn a_bad_record_is_given_up_in_bounded_time_and_told_of() {
    let mapping = mapping();
    assert_eq!(mapping["MaximumRetryAttempts"], 5);
    assert_eq!(mapping["MaximumRecordAgeInSeconds"], 600);
    let destination = json!({ "Type": "SQS", "Destination": { "Fn::GetAtt": ["DeadLetters", "Arn"] } });
    assert_eq!(mapping["DestinationConfig"]["OnFailure"], destination);
}

#[test]
fn the_scenarios_assume_the_same_settings() {
    let mapping = mapping();
    let (batch, retries) = (&mapping["BatchSize"], &mapping["MaximumRetryAttempts"]);
    let minutes = mapping["MaximumRecordAgeInSeconds"].as_u64().unwrap() / 60;
    let assumed = format!(
        "TEMPLATE: Self = Self {{ batch_size: {batch}, retry_attempts: {retries}, \
         record_age: Duration::from_mins({minutes}) }}"
    );
    let driver = sources("e2e/src/aws").concat();
    let driver = driver.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(driver.contains(&assumed), "e2e/src/aws/event_source_mapping.rs does not say {assumed}");
}

#[test]
fn nothing_that_was_stored_before_the_mapping_was_ready_is_passed_over() {
    assert_eq!(mapping()["StartingPosition"], "TRIM_HORIZON");
}

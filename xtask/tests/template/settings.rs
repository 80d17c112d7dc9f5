//! What the template sets is what the program reads, and what it watches is what the program tells.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::document::{properties, resources, template};
use crate::sources;

/// The environment of a function: what all have, and its own.
fn variables(function: &str) -> BTreeSet<String> {
    let names =
        |it: &Value| it["Environment"]["Variables"].as_object().cloned().unwrap_or_default().into_iter();
    let of_all = template()["Globals"]["Function"].take();
    names(&of_all).chain(names(&properties(function))).map(|(name, _)| name).collect()
}

/// The variables that the program reads after `before`.
fn read_by_the_program(before: &str) -> BTreeSet<String> {
    let code = sources("crates/lambda/src").concat();
    let places = code.match_indices(before).map(|(place, _)| &code[place + before.len()..]);
    let names = places
        .map(|rest| rest.chars().take_while(|c| c.is_ascii_uppercase() || *c == '_').collect::<String>());
    names.filter(|name| name.starts_with("ORDERBELL_")).collect()
}

#[test]
fn every_variable_is_one_that_the_program_reads() {
    let read = read_by_the_program("\"");
    for function in ["HttpFunction", "StreamFunction", "SweepFunction"] {
        let unread: Vec<_> = variables(function).difference(&read).cloned().collect();
        assert!(unread.is_empty(), "{function} sets {unread:?}, which nobody reads");
    }
}

#[test]
fn every_variable_that_the_program_must_have_is_set() {
    let required = read_by_the_program("required(\"");
    assert!(!required.is_empty());
    let http = variables("HttpFunction");
    assert!(required.is_subset(&http), "required: {required:?}, set: {http:?}");
    let of_every_function = required.iter().filter(|name| *name != "ORDERBELL_INTAKE").cloned().collect();
    for function in ["StreamFunction", "SweepFunction"] {
        assert!(
            variables(function).is_superset(&of_every_function),
            "{function} lacks one of {of_every_function:?}"
        );
    }
}

#[test]
fn who_may_place_orders_is_chosen_by_whoever_deploys() {
    let intake = template()["Parameters"]["Intake"].take();
    assert_eq!(intake["AllowedValues"], json!(["open", "key"]));
    assert!(intake.get("Default").is_none());
}

#[test]
fn each_function_is_one_part_of_the_one_program() {
    let functions = resources("AWS::Serverless::Function");
    let parts: BTreeSet<_> =
        functions.iter().map(|(_, it)| it["Properties"]["Handler"].as_str().unwrap()).collect();
    assert_eq!(parts, BTreeSet::from(["http", "stream", "sweep"]));
    assert_eq!(functions.len(), 3);
    assert_eq!(template()["Globals"]["Function"]["Runtime"], "provided.al2023");
}

#[test]
fn two_sweeps_do_not_meet() {
    let sweep = properties("SweepFunction");
    let schedule = &sweep["Events"]["Schedule"]["Properties"]["ScheduleExpression"];
    assert_eq!(schedule, "rate(5 minutes)");
    assert!(sweep["Timeout"].as_u64().unwrap() < 5 * 60);
    assert_eq!(sweep["EventInvokeConfig"]["MaximumRetryAttempts"], 0);
}

#[test]
fn the_function_gives_up_before_the_gateway_does() {
    // <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html>
    assert!(properties("HttpFunction")["Timeout"].as_u64().unwrap() < 30);
}

#[test]
fn every_alarm_tells_the_operators_and_watches_a_metric_that_is_there() {
    let code = sources("crates/lambda/src").concat();
    let alarms = resources("AWS::CloudWatch::Alarm");
    assert!(alarms.iter().any(|(_, it)| it["Properties"]["Namespace"] == "Orderbell"));
    for (name, alarm) in alarms {
        let properties = &alarm["Properties"];
        assert_eq!(properties["AlarmActions"], json!([{ "Ref": "Operators" }]), "{name}");
        if properties["Namespace"] == "Orderbell" {
            let metric = properties["MetricName"].as_str().unwrap();
            assert!(code.contains(&format!("\"{metric}\"")), "{name}: the program knows no metric {metric}");
            assert_eq!(properties["Dimensions"][0]["Name"], "FunctionName", "{name}");
        }
    }
}

#[test]
fn every_log_ends_some_day() {
    let logs = resources("AWS::Logs::LogGroup");
    assert_eq!(logs.len(), 4);
    for (name, log) in logs {
        assert_eq!(log["Properties"]["RetentionInDays"], json!({ "Ref": "LogRetentionDays" }), "{name}");
    }
}

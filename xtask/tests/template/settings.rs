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

/// As browsers read it (<https://fetch.spec.whatwg.org/#cors-preflight-fetch>): `*` means every header but `authorization`.
#[test]
fn a_page_of_an_allowed_origin_may_send_any_header_along() {
    let cors = &properties("Api")["CorsConfiguration"];
    assert_eq!(cors["AllowCredentials"], Value::Null, "with credentials, * would mean a header of that name");
    let allowed: Vec<_> =
        cors["AllowHeaders"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    let may_send =
        |header: &str| allowed.contains(&header) || (header != "authorization" && allowed.contains(&"*"));
    for header in [
        "content-type",
        "idempotency-key",
        "x-api-key",
        "authorization",
        "x-request-id",
        "baggage",
        "sentry-trace",
        "traceparent",
        "tracestate",
        "x-requested-with",
        "x-csrf-token",
        "x-datadog-trace-id",
        "newrelic",
        "prefer",
        "if-none-match",
    ] {
        assert!(may_send(header), "{header} is refused");
    }
    for method in ["POST", "OPTIONS"] {
        assert!(cors["AllowMethods"].as_array().unwrap().contains(&Value::from(method)));
    }
}

#[test]
fn a_flood_is_held_off_by_the_gateway() {
    let limits = &properties("ApiStage")["DefaultRouteSettings"];
    assert_eq!(limits["ThrottlingRateLimit"], json!({ "Ref": "ThrottleRate" }));
    assert_eq!(limits["ThrottlingBurstLimit"], json!({ "Ref": "ThrottleBurst" }));
    // Far above what a shop meets, and below what an account has for all of its APIs in a region.
    // <https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html>
    let default = |parameter: &str| template()["Parameters"][parameter]["Default"].as_u64().unwrap();
    assert!((100..=10_000).contains(&default("ThrottleRate")));
    assert!((default("ThrottleRate")..=5_000).contains(&default("ThrottleBurst")));
}

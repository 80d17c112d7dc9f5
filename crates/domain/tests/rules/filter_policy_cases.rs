//! The table of filter policies: what SNS documents, case by case. Beside the emulators moto is asked the same.

use std::collections::{BTreeMap, BTreeSet};

use domain::filter_policy::{FilterPolicy, FilterPolicyScope};
use serde::Deserialize;
use serde_json::value::RawValue;

#[derive(Deserialize)]
struct Table<'a> {
    /// What AWS documents, by a short name, where moto does otherwise.
    sources: BTreeMap<&'a str, &'a str>,
    #[serde(borrow)]
    cases: Vec<Case<'a>>,
}

/// A policy and a message that it wants or not, or the member at which it is refused.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case<'a> {
    name: &'a str,
    #[serde(default)]
    scope: Option<&'a str>,
    #[serde(borrow)]
    policy: &'a RawValue,
    #[serde(borrow, default)]
    message: Option<&'a RawValue>,
    matches: Option<bool>,
    error: Option<&'a str>,
    /// What moto says, where it disagrees.
    #[serde(default)]
    moto: Option<serde_json::Value>,
    #[serde(default)]
    source: Option<&'a str>,
}

fn table() -> Table<'static> {
    serde_json::from_str(include_str!("filter_policy_cases.json")).unwrap()
}

fn scope(case: &Case<'_>) -> FilterPolicyScope {
    case.scope.map_or(FilterPolicyScope::MessageAttributes, |name| FilterPolicyScope::parse(name).unwrap())
}

#[test]
fn every_case_of_the_table_comes_out_as_aws_documents_it() {
    for case in table().cases {
        let policy = FilterPolicy::parse_in(scope(&case), case.policy.get());
        match (policy, case.matches, case.error) {
            (Ok(policy), Some(matches), None) => {
                let message = case.message.unwrap_or_else(|| panic!("{} has no message", case.name));
                let outcome = policy.matches_message(message.get());
                assert_eq!(outcome.is_ok(), matches, "{}: {outcome:?}", case.name);
                assert_eq!(FilterPolicy::from_stored(&policy.stored()), Ok(policy), "{}", case.name);
            }
            (Err(invalid), None, Some(field)) => {
                assert_eq!(invalid.field, field, "{}: {invalid}", case.name);
                assert!(invalid.message.starts_with(field), "{}: {invalid}", case.name);
            }
            (outcome, ..) => panic!("{}: {outcome:?}", case.name),
        }
    }
}

#[test]
fn a_message_that_is_not_wanted_is_told_under_a_key_and_with_a_reason() {
    for case in table().cases.iter().filter(|case| case.matches == Some(false)) {
        let policy = FilterPolicy::parse_in(scope(case), case.policy.get()).unwrap();
        let mismatch = policy.matches_message(case.message.unwrap().get()).unwrap_err();
        let last = mismatch.key.rsplit('.').next().unwrap_or_default();
        assert!(case.policy.get().contains(last) && !last.is_empty(), "{}: {mismatch:?}", case.name);
        assert!(mismatch.reason.contains("wanted "), "{}: {mismatch:?}", case.name);
        assert!(mismatch.found.iter().all(|found| mismatch.reason.contains(found)), "{mismatch:?}");
    }
}

#[test]
fn the_table_is_large_and_covers_every_operator_in_both_scopes() {
    let Table { cases, .. } = table();
    assert!(cases.len() >= 300, "{} cases", cases.len());
    assert_eq!(cases.iter().map(|case| case.name).collect::<BTreeSet<_>>().len(), cases.len());
    let operators =
        ["prefix", "suffix", "equals-ignore-case", "anything-but", "numeric", "exists", "cidr", "$or"];
    for (scope, operator) in [None, Some("MessageBody")].into_iter().flat_map(|s| operators.map(|o| (s, o))) {
        for wanted in [true, false] {
            let named = format!("\"{operator}\":");
            let asks = |case: &&Case<'_>| case.scope == scope && case.policy.get().contains(&named);
            let told = cases.iter().filter(asks).filter(|case| case.matches == Some(wanted)).count();
            // One network in a body is enough: it is the same condition.
            assert!(
                told > 0 || (operator, scope) == ("cidr", Some("MessageBody")),
                "{operator} {scope:?} {wanted}"
            );
        }
    }
}

#[test]
fn where_moto_disagrees_the_table_says_what_aws_documents() {
    let Table { sources, cases } = table();
    for case in &cases {
        assert_eq!(case.moto.is_some(), case.source.is_some(), "{}", case.name);
        let source = case.source.map(|name| sources.get(name).unwrap_or_else(|| panic!("{name}")));
        assert!(
            source.is_none_or(|text| text.starts_with("https://docs.aws.amazon.com/sns/")),
            "{}",
            case.name
        );
    }
    let used: BTreeSet<_> = cases.iter().filter_map(|case| case.source).collect();
    assert_eq!(used, sources.into_keys().collect(), "a source that nothing refers to");
}

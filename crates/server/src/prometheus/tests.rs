//! What `promtool check metrics` asks for, and that no metric is left out.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::*;

/// What is exposed at the start, before anything happened.
fn exposed() -> String {
    let recorder = recorder().unwrap();
    metrics::with_local_recorder(&recorder, describe_all);
    recorder.handle().render()
}

/// Each metric's type and help.
fn described(exposed: &str) -> BTreeMap<&str, (&str, Option<&str>)> {
    let lines = |start| exposed.lines().filter_map(move |line| line.strip_prefix(start)?.split_once(' '));
    let help: BTreeMap<_, _> = lines("# HELP ").collect();
    lines("# TYPE ").map(|(name, kind)| (name, (kind, help.get(name).copied()))).collect()
}

#[test]
fn every_metric_says_what_it_is_in_the_words_that_promtool_wants() {
    let exposed = exposed();
    let described = described(&exposed);
    assert_eq!(described.len(), COUNTERS.len() + GAUGES.len() + HISTOGRAMS.len());
    for (name, (kind, help)) in described {
        let help = help.unwrap_or_default();
        assert!(help.len() > 10 && help.ends_with('.'), "{name} has no help: {help}");
        assert_eq!(kind == "counter", name.ends_with("_total"), "{name} is a {kind}");
        assert!(["counter", "gauge", "histogram"].contains(&kind), "{name} is a {kind}");
        assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{name}");
        let words: Vec<_> = name.split('_').collect();
        for wrong in [
            "count",
            "sum",
            "bucket",
            "counter",
            "gauge",
            "histogram",
            "summary",
            "milliseconds",
            "ms",
            "minutes",
            "hours",
            "days",
            "micros",
            "microseconds",
            "kilobytes",
            "megabytes",
            "percent",
        ] {
            assert!(!words.contains(&wrong), "{name} names {wrong}");
        }
        let unit = words.iter().position(|word| *word == "seconds");
        let last = words.len() - if kind == "counter" { 2 } else { 1 };
        assert!(unit.is_none_or(|place| place == last), "{name}: the unit stands last");
    }
}

#[test]
fn every_metric_is_there_at_zero_from_the_start() {
    let exposed = exposed();
    let samples: Vec<_> = exposed.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    for sample in &samples {
        assert!(sample.ends_with(" 0"), "{sample}");
    }
    for expected in [
        "orderbell_orders_accepted_total 0",
        r#"orderbell_attempts_total{protocol="chat",outcome="unknown"} 0"#,
        r#"orderbell_deliveries_waiting{protocol="email",reason="subscription_suspended"} 0"#,
        r#"orderbell_http_requests_total{route="/create-order",status="503"} 0"#,
        r#"orderbell_oldest_waiting_seconds{reason="due"} 0"#,
        r#"orderbell_order_delivery_seconds_bucket{protocol="sms",le="0.05"} 0"#,
        r#"orderbell_store_commit_seconds_bucket{le="+Inf"} 0"#,
        "orderbell_last_backup_timestamp_seconds 0",
    ] {
        assert!(samples.contains(&expected), "{expected} is not in {exposed}");
    }
}

#[test]
fn histograms_have_fixed_buckets_and_what_is_recorded_falls_into_them() {
    let recorder = recorder().unwrap();
    metrics::with_local_recorder(&recorder, || {
        describe_all();
        metrics::histogram!("orderbell_store_commit_seconds").record(0.003);
    });
    let text = recorder.handle().render();
    assert!(text.contains(r#"orderbell_store_commit_seconds_bucket{le="0.0025"} 0"#), "{text}");
    assert!(text.contains(r#"orderbell_store_commit_seconds_bucket{le="0.005"} 1"#), "{text}");
    for (_, buckets) in HISTOGRAMS {
        assert!(buckets.is_sorted_by(|one, next| one < next), "{buckets:?}");
    }
}

#[test]
fn no_metric_is_counted_that_is_not_described() {
    let mut counted = BTreeSet::new();
    for of in ["application", "channels", "driver", "server", "sqlite", "web"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(of).join("src");
        find_metrics(&folder, &mut counted);
    }
    let histograms = HISTOGRAMS.iter().map(|(described, _)| described);
    let described: BTreeSet<_> =
        COUNTERS.iter().chain(GAUGES).chain(histograms).map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(counted, described, "what is counted, and what is described");
}

fn find_metrics(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            find_metrics(&path, found);
        } else if path.file_name().is_none_or(|name| name != "tests.rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            for kind in ["counter!(", "gauge!(", "histogram!("] {
                for (place, _) in text.match_indices(kind) {
                    let after = text[place + kind.len()..].trim_start();
                    let name = after.strip_prefix('"').and_then(|after| after.split_once('"'));
                    found.extend(name.map(|(name, _)| name.to_owned()));
                }
            }
            // What is counted under the name of a constant.
            let constants = text.split(": &str = \"").skip(1).filter_map(|after| after.split_once('"'));
            let named = constants.map(|(name, _)| name.to_owned());
            found.extend(named.filter(|name| name.starts_with("orderbell_") && name.ends_with("_total")));
        }
    }
}

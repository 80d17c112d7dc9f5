//! Whose failure it is that a host is not reached.

use super::*;

fn classify_failure(history: &mut ReachabilityHistory, host: &str) -> Verdict {
    history.classify_failure(host, Unreachable::Dns, Instant::now())
}

#[test]
fn one_host_that_was_never_reached_is_to_blame_itself_however_often_it_fails() {
    let mut history = ReachabilityHistory::default();
    for _ in 0..20 {
        assert_eq!(classify_failure(&mut history, "a.example"), Verdict::RemoteFailure);
    }
}

#[test]
fn three_hosts_in_a_row_say_that_it_is_ours_and_anyone_who_is_reached_ends_the_row() {
    let mut history = ReachabilityHistory::default();
    let hosts = ["a.example", "b.example", "c.example", "a.example"];
    assert_eq!(
        hosts.map(|host| classify_failure(&mut history, host)),
        [Verdict::RemoteFailure, Verdict::RemoteFailure, Verdict::LocalOutage, Verdict::LocalOutage]
    );
    history.record_reached("192.0.2.7");
    assert_eq!(classify_failure(&mut history, "a.example"), Verdict::RemoteFailure);
}

#[test]
fn an_unreachable_host_that_is_the_only_one_known_is_a_local_outage() {
    let mut history = ReachabilityHistory::default();
    history.record_reached("a.example");
    assert_eq!(classify_failure(&mut history, "a.example"), Verdict::LocalOutage);
}

#[test]
fn another_that_was_reached_before_is_asked_for_the_last_first() {
    let mut history = ReachabilityHistory::default();
    for host in ["a.example", "b.example", "192.0.2.7", "c.example"] {
        history.record_reached(host);
    }
    assert_eq!(
        classify_failure(&mut history, "new.example"),
        Verdict::LocalOutageUnlessFound("c.example".to_owned())
    );
    let other_name = Verdict::LocalOutageUnlessFound("b.example".to_owned());
    assert_eq!(classify_failure(&mut history, "c.example"), other_name, "an address says nothing of names");
    assert_eq!(
        history.classify_failure("c.example", Unreachable::Route, Instant::now()),
        Verdict::LocalOutageUnlessFound("192.0.2.7".to_owned())
    );
}

#[test]
fn few_are_remembered() {
    let mut history = ReachabilityHistory::default();
    for number in 0..1_000 {
        history.record_reached(&format!("reached{number}.example"));
        history.record_reached(&format!("reached{number}.example"));
    }
    for number in 0..1_000 {
        classify_failure(&mut history, &format!("failed{number}.example"));
    }
    assert_eq!((history.reached.len(), history.streak.len()), (MAX_REMEMBERED_HOSTS, CONSECUTIVE_HOSTS));
}

#[test]
fn after_hours_without_anyone_it_is_no_longer_ours_until_someone_is_reached() {
    let mut history = ReachabilityHistory::default();
    history.record_reached("a.example");
    let start = Instant::now();
    let at = |history: &mut ReachabilityHistory, after| {
        history.classify_failure("a.example", Unreachable::Dns, start + after)
    };
    assert_eq!(at(&mut history, Duration::ZERO), Verdict::LocalOutage);
    assert_eq!(at(&mut history, MAX_LOCAL_OUTAGE), Verdict::LocalOutage);
    let later = MAX_LOCAL_OUTAGE + Duration::from_secs(1);
    assert_eq!(at(&mut history, later), Verdict::RemoteFailure);
    history.record_reached("a.example");
    assert_eq!(at(&mut history, later), Verdict::LocalOutage);
}

#[test]
fn where_nobody_can_tell_whether_we_reach_anyone_a_message_does() {
    let now = Instant::now();
    let mut history = ReachabilityHistory::default();
    assert!(history.probe_candidates(now).is_empty());
    history.record_reached("a.example");
    classify_failure(&mut history, "a.example");
    assert!(history.probe_candidates(now).is_empty(), "it may be gone itself");
    classify_failure(&mut history, "b.example");
    assert_eq!(history.probe_candidates(now), ["a.example", "b.example"]);
    assert!(history.probe_candidates(now + MAX_LOCAL_OUTAGE + Duration::from_secs(1)).is_empty());
}

#[tokio::test]
async fn this_machine_is_always_reached() {
    let reachability = Reachability::new(Duration::from_secs(5));
    reachability.record_reached("localhost");
    assert!(!reachability.is_local_outage("new.example", Unreachable::Dns).await);
    assert!(reachability.has_recovered().await);
    assert!(has_route_to("127.0.0.1:9".parse().unwrap()));
}

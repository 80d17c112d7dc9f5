//! Whose failure it is that a host is not reached.

use super::*;

fn failed(memory: &mut Memory, host: &str) -> Verdict {
    memory.failed(host, Missing::Name, Instant::now())
}

#[test]
fn one_host_that_was_never_reached_is_to_blame_itself_however_often_it_fails() {
    let mut memory = Memory::default();
    for _ in 0..20 {
        assert_eq!(failed(&mut memory, "a.example"), Verdict::Theirs);
    }
}

#[test]
fn three_hosts_in_a_row_say_that_it_is_ours_and_anyone_who_is_reached_ends_the_row() {
    let mut memory = Memory::default();
    let hosts = ["a.example", "b.example", "c.example", "a.example"];
    assert_eq!(
        hosts.map(|host| failed(&mut memory, host)),
        [Verdict::Theirs, Verdict::Theirs, Verdict::Ours, Verdict::Ours]
    );
    memory.reached("192.0.2.7");
    assert_eq!(failed(&mut memory, "a.example"), Verdict::Theirs);
}

#[test]
fn one_that_was_reached_before_and_stands_alone_says_that_it_is_ours() {
    let mut memory = Memory::default();
    memory.reached("a.example");
    assert_eq!(failed(&mut memory, "a.example"), Verdict::Ours);
}

#[test]
fn another_that_was_reached_before_is_asked_for_the_last_first() {
    let mut memory = Memory::default();
    for host in ["a.example", "b.example", "192.0.2.7", "c.example"] {
        memory.reached(host);
    }
    assert_eq!(failed(&mut memory, "new.example"), Verdict::IfGone("c.example".to_owned()));
    let other_name = Verdict::IfGone("b.example".to_owned());
    assert_eq!(failed(&mut memory, "c.example"), other_name, "an address says nothing of names");
    assert_eq!(
        memory.failed("c.example", Missing::Way, Instant::now()),
        Verdict::IfGone("192.0.2.7".to_owned())
    );
}

#[test]
fn few_are_remembered() {
    let mut memory = Memory::default();
    for number in 0..1_000 {
        memory.reached(&format!("reached{number}.example"));
        memory.reached(&format!("reached{number}.example"));
    }
    for number in 0..1_000 {
        failed(&mut memory, &format!("failed{number}.example"));
    }
    assert_eq!((memory.reached.len(), memory.row.len()), (REMEMBERED, ROW));
}

#[test]
fn after_hours_without_anyone_it_is_no_longer_ours_until_someone_is_reached() {
    let mut memory = Memory::default();
    memory.reached("a.example");
    let start = Instant::now();
    let at = |memory: &mut Memory, after| memory.failed("a.example", Missing::Name, start + after);
    assert_eq!(at(&mut memory, Duration::ZERO), Verdict::Ours);
    assert_eq!(at(&mut memory, BELIEVED_AFTER), Verdict::Ours);
    let later = BELIEVED_AFTER + Duration::from_secs(1);
    assert_eq!(at(&mut memory, later), Verdict::Theirs);
    memory.reached("a.example");
    assert_eq!(at(&mut memory, later), Verdict::Ours);
}

#[test]
fn where_nobody_can_tell_whether_we_reach_anyone_a_message_does() {
    let now = Instant::now();
    let mut memory = Memory::default();
    assert!(memory.witnesses(now).is_empty());
    memory.reached("a.example");
    failed(&mut memory, "a.example");
    assert!(memory.witnesses(now).is_empty(), "it may be gone itself");
    failed(&mut memory, "b.example");
    assert_eq!(memory.witnesses(now), ["a.example", "b.example"]);
    assert!(memory.witnesses(now + BELIEVED_AFTER + Duration::from_secs(1)).is_empty());
}

#[tokio::test]
async fn this_machine_is_always_reached() {
    let reach = Reach::new(Duration::from_secs(5));
    reach.reached("localhost");
    assert!(!reach.is_ours("new.example", Missing::Name).await);
    assert!(reach.works_again().await);
    assert!(has_way_to("127.0.0.1:9".parse().unwrap()));
}

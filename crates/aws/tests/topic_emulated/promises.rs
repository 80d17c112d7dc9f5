//! Every promise of a topic that delivers by another's hand.

use crate::fixtures::Host;

macro_rules! topic_keeps {
    ($($promise:ident),+ $(,)?) => {
        $(#[tokio::test]
        async fn $promise() {
            let host = Host::new().await;
            conformance::common_ports::$promise(&host.common_ports()).await;
        })+
    };
}

topic_keeps! {
    what_was_published_is_not_given_again,
    publishing_again_is_harmless,
    an_empty_run_changes_nothing,
    a_subscription_is_found_by_its_id,
    an_unknown_subscription_takes_no_change,
    an_endpoint_has_one_subscription,
    a_filter_policy_is_kept_changed_and_removed,
    what_was_ended_is_over,
    subscriptions_are_listed_once_each,
}

/// A promise that is written down and not run would be worth nothing.
#[test]
fn no_promise_is_left_out() {
    let (this, suite) =
        (include_str!("promises.rs"), include_str!("../../../conformance/src/common_ports.rs"));
    for (_, line) in suite.lines().filter_map(|line| line.split_once("pub async fn ")) {
        let promise = line.split('(').next().unwrap();
        assert!(this.contains(&format!("    {promise},")), "{promise} is not run");
    }
}

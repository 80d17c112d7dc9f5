//! Every promise of every port, kept by the embedded store on a real disk, which its audit finds in order afterwards.

mod opened;

use conformance::{CommonPorts, LocalPorts, Outbox};
use opened::{assert_in_order, open};

/// Runs promises that take a port of the store.
macro_rules! port_keeps {
    ($port:ident: $($promise:ident),+ $(,)?) => {
        mod $port {
            $(#[tokio::test]
            async fn $promise() {
                let folder = tempfile::tempdir().unwrap();
                let store = super::open(folder.path());
                conformance::$port::$promise(&store).await;
                store.close().await;
                super::assert_in_order(folder.path());
            })+
        }
    };
}

/// Runs promises that take several ports of the store.
macro_rules! ports_keep {
    ($ports:ident, $port:ident: $($promise:ident),+ $(,)?) => {
        mod $port {
            $(#[tokio::test]
            async fn $promise() {
                let folder = tempfile::tempdir().unwrap();
                let store = super::open(folder.path());
                conformance::$port::$promise(&super::$ports::of(&store)).await;
                store.close().await;
                super::assert_in_order(folder.path());
            })+
        }
    };
}

port_keeps! {
    order_store:
    an_accepted_order_reads_back_as_it_was,
    an_unknown_order_is_not_there,
    an_order_is_stored_once_however_often_it_is_retried,
    an_order_is_stored_once_however_concurrently_it_is_retried,
    another_order_under_a_live_key_is_refused,
    an_equal_key_of_another_caller_is_another_key,
    a_retry_from_another_network_is_the_same_order,
    nobody_claims_a_key_for_callers_elsewhere,
    a_known_callers_key_is_his_wherever_he_comes_from,
    a_key_that_many_share_at_once_keeps_their_orders_apart,
    a_key_lives_to_the_end_of_its_lifetime_and_no_longer,
    equal_orders_without_a_key_are_different_orders,
    orders_are_listed_newest_first,
    pages_neither_repeat_nor_skip_an_order,
    an_order_is_found_by_what_people_call_it,
    all_orders_that_a_name_may_mean_are_found_once,
    a_page_is_where_it_was_though_orders_come,
    orders_are_filtered_by_time,
    a_bad_cursor_is_refused,
    a_working_store_is_ready,
}

port_keeps! {
    inbox:
    a_kept_message_reads_back_as_it_was,
    keeping_a_message_again_replaces_it,
    messages_are_listed_newest_first,
}

ports_keep! {
    LocalPorts, status_changes:
    each_change_stays_on_record,
    what_does_not_lead_on_is_refused_and_changes_nothing,
    of_changes_that_come_at_once_one_is_made,
    an_order_is_changed_so_often_and_no_more,
}

port_keeps! {
    templates:
    a_template_reads_back_as_it_was_written,
    the_template_that_was_set_last_stands,
    a_template_is_taken_away,
}

ports_keep! {
    LocalPorts, subscription_templates:
    every_part_of_a_mails_template_is_kept_until_it_is_set_without,
    a_subscriptions_template_goes_with_its_end,
    an_unknown_subscription_has_no_template,
    so_many_templates_are_kept_and_no_more,
}

ports_keep! {
    Outbox, order_log:
    every_accepted_order_is_logged_in_the_order_of_acceptance,
    a_repeated_order_is_logged_once,
    an_order_is_given_again_until_it_is_published,
    a_long_log_is_read_in_parts,
}

#[tokio::test]
async fn an_unreadable_row_hides_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let shell = rusqlite::Connection::open(folder.path().join("orderbell.db")).unwrap();
    let set = |id: domain::order::OrderId, body: &str| {
        let sql = format!("UPDATE orders SET body = {body} WHERE id = ?");
        assert_eq!(shell.execute(&sql, [id.0.as_bytes()]).unwrap(), 1);
    };
    conformance::unreadable_rows::an_unreadable_row_hides_no_other(
        &Outbox::of(&store),
        async |id| set(id, "'?' || body"),
        async |id| {
            set(id, "substr(body, 2)");
            store.reexamine().await.unwrap();
        },
    )
    .await;
    store.close().await;
    assert_in_order(folder.path());
}

ports_keep! {
    CommonPorts, common_ports:
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

ports_keep! {
    LocalPorts, subscriptions:
    a_new_subscription_is_pending_and_owed_its_confirmation,
    an_unknown_subscription_is_not_there,
    what_of_an_order_is_shown_is_kept_and_changed,
    what_a_subscription_is_told_in_is_kept_and_changed,
    subscribing_again_finds_the_same_subscription,
    an_endpoint_whose_subscription_ended_can_be_subscribed_anew,
    only_orders_accepted_after_the_confirmation_match,
    an_order_is_owed_once_however_often_it_is_published,
    the_log_never_goes_backwards,
    a_run_that_leaves_an_order_out_is_refused,
    a_filter_policy_decides_what_matches,
    a_changed_filter_policy_holds_for_later_orders_only,
    an_ended_subscription_takes_no_change,
    unsubscribing_ends_what_is_pending,
    an_order_published_after_the_end_is_cancelled,
    a_confirmation_can_be_sent_again,
    subscriptions_are_listed_newest_first,
}

ports_keep! {
    LocalPorts, local_subscriptions:
    a_pending_subscription_is_confirmed_by_its_newest_request,
    confirming_a_confirmed_subscription_changes_nothing,
    a_link_that_is_over_confirms_nothing,
    a_confirmation_given_in_the_sandbox_lapses,
    a_confirmation_request_that_only_the_sandbox_saw_lapses,
    a_confirmation_request_that_the_sandbox_keeps_lapses_though_its_outcome_is_unknown,
    only_what_the_sandbox_confirmed_lapses,
    a_suspended_subscription_is_owed_orders_and_sent_none,
    what_is_not_confirmed_is_neither_suspended_nor_tested,
    a_secret_is_replaced_and_the_old_one_kept_for_a_while,
    a_test_is_owed_to_a_confirmed_subscription,
}

ports_keep! {
    LocalPorts, delivery_queue:
    a_delivery_is_due_with_all_that_it_takes,
    deliveries_that_are_skipped_hide_no_others,
    a_delivery_is_not_due_before_its_time,
    no_backlog_hides_another_subscription,
    what_is_longest_due_comes_first,
    what_is_skipped_is_not_due,
    an_attempt_is_begun_once,
    an_attempt_is_interrupted_until_it_is_finished,
    an_outcome_is_recorded_once,
    a_failure_of_the_channel_uses_no_attempt,
    an_endpoint_that_is_gone_ends_its_subscription,
    a_retry_for_an_ended_subscription_is_cancelled,
    a_retry_of_a_superseded_confirmation_request_is_cancelled,
    an_answered_challenge_confirms,
    an_answered_challenge_does_not_revive_an_ended_subscription,
    pauses_of_a_channel_are_on_record,
    a_channel_that_is_missing_is_on_record,
    it_is_kept_since_when_an_endpoint_fails,
    an_endpoint_that_fails_for_too_long_is_suspended_and_operators_are_told,
    an_attempt_that_was_cut_short_says_nothing_of_its_endpoint,
    a_confirmation_request_expires_by_when_it_is_first_sent,
    a_subscription_to_notices_is_owed_no_order,
}

ports_keep! {
    LocalPorts, due_times:
    nothing_is_due_further_ahead_than_any_schedule_lets_it_wait,
    all_that_a_wrong_clock_put_far_ahead_is_brought_back,
    what_a_wrong_clock_put_far_ahead_is_due_as_a_subscription_is_resumed,
}

ports_keep! {
    LocalPorts, endpoint_pauses:
    an_endpoint_is_left_alone_until_its_pause_is_over,
    what_had_begun_before_ends_no_pause,
    the_first_success_makes_due_what_failed_meanwhile,
    a_good_receipt_makes_due_too,
    what_fails_by_itself_keeps_its_own_time,
    resuming_makes_due_whatever_waits,
    nothing_is_due_after_the_latest_time,
}

ports_keep! {
    LocalPorts, escalations:
    what_is_not_delivered_in_time_escalates,
    nothing_escalates_later_than_the_longest_time_until_an_escalation,
    what_did_not_arrive_after_all_escalates,
    an_escalation_to_nobody_confirmed_leads_nowhere,
    an_escalation_to_one_that_ended_leads_nowhere,
}

ports_keep! {
    LocalPorts, notices:
    dead_letters_are_told_together,
    bad_news_takes_another_way,
    a_notice_that_died_is_no_news,
    what_its_provider_reports_as_dead_is_told,
    a_subscription_that_its_receiver_ended_is_told,
    an_order_owed_to_nobody_is_told,
    a_long_pause_is_told_and_that_it_is_over,
    a_short_pause_is_not_told,
    what_happened_before_anyone_listened_is_told_to_nobody,
    a_clock_that_was_wrong_hides_no_news,
    only_confirmed_operators_are_told,
    looking_twice_at_once_tells_once,
}

ports_keep! {
    LocalPorts, deliveries:
    an_order_history_is_complete,
    an_order_history_tells_what_held_at_acceptance,
    those_who_are_not_told_are_listed_a_page_at_a_time,
    what_is_unknown_has_no_record,
    deliveries_are_listed_newest_first,
    a_dead_delivery_can_be_sent_again,
    a_held_delivery_can_be_sent_again,
    what_cannot_be_sent_again_is_refused,
    a_superseded_confirmation_request_is_not_redriven,
    all_dead_deliveries_can_be_sent_again,
    what_is_pending_or_held_can_be_dropped_and_nothing_else,
    what_is_pending_can_be_dropped_by_what_it_is,
    what_is_held_can_be_dropped_by_what_it_is,
    what_waits_for_its_time_can_be_tried_at_once,
    all_that_waits_can_be_tried_at_once,
    what_cannot_be_tried_at_once_is_refused,
    what_is_sent_again_can_be_selected,
}

ports_keep! {
    LocalPorts, receipts:
    a_providers_receipt_settles_a_delivery,
    a_receipt_is_that_of_a_text_message,
    a_receipt_that_overtakes_its_outcome_counts,
    an_opt_out_ends_the_subscription,
    a_bad_receipt_counts_for_its_own_attempt,
    a_good_receipt_ends_the_attempts,
    a_good_receipt_of_what_was_cancelled_says_that_it_arrived,
}

ports_keep! {
    LocalPorts, delivery_explanations:
    what_people_did_to_a_delivery_stays_on_record,
    why_a_delivery_was_cancelled_is_on_record,
    what_a_delivery_waits_for_is_told,
}

ports_keep! {
    LocalPorts, at_a_glance:
    the_newest_confirmation_request_of_each_is_found,
    how_far_delivery_has_come_is_counted_for_each_order,
}

ports_keep! {
    LocalPorts, spam_marks:
    what_waits_for_spam_is_cancelled,
    what_is_in_flight_for_spam_is_not_tried_again,
    what_a_provider_reported_of_spam_counts,
    spam_that_is_published_later_is_told_to_nobody,
    spam_never_escalates,
    what_is_dead_of_spam_is_not_sent_again_until_the_mark_is_taken_back,
    a_mark_can_be_taken_back,
    what_is_not_there_is_not_spam,
    spam_is_marked_by_what_it_is,
    any_number_of_orders_can_be_spam,
}

/// A promise that is written down and not run would be worth nothing.
#[test]
fn no_promise_is_left_out() {
    let this = include_str!("conformance.rs");
    let suites = [
        include_str!("../../conformance/src/order_store.rs"),
        include_str!("../../conformance/src/inbox.rs"),
        include_str!("../../conformance/src/order_log.rs"),
        include_str!("../../conformance/src/common_ports.rs"),
        include_str!("../../conformance/src/subscriptions.rs"),
        include_str!("../../conformance/src/local_subscriptions.rs"),
        include_str!("../../conformance/src/delivery_queue.rs"),
        include_str!("../../conformance/src/deliveries.rs"),
        include_str!("../../conformance/src/due_times.rs"),
        include_str!("../../conformance/src/receipts.rs"),
        include_str!("../../conformance/src/delivery_explanations.rs"),
        include_str!("../../conformance/src/at_a_glance.rs"),
        include_str!("../../conformance/src/endpoint_pauses.rs"),
        include_str!("../../conformance/src/escalations.rs"),
        include_str!("../../conformance/src/spam_marks.rs"),
        include_str!("../../conformance/src/notices.rs"),
    ];
    for suite in suites {
        for (_, line) in suite.lines().filter_map(|line| line.split_once("pub async fn ")) {
            let promise = line.split('(').next().unwrap();
            assert!(this.contains(&format!("    {promise},")), "{promise} is not run");
        }
    }
}

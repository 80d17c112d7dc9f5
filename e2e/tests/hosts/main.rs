//! One suite, two hosts: what concerns intake, storage and announcement is the same on one machine and on AWS.
//!
//! `ARCHITECTURE.md` lists what is not the same.

mod announcement;
mod differences;
mod order_auth;
mod storage;
mod subscriptions;
mod templates;
mod whole_order;

/// Makes of each scenario two tests of the same name, one for each host.
macro_rules! on_both_hosts {
    ($($module:ident::{$($scenario:ident),+ $(,)?})+) => {
        mod one_machine {
            on_both_hosts!(@tests one_machine; $($($module $scenario)+)+);
        }
        mod aws {
            on_both_hosts!(@tests aws; $($($module $scenario)+)+);
        }
    };
    (@tests $host:ident; $($module:ident $scenario:ident)+) => {
        $(
            #[tokio::test]
            async fn $scenario() -> anyhow::Result<()> {
                crate::$module::$scenario(&orderbell_e2e::deployment::Deployment::$host().await?).await
            }
        )+
    };
}

on_both_hosts! {
    order_auth::{
        the_seeds_order_gets_the_seeds_answer,
        a_missing_name_gets_the_seeds_error,
        malformed_json_is_refused,
        a_body_that_is_too_large_is_refused,
        an_order_is_read_as_json_whatever_its_content_type_says,
        a_page_of_any_origin_may_place_orders,
        management_is_refused_without_the_key,
        an_unknown_path_and_a_wrong_method_are_refused,
    }
    storage::{
        an_order_repeated_with_its_key_is_stored_once_and_announced_once,
        another_order_under_the_same_key_is_refused,
        orders_placed_at_once_with_one_key_are_one_order,
        orders_are_listed_newest_first_and_page_by_page,
        orders_are_found_by_time,
        an_order_is_found_by_what_people_call_it,
        one_order_is_shown_as_it_was_placed,
        an_order_that_is_not_there_is_not_found,
        the_host_says_that_it_can_take_orders,
    }
    whole_order::{
        however_an_order_is_written_it_is_kept_named_told_and_repeated,
        a_client_that_would_rather_be_refused_is_refused,
        of_another_order_under_a_key_the_members_that_differ_are_named,
        the_largest_order_is_kept_and_told_whole,
    }
    templates::{
        an_order_is_told_in_the_words_of_a_template,
        a_template_that_is_none_is_refused_and_who_has_no_key_sets_none,
    }
    announcement::{
        a_subscriber_is_told_of_an_order_in_the_seeds_words,
        every_subscriber_is_told_of_every_order_once,
        a_filter_policy_decides_who_is_told,
    }
    subscriptions::{
        a_subscription_is_made_listed_and_shown,
        subscribing_again_finds_the_same_subscription,
        who_unsubscribed_is_told_no_more,
        a_changed_filter_policy_holds_for_later_orders,
        an_address_that_is_none_is_refused,
        a_subscription_that_is_not_there_is_not_found,
    }
}

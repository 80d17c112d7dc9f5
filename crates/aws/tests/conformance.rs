//! Every promise of a table of orders, kept in Amazon's DynamoDB Local and in moto.

mod emulated;

use application::Error;
use application::ports::{Published, Publisher};
use async_trait::async_trait;
use aws::Table;
use domain::order::LoggedOrder;

/// A topic of which the table sees only that it marks what it published.
struct Marking(Table);

#[async_trait]
impl Publisher for Marking {
    async fn publish(&self, orders: &[LoggedOrder]) -> Result<Published, Error> {
        for logged in orders {
            self.0.mark_published(logged.order.id, "message", logged.order.time).await?;
        }
        Ok(Published::default())
    }
}

/// Runs promises that take the orders alone.
macro_rules! orders_keep {
    ($emulator:ident: $($promise:ident),+ $(,)?) => {
        $(#[tokio::test]
        async fn $promise() {
            let table = crate::emulated::table(crate::emulated::$emulator).await;
            conformance::order_store::$promise(&table).await;
        })+
    };
}

/// Runs promises that take the orders, their log and a topic.
macro_rules! log_keeps {
    ($emulator:ident: $($promise:ident),+ $(,)?) => {
        $(#[tokio::test]
        async fn $promise() {
            let table = crate::emulated::table(crate::emulated::$emulator).await;
            let topic = crate::Marking(table.clone());
            let outbox = conformance::Outbox { orders: &table, log: &table, publisher: &topic };
            conformance::order_log::$promise(&outbox).await;
        })+
    };
}

/// Runs promises that take the templates alone.
macro_rules! templates_keep {
    ($emulator:ident: $($promise:ident),+ $(,)?) => {
        $(#[tokio::test]
        async fn $promise() {
            let table = crate::emulated::table(crate::emulated::$emulator).await;
            conformance::templates::$promise(&table).await;
        })+
    };
}

/// Runs what every emulator can show.
macro_rules! table_keeps {
    ($module:ident, $emulator:ident) => {
        mod $module {
            orders_keep! {
                $emulator:
                an_accepted_order_reads_back_as_it_was,
                an_unknown_order_is_not_there,
                an_order_is_stored_once_however_often_it_is_retried,
                another_order_under_a_live_key_is_refused,
                an_equal_key_of_another_caller_is_another_key,
                a_retry_from_another_network_is_the_same_order,
                nobody_claims_a_key_for_callers_elsewhere,
                a_known_callers_key_is_his_wherever_he_comes_from,
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

            templates_keep! {
                $emulator:
                a_template_reads_back_as_it_was_written,
                the_template_that_was_set_last_stands,
                a_template_is_taken_away,
            }

            log_keeps! {
                $emulator:
                every_accepted_order_is_logged_in_the_order_of_acceptance,
                a_repeated_order_is_logged_once,
                an_order_is_given_again_until_it_is_published,
                a_long_log_is_read_in_parts,
            }
        }
    };
}

table_keeps!(dynamodb_local, DYNAMODB_LOCAL);
table_keeps!(moto, MOTO);

/// Not in moto, which isolates no transaction from another: of two that come at once it may let both through.
mod at_once {
    orders_keep! {
        DYNAMODB_LOCAL:
        an_order_is_stored_once_however_concurrently_it_is_retried,
        a_key_that_many_share_at_once_keeps_their_orders_apart,
    }
}

/// Runs what is promised of items that somebody spoiled.
macro_rules! spoiled {
    ($emulator:ident: $module:ident) => {
        mod $module {
            #[tokio::test]
            async fn an_unreadable_row_hides_no_other() {
                let client = crate::emulated::client(&crate::emulated::address(crate::emulated::$emulator));
                let (table, name) = crate::emulated::named_table(crate::emulated::$emulator).await;
                let topic = crate::Marking(table.clone());
                let outbox = conformance::Outbox { orders: &table, log: &table, publisher: &topic };
                let set = async |id: domain::order::OrderId, expression: &str| {
                    let update = client.update_item().table_name(&name).update_expression(expression);
                    let key = aws_sdk_dynamodb::types::AttributeValue::S(id.to_string());
                    update.key(aws::TableOptions::KEY, key).send().await.unwrap();
                };
                conformance::unreadable_rows::an_unreadable_row_hides_no_other(
                    &outbox,
                    async |id| set(id, "SET spoiled = details, details = orderTime").await,
                    async |id| set(id, "SET details = spoiled REMOVE spoiled").await,
                )
                .await;
            }
        }
    };
}

spoiled!(DYNAMODB_LOCAL: spoiled_in_dynamodb_local);
spoiled!(MOTO: spoiled_in_moto);

/// A promise that is written down and not run would be worth nothing.
#[test]
fn no_promise_is_left_out() {
    let this = include_str!("conformance.rs");
    let suites = [
        include_str!("../../conformance/src/order_store.rs"),
        include_str!("../../conformance/src/order_log.rs"),
        include_str!("../../conformance/src/templates.rs"),
    ];
    for suite in suites {
        for (_, line) in suite.lines().filter_map(|line| line.split_once("pub async fn ")) {
            let promise = line.split('(').next().unwrap();
            assert!(this.contains(&format!("    {promise},")), "{promise} is not run");
        }
    }
}

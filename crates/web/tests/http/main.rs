//! The HTTP contract, held by the real router over the real embedded store.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod console;
mod contract;
mod cors;
mod deliveries;
mod doors;
mod event_shapes;
mod gateway_event;
mod given_twice;
mod host;
mod host_policy;
mod inbox;
mod log_and_metrics;
mod operations;
mod order_form;
mod order_page;
mod orders;
mod rate_limits;
mod receipts;
mod recipe;
mod subscriber_links;
mod subscriptions;
mod templates;

//! Every metric there is: what it says, and that it is there from the start, at zero, so that an alarm on it can tell
//! nothing from silence.

use application::ports::WAITS;
use domain::attempt::OutcomeKind;
use domain::endpoint::Protocol;
use domain::receipt::ReceiptStatus;
use metrics::Label;

use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusRecorder};

use crate::http_server::CLOSE_REASONS;

/// A metric's name and its help text.
type MetricHelp = (&'static str, &'static str);

const COUNTERS: &[MetricHelp] = &[
    ("orderbell_attempts_total", "Attempts at deliveries that ended, by protocol and outcome."),
    ("orderbell_clock_jumps_total", "Times that the machine's clock was set, and was followed."),
    (
        "orderbell_connections_closed_total",
        "Clients' connections that were closed to make room for others, or because an answer was not taken, by reason.",
    ),
    ("orderbell_notifications_total", "Notifications: one for each subscription that an order matched."),
    (
        "orderbell_escalations_failed_total",
        "Deliveries that should have escalated, and found nobody confirmed.",
    ),
    (
        "orderbell_escalations_total",
        "Deliveries that were not made in time and go to another subscription too.",
    ),
    ("orderbell_http_requests_total", "HTTP requests that were answered, by route and status."),
    (
        "orderbell_log_lines_dropped_total",
        "Lines of the log that nobody read in time, or that could not be written.",
    ),
    ("orderbell_notices_total", "Notices made for operators."),
    ("orderbell_orders_accepted_total", "Orders that were stored."),
    ("orderbell_orders_gave_way_total", "Orders that waited for a moment so that telling kept its share."),
    (
        "orderbell_orders_repeated_total",
        "Orders that were placed again under the same key, and answered as before.",
    ),
    ("orderbell_orders_refused_total", "Orders that were refused because too many came, by limit."),
    ("orderbell_orders_unmatched_total", "Orders that matched no subscription."),
    ("orderbell_receipts_total", "Reports of providers on messages that they took, by status."),
    (
        "orderbell_subscriptions_suspended_total",
        "Subscriptions suspended because nothing got through for days.",
    ),
    ("orderbell_wrong_keys_total", "Wrong keys that were presented, and keys not looked at because of them."),
];

const GAUGES: &[MetricHelp] = &[
    (
        "orderbell_channel_paused",
        "1 while nothing is sent over the protocol, because its channel fails or there is none.",
    ),
    ("orderbell_deliveries_dead", "Deliveries that ended without success; at least so many from 20000 on."),
    (
        "orderbell_deliveries_held",
        "Deliveries that wait for a person to decide; at least so many from 20000 on.",
    ),
    (
        "orderbell_deliveries_waiting",
        "Deliveries that wait, by protocol and by what they wait for; at least so many from 20000 on in all.",
    ),
    (
        "orderbell_last_backup_timestamp_seconds",
        "When the last backup was made, as Unix time; 0: none is known of.",
    ),
    (
        "orderbell_oldest_unpublished_seconds",
        "Age of the oldest order that was not yet published; 0: there is none.",
    ),
    (
        "orderbell_oldest_waiting_seconds",
        "Age of the oldest delivery that waits, by what it waits for; 0: there is none.",
    ),
    ("orderbell_orders_unpublished", "Orders that were not yet published; at least so many from 20000 on."),
    ("orderbell_rows_quarantined", "Rows of the store that cannot be read; at least so many from 20000 on."),
    ("orderbell_suspended_subscriptions", "Subscriptions whose deliveries wait until they are resumed."),
];

/// With the upper bounds of its buckets.
const HISTOGRAMS: &[(MetricHelp, &[f64])] = &[
    (
        (
            "orderbell_order_delivery_seconds",
            "From an order's acceptance to a success in telling a subscription of it, by protocol.",
        ),
        &[0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3_600.0, 21_600.0, 86_400.0],
    ),
    (
        ("orderbell_store_batch_writes", "Writes in one commit."),
        &[1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1_000.0],
    ),
    (
        ("orderbell_store_commit_seconds", "How long one commit took, from the first command to the disk."),
        &[0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0],
    ),
];

/// What counts, with the fixed buckets.
///
/// # Errors
/// None, while each histogram has a bucket.
pub(crate) fn recorder() -> Result<PrometheusRecorder, BuildError> {
    let builder = HISTOGRAMS.iter().try_fold(PrometheusBuilder::new(), |builder, ((name, _), buckets)| {
        builder.set_buckets_for_metric(Matcher::Full((*name).to_owned()), buckets)
    })?;
    Ok(builder.build_recorder())
}

/// Tells the recorder in place what each metric says, and sets each to zero with all the labels that are known before.
pub(crate) fn describe_all() {
    for (name, help) in COUNTERS {
        metrics::describe_counter!(*name, *help);
        for labels in labels_of(name) {
            metrics::counter!(*name, labels).absolute(0);
        }
    }
    for (name, help) in GAUGES {
        metrics::describe_gauge!(*name, *help);
        for labels in labels_of(name) {
            metrics::gauge!(*name, labels).set(0.0);
        }
    }
    for ((name, help), _) in HISTOGRAMS {
        metrics::describe_histogram!(*name, *help);
        for labels in labels_of(name) {
            drop(metrics::histogram!(*name, labels));
        }
    }
}

/// Every set of labels that a metric has from the start.
fn labels_of(name: &str) -> Vec<Vec<Label>> {
    let protocols = || Protocol::ALL.map(Protocol::name);
    match name {
        "orderbell_attempts_total" => pairs("protocol", &protocols(), "outcome", &OutcomeKind::NAMES),
        "orderbell_channel_paused" | "orderbell_order_delivery_seconds" => each("protocol", &protocols()),
        "orderbell_connections_closed_total" => each("because", &CLOSE_REASONS),
        "orderbell_deliveries_waiting" => pairs("protocol", &protocols(), "reason", &WAITS),
        "orderbell_http_requests_total" => pairs("route", &["/create-order"], "status", &STATUSES),
        "orderbell_oldest_waiting_seconds" => each("reason", &WAITS),
        "orderbell_orders_refused_total" => each("limit", &web::ORDER_LIMIT_NAMES),
        "orderbell_receipts_total" => each("status", &ReceiptStatus::ALL.map(ReceiptStatus::name)),
        _ => vec![Vec::new()],
    }
}

/// What placing an order can be answered; other routes and answers come when they do.
const STATUSES: [&str; 10] = ["200", "400", "401", "403", "413", "415", "422", "429", "500", "503"];

fn each(label: &'static str, values: &[&'static str]) -> Vec<Vec<Label>> {
    values.iter().map(|value| vec![labelled(label, value)]).collect()
}

fn pairs(
    first: &'static str,
    values: &[&'static str],
    second: &'static str,
    others: &[&'static str],
) -> Vec<Vec<Label>> {
    let pair = |value: &&'static str| {
        let value = *value;
        others.iter().map(move |other| vec![labelled(first, value), labelled(second, other)])
    };
    values.iter().flat_map(pair).collect()
}

fn labelled(label: &'static str, value: &'static str) -> Label {
    Label::from_static_parts(label, value)
}

#[cfg(test)]
mod tests;

//! What an invocation did, in numbers: one line in Amazon's embedded metric format, which becomes metrics of the
//! namespace `Orderbell` (`docs/CONFIGURATION.md` lists them).

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use application::ports::Clock;
use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use serde_json::{Map, Value, json};

/// The counters that become metrics, by the names that the code has for them; others cost money and tell nothing here.
const COUNTERS: [(&str, &str); 6] = [
    ("orderbell_orders_accepted_total", "OrdersAccepted"),
    ("orderbell_orders_repeated_total", "OrdersRepeated"),
    ("orderbell_orders_published_total", "OrdersPublished"),
    ("orderbell_publish_failures_total", "PublishFailures"),
    ("orderbell_poison_records_total", "PoisonRecords"),
    ("orderbell_errors_total", "Errors"),
];

/// The gauges that become metrics, with their units.
const GAUGES: [(&str, &str, &str); 3] = [
    ("orderbell_orders_unpublished", "UnpublishedOrders", "Count"),
    ("orderbell_rows_quarantined", "UnreadableOrders", "Count"),
    ("orderbell_oldest_unpublished_seconds", "OldestUnpublishedSeconds", "Seconds"),
];

/// A gauge that was not set since the last line.
const UNSET: f64 = f64::NAN;

/// The metrics of the invocation that runs.
#[derive(Clone)]
pub(crate) struct EmfMetrics {
    counts: [Arc<AtomicU64>; COUNTERS.len()],
    gauges: [Arc<AtomicU64>; GAUGES.len()],
    /// Tells the metrics of several deployments apart.
    function: String,
    clock: Arc<dyn Clock>,
}

impl EmfMetrics {
    /// The numbers of the function of that name.
    pub(crate) fn new(function: String, clock: Arc<dyn Clock>) -> Self {
        let gauges = std::array::from_fn(|_| Arc::new(AtomicU64::new(UNSET.to_bits())));
        Self { counts: std::array::from_fn(|_| Arc::default()), gauges, function, clock }
    }

    /// Takes in what the code counts from here on.
    pub(crate) fn install(&self) {
        // It fails if something is installed already, which is as good.
        let _ = metrics::set_global_recorder(self.clone());
    }

    /// Writes what was counted and set since the last line, if anything was.
    pub(crate) fn write_line(&self, request_id: &str, mut to: impl Write) {
        let Some(line) = self.line(request_id) else { return };
        if let Err(error) = writeln!(to, "{line}") {
            tracing::error!(%error, "the metrics could not be written");
        }
    }

    /// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>
    fn line(&self, request_id: &str) -> Option<Value> {
        let (mut definitions, mut line) = (Vec::new(), Map::new());
        for ((_, name), count) in COUNTERS.iter().zip(&self.counts) {
            let count = count.swap(0, Ordering::Relaxed);
            if count > 0 {
                definitions.push(json!({ "Name": name, "Unit": "Count" }));
                line.insert((*name).to_owned(), count.into());
            }
        }
        for ((_, name, unit), gauge) in GAUGES.iter().zip(&self.gauges) {
            let value = f64::from_bits(gauge.swap(UNSET.to_bits(), Ordering::Relaxed));
            if value.is_finite() {
                definitions.push(json!({ "Name": name, "Unit": unit }));
                line.insert((*name).to_owned(), value.into());
            }
        }
        if definitions.is_empty() {
            return None;
        }
        let metrics = json!({
            "Timestamp": self.clock.now().as_millisecond(),
            "CloudWatchMetrics": [
                { "Namespace": "Orderbell", "Dimensions": [["FunctionName"]], "Metrics": definitions }
            ],
        });
        line.insert("_aws".to_owned(), metrics);
        line.insert("FunctionName".to_owned(), self.function.as_str().into());
        line.insert("requestId".to_owned(), request_id.into());
        Some(line.into())
    }
}

impl Recorder for EmfMetrics {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        let place = COUNTERS.iter().position(|(name, _)| *name == key.name());
        place.map_or_else(Counter::noop, |place| Counter::from_arc(Arc::clone(&self.counts[place])))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        let place = GAUGES.iter().position(|(name, ..)| *name == key.name());
        place.map_or_else(Gauge::noop, |place| Gauge::from_arc(Arc::clone(&self.gauges[place])))
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

#[cfg(test)]
mod tests {
    use host::SetClock;

    use super::*;

    fn measured(work: impl FnOnce()) -> (EmfMetrics, Option<Value>) {
        let emf_metrics =
            EmfMetrics::new("shop-http".to_owned(), Arc::new(SetClock::at_second(1_700_000_000)));
        metrics::with_local_recorder(&emf_metrics, work);
        let line = emf_metrics.line("8f5e");
        (emf_metrics, line)
    }

    #[test]
    fn an_invocation_is_one_line_that_says_what_it_counted() {
        let (_, line) = measured(|| {
            metrics::counter!("orderbell_orders_accepted_total").increment(1);
            metrics::counter!("orderbell_orders_accepted_total").increment(2);
            metrics::counter!("orderbell_http_requests_total", "route" => "/create-order").increment(1);
            metrics::histogram!("orderbell_something").record(1.0);
        });
        let expected = json!({
            "_aws": {
                "Timestamp": 1_700_000_000_000_u64,
                "CloudWatchMetrics": [{
                    "Namespace": "Orderbell",
                    "Dimensions": [["FunctionName"]],
                    "Metrics": [{ "Name": "OrdersAccepted", "Unit": "Count" }],
                }],
            },
            "FunctionName": "shop-http",
            "requestId": "8f5e",
            "OrdersAccepted": 3,
        });
        assert_eq!(line, Some(expected));
    }

    #[test]
    fn metrics_that_were_written_are_not_written_again() {
        let (emf_metrics, first) = measured(|| {
            metrics::counter!("orderbell_errors_total").increment(1);
            metrics::gauge!("orderbell_orders_unpublished").set(7.0);
        });
        assert_eq!(first.unwrap()["UnpublishedOrders"], 7.0);
        assert_eq!(emf_metrics.line("8f5f"), None);
    }

    #[test]
    fn a_gauge_of_nothing_is_written_and_a_count_of_nothing_is_not() {
        let (_, line) = measured(|| {
            metrics::counter!("orderbell_publish_failures_total").increment(0);
            metrics::gauge!("orderbell_orders_unpublished").set(0.0);
        });
        let line = line.unwrap();
        assert_eq!(line["UnpublishedOrders"], 0.0);
        assert!(line.get("PublishFailures").is_none());
    }
}

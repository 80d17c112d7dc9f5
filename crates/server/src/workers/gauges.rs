//! Sets the gauges to what there is, again and again.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use application::ports::{Clock, Deliveries, StoreCounts, WAITS};
use domain::Timestamp;
use domain::endpoint::Protocol;
use driver::{Stop, stopped};

/// The time between two looks: as often as Prometheus reads by default.
const POLL_INTERVAL: Duration = Duration::from_secs(15);

/// What the worker works with.
pub(crate) struct GaugesWorker {
    /// What there is.
    pub(crate) deliveries: Arc<dyn Deliveries>,
    /// The time.
    pub(crate) clock: Arc<dyn Clock>,
    /// The data folder.
    pub(crate) data: PathBuf,
}

impl GaugesWorker {
    /// Looks until the program ends.
    #[expect(clippy::disallowed_methods, reason = "a worker may wait")]
    #[expect(clippy::cast_precision_loss, reason = "such a time is exact")]
    pub(crate) async fn run(self, mut stop: Stop) {
        while !*stop.borrow() {
            let now = self.clock.now();
            match self.deliveries.store_counts(now).await {
                Ok(counts) => show(&counts, now),
                Err(error) => tracing::warn!(%error, cause = error.cause(), "the gauges are not up to date"),
            }
            // 0: none is known of.
            let backup = sqlite::backup::last(&self.data).map_or(0, Timestamp::as_second);
            metrics::gauge!("orderbell_last_backup_timestamp_seconds").set(backup as f64);
            tokio::select! {
                () = tokio::time::sleep(POLL_INTERVAL) => {}
                () = stopped(&mut stop) => break,
            }
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "such counts are exact")]
fn show(counts: &StoreCounts, now: Timestamp) {
    for protocol in Protocol::ALL {
        let name = protocol.name();
        for reason in WAITS {
            let waiting = counts.waiting.get(&(protocol, reason)).copied().unwrap_or_default();
            metrics::gauge!("orderbell_deliveries_waiting", "protocol" => name, "reason" => reason)
                .set(waiting as f64);
        }
        let paused = if counts.paused.contains(&protocol) { 1.0 } else { 0.0 };
        metrics::gauge!("orderbell_channel_paused", "protocol" => name).set(paused);
    }
    for reason in WAITS {
        let oldest = counts.oldest_waiting.get(reason).copied();
        metrics::gauge!("orderbell_oldest_waiting_seconds", "reason" => reason).set(age(oldest, now));
    }
    metrics::gauge!("orderbell_deliveries_dead").set(counts.dead as f64);
    metrics::gauge!("orderbell_deliveries_held").set(counts.held as f64);
    metrics::gauge!("orderbell_suspended_subscriptions").set(counts.suspended as f64);
    metrics::gauge!("orderbell_orders_unpublished").set(counts.unpublished as f64);
    metrics::gauge!("orderbell_oldest_unpublished_seconds").set(age(counts.oldest_unpublished, now));
    metrics::gauge!("orderbell_rows_quarantined").set(counts.quarantined as f64);
}

/// In seconds; what comes from the future, by a clock that was set back, is new.
fn age(since: Option<Timestamp>, now: Timestamp) -> f64 {
    since.map_or(0.0, |since| now.duration_since(since).as_secs_f64().max(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prometheus;

    fn shown(counts: &StoreCounts, now: &str) -> String {
        let recorder = prometheus::recorder().unwrap();
        metrics::with_local_recorder(&recorder, || {
            prometheus::describe_all();
            show(counts, now.parse().unwrap());
        });
        recorder.handle().render()
    }

    #[test]
    fn gauges_say_what_there_is_and_fall_back_to_zero() {
        let owed_at: Timestamp = "2026-01-31T12:00:00Z".parse().unwrap();
        let counts = StoreCounts {
            waiting: [((Protocol::Email, "channel_paused"), 7)].into(),
            oldest_waiting: [("channel_paused", owed_at)].into(),
            paused: vec![Protocol::Email],
            dead: 3,
            unpublished: 2,
            oldest_unpublished: Some(owed_at),
            ..StoreCounts::default()
        };
        let text = shown(&counts, "2026-01-31T12:00:30Z");
        for line in [
            r#"orderbell_deliveries_waiting{protocol="email",reason="channel_paused"} 7"#,
            r#"orderbell_deliveries_waiting{protocol="email",reason="due"} 0"#,
            r#"orderbell_oldest_waiting_seconds{reason="channel_paused"} 30"#,
            r#"orderbell_channel_paused{protocol="email"} 1"#,
            r#"orderbell_channel_paused{protocol="sms"} 0"#,
            "orderbell_deliveries_dead 3",
            "orderbell_orders_unpublished 2",
            "orderbell_oldest_unpublished_seconds 30",
        ] {
            assert!(text.lines().any(|shown| shown == line), "{line} is not in {text}");
        }
        let early = shown(&counts, "2026-01-31T11:00:00Z");
        assert!(early.contains("orderbell_oldest_unpublished_seconds 0"), "the clock was set back: {early}");
    }
}

//! Sets the gauges to what there is, again and again, and keeps what the histograms recorded from piling up where nobody
//! reads them.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use application::ports::{Clock, DeliveryRecords, Tally, WAITS};
use domain::Timestamp;
use domain::endpoint::Protocol;
use metrics_exporter_prometheus::PrometheusHandle;

use super::{Stop, stopped};

/// The time between two looks: as often as Prometheus reads by default.
const REST: Duration = Duration::from_secs(15);
/// The file in the data folder that is touched when a backup was made.
const LAST_BACKUP: &str = "last-backup";

/// What the shell works with.
pub(crate) struct GaugesWorker {
    /// What there is.
    pub(crate) records: Arc<dyn DeliveryRecords>,
    /// The time.
    pub(crate) clock: Arc<dyn Clock>,
    /// What records.
    pub(crate) metrics: PrometheusHandle,
    /// The data folder.
    pub(crate) data: PathBuf,
}

impl GaugesWorker {
    /// Looks until the program ends.
    #[expect(clippy::disallowed_methods, reason = "a shell may wait")]
    pub(crate) async fn run(self, mut stop: Stop) {
        while !*stop.borrow() {
            let now = self.clock.now();
            match self.records.tally(now).await {
                Ok(tally) => show(&tally, now),
                Err(error) => tracing::warn!(%error, cause = error.cause(), "the gauges are not up to date"),
            }
            metrics::gauge!("orderbell_last_backup_timestamp_seconds").set(last_backup(&self.data));
            self.metrics.run_upkeep();
            tokio::select! {
                () = tokio::time::sleep(REST) => {}
                () = stopped(&mut stop) => break,
            }
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "such counts are exact")]
fn show(tally: &Tally, now: Timestamp) {
    for protocol in Protocol::ALL {
        let name = protocol.name();
        for reason in WAITS {
            let waiting = tally.waiting.get(&(protocol, reason)).copied().unwrap_or_default();
            metrics::gauge!("orderbell_deliveries_waiting", "protocol" => name, "reason" => reason)
                .set(waiting as f64);
        }
        let paused = if tally.paused.contains(&protocol) { 1.0 } else { 0.0 };
        metrics::gauge!("orderbell_channel_paused", "protocol" => name).set(paused);
    }
    for reason in WAITS {
        let oldest = tally.oldest_waiting.get(reason).copied();
        metrics::gauge!("orderbell_oldest_waiting_seconds", "reason" => reason).set(age(oldest, now));
    }
    metrics::gauge!("orderbell_deliveries_dead").set(tally.dead as f64);
    metrics::gauge!("orderbell_deliveries_held").set(tally.held as f64);
    metrics::gauge!("orderbell_suspended_subscriptions").set(tally.suspended as f64);
    metrics::gauge!("orderbell_orders_unpublished").set(tally.unpublished as f64);
    metrics::gauge!("orderbell_oldest_unpublished_seconds").set(age(tally.oldest_unpublished, now));
    metrics::gauge!("orderbell_rows_set_aside").set(tally.set_aside as f64);
}

/// In seconds; what comes from the future, by a clock that was set back, is new.
fn age(since: Option<Timestamp>, now: Timestamp) -> f64 {
    since.map_or(0.0, |since| now.duration_since(since).as_secs_f64().max(0.0))
}

/// When the last backup was made, in Unix time; 0: none is known of.
fn last_backup(data: &Path) -> f64 {
    let made = std::fs::metadata(data.join(LAST_BACKUP)).and_then(|file| file.modified()).ok();
    let made = made.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    made.map_or(0.0, |time| time.as_secs_f64().floor())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measures;

    fn shown(tally: &Tally, now: &str) -> String {
        let recorder = measures::recorder().unwrap();
        metrics::with_local_recorder(&recorder, || {
            measures::begin();
            show(tally, now.parse().unwrap());
        });
        recorder.handle().render()
    }

    #[test]
    fn gauges_say_what_there_is_and_fall_back_to_zero() {
        let owed_at: Timestamp = "2026-01-31T12:00:00Z".parse().unwrap();
        let tally = Tally {
            waiting: [((Protocol::Email, "channel_paused"), 7)].into(),
            oldest_waiting: [("channel_paused", owed_at)].into(),
            paused: vec![Protocol::Email],
            dead: 3,
            unpublished: 2,
            oldest_unpublished: Some(owed_at),
            ..Tally::default()
        };
        let text = shown(&tally, "2026-01-31T12:00:30Z");
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
        let early = shown(&tally, "2026-01-31T11:00:00Z");
        assert!(early.contains("orderbell_oldest_unpublished_seconds 0"), "the clock was set back: {early}");
    }

    #[test]
    fn a_backup_is_known_by_the_file_that_it_leaves() {
        let folder = tempfile::tempdir().unwrap();
        assert!(last_backup(folder.path()) < 1.0);
        let file = std::fs::File::create(folder.path().join(LAST_BACKUP)).unwrap();
        file.set_modified(UNIX_EPOCH + Duration::from_secs(1_769_860_801)).unwrap();
        assert!((last_backup(folder.path()) - 1_769_860_801.0).abs() < 0.5);
    }
}

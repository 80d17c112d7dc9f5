//! Files away what was measured, so that it does not pile up where nobody asks for the metrics, and tells of wrong keys
//! that the log has yet to be told of.

use std::sync::Arc;
use std::time::Duration;

use application::ports::Clock;

use driver::{Stop, stopped};
use metrics_exporter_prometheus::PrometheusHandle;

/// The time between two rounds of upkeep: at ten thousand measurements in a second 400 kB lie about meanwhile.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

/// Files away again and again until the program ends.
#[expect(clippy::disallowed_methods, reason = "a worker may wait")]
pub(crate) async fn run(
    metrics: PrometheusHandle,
    auth_throttle: Arc<web::AuthThrottle>,
    clock: Arc<dyn Clock>,
    mut stop: Stop,
) {
    while !*stop.borrow() {
        metrics.run_upkeep();
        auth_throttle.log_pending(clock.now());
        tokio::select! {
            () = tokio::time::sleep(UPKEEP_INTERVAL) => {}
            () = stopped(&mut stop) => break,
        }
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the worker is a task")]
mod tests {
    use metrics_exporter_prometheus::PrometheusBuilder;
    use tokio::sync::watch;

    use super::*;

    #[tokio::test]
    async fn what_was_measured_is_filed_away_though_nobody_asks_for_it() {
        let recorder = PrometheusBuilder::new().build_recorder();
        let metrics = recorder.handle();
        metrics::with_local_recorder(&recorder, || {
            metrics::histogram!("orderbell_store_batch_writes").record(1.0);
        });
        let (stop, stopping) = watch::channel(false);
        let filed = || format!("{recorder:?}").contains("\"orderbell_store_batch_writes\": {");
        assert!(!filed(), "{recorder:?}");
        let running = tokio::spawn(run(metrics, Arc::default(), Arc::new(host::SystemClock), stopping));
        tokio::task::yield_now().await;
        stop.send_replace(true);
        running.await.unwrap();
        assert!(filed(), "{recorder:?}");
    }
}

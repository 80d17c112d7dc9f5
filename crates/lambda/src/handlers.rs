//! What an invocation does, part by part.

#[cfg(test)]
pub(crate) mod fixtures;
pub(crate) mod http;
pub(crate) mod stream;
pub(crate) mod sweep;

use axum::Router;
use domain::Timestamp;
use lambda_runtime::{Context, Diagnostic, LambdaEvent};
use serde_json::Value;
use serde_json::value::RawValue;
use tracing::Instrument;

use self::stream::Stream;
use self::sweep::Sweep;
use crate::emf_metrics::EmfMetrics;

/// The function, ready to be invoked.
pub(crate) struct Function {
    /// What it does.
    pub(crate) handler: Handler,
    /// What it counts.
    pub(crate) emf_metrics: EmfMetrics,
}

/// What the function does with an event.
pub(crate) enum Handler {
    /// It is a request: the router answers it.
    Http {
        /// It has the routes.
        router: Router,
        /// Where orders are placed besides `/create-order`.
        order_path_aliases: Vec<web::OrderPathAlias>,
    },
    /// It is a batch of the table's stream.
    Stream(Stream),
    /// It says that it is time to sweep.
    Sweep(Sweep),
}

impl Function {
    /// One invocation: its answer, its lines in the log, its metrics.
    ///
    /// # Errors
    /// The invocation as a whole failed; Lambda is to try it again as it is configured to.
    pub(crate) async fn invoke(&self, event: LambdaEvent<Box<RawValue>>) -> Result<Value, Diagnostic> {
        let (event, context) = event.into_parts();
        // At the highest level: every line has its fields, whatever else is filtered.
        let span = tracing::error_span!(
            "invocation",
            requestId = context.request_id,
            xrayTraceId = context.xray_trace_id
        );
        let answer = self.handle(event.get(), &context).instrument(span).await;
        if answer.is_err() {
            metrics::counter!("orderbell_errors_total").increment(1);
        }
        self.emf_metrics.write_line(&context.request_id, std::io::stdout().lock());
        answer
    }

    async fn handle(&self, event: &str, context: &Context) -> Result<Value, Diagnostic> {
        match &self.handler {
            Handler::Http { router, order_path_aliases } => {
                Ok(http::answer(router.clone(), order_path_aliases, event, &context.request_id).await)
            }
            Handler::Stream(stream) => stream.publish_batch(event).await,
            Handler::Sweep(sweep) => sweep.sweep(deadline(context)).await,
        }
    }
}

/// When Lambda ends the invocation.
fn deadline(context: &Context) -> Timestamp {
    let millis = i64::try_from(context.deadline).unwrap_or(i64::MAX);
    Timestamp::from_millisecond(millis).unwrap_or(Timestamp::MAX)
}

/// A failure of the whole invocation, by the name under which Lambda's log and metrics have it.
fn failure(error_type: &str, error_message: String) -> Diagnostic {
    Diagnostic { error_type: format!("Orderbell.{error_type}"), error_message }
}

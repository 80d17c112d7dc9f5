//! The function, from top to bottom.

use std::sync::Arc;

use application::App;
use application::ports::{Clock, OrderStore, Randomness};
use aws::connect::Clients;
use domain::reader::Reader;
use host::{SystemClock, SystemRandomness};
use lambda_runtime::{Error, Runtime, service_fn};

use crate::config::{Config, FunctionRole, HttpConfig};
use crate::emf_metrics::EmfMetrics;
use crate::handlers::stream::Stream;
use crate::handlers::sweep::Sweep;
use crate::handlers::{Function, Handler};
use crate::logging;

/// Wires the function up. Nothing is asked of the network: the first invocation finds clients that are ready, and an
/// environment that does not work is found out at once.
///
/// # Errors
/// The environment lacks something or holds something wrong; the message names it.
pub(crate) fn wire(environment: impl Fn(&str) -> Option<String>) -> Result<Function, Error> {
    let config = Config::read(&environment)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    logging::start(config.log);
    let emf_metrics =
        EmfMetrics::new(environment("AWS_LAMBDA_FUNCTION_NAME").unwrap_or_default(), Arc::clone(&clock));
    emf_metrics.install();

    // The table is the store and the log, the topic is SNS's; the topic marks in the table what it published.
    let key = config.table.key.clone();
    let Clients { dynamodb, sns } = aws::connect::clients(&environment)?;
    let table = aws::Table::new(dynamodb, config.table, Arc::clone(&clock));
    let topic = Arc::new(aws::Topic::new(
        sns,
        config.topic_arn,
        table.clone(),
        Arc::clone(&clock),
        Reader::from(&config.shop),
    ));

    let handler = match config.role {
        // API Gateway → router → use cases → table; subscriptions → topic.
        FunctionRole::Http(http) => {
            let randomness: Arc<dyn Randomness> = Arc::new(SystemRandomness);
            let templates = topic.templates();
            let orders: Arc<dyn OrderStore> = Arc::new(table);
            #[cfg(feature = "publish-in-request")]
            let orders = crate::publish_in_request::if_asked(&environment, orders, &topic);
            let app = App {
                orders,
                subscriptions: topic,
                local_delivery: None,
                clock,
                randomness: Arc::clone(&randomness),
                idempotency_lifetime: http.idempotency_lifetime,
                shop: Arc::new(config.shop),
                templates,
            };
            let order_path_aliases = http.order_path_aliases.clone();
            Handler::Http { router: web::router(app, settings(http)), order_path_aliases }
        }
        // The table's stream → topic.
        FunctionRole::Stream => Handler::Stream(Stream { publisher: topic, key }),
        // A schedule → the table's index of what is unpublished → topic.
        FunctionRole::Sweep => Handler::Sweep(Sweep {
            backlog: Arc::new(table),
            publisher: topic,
            clock,
            randomness: Arc::new(SystemRandomness),
        }),
    };
    Ok(Function { handler, emf_metrics })
}

fn settings(http: HttpConfig) -> web::Settings {
    web::Settings {
        client_digest_secret: http
            .admin_key
            .as_ref()
            .map_or_else(Default::default, web::KeyHash::client_digest_secret),
        admin_key: http.admin_key,
        order_auth: http.order_auth,
        order_path_aliases: http.order_path_aliases,
        intake_handling: http.intake_handling,
        // API Gateway has them: each process would have limits of its own.
        order_limits: web::OrderLimits::default(),
        cors_allow_origins: http.cors_allow_origins,
        host_policy: web::HostPolicy::Gateway,
        public_url: http.public_url,
        receipts: None,
        // CloudWatch has them.
        metrics: None,
        metrics_key: None,
        auth_throttle: Arc::default(),
        version: env!("CARGO_PKG_VERSION"),
    }
}

/// Serves one invocation after the other, until Lambda ends the process.
///
/// # Errors
/// Lambda's Runtime API does not answer.
pub(crate) async fn serve(function: Function) -> Result<(), Error> {
    let function = &function;
    Runtime::new(service_fn(move |event| function.invoke(event))).run().await
}

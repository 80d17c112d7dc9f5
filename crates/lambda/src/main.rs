//! Orderbell on AWS Lambda: one small program that takes orders over HTTP (`http`), publishes what the table's stream
//! tells of (`stream`), and publishes what the stream left behind (`sweep`). `_HANDLER` says which of them it is.

mod config;
mod emf_metrics;
mod handlers;
mod logging;
#[cfg(feature = "publish-in-request")]
mod publish_in_request;
mod wiring;

use std::process::ExitCode;

use lambda_runtime::{Diagnostic, Error};
use lambda_runtime_api_client::body::Body;
use lambda_runtime_api_client::{PooledClient, build_request};

/// One thread: Lambda gives a process one event at a time, and threads would be started anew with every cold start.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let function = match wiring::wire(|name| std::env::var(name).ok()) {
        Ok(function) => function,
        Err(error) => return report_init_error(&error).await,
    };
    match wiring::serve(function).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Reports why the program cannot start to whoever reads the log, and to Lambda, so that an invocation by hand answers with
/// it instead of "exit status 1".
async fn report_init_error(error: &Error) -> ExitCode {
    eprintln!("error: {error}");
    // Outside Lambda nobody else is to be told.
    if std::env::var_os("AWS_LAMBDA_RUNTIME_API").is_some()
        && let Err(unreported) = tell_lambda(error.to_string()).await
    {
        eprintln!("error: Lambda could not be told: {unreported}");
    }
    ExitCode::FAILURE
}

/// Reports an initialization error: <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html#runtimes-api-initerror>
async fn tell_lambda(error_message: String) -> Result<(), Error> {
    let diagnostic = Diagnostic { error_type: "Orderbell.Configuration".to_owned(), error_message };
    let request = build_request()
        .method("POST")
        .uri("/2018-06-01/runtime/init/error")
        .header("lambda-runtime-function-error-type", &diagnostic.error_type)
        .body(Body::from(serde_json::to_vec(&diagnostic)?))?;
    PooledClient::builder().build().call(request).await.map(drop)
}

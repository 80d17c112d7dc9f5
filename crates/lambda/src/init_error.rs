//! Saying why the program cannot start.

use std::process::ExitCode;

use lambda_runtime::{Diagnostic, Error};
use lambda_runtime_api_client::body::Body;
use lambda_runtime_api_client::{PooledClient, build_request};

/// Tells whoever reads the log, and Lambda, so that an invocation by hand answers with it instead of "exit status 1".
pub(crate) async fn report(error: &Error) -> ExitCode {
    eprintln!("error: {error}");
    // Outside Lambda nobody else is to be told.
    if std::env::var_os("AWS_LAMBDA_RUNTIME_API").is_some()
        && let Err(unreported) = tell_lambda(error.to_string()).await
    {
        eprintln!("error: Lambda could not be told: {unreported}");
    }
    ExitCode::FAILURE
}

/// <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html#runtimes-api-initerror>
async fn tell_lambda(error_message: String) -> Result<(), Error> {
    let diagnostic = Diagnostic { error_type: "Orderbell.Configuration".to_owned(), error_message };
    let request = build_request()
        .method("POST")
        .uri("/2018-06-01/runtime/init/error")
        .header("lambda-runtime-function-error-type", &diagnostic.error_type)
        .body(Body::from(serde_json::to_vec(&diagnostic)?))?;
    PooledClient::builder().build().call(request).await.map(drop)
}

//! Orderbell on AWS Lambda: one small program that takes orders over HTTP (`http`), announces what the table's stream
//! tells of (`stream`), and announces what the stream left behind (`sweep`). `_HANDLER` says which of them it is.

mod config;
mod handlers;
mod init_error;
mod logging;
mod measures;
#[cfg(feature = "publish-in-request")]
mod publish_in_request;
mod wiring;

use std::process::ExitCode;

/// One thread: Lambda gives a process one event at a time, and threads would be started anew with every cold start.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let function = match wiring::wire(|name| std::env::var(name).ok()) {
        Ok(function) => function,
        Err(error) => return init_error::report(&error).await,
    };
    match wiring::serve(function).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

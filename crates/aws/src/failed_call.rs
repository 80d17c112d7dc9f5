//! A failed call to AWS, for the log. What AWS says in its own words is left out: it may repeat what it was given, which is
//! a customer's order or a subscriber's address.

use std::error::Error;

use aws_sdk_sns::error::{ProvideErrorMetadata, SdkError};

/// A longer code than this is none of AWS's.
const MAX_CODE_CHARS: usize = 100;

/// What came of a call to `service`, in our words and by AWS's code.
pub(crate) fn describe_failure<E: ProvideErrorMetadata>(service: &str, error: &SdkError<E>) -> String {
    match error {
        SdkError::ServiceError(answer) => {
            let (status, code) = (answer.raw().status().as_u16(), code(answer.err().code()));
            let request = self::code(answer.raw().headers().get("x-amzn-requestid"));
            format!("{service} answered {status}, code {code}, to request {request}")
        }
        SdkError::ResponseError(answer) => {
            format!("{service} answered {}, and its answer cannot be read", answer.raw().status().as_u16())
        }
        SdkError::TimeoutError(_) => format!("{service} did not answer in time"),
        SdkError::DispatchFailure(failure) => match failure.as_connector_error() {
            Some(error) => format!("{service} was not reached: {}", chain(error)),
            None => format!("{service} was not reached"),
        },
        _ => format!("the request to {service} could not be made"),
    }
}

/// A code or an id as AWS has them; whatever else stands in its place may be anything.
pub(crate) fn code(said: Option<&str>) -> &str {
    let is_of_a_code = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | ':' | '#' | '_' | '-' | '=');
    let is_code = |said: &&str| (1..=MAX_CODE_CHARS).contains(&said.len()) && said.chars().all(is_of_a_code);
    said.filter(is_code).unwrap_or("unknown")
}

/// An error of our own side, and what lies behind it.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut behind = error.source();
    while let Some(error) = behind {
        text = format!("{text}: {error}");
        behind = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::operation::put_item::PutItemError;
    use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
    use aws_smithy_runtime_api::client::result::ConnectorError;
    use aws_smithy_runtime_api::http::StatusCode;

    use super::*;

    /// What a customer wrote.
    const ECHO: &str = "Ada Lovelace, 12 St James's Square";

    fn answer(request: &'static str) -> HttpResponse {
        let body = format!(r#"{{"message":"{ECHO}"}}"#);
        let mut answer = HttpResponse::new(StatusCode::try_from(400).unwrap(), body.into());
        answer.headers_mut().insert("x-amzn-requestid", request);
        answer
    }

    fn refused(code: &str, request: &'static str) -> SdkError<PutItemError> {
        let metadata = aws_sdk_dynamodb::error::ErrorMetadata::builder().code(code).message(ECHO).build();
        SdkError::service_error(PutItemError::generic(metadata), answer(request))
    }

    #[test]
    fn what_aws_repeats_of_what_it_was_given_is_left_out() {
        let connection = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
        for (error, said) in [
            (
                refused("ValidationException", "REQ1"),
                "DynamoDB answered 400, code ValidationException, to request REQ1",
            ),
            (refused("ValidationException", ECHO), "code ValidationException, to request unknown"),
            (refused(ECHO, "REQ1"), "DynamoDB answered 400, code unknown, to request REQ1"),
            (refused(&"A".repeat(101), "REQ1"), "code unknown"),
            (refused("", "REQ1"), "code unknown"),
            (
                SdkError::response_error(ECHO, answer("REQ1")),
                "DynamoDB answered 400, and its answer cannot be read",
            ),
            (SdkError::timeout_error(ECHO), "DynamoDB did not answer in time"),
            (SdkError::construction_failure(ECHO), "the request to DynamoDB could not be made"),
            (
                SdkError::dispatch_failure(ConnectorError::io(connection.into())),
                "DynamoDB was not reached: io error: connection refused",
            ),
        ] {
            let words = describe_failure("DynamoDB", &error);
            assert!(words.contains(said), "{words}");
            assert!(!words.contains("Ada"), "{words}");
        }
    }
}

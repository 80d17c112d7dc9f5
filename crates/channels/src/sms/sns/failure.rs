//! What a failed call to SNS means, and whose failure it is.
//!
//! Source: AWS, `Publish`, `CheckIfPhoneNumberIsOptedOut` and "Common errors" in the Amazon SNS API Reference.

use std::error::Error;

use aws_sdk_sns::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::endpoint::error::ResolveEndpointError;
use domain::attempt::{Outcome, OutcomeKind, Scope};
use hyper_util::client::legacy::Error as HttpError;

use crate::local_resources::{describe, error_chain};

/// As all codes here without the `Exception` that some answers put after it.
const THROTTLING: [&str; 5] =
    ["Throttled", "Throttling", "RequestLimitExceeded", "TooManyRequests", "KMSThrottling"];
/// The keys are known and may not do this.
const NOT_ALLOWED: [&str; 2] = ["AuthorizationError", "AccessDenied"];

/// What a parameter that is not right is called where it is one of ours: the sender, the account's limits.
const OUR_SETTINGS: [&str; 6] = ["AWS.SNS.SMS.", "SenderID", "andbox", "pend limit", "pending limit", "uota"];

/// What came of a publish that failed.
pub(super) fn outcome<E>(error: &SdkError<E>) -> Outcome
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let kind = match error {
        unsent if never_left(unsent).is_some() => OutcomeKind::Transient(Scope::Channel),
        SdkError::ServiceError(answer) => {
            kind(answer.raw().status().as_u16(), code(error), error.message().unwrap_or_default())
        }
        _ => OutcomeKind::Unknown,
    };
    Outcome { status: status(error), ..Outcome::new(kind, explain(error)) }
}

/// The status of SNS's answer, if there was one.
fn status<E>(error: &SdkError<E>) -> Option<u16> {
    error.raw_response().map(|answer| answer.status().as_u16())
}

/// What came of a question that failed before anything was sent: whoever knows nothing can still be asked again.
pub(super) fn before_sending<E>(error: &SdkError<E>) -> Outcome
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let outcome = outcome(error);
    match outcome.kind {
        OutcomeKind::Unknown => Outcome { kind: OutcomeKind::Transient(Scope::Channel), ..outcome },
        _ => outcome,
    }
}

/// What came of a probe that failed. Keys that may publish and not read settings are refused here and known.
pub(super) fn to_probe<E>(error: &SdkError<E>) -> Result<(), Outcome>
where
    E: ProvideErrorMetadata + Error + 'static,
{
    if is_not_allowed(error) {
        return Ok(());
    }
    let outcome = Outcome::new(OutcomeKind::Transient(Scope::Channel), explain(error));
    Err(Outcome { status: status(error), ..outcome })
}

/// Whether our keys are known and may not do this.
pub(super) fn is_not_allowed(error: &impl ProvideErrorMetadata) -> bool {
    NOT_ALLOWED.contains(&code(error))
}

fn code(error: &impl ProvideErrorMetadata) -> &str {
    let code = error.code().unwrap_or_default();
    code.strip_suffix("Exception").unwrap_or(code)
}

/// A refusal of the number is the delivery's, of our name the channel's. Where SNS failed itself it may have sent.
fn kind(status: u16, code: &str, message: &str) -> OutcomeKind {
    match (status, code) {
        (429, _) => OutcomeKind::Throttled { scope: Scope::Channel, retry_after: None },
        (_, code) if THROTTLING.contains(&code) => {
            OutcomeKind::Throttled { scope: Scope::Channel, retry_after: None }
        }
        (503, _) => OutcomeKind::Transient(Scope::Channel),
        (500.., _) => OutcomeKind::Unknown,
        (_, "InvalidParameter" | "InvalidParameterValue" | "ParameterValueInvalid" | "Validation") => {
            if OUR_SETTINGS.iter().any(|words| message.contains(words)) {
                OutcomeKind::Transient(Scope::Channel)
            } else {
                OutcomeKind::Permanent(Scope::Delivery)
            }
        }
        _ => OutcomeKind::Transient(Scope::Channel),
    }
}

fn explain<E>(error: &SdkError<E>) -> String
where
    E: ProvideErrorMetadata + Error + 'static,
{
    if let Some(why) = never_left(error) {
        return format!("{why}: {}", describe(error));
    }
    match error {
        SdkError::ServiceError(answer) => {
            let (status, message) = (answer.raw().status().as_u16(), error.message().unwrap_or_default());
            format!("{status} {} {message}", code(error))
        }
        SdkError::TimeoutError(_) => "no answer in time".to_owned(),
        unanswered => format!("the connection was lost: {}", describe(unanswered)),
    }
}

/// Why nothing was sent, where that is sure: our settings make no request or no address, or there was no line. What else
/// the HTTP client fails with, it may fail with after the request went out: a line that is lost has no kind of its own.
fn never_left<E>(error: &SdkError<E>) -> Option<&'static str>
where
    E: Error + 'static,
{
    if matches!(error, SdkError::ConstructionFailure(_)) {
        return Some("no request");
    }
    error_chain(error).find_map(|cause| match cause.downcast_ref::<HttpError>() {
        Some(client) => client.is_connect().then_some("no connection"),
        None => cause.is::<ResolveEndpointError>().then_some("no address"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_says_whose_failure_it_is() {
        const CHANNEL: OutcomeKind = OutcomeKind::Transient(Scope::Channel);
        const DELIVERY: OutcomeKind = OutcomeKind::Permanent(Scope::Delivery);
        const THROTTLED: OutcomeKind = OutcomeKind::Throttled { scope: Scope::Channel, retry_after: None };
        for (status, code, message, expected) in [
            (400, "InvalidParameter", "Invalid parameter: PhoneNumber Reason: +1 is not valid", DELIVERY),
            (400, "InvalidParameterValue", "Invalid parameter: Message too long", DELIVERY),
            (400, "InvalidParameter", "attribute AWS.SNS.SMS.SenderID is invalid", CHANNEL),
            (400, "InvalidParameter", "No quota left for account", CHANNEL),
            (400, "InvalidParameter", "the account is in the SMS sandbox", CHANNEL),
            (400, "InvalidParameter", "monthly spend limit reached", CHANNEL),
            (400, "OptInRequired", "The AWS Access Key Id needs a subscription for the service", CHANNEL),
            (403, "ExpiredToken", "", CHANNEL),
            (400, "Throttling", "", THROTTLED),
            (400, "Throttled", "", THROTTLED),
            (429, "", "", THROTTLED),
            (403, "AuthorizationError", "", CHANNEL),
            (403, "InvalidClientTokenId", "", CHANNEL),
            (403, "SignatureDoesNotMatch", "", CHANNEL),
            (503, "ServiceUnavailable", "", CHANNEL),
            (500, "InternalError", "", OutcomeKind::Unknown),
            (502, "", "", OutcomeKind::Unknown),
        ] {
            assert_eq!(kind(status, code, message), expected, "{status} {code}");
        }
    }
}

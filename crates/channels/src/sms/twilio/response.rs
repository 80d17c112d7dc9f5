//! What Twilio's responses mean, and whose failure they are.
//!
//! Source: Twilio, "Error and warning dictionary", and the HTTP statuses as RFC 9110 has them.

use domain::Timestamp;
use domain::attempt::{Outcome, OutcomeKind, Scope};
use domain::sms_text::Parts;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::http::HttpResponse;

/// A message that was made. `num_segments` is 0 until a messaging service has chosen a sender.
#[derive(Deserialize)]
struct CreatedMessage {
    sid: String,
    status: String,
    #[serde(default)]
    num_segments: Option<String>,
    #[serde(default)]
    error_code: Option<u32>,
    #[serde(default)]
    error_message: Option<String>,
}

/// The states of a message that will not arrive (Twilio, "Message status values").
const FAILED_STATES: [&str; 3] = ["failed", "undelivered", "canceled"];

/// The body of a refused request.
#[derive(Deserialize)]
struct ApiError {
    code: u32,
    message: String,
}

/// "Authenticate", "Permission denied".
const ACCESS_DENIED: u32 = 20_003;
const TOO_MANY_REQUESTS: u32 = 20_429;
/// The recipient answered STOP: Twilio sends nothing to them until they answer START.
pub(super) const OPTED_OUT: u32 = 21_610;
/// As many messages wait for this sender as Twilio keeps.
const QUEUE_IS_FULL: u32 = 21_611;

/// Codes that say that who we are or whom we send as is not right, whoever the message is for: the account is not active,
/// suspended or has no right; `From` is no number, missing, not Twilio's, of another account, not registered or verified, or
/// cannot send texts; the day's messages are used up; the URL for reports is not one that Twilio calls; the messaging
/// service does not exist, has no sender for this or at all, or is named wrongly.
const SENDER_ERRORS: [u32; 24] = [
    10_001,
    ACCESS_DENIED,
    20_005,
    20_006,
    20_008,
    21_212,
    21_603,
    21_606,
    21_607,
    21_609,
    21_659,
    21_660,
    21_661,
    21_701,
    21_703,
    21_704,
    21_705,
    30_002,
    30_023,
    30_027,
    30_032,
    30_034,
    63_038,
    90_010,
];
/// Phrases about the account, whatever the code.
const ACCOUNT_PHRASES: [&str; 5] = [
    "insufficient funds",
    "insufficient balance",
    "account balance",
    "account is suspended",
    "suspended account",
];
/// Codes that say that the recipient or the text cannot be sent to or as it is: no number, unreachable, a landline, a
/// country that is not allowed; empty or too long. A code that is not known may say either.
const DELIVERY_ERRORS: [u32; 17] = [
    21_211, 21_214, 21_217, 21_265, 21_266, 21_401, 21_407, 21_408, 21_421, 21_602, 21_604, 21_605, 21_612,
    21_614, 21_617, 21_619, 21_635,
];

/// Classifies the response to creating a message of `parts` at `now`: words for the timeline, or a failure.
pub(super) fn classify_created(
    response: &HttpResponse,
    parts: Parts,
    now: Timestamp,
) -> Result<String, Outcome> {
    if response.status.is_success() {
        return classify_accepted(response, parts, now);
    }
    let refused = serde_json::from_slice::<ApiError>(&response.body).ok();
    let (code, message) =
        refused.as_ref().map_or((None, ""), |refused| (Some(refused.code), refused.message.as_str()));
    let kind = kind(response, code, message, now);
    let reply = match refused {
        Some(ApiError { code, message }) => format!("{} {code} {message}", response.status.as_u16()),
        None => response.reply(),
    };
    Err(Outcome::new(kind, reply).with_status(response.status))
}

/// Classifies the response to a probe: Twilio answers JSON. Whoever may send and not read is refused here
/// and known.
pub(super) fn classify_probe(response: &HttpResponse) -> Result<(), Outcome> {
    let is_an_object = || serde_json::from_slice::<Map<String, Value>>(&response.body).is_ok();
    match response.status.as_u16() {
        200..=299 | 403 if is_an_object() => Ok(()),
        _ => Err(response.outcome(OutcomeKind::Transient(Scope::Channel))),
    }
}

/// A success is what Twilio's own body says, with the parts that it counted, or ours where it has not yet. Whoever answers
/// 200 without it is not Twilio: a captive portal, a proxy, another server at `sms.api_url`. Nothing was sent there, and
/// nothing will be until somebody mends that. An answer of Twilio's that broke off leaves it open.
fn classify_accepted(response: &HttpResponse, parts: Parts, now: Timestamp) -> Result<String, Outcome> {
    let Ok(created) = serde_json::from_slice::<CreatedMessage>(&response.body) else {
        return Err(not_twilio(response));
    };
    if created.sid.is_empty() || created.status.is_empty() {
        return Err(not_twilio(response));
    }
    if FAILED_STATES.contains(&created.status.as_str()) {
        let message = created.error_message.unwrap_or_default();
        let kind = kind_of(400, created.error_code, &message, response, now);
        let code = created.error_code.map(|code| format!(" {code}")).unwrap_or_default();
        return Err(Outcome::new(kind, format!("{} as {}:{code} {message}", created.status, created.sid)));
    }
    Ok(match created.num_segments.as_deref() {
        None | Some("0") => format!("accepted as {}, {parts}", created.sid),
        Some("1") => format!("accepted as {}, 1 segment", created.sid),
        Some(segments) => format!("accepted as {}, {segments} segments", created.sid),
    })
}

fn not_twilio(response: &HttpResponse) -> Outcome {
    let is_page = response.body.trim_ascii_start().starts_with(b"<");
    if response.incomplete && !is_page {
        return Outcome::new(OutcomeKind::Unknown, format!("its answer broke off: {}", response.reply()));
    }
    let reply = format!("answered as Twilio does not: {}", response.reply());
    Outcome::new(OutcomeKind::Transient(Scope::Channel), reply)
}

/// A 503 says that the request was not handled; after any other 5xx it may have been.
fn kind(response: &HttpResponse, code: Option<u32>, message: &str, now: Timestamp) -> OutcomeKind {
    kind_of(response.status.as_u16(), code, message, response, now)
}

/// What it means that `response` says so, as if it had that status.
fn kind_of(
    status: u16,
    code: Option<u32>,
    message: &str,
    response: &HttpResponse,
    now: Timestamp,
) -> OutcomeKind {
    let throttled = OutcomeKind::Throttled { scope: Scope::Channel, retry_after: response.retry_after(now) };
    let message = message.to_lowercase();
    let is_sender_error = code.is_some_and(|code| SENDER_ERRORS.contains(&code))
        || ACCOUNT_PHRASES.iter().any(|words| message.contains(words));
    match (status, code) {
        (_, Some(OPTED_OUT)) => OutcomeKind::Permanent(Scope::Endpoint),
        (429, _) | (_, Some(TOO_MANY_REQUESTS | QUEUE_IS_FULL)) => throttled,
        _ if is_sender_error => OutcomeKind::Transient(Scope::Channel),
        // Not paid for; no such account; not admitted; the request did not come through.
        (401..=404 | 408, _) => OutcomeKind::Transient(Scope::Channel),
        (400..=499, Some(code)) if !DELIVERY_ERRORS.contains(&code) => OutcomeKind::Permanent(Scope::Unclear),
        (400..=499, _) => OutcomeKind::Permanent(Scope::Delivery),
        (503, _) if response.retry_after.is_some() => throttled,
        (300..=399 | 503, _) => OutcomeKind::Transient(Scope::Channel),
        _ => OutcomeKind::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use domain::attempt::MAX_REPLY;
    use domain::sms_text::parts;
    use reqwest::StatusCode;

    use super::*;
    use crate::fuzz::{self, fuzz};

    /// Whatever is answered, nothing panics, only Twilio's own body is success, and what is kept is bounded.
    #[test]
    fn fuzzed_answers_are_accepted_by_twilios_body_alone() {
        let seeds: [&[u8]; 12] = [
            br#"{"sid":"SM1","status":"queued","num_segments":"2"}"#,
            br#"{"sid":"SM1","status":"accepted","num_segments":"0","error_code":null,"error_message":null}"#,
            br#"{"sid":"SM1","status":"failed","error_code":21610,"error_message":"STOP"}"#,
            br#"{"code":21211,"message":"Invalid 'To' Phone Number","status":400}"#,
            br#"{"code":20429,"message":"Too Many Requests"}"#,
            br#"{"code":20003,"message":"Authenticate"}"#,
            br#"{"code":99999,"message":"account is suspended"}"#,
            br#"{"messages":[],"page_size":1}"#,
            b"<!DOCTYPE html><title>Log in</title>",
            b"{}",
            &[b'{'; 300],
            b"Wed, 04 Mar 2026 12:00:30 GMT",
        ];
        fuzz("Twilio's answers", &seeds, |bytes, chance| {
            let response = fuzz::response(201, bytes, chance);
            let body = &response.body;
            // Of what it does not ask for, the reader does not mind what it is written in.
            let said: Option<Value> = serde_json::from_str(&String::from_utf8_lossy(body)).ok();
            let is_object = serde_json::from_slice::<Value>(body).is_ok_and(|said| said.is_object());
            let (status, success) = (response.status, response.status.is_success());
            let has = |name: &str| {
                said.as_ref().is_some_and(|said| said[name].as_str().is_some_and(|text| !text.is_empty()))
            };
            match classify_created(&response, parts("Hello"), Timestamp::UNIX_EPOCH) {
                Ok(words) => {
                    assert!(success && has("sid") && has("status"), "{words}");
                    assert!(Outcome::new(OutcomeKind::Delivered, words).reply.chars().count() <= MAX_REPLY);
                }
                Err(outcome) => {
                    assert!(
                        !matches!(outcome.kind, OutcomeKind::Delivered | OutcomeKind::Sandboxed),
                        "{outcome:?}"
                    );
                    assert!(
                        outcome.reply.chars().count() <= MAX_REPLY && !outcome.reply.contains(['\r', '\n'])
                    );
                }
            }
            let there = classify_probe(&response).is_ok();
            assert_eq!(there, (success || status == StatusCode::FORBIDDEN) && is_object, "{response:?}");
        });
    }
}

//! What a receiver's response means.

use application::ports::{Content, Sent};
use domain::Timestamp;
use domain::attempt::{Outcome, OutcomeKind, Scope};
use domain::json_text::utf8;
use reqwest::StatusCode;
use serde_json::Value;

use crate::http::HttpResponse;

/// The member of a response that repeats the challenge. An echo of our request has none.
const CONFIRMATION_MEMBER: &str = "confirmation";

/// Classifies the response to the attempt at `now`.
pub(super) fn classify_response(response: &HttpResponse, content: &Content, now: Timestamp) -> Sent {
    let kind = kind(response, now);
    match content {
        Content::Confirmation { challenge, .. } if kind == OutcomeKind::Delivered => {
            classify_challenge(response, challenge)
        }
        _ => response.outcome(kind).into(),
    }
}

/// Standard Webhooks: 2xx is success, 410 ends the subscription, all else is tried again; whoever throttles
/// gets it, at first without an attempt being used.
fn kind(response: &HttpResponse, now: Timestamp) -> OutcomeKind {
    if response.status.is_success() {
        return OutcomeKind::Delivered;
    }
    let asked = response.retry_after(now);
    match response.status {
        StatusCode::GONE => OutcomeKind::Permanent(Scope::Endpoint),
        StatusCode::TOO_MANY_REQUESTS => {
            OutcomeKind::Throttled { scope: Scope::Endpoint, retry_after: asked }
        }
        _ if asked.is_some() => OutcomeKind::Throttled { scope: Scope::Endpoint, retry_after: asked },
        _ => OutcomeKind::Transient(Scope::Endpoint),
    }
}

/// What a receiver said to our confirmation request: yes, or in which way it did not.
fn classify_challenge(response: &HttpResponse, challenge: &str) -> Sent {
    let said = utf8(&response.body).map(|json| serde_json::from_slice::<Value>(json).unwrap_or_default());
    if said.as_ref().is_ok_and(|said| said.get(CONFIRMATION_MEMBER).is_some_and(|yes| yes == challenge)) {
        return Sent { outcome: response.outcome(OutcomeKind::Delivered), confirmed: true };
    }
    let reply = match said {
        Err(other) => {
            format!("answered {}, and what it said cannot be read: {other}", response.status.as_u16())
        }
        Ok(_) => format!("did not repeat the challenge in `confirmation`, but answered {}", response.reply()),
    };
    let outcome = Outcome::new(OutcomeKind::Transient(Scope::Endpoint), reply).with_status(response.status);
    Sent { outcome, confirmed: false }
}

#[cfg(test)]
mod tests {
    use domain::attempt::MAX_REPLY;

    use super::*;
    use crate::fuzz::{self, fuzz};

    fn confirmation(challenge: &str) -> Content {
        Content::Confirmation {
            asked_by: None,
            confirm_url: String::new(),
            challenge: challenge.to_owned(),
            expires_at: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn a_challenge_is_repeated_in_utf_8_whatever_stands_before_it() {
        let yes = r#"{"confirmation":"abc"}"#;
        let utf_16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
        for (body, confirmed, said) in [
            (yes.as_bytes().to_vec(), true, "200"),
            (format!("\u{FEFF}{yes}").into_bytes(), true, "200"),
            (utf_16(yes), false, "UTF-16"),
            (utf_16(&format!("\u{FEFF}{yes}")), false, "UTF-16"),
            (b"\x1F\x8B\x08\0".to_vec(), false, "gzip"),
            (br#"{"challenge":"abc"}"#.to_vec(), false, "did not repeat"),
            (br#"{"confirmation":"ab"}"#.to_vec(), false, "did not repeat"),
            (br#"["abc"]"#.to_vec(), false, "did not repeat"),
            (br#"{"confirmation":["abc"]}"#.to_vec(), false, "did not repeat"),
            (br#""abc""#.to_vec(), false, "did not repeat"),
            (b"abc".to_vec(), false, "did not repeat"),
            (br#"{"Confirmation":"abc"}"#.to_vec(), false, "did not repeat"),
        ] {
            let response =
                HttpResponse { status: StatusCode::OK, retry_after: None, body, incomplete: false };
            let sent = classify_response(&response, &confirmation("abc"), Timestamp::UNIX_EPOCH);
            assert_eq!(sent.confirmed, confirmed, "{sent:?}");
            assert!(sent.outcome.reply.contains(said), "{sent:?}");
        }
    }

    /// Whatever is answered, nothing panics, only the challenge itself confirms, and what is kept is bounded.
    #[test]
    fn fuzzed_answers_confirm_by_the_challenge_alone() {
        let seeds: [&[u8]; 10] = [
            br#"{"confirmation":"abc"}"#,
            b"\xEF\xBB\xBF{\"confirmation\":\"abc\"}",
            br#"{"confirmation":"ab\u0063","more":[1,2.5e9,null]}"#,
            br#"{"type":"confirmation","challenge":"abc"}"#,
            br#"["abc"]"#,
            b"\xFF\xFE{\0\"\0c\0",
            b"\x1F\x8B\x08\0\0\0",
            b"<!DOCTYPE html><title>Log in</title>",
            &[b'['; 300],
            b"Wed, 04 Mar 2026 12:00:30 GMT",
        ];
        fuzz("webhooks' answers", &seeds, |bytes, chance| {
            let response = HttpResponse { incomplete: false, ..fuzz::response(200, bytes, chance) };
            let body = response.body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&response.body);
            let said: Option<Value> = serde_json::from_slice(body).ok();
            let yes = said.is_some_and(|said| said["confirmation"] == "abc");
            let success = response.status.is_success();
            for (content, delivered, confirmed) in
                [(confirmation("abc"), success && yes, success && yes), (Content::Test, success, false)]
            {
                let sent = classify_response(&response, &content, Timestamp::UNIX_EPOCH);
                assert_eq!(sent.outcome.kind == OutcomeKind::Delivered, delivered, "{sent:?}");
                assert_eq!(sent.confirmed, confirmed, "{sent:?}");
                assert!(sent.outcome.reply.chars().count() <= MAX_REPLY);
            }
        });
    }
}

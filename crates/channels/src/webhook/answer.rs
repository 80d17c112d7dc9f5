//! What a receiver's answer means.

use application::ports::{Content, Sent};
use domain::Timestamp;
use domain::attempt::{Outcome, OutcomeKind, Scope};
use domain::json_text::utf8;
use reqwest::StatusCode;
use serde_json::Value;

use crate::http::Answer;

/// The member of a JSON object that repeats the challenge. An echo of our question has none.
const YES: &str = "confirmation";

/// What the attempt at `now` came to.
pub(super) fn meaning(answer: &Answer, content: &Content, now: Timestamp) -> Sent {
    let kind = kind(answer, now);
    match content {
        Content::Confirmation { challenge, .. } if kind == OutcomeKind::Delivered => {
            to_challenge(answer, challenge)
        }
        _ => answer.outcome(kind).into(),
    }
}

/// Standard Webhooks: 2xx is success, 410 ends the subscription, all else is tried again; whoever asks for patience
/// gets it, at first without an attempt being spent.
fn kind(answer: &Answer, now: Timestamp) -> OutcomeKind {
    if answer.status.is_success() {
        return OutcomeKind::Delivered;
    }
    let asked = answer.patience(now);
    match answer.status {
        StatusCode::GONE => OutcomeKind::Permanent(Scope::Endpoint),
        StatusCode::TOO_MANY_REQUESTS => {
            OutcomeKind::Throttled { scope: Scope::Endpoint, retry_after: asked }
        }
        _ if asked.is_some() => OutcomeKind::Throttled { scope: Scope::Endpoint, retry_after: asked },
        _ => OutcomeKind::Transient(Scope::Endpoint),
    }
}

/// What a receiver said to our question: yes, or in which way it did not.
fn to_challenge(answer: &Answer, challenge: &str) -> Sent {
    let said = utf8(&answer.body).map(|json| serde_json::from_slice::<Value>(json).unwrap_or_default());
    if said.as_ref().is_ok_and(|said| said.get(YES).is_some_and(|yes| yes == challenge)) {
        return Sent { outcome: answer.outcome(OutcomeKind::Delivered), confirmed: true };
    }
    let reply = match said {
        Err(other) => {
            format!("answered {}, and what it said cannot be read: {other}", answer.status.as_u16())
        }
        Ok(_) => format!("did not repeat the challenge in `confirmation`, but answered {}", answer.reply()),
    };
    let outcome = Outcome::new(OutcomeKind::Transient(Scope::Endpoint), reply).with_status(answer.status);
    Sent { outcome, confirmed: false }
}

#[cfg(test)]
mod tests {
    use domain::attempt::MAX_REPLY;

    use super::*;
    use crate::fuzz::fuzz;
    use crate::http::MAX_ANSWER;

    fn confirmation(challenge: &str) -> Content {
        Content::Confirmation {
            confirm_url: String::new(),
            challenge: challenge.to_owned(),
            expires_at: Timestamp::UNIX_EPOCH,
        }
    }

    fn answer(status: u16, retry_after: Option<String>, body: Vec<u8>) -> Answer {
        Answer { status: StatusCode::from_u16(status).unwrap(), retry_after, body, broke_off: false }
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
            let sent = meaning(&answer(200, None, body), &confirmation("abc"), Timestamp::UNIX_EPOCH);
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
            let status = if chance.bool() { 200 } else { chance.u16(100..1_000) };
            let head = &bytes[..bytes.len().min(chance.usize(0..40))];
            let retry_after = chance.bool().then(|| String::from_utf8_lossy(head).into_owned());
            let body = bytes[..bytes.len().min(MAX_ANSWER)].to_vec();
            let said: Option<Value> =
                serde_json::from_slice(body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&body)).ok();
            let yes = said.is_some_and(|said| said["confirmation"] == "abc");
            let success = (200..300).contains(&status);
            let answer = answer(status, retry_after, body);
            for (content, delivered, confirmed) in
                [(confirmation("abc"), success && yes, success && yes), (Content::Test, success, false)]
            {
                let sent = meaning(&answer, &content, Timestamp::UNIX_EPOCH);
                assert_eq!(sent.outcome.kind == OutcomeKind::Delivered, delivered, "{sent:?}");
                assert_eq!(sent.confirmed, confirmed, "{sent:?}");
                assert!(sent.outcome.reply.chars().count() <= MAX_REPLY);
            }
        });
    }
}

//! What a receiver's answer means.

use application::ports::{Content, Sent};
use domain::Timestamp;
use domain::attempt::{Outcome, OutcomeKind, Scope};
use domain::json_text::utf8;
use reqwest::StatusCode;
use serde::Deserialize;

use crate::http::Answer;

/// A receiver's yes. An echo of our question has no such member.
#[derive(Deserialize)]
struct Yes {
    confirmation: String,
}

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
    let said = utf8(&answer.body).map(|json| serde_json::from_slice::<Yes>(json).ok());
    if said.as_ref().is_ok_and(|yes| yes.as_ref().is_some_and(|yes| yes.confirmation == challenge)) {
        return Sent { outcome: answer.outcome(OutcomeKind::Delivered), confirmed: true };
    }
    let status = answer.status.as_u16();
    let reply = match said {
        Err(other) => format!("answered {status}, and what it said cannot be read: {other}"),
        Ok(_) => format!("answered {status} but did not repeat the challenge in `confirmation`"),
    };
    let outcome = Outcome::new(OutcomeKind::Transient(Scope::Endpoint), reply).with_status(answer.status);
    Sent { outcome, confirmed: false }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

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
        ] {
            let sent = meaning(&answer(200, None, body), &confirmation("abc"), Timestamp::UNIX_EPOCH);
            assert_eq!(sent.confirmed, confirmed, "{sent:?}");
            assert!(sent.outcome.reply.contains(said), "{sent:?}");
        }
    }

    proptest! {
        #[test]
        fn no_answer_makes_us_fail_and_only_the_challenge_confirms(
            status in 100_u16..1_000,
            retry_after in prop::option::of(".*"),
            body in prop::collection::vec(any::<u8>(), 0..2_000),
        ) {
            let answer = answer(status, retry_after, body);
            let sent = meaning(&answer, &confirmation("abc"), Timestamp::UNIX_EPOCH);
            prop_assert!(!sent.confirmed);
            prop_assert!(sent.outcome.kind != OutcomeKind::Delivered, "it was asked and did not say yes");
            let sent = meaning(&answer, &Content::Test, Timestamp::UNIX_EPOCH);
            prop_assert_eq!(sent.outcome.kind == OutcomeKind::Delivered, (200..300).contains(&status));
        }
    }
}

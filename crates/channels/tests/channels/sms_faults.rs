//! What providers of text messages answer, or do not, and whose failure it is.

use std::time::Duration;

use application::ports::Channel;
use domain::attempt::{Outcome, OutcomeKind, Scope};
use orderbell_channels::sms::sns::Sns;

use crate::fixtures::{NUMBER, notification, text_message};
use crate::http_receiver::{Reaction, Receiver};
use crate::sms::{opted_out, published, published_at, sns_settings, twilio};

const CHANNEL: OutcomeKind = OutcomeKind::Transient(Scope::Channel);
const NEVER: OutcomeKind = OutcomeKind::Permanent(Scope::Delivery);
const UNCLEAR: OutcomeKind = OutcomeKind::Permanent(Scope::Unclear);
const ENDED: OutcomeKind = OutcomeKind::Permanent(Scope::Endpoint);

fn throttled(seconds: Option<u64>) -> OutcomeKind {
    OutcomeKind::Throttled { scope: Scope::Channel, retry_after: seconds.map(Duration::from_secs) }
}

async fn from_twilio(reaction: Reaction) -> Outcome {
    let receiver = Receiver::start([reaction]).await;
    let outcome = twilio(&receiver.api()).send(&text_message(notification())).await.outcome;
    assert_eq!(receiver.received().len(), 1, "a message is asked for once within one attempt");
    outcome
}

async fn from_sns(reaction: Reaction) -> Outcome {
    let receiver = Receiver::start([opted_out(false), reaction]).await;
    let sns = Sns::new(sns_settings(&receiver.api()));
    let outcome = sns.send(&text_message(notification())).await.outcome;
    assert_eq!(published_at(&receiver).len(), 1, "a message is asked for once within one attempt");
    outcome
}

fn refusal(status: &'static str, code: u32) -> Reaction {
    let message = format!("The number {NUMBER} is not right");
    Reaction::Answer(status, serde_json::json!({"code": code, "message": message}).to_string())
}

fn error(status: &'static str, code: &str, message: &str) -> Reaction {
    let xml = format!(
        "<ErrorResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><Error><Type>Sender</Type>\
         <Code>{code}</Code><Message>{message}</Message></Error><RequestId>1</RequestId></ErrorResponse>"
    );
    Reaction::Answer(status, xml)
}

#[tokio::test]
async fn twilios_code_says_what_a_refusal_means() {
    for (status, code, kind) in [
        ("400 Bad Request", 21_211, NEVER),
        ("400 Bad Request", 21_614, NEVER),
        ("400 Bad Request", 21_408, NEVER),
        ("400 Bad Request", 21_617, NEVER),
        ("400 Bad Request", 21_610, ENDED),
        ("400 Bad Request", 21_608, UNCLEAR),
        ("400 Bad Request", 39_999, UNCLEAR),
        ("400 Bad Request", 21_606, CHANNEL),
        ("400 Bad Request", 21_607, CHANNEL),
        ("400 Bad Request", 21_660, CHANNEL),
        ("400 Bad Request", 30_002, CHANNEL),
        ("400 Bad Request", 30_034, CHANNEL),
        ("402 Payment Required", 20_001, CHANNEL),
        ("429 Too Many Requests", 63_038, throttled(None)),
        ("400 Bad Request", 21_212, CHANNEL),
        ("400 Bad Request", 21_609, CHANNEL),
        ("400 Bad Request", 21_703, CHANNEL),
        ("400 Bad Request", 20_003, CHANNEL),
        ("401 Unauthorized", 20_003, CHANNEL),
        ("403 Forbidden", 20_005, CHANNEL),
        ("404 Not Found", 20_404, CHANNEL),
        ("429 Too Many Requests", 20_429, throttled(None)),
        ("400 Bad Request", 20_429, throttled(None)),
        ("400 Bad Request", 21_611, throttled(None)),
    ] {
        let outcome = from_twilio(refusal(status, code)).await;
        assert_eq!(outcome.kind, kind, "{status} {code}");
        let expected = format!("{} {code} The number +491***78 is not right", &status[..3]);
        assert_eq!(outcome.reply, expected, "the number is masked");
    }
}

#[tokio::test]
async fn an_account_without_money_is_known_by_its_words() {
    for words in ["Insufficient funds to send this message", "This is a suspended account"] {
        let body = serde_json::json!({"code": 39_998, "message": words}).to_string();
        assert_eq!(from_twilio(Reaction::Answer("400 Bad Request", body)).await.kind, CHANNEL, "{words}");
    }
}

#[tokio::test]
async fn without_a_code_the_status_says_what_an_answer_means() {
    for (status, kind) in [
        ("200 OK", CHANNEL),
        ("201 Created", CHANNEL),
        ("302 Found", CHANNEL),
        ("400 Bad Request", NEVER),
        ("401 Unauthorized", CHANNEL),
        ("429 Too Many Requests", throttled(None)),
        ("503 Service Unavailable", CHANNEL),
        ("500 Internal Server Error", OutcomeKind::Unknown),
        ("502 Bad Gateway", OutcomeKind::Unknown),
        ("504 Gateway Timeout", OutcomeKind::Unknown),
    ] {
        let outcome = from_twilio(Reaction::Answer(status, "<html>".to_owned())).await;
        assert_eq!(outcome.kind, kind, "{status}");
    }
}

#[tokio::test]
async fn only_twilios_own_words_say_that_a_message_was_made() {
    let page = format!("<!DOCTYPE html><title>Log in</title>{}", "x".repeat(100_000));
    for (status, body, kind) in [
        ("201 Created", r#"{"sid":"SM1","status":"queued"}"#, OutcomeKind::Delivered),
        ("200 OK", r#"{"sid":"SM1","status":"accepted","num_segments":null}"#, OutcomeKind::Delivered),
        ("201 Created", r#"{"sid":"SM1","status":"a new one"}"#, OutcomeKind::Delivered),
        ("200 OK", page.as_str(), CHANNEL),
        ("201 Created", "OK", CHANNEL),
        ("202 Accepted", "", CHANNEL),
        ("204 No Content", "", CHANNEL),
        ("200 OK", "{}", CHANNEL),
        ("200 OK", "[]", CHANNEL),
        ("201 Created", r#"{"sid":null,"status":"queued"}"#, CHANNEL),
        ("201 Created", r#"{"sid":"","status":"queued"}"#, CHANNEL),
        ("201 Created", r#"{"sid":"SM1"}"#, CHANNEL),
        ("200 OK", r#"{"captive":true,"user-portal-url":"https://portal.example"}"#, CHANNEL),
        ("201 Created", r#"{"sid":"SM1","status":"failed"}"#, NEVER),
        ("201 Created", r#"{"sid":"SM1","status":"failed","error_code":21211}"#, NEVER),
        ("201 Created", r#"{"sid":"SM1","status":"failed","error_code":21610}"#, ENDED),
        ("201 Created", r#"{"sid":"SM1","status":"undelivered","error_code":30003}"#, UNCLEAR),
        ("201 Created", r#"{"sid":"SM1","status":"canceled","error_code":null}"#, NEVER),
        ("201 Created", r#"{"sid":"SM1","status":"failed","error_code":30002}"#, CHANNEL),
    ] {
        let outcome = from_twilio(Reaction::Answer(status, body.to_owned())).await;
        assert_eq!(outcome.kind, kind, "{status} {body}: {}", outcome.reply);
    }
}

#[tokio::test]
async fn an_answer_of_snss_without_a_message_id_is_no_success() {
    let envelope = |result: &str| {
        let xmlns = "http://sns.amazonaws.com/doc/2010-03-31/";
        format!(r#"<PublishResponse xmlns="{xmlns}">{result}</PublishResponse>"#)
    };
    for (body, kind) in [
        ("<!DOCTYPE html><html><body>Log in</body></html>".to_owned(), CHANNEL),
        ("<html/>".to_owned(), CHANNEL),
        ("OK".to_owned(), CHANNEL),
        (String::new(), CHANNEL),
        (r#"{"MessageId":"1"}"#.to_owned(), CHANNEL),
        (envelope("<PublishResult></PublishResult>"), OutcomeKind::Unknown),
        (envelope("<PublishResult><MessageId></MessageId></PublishResult>"), OutcomeKind::Unknown),
    ] {
        let outcome = from_sns(Reaction::Answer("200 OK", body.clone())).await;
        assert_eq!(outcome.kind, kind, "{body}: {}", outcome.reply);
    }
}

#[tokio::test]
async fn twilio_is_left_alone_for_as_long_as_it_asks() {
    for status in ["429 Too Many Requests", "503 Service Unavailable"] {
        let reaction = Reaction::AnswerWith(status, "Retry-After: 7", String::new());
        assert_eq!(from_twilio(reaction).await.kind, throttled(Some(7)), "{status}");
    }
}

#[tokio::test]
async fn snss_code_says_what_a_refusal_means() {
    for (status, code, message, kind) in [
        ("400 Bad Request", "InvalidParameter", "PhoneNumber Reason: +4915112345678 is not valid", NEVER),
        ("400 Bad Request", "Throttling", "Rate exceeded", throttled(None)),
        ("429 Too Many Requests", "Throttled", "", throttled(None)),
        ("403 Forbidden", "AuthorizationError", "", CHANNEL),
        ("403 Forbidden", "InvalidClientTokenId", "", CHANNEL),
        ("503 Service Unavailable", "ServiceUnavailable", "", CHANNEL),
        ("500 Internal Server Error", "InternalError", "", OutcomeKind::Unknown),
    ] {
        let outcome = from_sns(error(status, code, message)).await;
        assert_eq!(outcome.kind, kind, "{status} {code}: {}", outcome.reply);
        assert!(outcome.reply.contains(code) && !outcome.reply.contains(NUMBER), "{}", outcome.reply);
    }
}

#[tokio::test]
async fn nothing_is_published_to_a_number_that_opted_out() {
    let receiver = Receiver::start([opted_out(true)]).await;
    let outcome = Sns::new(sns_settings(&receiver.api())).send(&text_message(notification())).await.outcome;
    assert_eq!((outcome.kind, outcome.reply.as_str()), (ENDED, "the number is opted out, as SNS has it"));
    assert!(published_at(&receiver).is_empty());
}

#[tokio::test]
async fn keys_that_may_not_ask_who_opted_out_publish_all_the_same_and_ask_no_more() {
    let denied = error("403 Forbidden", "AuthorizationError", "");
    let receiver = Receiver::start([denied, published(), published()]).await;
    let sns = Sns::new(sns_settings(&receiver.api()));
    for _ in 0..2 {
        let outcome = sns.send(&text_message(notification())).await.outcome;
        assert_eq!(outcome.kind, OutcomeKind::Delivered, "{}", outcome.reply);
        assert!(outcome.reply.contains("sns:CheckIfPhoneNumberIsOptedOut"), "{}", outcome.reply);
    }
    assert_eq!((receiver.received().len(), published_at(&receiver).len()), (3, 2));
}

#[tokio::test]
async fn where_sns_does_not_say_who_opted_out_nothing_was_sent() {
    for (reaction, kind) in [
        (Reaction::HangUp, CHANNEL),
        (Reaction::Hang, CHANNEL),
        (Reaction::Babble, CHANNEL),
        (error("500 Internal Server Error", "InternalError", ""), CHANNEL),
        (error("403 Forbidden", "InvalidClientTokenId", ""), CHANNEL),
        (error("429 Too Many Requests", "Throttled", ""), throttled(None)),
        (error("400 Bad Request", "InvalidParameter", "phoneNumber +4915112345678"), NEVER),
    ] {
        let receiver = Receiver::start([reaction.clone()]).await;
        let outcome =
            Sns::new(sns_settings(&receiver.api())).send(&text_message(notification())).await.outcome;
        assert_eq!(outcome.kind, kind, "{reaction:?}: {}", outcome.reply);
        assert!(published_at(&receiver).is_empty() && !outcome.reply.contains(NUMBER), "{}", outcome.reply);
    }
}

#[tokio::test]
async fn settings_that_lead_nowhere_are_the_channels_failure_and_nothing_was_sent() {
    let mut nowhere = sns_settings("http://127.0.0.1:1");
    nowhere.endpoint_url = None;
    nowhere.region = "eu central".to_owned();
    for settings in [nowhere, sns_settings("no url"), sns_settings("ftp://127.0.0.1:1")] {
        let probed = Sns::new(settings.clone()).probe().await.unwrap_err();
        assert_eq!(probed.kind, CHANNEL);
        let outcome = Sns::new(settings).send(&text_message(notification())).await.outcome;
        assert_eq!(outcome.kind, CHANNEL, "{}", outcome.reply);
        assert!(outcome.reply.starts_with("no "), "{}", outcome.reply);
    }
}

#[tokio::test]
async fn whether_a_provider_that_falls_silent_took_it_is_unknown() {
    for reaction in [Reaction::Hang, Reaction::HangUp, Reaction::Babble] {
        let twilios = from_twilio(reaction.clone()).await;
        assert_eq!(twilios.kind, OutcomeKind::Unknown, "{reaction:?}: {}", twilios.reply);
        let snss = from_sns(reaction.clone()).await;
        assert_eq!(snss.kind, OutcomeKind::Unknown, "{reaction:?}: {}", snss.reply);
    }
}

#[tokio::test]
async fn whether_a_message_was_made_whose_answer_breaks_off_is_unknown() {
    let outcome = from_twilio(Reaction::BreakOff("201 Created")).await;
    assert_eq!(outcome.kind, OutcomeKind::Unknown);
    assert_eq!(outcome.reply, "its answer broke off: 201 Created half of it");
}

#[tokio::test]
async fn a_provider_that_cannot_be_reached_surely_sent_nothing() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let api = format!("http://127.0.0.1:{nobody}");
    let channels: [Box<dyn Channel>; 2] = [Box::new(twilio(&api)), Box::new(Sns::new(sns_settings(&api)))];
    for channel in channels {
        let outcome = channel.send(&text_message(notification())).await.outcome;
        assert_eq!(outcome.kind, CHANNEL, "{}", outcome.reply);
        assert!(outcome.reply.starts_with("no connection: "), "{}", outcome.reply);
        assert_eq!(channel.probe().await.unwrap_err().kind, CHANNEL);
    }
}

#[tokio::test]
async fn a_line_that_is_never_made_safe_carried_nothing() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let api = format!("https://{}", silent.local_addr().unwrap());
    let channels: [Box<dyn Channel>; 2] = [Box::new(twilio(&api)), Box::new(Sns::new(sns_settings(&api)))];
    for channel in channels {
        let outcome = channel.send(&text_message(notification())).await.outcome;
        assert_eq!(outcome.kind, CHANNEL, "{}", outcome.reply);
    }
}

#[tokio::test]
async fn a_probe_says_whether_the_provider_answers_and_knows_us() {
    for (status, works) in [
        ("200 OK", true),
        // A key that may send and not read.
        ("403 Forbidden", true),
        ("401 Unauthorized", false),
        ("429 Too Many Requests", false),
        ("503 Service Unavailable", false),
    ] {
        let receiver = Receiver::start([Reaction::Answer(status, "{}".to_owned())]).await;
        assert_eq!(twilio(&receiver.api()).probe().await.is_ok(), works, "{status}");
        let asked = receiver.received().remove(0).request_line;
        assert!(asked.starts_with("GET /2010-04-01/Accounts/AC") && asked.contains("PageSize=1"), "{asked}");
    }
    for status in ["200 OK", "403 Forbidden"] {
        let receiver = Receiver::start([Reaction::Answer(status, "<html>Log in</html>".to_owned())]).await;
        assert!(twilio(&receiver.api()).probe().await.is_err(), "{status}: a portal's page is not Twilio");
    }
    for (reaction, works) in [
        (error("403 Forbidden", "AuthorizationError", ""), true),
        (error("403 Forbidden", "InvalidClientTokenId", ""), false),
        (error("500 Internal Server Error", "InternalError", ""), false),
        (Reaction::HangUp, false),
    ] {
        let receiver = Receiver::start([reaction.clone()]).await;
        let probed = Sns::new(sns_settings(&receiver.api())).probe().await;
        assert_eq!(probed.is_ok(), works, "{reaction:?}: {probed:?}");
        assert_eq!(receiver.received()[0].form()["Action"], "GetSMSAttributes");
    }
}

#[tokio::test]
async fn settings_never_show_their_secrets() {
    let shown = format!("{:?} {:?}", crate::sms::twilio_settings("http://127.0.0.1:1"), {
        let mut settings = sns_settings("http://127.0.0.1:1");
        settings.keys.secret_access_key = orderbell_channels::Secret::new("hunter2".to_owned());
        settings
    });
    assert!(!shown.contains(crate::sms::AUTH_TOKEN) && !shown.contains("hunter2"), "{shown}");
}

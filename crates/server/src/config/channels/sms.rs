//! The settings of text messages.

use std::num::NonZeroU8;
use std::ops::RangeInclusive;
use std::time::Duration;

use channels::sms::sns::{AwsKeys, SnsSettings};
use channels::sms::twilio::{AccountSid, ApiKey, ApiUrl, Sender, TwilioSettings};
use channels::sms::{SmsSettings, TextRules};
use domain::delivery::UnknownOutcomePolicy;
use url::Url;

use super::{Readers, Rules, TIMEOUTS};
use crate::config::reading::{Reading, number, secret, words};

/// Who sends text messages.
#[derive(Debug, Clone)]
pub(crate) enum SmsProvider {
    /// Twilio's Messages API.
    Twilio(TwilioSettings),
    /// SNS's direct publish.
    Sns(SnsSettings),
}

/// How long a provider may take to answer.
const SMS_TIMEOUT: u64 = 20;
/// The parts of a message unless it is said otherwise: an order's text takes two.
const MAX_PARTS: NonZeroU8 = NonZeroU8::MIN.saturating_add(2);
/// What may be chosen instead.
const PARTS: RangeInclusive<u8> = 1..=10;

/// A message whose fate nobody knows is held: a repeat would be charged, and read, twice.
const SMS_RULES: Rules = Rules {
    concurrency: ("sms.concurrency", 8, 100),
    readers: Readers::People,
    max_per_second: "sms.max_per_second",
    on_unknown: ("sms.on_unknown", UnknownOutcomePolicy::Hold),
};

/// The provider; none unless `sms.provider` is set.
pub(crate) fn sms(reading: &mut Reading) -> Option<SmsProvider> {
    if !reading.is_written("sms.provider") && reading.is_written("sms.from") {
        reading.mistake("sms.provider", "is missing: without it texts are kept in the sandbox inbox");
    }
    let provider = reading.optional("sms.provider", |text| match text {
        "twilio" => Ok(twilio as fn(&mut Reading, SmsSettings) -> Option<SmsProvider>),
        "sns" => Ok(sns),
        _ => Err("must be twilio or sns".to_owned()),
    })?;
    let settings = common(reading);
    provider(reading, settings)
}

fn common(reading: &mut Reading) -> SmsSettings {
    SmsSettings {
        text: TextRules {
            max_parts: reading.or("sms.max_parts", MAX_PARTS, max_parts),
            unsubscribe_link: reading.or("sms.unsubscribe_link", false, yes_or_no),
        },
        timeout: Duration::from_secs(reading.or("sms.timeout_seconds", SMS_TIMEOUT, number(TIMEOUTS))),
        rules: SMS_RULES.read(reading),
    }
}

fn twilio(reading: &mut Reading, sms: SmsSettings) -> Option<SmsProvider> {
    let because = "sms.provider is twilio";
    let sid = |text: &str| text.parse::<AccountSid>().map_err(str::to_owned);
    let account_sid = reading.required("sms.account_sid", because, sid);
    let auth_token = reading.optional("sms.auth_token", secret);
    let api_key = api_key(reading);
    if !reading.is_written("sms.auth_token") && api_key.is_none() {
        reading.mistake("sms.auth_token", "is missing, and there is no sms.api_key_sid either");
    }
    let sender = twilio_sender(reading);
    let api_url =
        reading.or("sms.api_url", ApiUrl::default(), |text| text.parse::<ApiUrl>().map_err(str::to_owned));
    Some(SmsProvider::Twilio(TwilioSettings {
        api_url,
        account_sid: account_sid?,
        auth_token,
        api_key,
        sender: sender?,
        sms,
    }))
}

fn api_key(reading: &mut Reading) -> Option<ApiKey> {
    let sid = reading.optional("sms.api_key_sid", words)?;
    let secret = reading.required("sms.api_key_secret", "sms.api_key_sid is set", secret)?;
    Some(ApiKey { sid, secret })
}

fn twilio_sender(reading: &mut Reading) -> Option<Sender> {
    let from = reading.optional("sms.from", words).map(Sender::From);
    let service = reading.optional("sms.messaging_service_sid", words).map(Sender::MessagingService);
    if reading.is_written("sms.from") == reading.is_written("sms.messaging_service_sid") {
        reading.mistake("sms.from", "or else sms.messaging_service_sid must say whom messages come from");
        return None;
    }
    from.or(service)
}

fn sns(reading: &mut Reading, sms: SmsSettings) -> Option<SmsProvider> {
    let because = "sms.provider is sns";
    let region = reading.required("sms.aws_region", because, region);
    let access_key_id = reading.required("sms.aws_access_key_id", because, words);
    let secret_access_key = reading.required("sms.aws_secret_access_key", because, secret);
    let session_token = reading.optional("sms.aws_session_token", secret);
    let endpoint_url = reading.optional("sms.aws_endpoint_url", http_url);
    let sender_id = reading.optional("sms.sender_id", words);
    Some(SmsProvider::Sns(SnsSettings {
        region: region?,
        keys: AwsKeys { access_key_id: access_key_id?, secret_access_key: secret_access_key?, session_token },
        endpoint_url,
        sender_id,
        sms,
    }))
}

fn region(text: &str) -> Result<String, String> {
    let text = text.trim();
    let part_of_a_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let valid = !text.is_empty() && text.chars().all(part_of_a_name);
    valid.then(|| text.to_owned()).ok_or_else(|| "must be a region's name, such as eu-central-1".to_owned())
}

fn http_url(text: &str) -> Result<String, String> {
    let text = text.trim();
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    url.map(|_| text.to_owned()).ok_or_else(|| "must be an http or https URL".to_owned())
}

fn max_parts(text: &str) -> Result<NonZeroU8, String> {
    number(PARTS)(text).and_then(|parts| NonZeroU8::try_from(parts).map_err(|error| error.to_string()))
}

fn yes_or_no(text: &str) -> Result<bool, String> {
    text.parse().map_err(|_| "must be true or false".to_owned())
}

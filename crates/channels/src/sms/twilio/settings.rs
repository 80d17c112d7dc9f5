//! How Twilio is reached, and who we are there.

use std::str::FromStr;

use domain::this_machine::leads_here;
use url::Url;

use crate::Secret;
use crate::sms::SmsSettings;

/// The account at Twilio, and the sender of its messages.
#[derive(Debug, Clone)]
pub struct TwilioSettings {
    /// Where the API is.
    pub api_url: ApiUrl,
    /// The account.
    pub account_sid: AccountSid,
    /// The account's token: signs in where there is no key, and signs Twilio's callbacks.
    pub auth_token: Option<Secret>,
    /// Signs in instead of the token: it can be revoked by itself.
    pub api_key: Option<ApiKey>,
    /// Whom messages come from.
    pub sender: Sender,
    /// What is the same for every provider.
    pub sms: SmsSettings,
}

/// The SID of an account: `AC` and 32 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountSid(String);

/// A standard or restricted API key.
#[derive(Debug, Clone)]
pub struct ApiKey {
    /// Its name, beginning with `SK`.
    pub sid: String,
    /// What proves it.
    pub secret: Secret,
}

/// Whom messages come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sender {
    /// A number of the account's, a short code or an alphanumeric name.
    From(String),
    /// A messaging service, which chooses among its senders.
    MessagingService(String),
}

/// Where an API is: an https URL, or an http one on this machine, without a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiUrl(String);

impl AccountSid {
    /// The SID as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AccountSid {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        let digits = text.strip_prefix("AC").unwrap_or_default();
        let valid = digits.len() == 32 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        if valid { Ok(Self(text.to_owned())) } else { Err("must be AC and 32 hexadecimal digits") }
    }
}

impl ApiUrl {
    /// Where messages of `account` are made and listed.
    pub(super) fn messages_of(&self, account: &AccountSid) -> String {
        format!("{}/2010-04-01/Accounts/{}/Messages.json", self.0, account.as_str())
    }
}

impl Default for ApiUrl {
    /// Twilio's own.
    fn default() -> Self {
        Self("https://api.twilio.com".to_owned())
    }
}

impl FromStr for ApiUrl {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        const WRONG: &str = "must be an https URL, or an http one on this machine, without a query";
        let url = Url::parse(text).map_err(|_| WRONG)?;
        let private = url.scheme() == "https" || (url.scheme() == "http" && leads_here(&url));
        let bare = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
        if private && bare { Ok(Self(url.as_str().trim_end_matches('/').to_owned())) } else { Err(WRONG) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_api_is_reached_over_tls_or_on_this_machine() {
        for url in
            ["https://api.twilio.com", "http://127.0.0.1:4010/", "http://localhost:1", "http://[::1]:1/x"]
        {
            assert!(url.parse::<ApiUrl>().is_ok(), "{url}");
        }
        for url in
            ["http://api.twilio.com", "ftp://localhost", "https://a@b.example", "https://x/?a=1", "here"]
        {
            assert!(url.parse::<ApiUrl>().is_err(), "{url}");
        }
    }

    #[test]
    fn messages_are_found_under_the_apis_own_path() {
        let account: AccountSid = "AC0123456789abcdef0123456789ABCDEF".parse().unwrap();
        let path = "/2010-04-01/Accounts/AC0123456789abcdef0123456789ABCDEF/Messages.json";
        assert_eq!(ApiUrl::default().messages_of(&account), format!("https://api.twilio.com{path}"));
        let elsewhere: ApiUrl = "http://127.0.0.1:1/base/".parse().unwrap();
        assert_eq!(elsewhere.messages_of(&account), format!("http://127.0.0.1:1/base{path}"));
    }

    #[test]
    fn an_account_is_named_by_its_sid() {
        for wrong in ["", "AC", "SK0123456789abcdef0123456789ABCDEF", "AC0123456789abcdef0123456789ABCDE/"] {
            assert!(wrong.parse::<AccountSid>().is_err(), "{wrong}");
        }
    }
}

//! Tokens to log in with, from an OAuth 2.0 server (RFC 6749): asked for by one at a time, kept until shortly before they
//! end.

use std::time::Duration;

use domain::attempt::Scope;
use domain::this_machine::leads_here;
use reqwest::{Client, StatusCode};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::settings::{InvalidSettings, TokenSettings};
use super::stage_error::Cause;
use crate::Secret;
use crate::http::{self, execute};

/// The lifetime of a token whose server does not say (RFC 6749, 5.1, leaves it open).
const DEFAULT_TOKEN_LIFETIME: Duration = Duration::from_mins(5);
/// So long before its end a token is used no more, or for the half of its life if that is shorter.
const EXPIRY_MARGIN: Duration = Duration::from_mins(1);
/// The longest that a token is kept, whatever its server says.
const MAX_TOKEN_LIFETIME: Duration = Duration::from_hours(24);
/// How much of the server's error text is told, in characters.
const MAX_ERROR_CHARS: usize = 300;

/// Where tokens come from, and the one that holds now.
pub(super) struct Tokens {
    settings: TokenSettings,
    client: Client,
    cache: Mutex<TokenCache>,
}

/// A token, as it is used to log in.
pub(super) struct Token {
    pub(super) text: Secret,
    /// It was asked for just now.
    pub(super) is_new: bool,
}

#[derive(Default)]
struct TokenCache {
    token: Option<(Secret, Instant)>,
    /// The newest refresh token that the server gave; the one of the settings until then.
    refresh_token: Option<Secret>,
    /// Why there was none, and when that was found.
    failure: Option<(Instant, Cause)>,
}

/// A server's success response (RFC 6749, 5.1).
#[derive(Deserialize)]
struct TokenResponse {
    access_token: String,
    /// Seconds; some servers write a string.
    expires_in: Option<Value>,
    refresh_token: Option<String>,
}

/// A server's error response (RFC 6749, 5.2).
#[derive(Deserialize)]
struct TokenErrorResponse {
    error: String,
    #[serde(default)]
    error_description: String,
}

impl Tokens {
    /// Takes the settings; nothing is asked yet. `timeout` is the limit for connecting, and again for the answer.
    ///
    /// # Errors
    /// The URL is neither https nor on this machine, or no HTTP client can be made.
    pub(super) fn new(settings: TokenSettings, timeout: Duration) -> Result<Self, InvalidSettings> {
        let is_safe =
            settings.url.scheme() == "https" || settings.url.scheme() == "http" && leads_here(&settings.url);
        if !is_safe {
            return Err(InvalidSettings::new(
                "token_url",
                "token_url must be an https URL, or lead to this machine",
            ));
        }
        if settings.client_secret.is_none() && settings.refresh_token.is_none() {
            let missing = "client_secret must be set where there is no refresh_token";
            return Err(InvalidSettings::new("client_secret", missing));
        }
        let client =
            http::client(timeout).map_err(|error| InvalidSettings::new("token_url", error.to_string()))?;
        Ok(Self { settings, client, cache: Mutex::default() })
    }

    /// A token that holds. Whoever comes while one is asked for waits for that, and shares its failure.
    pub(super) async fn get(&self) -> Result<Token, Cause> {
        let came = Instant::now();
        let mut cache = self.cache.lock().await;
        if let Some((found, failure)) = &cache.failure
            && came < *found
        {
            return Err(failure.clone());
        }
        if let Some((token, until)) = &cache.token
            && Instant::now() < *until
        {
            return Ok(Token { text: token.clone(), is_new: false });
        }
        let response = match self.request(cache.refresh_token.as_ref()).await {
            Ok(response) => response,
            Err(failure) => {
                cache.failure = Some((Instant::now(), failure.clone()));
                return Err(failure);
            }
        };
        let token = Secret::new(response.access_token.clone());
        cache.token = Some((token.clone(), Instant::now() + response.lifetime()));
        if let Some(next) = response.refresh_token {
            cache.refresh_token = Some(Secret::new(next));
        }
        Ok(Token { text: token, is_new: true })
    }

    /// Keeps a token no longer that was refused, unless another has taken its place.
    pub(super) async fn invalidate(&self, refused: &Token) {
        let mut cache = self.cache.lock().await;
        cache.token = cache.token.take().filter(|(token, _)| token.reveal() != refused.text.reveal());
    }

    async fn request(&self, newer: Option<&Secret>) -> Result<TokenResponse, Cause> {
        let TokenSettings { url, client_id, client_secret, scope, refresh_token } = &self.settings;
        let mut form = vec![("client_id", client_id.as_str())];
        match newer.or(refresh_token.as_ref()) {
            Some(token) => form.extend([("grant_type", "refresh_token"), ("refresh_token", token.reveal())]),
            None => form.push(("grant_type", "client_credentials")),
        }
        form.extend(client_secret.as_ref().map(|secret| ("client_secret", secret.reveal())));
        form.extend(scope.as_ref().map(|scope| ("scope", scope.as_str())));
        let secrets: Vec<_> =
            [newer, refresh_token.as_ref(), client_secret.as_ref()].into_iter().flatten().collect();
        let broken = |why: String| Cause::Broken(without(&format!("no token: {why}"), &secrets));
        let request = self.client.post(url.clone()).header("accept", "application/json").form(&form).build();
        let request = request.map_err(|error| broken(error.to_string()))?;
        let http_response = execute(&self.client, request, Scope::Channel).await;
        let http_response = http_response.map_err(|outcome| broken(outcome.reply))?;
        read(http_response.status, &http_response.body).map_err(broken)
    }
}

impl TokenResponse {
    /// For how long the token is used.
    fn lifetime(&self) -> Duration {
        let seconds = self.expires_in.as_ref().and_then(|said| {
            said.as_f64().or_else(|| said.as_str().and_then(|text| text.trim().parse().ok()))
        });
        let lifetime = seconds
            .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
            .unwrap_or(DEFAULT_TOKEN_LIFETIME);
        let lifetime = lifetime.min(MAX_TOKEN_LIFETIME);
        lifetime.saturating_sub(EXPIRY_MARGIN).max(lifetime / 2)
    }
}

/// What the server grants; or why it does not, in words.
fn read(status: StatusCode, body: &[u8]) -> Result<TokenResponse, String> {
    if !status.is_success() {
        return Err(denied(status, body));
    }
    match serde_json::from_slice::<TokenResponse>(body) {
        Ok(response) if is_token(&response.access_token) => Ok(response),
        // What cannot be read may hold a token: nothing of it is told.
        _ => Err(format!("{status}, and nothing that holds one")),
    }
}

/// Of visible ASCII (RFC 6750, 2.1), so that it cannot break out of its place.
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// The server's own words where it speaks as RFC 6749 has it, else the status alone.
fn denied(status: StatusCode, body: &[u8]) -> String {
    let Ok(TokenErrorResponse { error, error_description }) = serde_json::from_slice(body) else {
        return format!("the token server answered {status}");
    };
    let said: String = format!("{error} {error_description}").chars().take(MAX_ERROR_CHARS).collect();
    format!("the token server answered {status}: {}", said.replace(char::is_control, " ").trim())
}

fn without(words: &str, secrets: &[&Secret]) -> String {
    let hidden = |words: String, secret: &&Secret| words.replace(secret.reveal(), "…");
    secrets.iter().filter(|secret| !secret.reveal().is_empty()).fold(words.to_owned(), hidden)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lifetime(expires_in: Option<Value>) -> Duration {
        TokenResponse { access_token: "t".to_owned(), expires_in, refresh_token: None }.lifetime()
    }

    #[test]
    fn a_token_is_used_until_shortly_before_its_end() {
        for (said, seconds) in [
            (Some(Value::from(3_600)), 3_540),
            (Some(Value::from("3600")), 3_540),
            (Some(Value::from(3_600.0)), 3_540),
            (Some(Value::from(10)), 5),
            (Some(Value::from(0)), 0),
            (None, 240),
            (Some(Value::from("soon")), 240),
            (Some(Value::from(-5)), 240),
            (Some(Value::from(1e300)), 240),
            (Some(Value::from(999_999_999)), 86_340),
        ] {
            assert_eq!(lifetime(said.clone()), Duration::from_secs(seconds), "{said:?}");
        }
    }

    #[tokio::test]
    async fn whoever_waits_for_a_token_that_does_not_come_shares_the_failure() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
        let secret = Some(Secret::new("hunter2".to_owned()));
        let (client_id, scope) = ("ours".to_owned(), None);
        let settings = TokenSettings { url, client_id, client_secret: secret, scope, refresh_token: None };
        let tokens = Tokens::new(settings, Duration::from_secs(20)).unwrap();
        // It hangs up on the first that comes, and leaves all others waiting.
        let hangs_up = async {
            drop(listener.accept().await);
            std::future::pending::<()>().await;
        };
        let all = futures_util::future::join_all((0..100).map(|_| tokens.get()));
        let answers = tokio::select! { answers = all => answers, () = hangs_up => Vec::new() };
        let error_chain: Vec<_> = answers.into_iter().filter_map(Result::err).collect();
        assert_eq!(error_chain, vec![error_chain[0].clone(); 100]);
    }

    #[test]
    fn a_denial_is_told_in_the_servers_words_without_our_secrets() {
        let body =
            br#"{"error":"invalid_client","error_description":"AADSTS7000215: 'hunter2'\r\nis wrong"}"#;
        let words = denied(StatusCode::UNAUTHORIZED, body);
        let told = without(&words, &[&Secret::new("hunter2".to_owned())]);
        assert!(told.ends_with("401 Unauthorized: invalid_client AADSTS7000215: '…'  is wrong"), "{told}");
        assert!(denied(StatusCode::BAD_GATEWAY, b"<html>").ends_with("502 Bad Gateway"));
    }

    #[test]
    fn fuzzed_grants_hold_a_token_for_a_day_at_most_or_are_told_in_a_line() {
        let seeds: [&[u8]; 6] = [
            br#"{"access_token":"eyJ0eXAi","token_type":"Bearer","expires_in":3600}"#,
            br#"{"access_token":"a","expires_in":"3599","refresh_token":"b"}"#,
            br#"{"error":"invalid_client","error_description":"AADSTS7000215:\r\nwrong"}"#,
            br#"{"access_token":"\u0001","expires_in":-1e999}"#,
            b"<html><title>Sign in</title></html>",
            b"[[[[[[[[",
        ];
        crate::fuzz::fuzz("the token server's answers", &seeds, |body, chance| {
            let status = if chance.bool() { StatusCode::OK } else { StatusCode::BAD_REQUEST };
            match read(status, body) {
                Ok(response) => {
                    assert!(is_token(&response.access_token) && response.lifetime() <= MAX_TOKEN_LIFETIME);
                }
                Err(told) => {
                    assert!(told.chars().count() <= 2 * MAX_ERROR_CHARS && !told.contains(char::is_control));
                }
            }
        });
    }

    #[test]
    fn what_could_break_out_of_its_place_is_no_token() {
        for text in ["", "a b", "a\x01b", "a\r\nQUIT", "ä"] {
            assert!(!is_token(text), "{text:?}");
        }
        assert!(is_token("eyJ0eXAi.b-_~+/="));
    }
}

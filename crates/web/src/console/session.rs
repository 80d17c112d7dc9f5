//! Sessions that the server need not remember: the cookie says until when it holds, and a MAC proves it.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::Timestamp;
use hmac::{Hmac, KeyInit, Mac};
use http::HeaderMap;
use http::header::COOKIE;
use http::request::Parts;
use sha2::Sha256;

use super::see_other;
use crate::access::management_disabled;
use crate::pages::failure_page;
use crate::router::Web;

const COOKIE_NAME: &str = "orderbell_session";
/// How long a session holds, in seconds: a working day.
const LIFETIME: i64 = 12 * 60 * 60;

/// Someone who presented the admin key not long ago: a handler that takes it is a console page.
pub(crate) struct Session {
    /// The cookie's value.
    value: String,
}

/// Makes and checks sessions.
pub(super) struct Sessions<'a> {
    secret: &'a [u8; 32],
    secure: bool,
}

impl<'a> Sessions<'a> {
    pub(super) fn of(web: &'a Web) -> Self {
        Self { secret: &web.settings.console_secret, secure: web.settings.public_url.starts_with("https:") }
    }

    /// The cookie of a new session.
    pub(super) fn begin(&self, now: Timestamp, nonce: [u8; 16]) -> String {
        let said = format!("{}.{}", now.as_second() + LIFETIME, URL_SAFE_NO_PAD.encode(nonce));
        let value = format!("{said}.{}", self.sign("session", &said));
        self.cookie(&value, LIFETIME)
    }

    /// The cookie that ends a session.
    pub(super) fn end(&self) -> String {
        self.cookie("", 0)
    }

    /// The session that a request's cookies prove.
    fn find(&self, headers: &HeaderMap, now: Timestamp) -> Option<Session> {
        let cookies = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
        let mut pairs =
            cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
        let (_, value) = pairs.find(|(name, _)| *name == COOKIE_NAME)?;
        let (said, mac) = value.rsplit_once('.')?;
        let until: i64 = said.split_once('.')?.0.parse().ok()?;
        let holds = self.proves("session", said, mac) && now.as_second() < until;
        holds.then(|| Session { value: value.to_owned() })
    }

    /// What a form of this session must carry, so that no other site can post it.
    pub(super) fn csrf_token(&self, session: &Session) -> String {
        self.sign("csrf", &session.value)
    }

    /// Whether a form carried it.
    pub(super) fn is_csrf_token(&self, session: &Session, token: &str) -> bool {
        self.proves("csrf", &session.value, token)
    }

    fn cookie(&self, value: &str, max_age: i64) -> String {
        let secure = if self.secure { "; Secure" } else { "" };
        format!("{COOKIE_NAME}={value}; Path=/console; Max-Age={max_age}; HttpOnly; SameSite=Strict{secure}")
    }

    fn mac(&self, purpose: &str, said: &str) -> Hmac<Sha256> {
        let mut block = [0; 64];
        block[..32].copy_from_slice(self.secret);
        let mac = <Hmac<Sha256> as KeyInit>::new(&block.into());
        mac.chain_update("orderbell.console.").chain_update(purpose).chain_update("\0").chain_update(said)
    }

    fn sign(&self, purpose: &str, said: &str) -> String {
        URL_SAFE_NO_PAD.encode(self.mac(purpose, said).finalize().into_bytes())
    }

    fn proves(&self, purpose: &str, said: &str, mac: &str) -> bool {
        let mac = URL_SAFE_NO_PAD.decode(mac);
        mac.is_ok_and(|mac| self.mac(purpose, said).verify_slice(&mac).is_ok())
    }
}

impl FromRequestParts<Arc<Web>> for Session {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, web: &Arc<Web>) -> Result<Self, Response> {
        if web.settings.admin_key.is_none() {
            return Err(failure_page(web.settings.version, &management_disabled()));
        }
        let found = Sessions::of(web).find(&parts.headers, web.app.clock.now());
        found.ok_or_else(|| see_other("/console/login"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn sessions(secret: &[u8; 32]) -> Sessions<'_> {
        Sessions { secret, secure: true }
    }

    fn headers(cookie: &str) -> HeaderMap {
        let pair = cookie.split(';').next().unwrap();
        HeaderMap::from_iter([(COOKIE, format!("other=1; {pair}").parse().unwrap())])
    }

    #[test]
    fn a_session_holds_until_it_expires() {
        let cookie = sessions(&[1; 32]).begin(NOW, [7; 16]);
        assert!(cookie.ends_with("HttpOnly; SameSite=Strict; Secure"));
        let at = |seconds| Timestamp::from_second(seconds).unwrap();
        assert!(sessions(&[1; 32]).find(&headers(&cookie), at(LIFETIME - 1)).is_some());
        assert!(sessions(&[1; 32]).find(&headers(&cookie), at(LIFETIME)).is_none());
    }

    #[test]
    fn a_session_that_was_not_made_here_or_was_lengthened_is_none() {
        let cookie = sessions(&[1; 32]).begin(NOW, [7; 16]);
        assert!(sessions(&[2; 32]).find(&headers(&cookie), NOW).is_none());
        let longer = cookie.replacen("43200.", "93200.", 1);
        assert_ne!(longer, cookie);
        assert!(sessions(&[1; 32]).find(&headers(&longer), NOW).is_none());
        assert!(sessions(&[1; 32]).find(&headers("orderbell_session="), NOW).is_none());
    }

    #[test]
    fn a_csrf_token_is_good_for_its_own_session_only() {
        let secret = [1; 32];
        let sessions = sessions(&secret);
        let one = sessions.find(&headers(&sessions.begin(NOW, [1; 16])), NOW).unwrap();
        let other = sessions.find(&headers(&sessions.begin(NOW, [2; 16])), NOW).unwrap();
        let token = sessions.csrf_token(&one);
        assert!(sessions.is_csrf_token(&one, &token));
        assert!(!sessions.is_csrf_token(&other, &token));
        assert!(!sessions.is_csrf_token(&one, ""));
    }
}

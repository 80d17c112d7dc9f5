//! Sessions of the console: the server knows each by the hash of its cookie, until it expires or is ended.
//!
//! They lie in memory: a restart, which a changed admin key needs, ends them all.

use std::sync::{Mutex, MutexGuard, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::Timestamp;
use http::HeaderMap;
use http::header::COOKIE;

use crate::keys::KeyHash;

const COOKIE_NAME: &str = "orderbell_session";
/// How long a session holds, in seconds: a working day.
const SESSION_LIFETIME: i64 = 12 * 60 * 60;
/// How many there may be. One more ends the oldest.
const MAX_SESSIONS: usize = 256;

/// Someone who presented the admin key not long ago: a handler that takes it is a console page.
pub(crate) struct Session {
    /// The cookie's value.
    value: String,
}

/// The sessions that hold.
#[derive(Debug, Default)]
pub(crate) struct Sessions(Mutex<Vec<Live>>);

#[derive(Debug)]
struct Live {
    hash: KeyHash,
    until: Timestamp,
}

impl Sessions {
    /// Begins a session. Gives its cookie, which goes over https alone if `secure`.
    pub(super) fn begin(&self, now: Timestamp, chance: [u8; 32], secure: bool) -> String {
        let value = URL_SAFE_NO_PAD.encode(chance);
        let until = Timestamp::from_second(now.as_second() + SESSION_LIFETIME).unwrap_or(Timestamp::MAX);
        let mut live = self.lock();
        live.retain(|session| now < session.until);
        let excess = (live.len() + 1).saturating_sub(MAX_SESSIONS);
        live.drain(..excess);
        live.push(Live { hash: KeyHash::of(&value), until });
        cookie(&value, SESSION_LIFETIME, secure)
    }

    /// Ends a session: its cookie opens nothing any more. Gives the cookie that takes its place.
    pub(super) fn end(&self, session: &Session, secure: bool) -> String {
        let ended = KeyHash::of(&session.value);
        self.lock().retain(|live| !live.hash.matches(&ended));
        cookie("", 0, secure)
    }

    /// The session that a request's cookies prove.
    pub(super) fn find(&self, headers: &HeaderMap, now: Timestamp) -> Option<Session> {
        let cookies = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
        let mut pairs =
            cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
        let (_, value) = pairs.find(|(name, _)| *name == COOKIE_NAME)?;
        let hash = KeyHash::of(value);
        let holds = self.lock().iter().any(|live| live.hash.matches(&hash) && now < live.until);
        holds.then(|| Session { value: value.to_owned() })
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Live>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Session {
    /// What a form of this session must carry, so that no other site can post it.
    pub(super) fn csrf_token(&self) -> String {
        self.csrf().to_string()
    }

    /// Whether a form carried it.
    pub(super) fn is_csrf_token(&self, token: &str) -> bool {
        KeyHash::parse(token).is_some_and(|token| token.matches(&self.csrf()))
    }

    fn csrf(&self) -> KeyHash {
        KeyHash::of(&format!("orderbell.console.csrf\0{}", self.value))
    }
}

fn cookie(value: &str, max_age: i64, secure: bool) -> String {
    let secure = if secure { "; Secure" } else { "" };
    format!("{COOKIE_NAME}={value}; Path=/console; Max-Age={max_age}; HttpOnly; SameSite=Strict{secure}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn headers(cookie: &str) -> HeaderMap {
        let pair = cookie.split(';').next().unwrap();
        HeaderMap::from_iter([(COOKIE, format!("other=1; {pair}").parse().unwrap())])
    }

    #[test]
    fn a_session_holds_until_it_expires() {
        let sessions = Sessions::default();
        let cookie = sessions.begin(NOW, [7; 32], true);
        assert!(cookie.ends_with("HttpOnly; SameSite=Strict; Secure"));
        let at = |seconds| Timestamp::from_second(seconds).unwrap();
        assert!(sessions.find(&headers(&cookie), at(SESSION_LIFETIME - 1)).is_some());
        assert!(sessions.find(&headers(&cookie), at(SESSION_LIFETIME)).is_none());
    }

    #[test]
    fn a_session_that_was_ended_or_not_made_here_is_none() {
        let sessions = Sessions::default();
        let (one, other) = (sessions.begin(NOW, [1; 32], false), sessions.begin(NOW, [2; 32], false));
        let session = sessions.find(&headers(&one), NOW).unwrap();
        sessions.end(&session, false);
        assert!(sessions.find(&headers(&one), NOW).is_none());
        assert!(sessions.find(&headers(&other), NOW).is_some(), "the others go on");
        assert!(Sessions::default().find(&headers(&other), NOW).is_none());
        assert!(sessions.find(&headers("orderbell_session="), NOW).is_none());
    }

    #[test]
    fn sessions_take_bounded_memory_and_the_oldest_gives_way() {
        let sessions = Sessions::default();
        let cookies: Vec<_> = (0..=u8::MAX).map(|number| sessions.begin(NOW, [number; 32], false)).collect();
        assert!(sessions.find(&headers(&cookies[0]), NOW).is_some());
        sessions.begin(NOW, [9, 8].repeat(16).try_into().unwrap(), false);
        assert_eq!(sessions.lock().len(), MAX_SESSIONS);
        assert!(sessions.find(&headers(&cookies[0]), NOW).is_none());
        assert!(sessions.find(&headers(&cookies[1]), NOW).is_some());
    }

    #[test]
    fn a_csrf_token_is_good_for_its_own_session_only() {
        let sessions = Sessions::default();
        let [one, other] = [1, 2].map(|number| {
            let cookie = sessions.begin(NOW, [number; 32], false);
            sessions.find(&headers(&cookie), NOW).unwrap()
        });
        assert!(one.is_csrf_token(&one.csrf_token()));
        assert!(!other.is_csrf_token(&one.csrf_token()) && !one.is_csrf_token(""));
    }
}

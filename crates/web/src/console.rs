//! The operator's console: `/console`, where the operator starts, logs in and out; one file per page. Its key is the admin
//! key, its proof of it a session cookie.
//!
//! The ready link that the program prints is `/console/login#key=…`: a fragment is never sent and never
//! logged. The page's script takes the key out of the address and posts it as the form does.

mod inbox;
pub(crate) mod session;

use std::borrow::Cow;
use std::sync::Arc;

use application::ports::Randomness;
use askama::Template;
use axum::body::Body;
use axum::extract::{FromRequestParts, Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::header::{LOCATION, RETRY_AFTER, SET_COOKIE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode};
use url::form_urlencoded;

use self::session::Session;
use crate::access::{check_key, management_disabled};
use crate::body::{self, repeated};
use crate::keys::KeyHash;
use crate::pages::{failure_page, page};
use crate::problem::{Problem, seconds};
use crate::state::{Routes, Web};

pub(crate) fn routes() -> Routes {
    vec![
        ("/console", get(start)),
        ("/console/login", get(login_form).post(log_in)),
        ("/console/logout", post(log_out)),
        ("/console/inbox", get(inbox::list)),
        ("/console/inbox/{id}", get(inbox::show)),
    ]
}

/// Where the operator starts.
async fn start() -> Response {
    see_other("/console/inbox")
}

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage<'a> {
    version: &'a str,
    /// Why the key did not open it.
    refused: Option<Cow<'static, str>>,
}

/// The form that asks for the admin key.
async fn login_form(State(web): State<Arc<Web>>) -> Response {
    let version = web.settings.version;
    match web.settings.admin_key {
        Some(_) => page(StatusCode::OK, &LoginPage { version, refused: None }),
        None => failure_page(version, &management_disabled()),
    }
}

/// Begins a session for who knows the admin key.
async fn log_in(State(web): State<Arc<Web>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let version = web.settings.version;
    let Some(admin_key) = &web.settings.admin_key else {
        return failure_page(version, &management_disabled());
    };
    let key = match form_field(&head.headers, body, "key").await {
        Ok(key) => KeyHash::of(key.trim()),
        Err(problem) => return failure_page(version, &problem),
    };
    match check_key(&web, &head.extensions, &key, || admin_key.matches(&key).then_some(())) {
        Ok(()) => {
            let randomness: &dyn Randomness = web.app.randomness.as_ref();
            let cookie =
                web.sessions.begin(web.app.clock.now(), randomness.bytes(), web.settings.is_secure());
            with_cookie(see_other("/console/inbox"), cookie)
        }
        Err(Problem { retry_after: Some(wait), status, detail, .. }) => {
            let mut answer = page(status, &LoginPage { version, refused: Some(detail) });
            answer.headers_mut().insert(RETRY_AFTER, seconds(wait));
            answer
        }
        Err(_) => {
            let refused = Some("This is not the admin key.".into());
            page(StatusCode::FORBIDDEN, &LoginPage { version, refused })
        }
    }
}

/// Ends the session.
async fn log_out(session: Session, State(web): State<Arc<Web>>, headers: HeaderMap, body: Body) -> Response {
    match form_field(&headers, body, "csrf").await {
        Ok(token) if session.is_csrf_token(&token) => {
            let cookie = web.sessions.end(&session, web.settings.is_secure());
            with_cookie(see_other("/console/login"), cookie)
        }
        Ok(_) => {
            let detail = "This form is not of your session. Go back, load the page again and repeat.";
            failure_page(web.settings.version, &Problem::new(StatusCode::FORBIDDEN, "csrf", detail))
        }
        Err(problem) => failure_page(web.settings.version, &problem),
    }
}

/// A field of a posted form, which has it once; empty if it is absent.
async fn form_field(headers: &HeaderMap, body: Body, name: &str) -> Result<String, Problem> {
    let form = body::read(headers, body).await?;
    let mut fields = form_urlencoded::parse(&form).filter(|(known, _)| known == name);
    let field = fields.next().map(|(_, value)| value.into_owned()).unwrap_or_default();
    if fields.next().is_some() { Err(repeated(name.to_owned())) } else { Ok(field) }
}

fn with_cookie(mut response: Response, cookie: String) -> Response {
    match HeaderValue::try_from(cookie) {
        Ok(cookie) => {
            response.headers_mut().insert(SET_COOKIE, cookie);
            response
        }
        Err(error) => Problem::internal(&error).into_response(),
    }
}

impl FromRequestParts<Arc<Web>> for Session {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, web: &Arc<Web>) -> Result<Self, Response> {
        if web.settings.admin_key.is_none() {
            return Err(failure_page(web.settings.version, &management_disabled()));
        }
        let found = web.sessions.find(&parts.headers, web.app.clock.now());
        found.ok_or_else(|| see_other("/console/login"))
    }
}

/// Sends a browser to another page, with a GET.
fn see_other(path: &'static str) -> Response {
    (StatusCode::SEE_OTHER, [(LOCATION, HeaderValue::from_static(path))]).into_response()
}

//! A server of tokens (RFC 6749), and what it does instead of granting one.

use std::sync::{Arc, Mutex};

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Form, Router};
use futures_util::stream;
use orderbell_channels::Secret;
use orderbell_channels::email::TokenSettings;

/// What it does with a request.
#[derive(Debug, Clone)]
pub(crate) enum Grant {
    /// Answers this status and body, with the number of the request for `N`.
    Say(u16, String),
    /// Never answers.
    Hang,
    /// Answers without end.
    Endless,
}

impl Grant {
    /// The first token is `token-1`; each holds for an hour.
    pub(crate) fn token() -> Self {
        Self::Say(200, r#"{"access_token":"token-N","token_type":"Bearer","expires_in":3600}"#.to_owned())
    }
}

/// A form's names and values.
pub(crate) type Fields = Vec<(String, String)>;

/// A running server; it ends with the test.
#[derive(Clone)]
pub(crate) struct TokenServer {
    grant: Grant,
    asked: Arc<Mutex<Vec<Fields>>>,
}

impl TokenServer {
    /// Starts one, and tells the settings that lead to it.
    #[expect(clippy::disallowed_methods, reason = "the server is another party and runs beside the test")]
    pub(crate) async fn start(grant: Grant) -> (Self, TokenSettings) {
        let server = Self { grant, asked: Arc::default() };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/token", listener.local_addr().unwrap());
        let router = Router::new().route("/token", post(answer)).with_state(server.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let settings = TokenSettings {
            url: url.parse().unwrap(),
            client_id: "client".to_owned(),
            client_secret: Some(Secret::new("hunter2".to_owned())),
            scope: Some("https://outlook.office365.com/.default".to_owned()),
            refresh_token: None,
        };
        (server, settings)
    }

    /// The forms it was sent.
    pub(crate) fn asked(&self) -> Vec<Fields> {
        self.asked.lock().unwrap().clone()
    }
}

/// What is no form is refused by the library, before it comes here.
async fn answer(State(server): State<TokenServer>, headers: HeaderMap, Form(form): Form<Fields>) -> Response {
    assert_eq!(headers["accept"], "application/json");
    let number = {
        let mut asked = server.asked.lock().unwrap();
        asked.push(form);
        asked.len()
    };
    match server.grant {
        Grant::Say(status, body) => {
            (StatusCode::from_u16(status).unwrap(), body.replace("-N", &format!("-{number}"))).into_response()
        }
        Grant::Hang => std::future::pending().await,
        Grant::Endless => {
            let more = Ok::<_, std::convert::Infallible>(Bytes::from_static(&[b' '; 8 * 1024]));
            Body::from_stream(stream::repeat(more)).into_response()
        }
    }
}

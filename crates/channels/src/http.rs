//! HTTP, as the channels that speak it use it: whom it may reach, for how long, and what a silence means.

mod address_rules;
mod allowed_host;
mod caller;
mod reachability;
mod retry_after;
mod ssrf_guard;

use std::fmt;
use std::time::Duration;

use domain::Timestamp;
use domain::attempt::{Outcome, OutcomeKind, Scope};
use reqwest::header::RETRY_AFTER;
use reqwest::{Client, ClientBuilder, Request, Response, StatusCode, redirect};

pub use allowed_host::{AllowedHost, InvalidHost};
pub(crate) use caller::Caller;
pub use ssrf_guard::{BlockedAddress, blocked_address};

use ssrf_guard::{SsrfGuard, UnrestrictedResolver};

use crate::local_resources::{describe, exhausted_resource};

/// How much of an answer is read, in bytes.
pub const MAX_RESPONSE_BYTES: usize = 16 * 1024;
/// How long to wait for a body that only the timeline shows: what has not come by then is left.
const UNNEEDED_BODY_TIMEOUT: Duration = Duration::from_millis(25);

/// The HTTP client could not be made.
#[derive(Debug)]
pub struct ClientBuildError(String);

/// A response, as much of it as was read.
#[derive(Debug)]
pub(crate) struct HttpResponse {
    pub(crate) status: StatusCode,
    pub(crate) retry_after: Option<String>,
    pub(crate) body: Vec<u8>,
    /// It was waited for and did not come to its end: what it said last nobody knows.
    pub(crate) incomplete: bool,
}

const USER_AGENT: &str = concat!("Orderbell/", env!("CARGO_PKG_VERSION"));
/// How long a connection waits to be used again: less than servers keep theirs (Slack's and Twilio's balancers a minute),
/// since a request into a connection that is just being closed would be of unknown outcome.
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(20);

/// A client for URLs that come from outside: it connects only to addresses on the public internet, and to `allowed`, and
/// trusts the certificates in `ca` (PEM) too.
fn guarded_client(
    allowed: &[AllowedHost],
    ca: Option<&[u8]>,
    timeout: Duration,
) -> Result<Client, ClientBuildError> {
    build(Client::builder().dns_resolver(SsrfGuard::new(allowed, look_up_limit(timeout))), ca, timeout)
}

/// A client for a URL that the operator chose.
pub(crate) fn client(timeout: Duration) -> Result<Client, ClientBuildError> {
    build(Client::builder().dns_resolver(UnrestrictedResolver(look_up_limit(timeout))), None, timeout)
}

/// What of the time for connecting a look-up may take: a resolver that is silent is told from a receiver that is.
fn look_up_limit(timeout: Duration) -> Duration {
    timeout.mul_f32(0.8)
}

/// No proxy stands between, and no redirect leads elsewhere. `timeout` is the limit for connecting, and again for the
/// whole answer.
fn build(builder: ClientBuilder, ca: Option<&[u8]>, timeout: Duration) -> Result<Client, ClientBuildError> {
    let trusting =
        crate::tls::client_config(ca).map_err(|why| ClientBuildError(format!("of the ca_file: {why}")))?;
    builder
        .tls_backend_preconfigured(trusting)
        .redirect(redirect::Policy::none())
        .no_proxy()
        .user_agent(USER_AGENT)
        .connect_timeout(timeout)
        .timeout(timeout.saturating_mul(2))
        .pool_idle_timeout(POOL_IDLE_TIMEOUT)
        .build()
        .map_err(|error| ClientBuildError(error.to_string()))
}

/// Makes one request, and reads the answer to its end. Where there was no connection, that is `scope`'s failure.
pub(crate) async fn execute(
    client: &Client,
    request: Request,
    scope: Scope,
) -> Result<HttpResponse, Outcome> {
    let response = client.execute(request).await.map_err(|error| no_response(&error, scope))?;
    Ok(read(response, |_| true).await)
}

/// Reads a response. Once its status is here, what becomes of the rest changes nothing: a body that nobody needs is hardly
/// waited for, and one that `needs_body` for as long as the client's limit for the whole allows. Where it does not end, the
/// connection does.
async fn read(mut response: Response, needs_body: impl Fn(StatusCode) -> bool) -> HttpResponse {
    let status = response.status();
    let retry_after =
        response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let mut body = Vec::new();
    let rest = async {
        while body.len() < MAX_RESPONSE_BYTES {
            let Some(chunk) = response.chunk().await? else { break };
            body.extend_from_slice(&chunk[..chunk.len().min(MAX_RESPONSE_BYTES - body.len())]);
        }
        Ok::<(), reqwest::Error>(())
    };
    let incomplete = if needs_body(status) {
        rest.await.is_err()
    } else {
        let _what_came_by_then = tokio::time::timeout(UNNEEDED_BODY_TIMEOUT, rest).await;
        false
    };
    HttpResponse { status, retry_after, body, incomplete }
}

/// The outcome where no response came: without a connection nothing was sent, with one the receiver may have taken it all
/// the same.
fn no_response(error: &reqwest::Error, scope: Scope) -> Outcome {
    let why = describe(error);
    if error.is_connect() {
        let scope = if exhausted_resource(error).is_some() { Scope::Channel } else { scope };
        Outcome::new(OutcomeKind::Transient(scope), format!("no connection: {why}"))
    } else if error.is_timeout() {
        Outcome::new(OutcomeKind::Unknown, "no answer in time")
    } else {
        Outcome::new(OutcomeKind::Unknown, format!("the connection was lost: {why}"))
    }
}

impl HttpResponse {
    /// For how long it asks us to wait, counted from `now`.
    pub(crate) fn retry_after(&self, now: Timestamp) -> Option<Duration> {
        self.retry_after.as_deref().and_then(|value| retry_after::retry_after(value, now))
    }

    /// What it came to, in the other side's own words.
    pub(crate) fn outcome(&self, kind: OutcomeKind) -> Outcome {
        Outcome::new(kind, self.reply()).with_status(self.status)
    }

    /// The status, and the beginning of what was said.
    pub(crate) fn reply(&self) -> String {
        let hint = if self.status.is_redirection() { " (redirects are not followed)" } else { "" };
        format!("{}{hint} {}", self.status, String::from_utf8_lossy(&self.body))
    }
}

impl fmt::Display for ClientBuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the HTTP client could not be made: {}", self.0)
    }
}

impl std::error::Error for ClientBuildError {}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures_util::stream;
    use http_body::Frame;
    use http_body_util::StreamBody;
    use tokio::time::{Instant, sleep};

    use super::*;

    /// An answer whose body comes by a byte each `gap`: so many, then its end.
    #[expect(clippy::disallowed_methods, reason = "the clock of the test is its own")]
    fn dripping(gap: Duration, bytes: usize) -> Response {
        let pieces = stream::unfold(0, move |sent| async move {
            sleep(gap).await;
            (sent < bytes).then(|| (Ok::<_, Infallible>(Frame::data(&b"x"[..])), sent + 1))
        });
        ::http::Response::new(reqwest::Body::wrap(StreamBody::new(pieces))).into()
    }

    /// What is read of such an answer, and in how many milliseconds of the test's clock.
    async fn read_of(gap: u64, bytes: usize, needs_body: bool) -> (usize, u128) {
        let start = Instant::now();
        let response = read(dripping(Duration::from_millis(gap), bytes), |_| needs_body).await;
        assert!(!response.incomplete);
        (response.body.len(), start.elapsed().as_millis())
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_nobody_needs_is_given_a_glance() {
        for (gap, bytes, read, took) in [
            (0, 3, 3, 0),
            (2, 5, 5, 12),
            (10, 2, 2, 25),
            (10, usize::MAX, 2, 25),
            (24, usize::MAX, 1, 25),
            (26, 1, 0, 25),
            (3_600_000, usize::MAX, 0, 25),
            (0, usize::MAX, MAX_RESPONSE_BYTES, 0),
        ] {
            let (length, milliseconds) = read_of(gap, bytes, false).await;
            assert_eq!(length, read, "{bytes} bytes, one each {gap} ms");
            // Timers round up to the next millisecond.
            assert!(
                (took..=took + 1).contains(&milliseconds),
                "{bytes} bytes, one each {gap} ms: {milliseconds}"
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_is_needed_is_read_to_its_end() {
        for (gap, bytes, read) in
            [(0, 3, 3), (26, 3, 3), (3_600_000, 5, 5), (60_000, usize::MAX, MAX_RESPONSE_BYTES)]
        {
            assert_eq!(read_of(gap, bytes, true).await.0, read, "{bytes} bytes, one each {gap} ms");
        }
    }

    #[tokio::test]
    async fn a_name_that_leads_inside_is_not_connected_to() {
        let receiver = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        receiver.set_nonblocking(true).unwrap();
        let caller = Caller::new(&[], None, Duration::from_secs(5)).unwrap();
        let url = format!("http://localhost:{}/", receiver.local_addr().unwrap().port());
        let request = caller.client().post(url).build().unwrap();
        let outcome = caller.execute(request, |_| false).await.unwrap_err();
        assert_eq!(outcome.kind, OutcomeKind::Transient(Scope::Endpoint));
        assert!(outcome.reply.contains("is a loopback address"), "{}", outcome.reply);
        assert!(receiver.accept().is_err(), "nobody called");
    }
}

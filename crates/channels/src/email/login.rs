//! Logging in (RFC 4954): by password as PLAIN or LOGIN, by token as XOAUTH2.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::capabilities::Capabilities;
use super::reply::{Reply, ReplyClass};
use super::settings::{Credentials, SmtpAuth};
use super::smtp_relay::SmtpRelay;
use super::smtp_stream::{SmtpStream, Transport};
use super::stage_error::{Cause, Stage, StageError, within};
use super::token::Tokens;

/// What a command may measure, in bytes (RFC 5321, 4.5.3.1.4): a longer first response waits to be asked for (RFC 4954, 4).
const MAX_COMMAND_BYTES: usize = 512;
/// The reply code for an AUTH mechanism that the relay does not know (RFC 4954, 4).
const UNRECOGNIZED_AUTH_TYPE: u16 = 504;

/// Logs in with what the relay's settings hold.
pub(super) async fn log_in<T: Transport>(
    relay: &SmtpRelay,
    stream: &mut SmtpStream<T>,
    capabilities: &Capabilities,
    credentials: &Credentials,
) -> Result<(), StageError> {
    match (&credentials.auth, &relay.tokens) {
        (SmtpAuth::Password(password), _) => {
            let password = password.reveal();
            let work = auth_password(stream, capabilities, &credentials.user, password);
            within(relay.settings.timeout, Stage::Auth, work).await
        }
        (SmtpAuth::Token(_), Some(tokens)) => {
            auth_token(relay, stream, capabilities, &credentials.user, tokens).await
        }
        (SmtpAuth::Token(_), None) => Err(not_offered("a token")),
    }
}

/// PLAIN in one step where it is offered, else LOGIN, which asks twice, in whatever words.
async fn auth_password<T: Transport>(
    stream: &mut SmtpStream<T>,
    capabilities: &Capabilities,
    user: &str,
    password: &str,
) -> Result<(), Cause> {
    let mut unknown = None;
    if capabilities.supports_auth("PLAIN") {
        let reply = begin(stream, "PLAIN", &format!("\0{user}\0{password}")).await?;
        if reply.code != UNRECOGNIZED_AUTH_TYPE {
            return reply.expect(ReplyClass::Completion).map(drop);
        }
        unknown = Some(reply);
    }
    if capabilities.supports_auth("LOGIN") {
        let mut reply = stream.command("AUTH LOGIN").await?;
        for word in [user, password] {
            if reply.class() == ReplyClass::Intermediate {
                reply = stream.command(&BASE64_STANDARD.encode(word)).await?;
            }
        }
        return reply.expect(ReplyClass::Completion).map(drop);
    }
    match unknown {
        Some(reply) => reply.expect(ReplyClass::Completion).map(drop),
        None => Err(Cause::NotOffered("AUTH PLAIN or AUTH LOGIN")),
    }
}

/// XOAUTH2, as Microsoft and Google describe it. A token from before that is refused may have been revoked: then a new one
/// is tried, once.
async fn auth_token<T: Transport>(
    relay: &SmtpRelay,
    stream: &mut SmtpStream<T>,
    capabilities: &Capabilities,
    user: &str,
    tokens: &Tokens,
) -> Result<(), StageError> {
    if !capabilities.supports_auth("XOAUTH2") {
        return Err(not_offered("AUTH XOAUTH2"));
    }
    let limit = relay.settings.timeout;
    loop {
        let token = tokens.get().await.map_err(|cause| StageError { stage: Stage::Token, cause })?;
        let work = auth_xoauth2(stream, user, token.text.reveal());
        let Err(error) = within(limit, Stage::Auth, work).await else { return Ok(()) };
        if !matches!(error.cause, Cause::Refused { .. }) {
            return Err(error);
        }
        tokens.invalidate(&token).await;
        if token.is_new {
            return Err(error);
        }
    }
}

async fn auth_xoauth2<T: Transport>(
    stream: &mut SmtpStream<T>,
    user: &str,
    token: &str,
) -> Result<(), Cause> {
    let reply = begin(stream, "XOAUTH2", &format!("user={user}\x01auth=Bearer {token}\x01\x01")).await?;
    // What is asked after the token is what is wrong with it; the empty line brings the refusal.
    let reply = if reply.class() == ReplyClass::Intermediate { stream.command("").await? } else { reply };
    reply.expect(ReplyClass::Completion).map(drop)
}

/// Begins to log in by the mechanism `way` and returns the reply to the initial response.
async fn begin<T: Transport>(stream: &mut SmtpStream<T>, way: &str, response: &str) -> Result<Reply, Cause> {
    let response = BASE64_STANDARD.encode(response);
    let at_once = format!("AUTH {way} {response}");
    if at_once.len() + "\r\n".len() <= MAX_COMMAND_BYTES {
        let reply = stream.command(&at_once).await?;
        // Old relays ask for it all the same. What is asked by XOAUTH2 comes after it.
        let asked_again = reply.class() == ReplyClass::Intermediate && way == "PLAIN";
        return if asked_again { stream.command(&response).await } else { Ok(reply) };
    }
    let reply = stream.command(&format!("AUTH {way}")).await?;
    if reply.class() == ReplyClass::Intermediate { stream.command(&response).await } else { Ok(reply) }
}

fn not_offered(what: &'static str) -> StageError {
    StageError { stage: Stage::Auth, cause: Cause::NotOffered(what) }
}

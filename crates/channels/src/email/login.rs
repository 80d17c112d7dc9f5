//! Logging in (RFC 4954): by password as PLAIN or LOGIN, by token as XOAUTH2.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::answer::{Answer, Class};
use super::capabilities::Capabilities;
use super::conversation::{Conversation, Wire};
use super::fault::{Cause, Fault, Stage, within};
use super::relay::Relay;
use super::settings::{Credentials, Proof};
use super::token::Tokens;

/// What a command may measure, in bytes (RFC 5321, 4.5.3.1.4): a longer first response waits to be asked for (RFC 4954, 4).
const MAX_COMMAND: usize = 512;
/// The way is not known here.
const NO_SUCH_WAY: u16 = 504;

/// Logs in with what the relay's settings hold.
pub(super) async fn log_in<W: Wire>(
    relay: &Relay,
    conversation: &mut Conversation<W>,
    capabilities: &Capabilities,
    credentials: &Credentials,
) -> Result<(), Fault> {
    match (&credentials.proof, &relay.tokens) {
        (Proof::Password(password), _) => {
            let password = password.reveal();
            let work = by_password(conversation, capabilities, &credentials.user, password);
            within(relay.settings.timeout, Stage::Auth, work).await
        }
        (Proof::Token(_), Some(tokens)) => {
            by_token(relay, conversation, capabilities, &credentials.user, tokens).await
        }
        (Proof::Token(_), None) => Err(not_offered("a token")),
    }
}

/// PLAIN in one step where it is offered, else LOGIN, which asks twice, in whatever words.
async fn by_password<W: Wire>(
    conversation: &mut Conversation<W>,
    capabilities: &Capabilities,
    user: &str,
    password: &str,
) -> Result<(), Cause> {
    let mut unknown = None;
    if capabilities.takes_login("PLAIN") {
        let answer = begin(conversation, "PLAIN", &format!("\0{user}\0{password}")).await?;
        if answer.code != NO_SUCH_WAY {
            return answer.expect(Class::Done).map(drop);
        }
        unknown = Some(answer);
    }
    if capabilities.takes_login("LOGIN") {
        let mut answer = conversation.ask("AUTH LOGIN").await?;
        for word in [user, password] {
            if answer.class() == Class::GoOn {
                answer = conversation.ask(&BASE64_STANDARD.encode(word)).await?;
            }
        }
        return answer.expect(Class::Done).map(drop);
    }
    match unknown {
        Some(answer) => answer.expect(Class::Done).map(drop),
        None => Err(Cause::NotOffered("AUTH PLAIN or AUTH LOGIN")),
    }
}

/// XOAUTH2, as Microsoft and Google describe it. A token from before that is refused may have been revoked: then a new one
/// is tried, once.
async fn by_token<W: Wire>(
    relay: &Relay,
    conversation: &mut Conversation<W>,
    capabilities: &Capabilities,
    user: &str,
    tokens: &Tokens,
) -> Result<(), Fault> {
    if !capabilities.takes_login("XOAUTH2") {
        return Err(not_offered("AUTH XOAUTH2"));
    }
    let limit = relay.settings.timeout;
    loop {
        let token = tokens.get().await.map_err(|cause| Fault { stage: Stage::Token, cause })?;
        let work = show_token(conversation, user, token.text.reveal());
        let Err(fault) = within(limit, Stage::Auth, work).await else { return Ok(()) };
        if !matches!(fault.cause, Cause::Refused { .. }) {
            return Err(fault);
        }
        tokens.forget(&token).await;
        if token.is_new {
            return Err(fault);
        }
    }
}

async fn show_token<W: Wire>(
    conversation: &mut Conversation<W>,
    user: &str,
    token: &str,
) -> Result<(), Cause> {
    let answer =
        begin(conversation, "XOAUTH2", &format!("user={user}\x01auth=Bearer {token}\x01\x01")).await?;
    // What is asked after the token is what is wrong with it; the empty line brings the refusal.
    let answer = if answer.class() == Class::GoOn { conversation.ask("").await? } else { answer };
    answer.expect(Class::Done).map(drop)
}

/// Begins to log in by `way`; the answer to the response.
async fn begin<W: Wire>(
    conversation: &mut Conversation<W>,
    way: &str,
    response: &str,
) -> Result<Answer, Cause> {
    let response = BASE64_STANDARD.encode(response);
    let at_once = format!("AUTH {way} {response}");
    if at_once.len() + "\r\n".len() <= MAX_COMMAND {
        let answer = conversation.ask(&at_once).await?;
        // Old relays ask for it all the same. What is asked by XOAUTH2 comes after it.
        let asked_again = answer.class() == Class::GoOn && way == "PLAIN";
        return if asked_again { conversation.ask(&response).await } else { Ok(answer) };
    }
    let answer = conversation.ask(&format!("AUTH {way}")).await?;
    if answer.class() == Class::GoOn { conversation.ask(&response).await } else { Ok(answer) }
}

fn not_offered(what: &'static str) -> Fault {
    Fault { stage: Stage::Auth, cause: Cause::NotOffered(what) }
}

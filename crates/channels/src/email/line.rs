//! From a relay's name to a line on which mail can be handed over.

use std::fmt::Display;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, AsyncTokioStream, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use tokio::net::TcpStream;

use super::encrypted_line::EncryptedLine;
use super::fault::{Cause, Fault, Stage};
use super::relay::{Relay, Security};
use super::settings::{self, SmtpSettings};
use crate::names::{Unfound, look_up};

/// The stages that were passed, each with what was found; what a person sees of a line that was opened.
pub(super) type Trail = Vec<(Stage, String)>;

/// A relay has few addresses; no more than this many are tried.
const ADDRESSES: usize = 4;

/// RFC 4954, 6: the only answer that means "you are who you say".
const AUTHENTICATED: u16 = 235;

/// Opens a line: name, connection, TLS, greeting and AUTH, each within the relay's time limit.
pub(super) async fn open(relay: &Relay, trail: &mut Trail) -> Result<AsyncSmtpConnection, Fault> {
    let addresses = resolve(relay).await?;
    trail.push((Stage::Name, listed(&addresses)));
    let (stream, address) = connect(relay, &addresses).await?;
    trail.push((Stage::Connect, address.to_string()));
    let hello = hello_name(relay, &stream)?;
    let encrypted = || format!("encrypted; the certificate is valid for {}", relay.settings.host);
    let mut line = match &relay.security {
        Security::Plain => greet(relay, Box::new(stream), &hello, trail).await?,
        Security::StartTls(parameters) => {
            let mut line = greet(relay, Box::new(stream), &hello, trail).await?;
            upgrade(relay, &mut line, parameters, &hello).await?;
            trail.push((Stage::Tls, encrypted()));
            line
        }
        Security::Implicit(connector, name) => {
            let handshake = connector.connect(name.clone(), stream);
            let stream = within(relay.settings.timeout, Stage::Tls, handshake).await?;
            trail.push((Stage::Tls, encrypted()));
            greet(relay, Box::new(EncryptedLine(stream)), &hello, trail).await?
        }
    };
    if let Some(credentials) = &relay.settings.credentials {
        authenticate(relay, &mut line, credentials).await?;
        trail.push((Stage::Auth, format!("{} is logged in", credentials.user)));
    }
    Ok(line)
}

/// Does one stage's work within `limit`.
pub(super) async fn within<T, E: Into<Cause>>(
    limit: Duration,
    stage: Stage,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, Fault> {
    match tokio::time::timeout(limit, work).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => Err(Fault { stage, cause: error.into() }),
        Err(_) => Err(Fault { stage, cause: Cause::TimedOut(limit) }),
    }
}

async fn resolve(relay: &Relay) -> Result<Vec<SocketAddr>, Fault> {
    let SmtpSettings { host, port, timeout, .. } = &relay.settings;
    let unfound = |why: Unfound| Fault { stage: Stage::Name, cause: Cause::Broken(why.to_string()) };
    let mut addresses = look_up(host, *port, *timeout).await.map_err(unfound)?;
    addresses.truncate(ADDRESSES);
    Ok(addresses)
}

/// Connects to the first address that answers; if none does, the last one's fault is told.
async fn connect(relay: &Relay, addresses: &[SocketAddr]) -> Result<(TcpStream, SocketAddr), Fault> {
    let mut fault = Fault { stage: Stage::Connect, cause: Cause::Broken("no address".to_owned()) };
    for &address in addresses {
        match within(relay.settings.timeout, Stage::Connect, connect_to(address)).await {
            Ok(stream) => return Ok((stream, address)),
            Err(next) => fault = next,
        }
    }
    Err(fault)
}

/// Nothing waits for an acknowledgement before it goes out: a mail's content is followed by its end in a segment of its
/// own, which a peer that delays acknowledgements would otherwise hold up for 40 ms.
async fn connect_to(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

fn hello_name(relay: &Relay, stream: &TcpStream) -> Result<ClientId, Fault> {
    if let Some(name) = &relay.settings.hello_name {
        return Ok(ClientId::Domain(name.clone()));
    }
    let address =
        stream.local_addr().map_err(|error| Fault { stage: Stage::Connect, cause: error.into() })?;
    Ok(match address.ip().to_canonical() {
        std::net::IpAddr::V4(address) => ClientId::Ipv4(address),
        std::net::IpAddr::V6(address) => ClientId::Ipv6(address),
    })
}

async fn greet(
    relay: &Relay,
    stream: Box<dyn AsyncTokioStream>,
    hello: &ClientId,
    trail: &mut Trail,
) -> Result<AsyncSmtpConnection, Fault> {
    let greeting = AsyncSmtpConnection::connect_with_transport(stream, hello);
    let line = within(relay.settings.timeout, Stage::Greeting, greeting).await?;
    trail.push((Stage::Greeting, format!("{} greets us", line.server_info().name())));
    Ok(line)
}

async fn upgrade(
    relay: &Relay,
    line: &mut AsyncSmtpConnection,
    parameters: &TlsParameters,
    hello: &ClientId,
) -> Result<(), Fault> {
    if !line.can_starttls() {
        return Err(Fault { stage: Stage::Tls, cause: Cause::NotOffered("STARTTLS") });
    }
    within(relay.settings.timeout, Stage::Tls, line.starttls(parameters.clone(), hello)).await
}

async fn authenticate(
    relay: &Relay,
    line: &mut AsyncSmtpConnection,
    credentials: &settings::Credentials,
) -> Result<(), Fault> {
    const MECHANISMS: [Mechanism; 2] = [Mechanism::Plain, Mechanism::Login];
    if line.server_info().get_auth_mechanism(&MECHANISMS).is_none() {
        return Err(Fault { stage: Stage::Auth, cause: Cause::NotOffered("AUTH PLAIN or AUTH LOGIN") });
    }
    let settings::Credentials { user, password } = credentials;
    let credentials = Credentials::new(user.clone(), password.reveal().to_owned());
    let answer = within(relay.settings.timeout, Stage::Auth, line.auth(&MECHANISMS, &credentials)).await?;
    if !answer.has_code(AUTHENTICATED) {
        return Err(out_of_turn(Stage::Auth, answer.code()));
    }
    Ok(())
}

/// A positive answer that does not belong to what was said: after it, no answer on this line can be trusted.
pub(super) fn out_of_turn(stage: Stage, code: impl Display) -> Fault {
    Fault { stage, cause: Cause::Broken(format!("the server answered {code}, which is no answer to that")) }
}

fn listed(addresses: &[SocketAddr]) -> String {
    addresses.iter().map(|address| address.ip().to_string()).collect::<Vec<_>>().join(", ")
}

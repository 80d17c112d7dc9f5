//! From a relay's name to a line on which mail can be handed over.

use std::io;
use std::net::SocketAddr;

use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::answer::Class;
use super::capabilities::Capabilities;
use super::conversation::{Conversation, Wire};
use super::fault::{Cause, Fault, Stage, within};
use super::login::log_in;
use super::relay::{Relay, Security};
use super::settings::SmtpSettings;
use crate::names::{Unfound, look_up};

/// A conversation in which mail can be handed over, and what the relay can do.
pub(super) struct Line<W = Box<dyn Wire>> {
    pub(super) conversation: Conversation<W>,
    pub(super) capabilities: Capabilities,
}

/// The stages that were passed, each with what was found; what a person sees of a line that was opened.
pub(super) type Trail = Vec<(Stage, String)>;

/// A relay has few addresses; no more than this many are tried.
const ADDRESSES: usize = 4;

/// Opens a line: name, connection, TLS, greeting and AUTH, each within the relay's time limit.
pub(super) async fn open(relay: &Relay, trail: &mut Trail) -> Result<Line, Fault> {
    let addresses = resolve(relay).await?;
    trail.push((Stage::Name, listed(&addresses)));
    let (stream, address) = connect(relay, &addresses).await?;
    trail.push((Stage::Connect, address.to_string()));
    let hello = hello_name(relay, &stream)?;
    let encrypted = || (Stage::Tls, format!("encrypted; {} is whom we trust", relay.settings.host));
    match &relay.security {
        Security::Plain => {
            let line = greet(relay, Conversation::new(stream), &hello, trail).await?;
            finish(relay, line, trail).await
        }
        Security::StartTls(connector, name) => {
            let line = greet(relay, Conversation::new(stream), &hello, trail).await?;
            let stream = start_tls(relay, line, connector, name).await?;
            let mut conversation = Conversation::new(stream);
            // What was said before TLS could have been anyone's.
            let hello = say_hello(&mut conversation, &hello);
            let (capabilities, _) = within(relay.settings.timeout, Stage::Tls, hello).await?;
            trail.push(encrypted());
            finish(relay, Line { conversation, capabilities }, trail).await
        }
        Security::Implicit(connector, name) => {
            let stream = shake_hands(relay, connector, name, stream).await?;
            trail.push(encrypted());
            let line = greet(relay, Conversation::new(stream), &hello, trail).await?;
            finish(relay, line, trail).await
        }
    }
}

/// Logs in where there is an account.
async fn finish<W: Wire + 'static>(relay: &Relay, line: Line<W>, trail: &mut Trail) -> Result<Line, Fault> {
    let Line { mut conversation, capabilities } = line;
    if let Some(credentials) = &relay.settings.credentials {
        log_in(relay, &mut conversation, &capabilities, credentials).await?;
        trail.push((Stage::Auth, format!("{} is logged in", credentials.user)));
    }
    Ok(Line { conversation: conversation.boxed(), capabilities })
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

fn hello_name(relay: &Relay, stream: &TcpStream) -> Result<String, Fault> {
    if let Some(name) = &relay.settings.hello_name {
        return Ok(name.clone());
    }
    let address =
        stream.local_addr().map_err(|error| Fault { stage: Stage::Connect, cause: error.into() })?;
    Ok(match address.ip().to_canonical() {
        std::net::IpAddr::V4(address) => format!("[{address}]"),
        std::net::IpAddr::V6(address) => format!("[IPv6:{address}]"),
    })
}

/// Hears the relay's greeting and returns it.
async fn greet<W: Wire>(
    relay: &Relay,
    mut conversation: Conversation<W>,
    hello: &str,
    trail: &mut Trail,
) -> Result<Line<W>, Fault> {
    let greeting = async { conversation.hear().await?.expect(Class::Done) };
    within(relay.settings.timeout, Stage::Greeting, greeting).await?;
    let greeting = say_hello(&mut conversation, hello);
    let (capabilities, name) = within(relay.settings.timeout, Stage::Greeting, greeting).await?;
    trail.push((Stage::Greeting, format!("{name} greets us")));
    Ok(Line { conversation, capabilities })
}

/// EHLO; where the relay does not know that, HELO (RFC 5321, 3.2). What it can do, and how it calls itself.
async fn say_hello<W: Wire>(
    conversation: &mut Conversation<W>,
    hello: &str,
) -> Result<(Capabilities, String), Cause> {
    let answer = conversation.ask(&format!("EHLO {hello}")).await?;
    let name = |text: &str| text.split_whitespace().next().unwrap_or("the server").to_owned();
    let Err(refused) = answer.expect(Class::Done) else {
        return Ok((Capabilities::read(&answer), name(&answer.text())));
    };
    if answer.code < 500 {
        return Err(refused);
    }
    let plain = conversation.ask(&format!("HELO {hello}")).await?;
    // Where neither is taken, the first refusal says why.
    plain.expect(Class::Done).map_err(|_| refused)?;
    Ok((Capabilities::default(), name(&plain.text())))
}

/// Asks for TLS and begins it. Nothing that was said before it is believed after it.
async fn start_tls(
    relay: &Relay,
    line: Line<TcpStream>,
    connector: &TlsConnector,
    name: &ServerName<'static>,
) -> Result<TlsStream<TcpStream>, Fault> {
    let Line { mut conversation, capabilities } = line;
    if !capabilities.starttls {
        return Err(Fault { stage: Stage::Tls, cause: Cause::NotOffered("STARTTLS") });
    }
    let asked = async {
        conversation.ask("STARTTLS").await?.expect(Class::Done)?;
        conversation.into_wire().await
    };
    let stream = within(relay.settings.timeout, Stage::Tls, asked).await?;
    shake_hands(relay, connector, name, stream).await
}

async fn shake_hands(
    relay: &Relay,
    connector: &TlsConnector,
    name: &ServerName<'static>,
    stream: TcpStream,
) -> Result<TlsStream<TcpStream>, Fault> {
    within(relay.settings.timeout, Stage::Tls, connector.connect(name.clone(), stream)).await
}

fn listed(addresses: &[SocketAddr]) -> String {
    addresses.iter().map(|address| address.ip().to_string()).collect::<Vec<_>>().join(", ")
}

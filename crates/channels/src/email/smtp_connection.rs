//! From a relay's name to a connection on which mail can be handed over: name, TCP, TLS, greeting, AUTH.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::Ordering;

use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::capabilities::Capabilities;
use super::login::log_in;
use super::reply::ReplyClass;
use super::settings::SmtpSettings;
use super::smtp_relay::{Security, SmtpRelay};
use super::smtp_stream::{SmtpStream, Transport};
use super::stage_error::{Cause, Stage, StageError, within};
use crate::dns::{LookupError, look_up};

/// A connection after EHLO, and what the relay can do.
pub(super) struct SmtpConnection<T = Box<dyn Transport>> {
    pub(super) stream: SmtpStream<T>,
    pub(super) capabilities: Capabilities,
}

/// The stages that were passed, each with what was found: what `doctor` shows of a connection that was opened.
pub(super) type CompletedStages = Vec<(Stage, String)>;

/// The most addresses of a relay that are tried.
const MAX_ADDRESSES: usize = 4;

/// Opens a connection: name, connection, TLS, greeting and AUTH, each within the relay's time limit.
pub(super) async fn open(
    relay: &SmtpRelay,
    completed: &mut CompletedStages,
) -> Result<SmtpConnection, StageError> {
    let addresses = resolve(relay).await?;
    completed.push((Stage::Name, join_addresses(&addresses)));
    let (stream, address) = connect(relay, &addresses).await?;
    completed.push((Stage::Connect, address.to_string()));
    let hello = hello_name(relay, &stream)?;
    let encrypted = || (Stage::Tls, format!("encrypted; {} is whom we trust", relay.settings.host));
    match &relay.security {
        Security::Plain => {
            let line = greet(relay, SmtpStream::new(stream), &hello, completed).await?;
            authenticate(relay, line, completed).await
        }
        Security::StartTls(connector, name) => {
            let line = greet(relay, SmtpStream::new(stream), &hello, completed).await?;
            let stream = start_tls(relay, line, connector, name).await?;
            let mut stream = SmtpStream::new(stream);
            // What was said before TLS could have been anyone's.
            let hello = say_hello(&mut stream, &hello);
            let (capabilities, _) = within(relay.settings.timeout, Stage::Tls, hello).await?;
            completed.push(encrypted());
            authenticate(relay, SmtpConnection { stream, capabilities }, completed).await
        }
        Security::Implicit(connector, name) => {
            let stream = tls_handshake(relay, connector, name, stream).await?;
            completed.push(encrypted());
            let line = greet(relay, SmtpStream::new(stream), &hello, completed).await?;
            authenticate(relay, line, completed).await
        }
    }
}

/// Logs in where there is an account.
async fn authenticate<T: Transport + 'static>(
    relay: &SmtpRelay,
    line: SmtpConnection<T>,
    completed: &mut CompletedStages,
) -> Result<SmtpConnection, StageError> {
    let SmtpConnection { mut stream, capabilities } = line;
    if let Some(credentials) = &relay.settings.credentials {
        log_in(relay, &mut stream, &capabilities, credentials).await?;
        completed.push((Stage::Auth, format!("{} is logged in", credentials.user)));
    }
    Ok(SmtpConnection { stream: stream.boxed(), capabilities })
}

async fn resolve(relay: &SmtpRelay) -> Result<Vec<SocketAddr>, StageError> {
    let SmtpSettings { host, port, timeout, .. } = &relay.settings;
    let lookup_failed =
        |why: LookupError| StageError { stage: Stage::Name, cause: Cause::Broken(why.to_string()) };
    let mut addresses = look_up(host, *port, *timeout).await.map_err(lookup_failed)?;
    addresses.truncate(MAX_ADDRESSES);
    spread(&mut addresses, relay.connections.fetch_add(1, Ordering::Relaxed));
    Ok(addresses)
}

/// Begins with the next address each time, so that relays that share a name share the connections: the resolver sorts by
/// what is near, and would have all of them at one. The kind of address that it prefers stays in front.
fn spread(addresses: &mut [SocketAddr], turn: usize) {
    let Some(first) = addresses.first().map(SocketAddr::is_ipv6) else { return };
    let preferred = addresses.iter().take_while(|address| address.is_ipv6() == first).count();
    addresses[..preferred].rotate_left(turn % preferred);
}

/// Connects to the first address that answers; if none does, the last one's error is returned.
async fn connect(relay: &SmtpRelay, addresses: &[SocketAddr]) -> Result<(TcpStream, SocketAddr), StageError> {
    let mut error = StageError { stage: Stage::Connect, cause: Cause::Broken("no address".to_owned()) };
    for &address in addresses {
        match within(relay.settings.timeout, Stage::Connect, connect_to(address)).await {
            Ok(stream) => return Ok((stream, address)),
            Err(next) => error = next,
        }
    }
    Err(error)
}

/// Connects to an address. Nothing waits for an acknowledgement before it goes out: a mail's content is followed by its end in a segment of its
/// own, which a peer that delays acknowledgements would otherwise hold up for 40 ms.
async fn connect_to(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

fn hello_name(relay: &SmtpRelay, stream: &TcpStream) -> Result<String, StageError> {
    if let Some(name) = &relay.settings.hello_name {
        return Ok(name.clone());
    }
    let address =
        stream.local_addr().map_err(|error| StageError { stage: Stage::Connect, cause: error.into() })?;
    Ok(match address.ip().to_canonical() {
        std::net::IpAddr::V4(address) => format!("[{address}]"),
        std::net::IpAddr::V6(address) => format!("[IPv6:{address}]"),
    })
}

/// Reads the relay's greeting and returns it with EHLO.
async fn greet<T: Transport>(
    relay: &SmtpRelay,
    mut stream: SmtpStream<T>,
    hello: &str,
    completed: &mut CompletedStages,
) -> Result<SmtpConnection<T>, StageError> {
    let greeting = async { stream.read_reply().await?.expect(ReplyClass::Completion) };
    within(relay.settings.timeout, Stage::Greeting, greeting).await?;
    let greeting = say_hello(&mut stream, hello);
    let (capabilities, name) = within(relay.settings.timeout, Stage::Greeting, greeting).await?;
    completed.push((Stage::Greeting, format!("{name} greets us")));
    Ok(SmtpConnection { stream, capabilities })
}

/// Sends EHLO or, where the relay does not know that, HELO (RFC 5321, 3.2); returns what it can do, and how it calls itself.
async fn say_hello<T: Transport>(
    stream: &mut SmtpStream<T>,
    hello: &str,
) -> Result<(Capabilities, String), Cause> {
    let reply = stream.command(&format!("EHLO {hello}")).await?;
    let name = |text: &str| text.split_whitespace().next().unwrap_or("the server").to_owned();
    let Err(refused) = reply.expect(ReplyClass::Completion) else {
        return Ok((Capabilities::read(&reply), name(&reply.text())));
    };
    if reply.code < 500 {
        return Err(refused);
    }
    let plain = stream.command(&format!("HELO {hello}")).await?;
    // Where neither is taken, the first refusal says why.
    plain.expect(ReplyClass::Completion).map_err(|_| refused)?;
    Ok((Capabilities::default(), name(&plain.text())))
}

/// Asks for TLS and begins it. Nothing that was said before it is believed after it.
async fn start_tls(
    relay: &SmtpRelay,
    line: SmtpConnection<TcpStream>,
    connector: &TlsConnector,
    name: &ServerName<'static>,
) -> Result<TlsStream<TcpStream>, StageError> {
    let SmtpConnection { mut stream, capabilities } = line;
    if !capabilities.starttls {
        return Err(StageError { stage: Stage::Tls, cause: Cause::NotOffered("STARTTLS") });
    }
    let upgraded = async {
        stream.command("STARTTLS").await?.expect(ReplyClass::Completion)?;
        stream.into_transport().await
    };
    let stream = within(relay.settings.timeout, Stage::Tls, upgraded).await?;
    tls_handshake(relay, connector, name, stream).await
}

async fn tls_handshake(
    relay: &SmtpRelay,
    connector: &TlsConnector,
    name: &ServerName<'static>,
    stream: TcpStream,
) -> Result<TlsStream<TcpStream>, StageError> {
    within(relay.settings.timeout, Stage::Tls, connector.connect(name.clone(), stream)).await
}

fn join_addresses(addresses: &[SocketAddr]) -> String {
    addresses.iter().map(|address| address.ip().to_string()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spread_over(addresses: &[&str], turn: usize) -> Vec<String> {
        let mut addresses: Vec<SocketAddr> =
            addresses.iter().map(|address| address.parse().unwrap()).collect();
        spread(&mut addresses, turn);
        addresses.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn connections_begin_with_each_of_a_relays_addresses_in_turn_of_the_kind_that_is_preferred() {
        for (turn, spread) in [
            (0, ["[2001:db8::1]:25", "[2001:db8::2]:25", "192.0.2.1:25"]),
            (1, ["[2001:db8::2]:25", "[2001:db8::1]:25", "192.0.2.1:25"]),
            (2, ["[2001:db8::1]:25", "[2001:db8::2]:25", "192.0.2.1:25"]),
        ] {
            assert_eq!(spread_over(&["[2001:db8::1]:25", "[2001:db8::2]:25", "192.0.2.1:25"], turn), spread);
        }
        assert_eq!(spread_over(&["192.0.2.1:25"], usize::MAX), ["192.0.2.1:25"]);
        assert_eq!(spread_over(&[], 7), [""; 0]);
    }
}

//! An SMTP server that does what a script says at each step: no real server breaks off in the middle on demand.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, pem::PemObject};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// What the peer does at a step instead of its usual answer.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    Say(&'static str),
    /// In these pieces, whatever their bytes.
    SayIn(&'static [&'static [u8]]),
    /// This, again and again, for as long as it is taken.
    Babble(&'static [u8]),
    Hang,
    HangUp,
}

/// What the peer offers and does. A step is a verb in capitals, `GREETING`, `BODY` (while the content comes) or `DOT`
/// (after it came).
#[derive(Debug, Default)]
pub(crate) struct Script {
    pub(crate) offers: Vec<&'static str>,
    /// Done once each, in order.
    pub(crate) once: HashMap<&'static str, VecDeque<Act>>,
    /// Done whenever nothing is left to be done once.
    pub(crate) always: HashMap<&'static str, Act>,
}

/// What the peer saw, line by line, over all connections; and the mails that it took.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) connections: usize,
    pub(crate) lines: Vec<String>,
    pub(crate) mails: Vec<Vec<u8>>,
}

/// A running peer; it ends with the test.
#[derive(Clone)]
pub(crate) struct Peer {
    pub(crate) port: u16,
    pub(crate) ca: Vec<u8>,
    script: Arc<Mutex<Script>>,
    seen: Arc<Mutex<Seen>>,
    acceptor: TlsAcceptor,
    implicit: bool,
}

trait PeerConnection: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> PeerConnection for T {}

impl Peer {
    /// Speaks SMTP in the open, with STARTTLS if the script offers it.
    pub(crate) async fn start(script: Script) -> Self {
        Self::showing_own(script, false).await
    }

    /// Speaks TLS from the first byte.
    pub(crate) async fn start_implicit(script: Script) -> Self {
        Self::showing_own(script, true).await
    }

    async fn showing_own(script: Script, implicit: bool) -> Self {
        let names = ["127.0.0.1".to_owned(), "localhost".to_owned()];
        let certified = rcgen::generate_simple_self_signed(names).unwrap();
        Self::showing(script, implicit, &certified.cert, &certified.signing_key).await
    }

    /// Shows that certificate.
    #[expect(clippy::disallowed_methods, reason = "the peer is another party and runs beside the test")]
    pub(crate) async fn showing(
        script: Script,
        implicit: bool,
        certificate: &rcgen::Certificate,
        key: &rcgen::KeyPair,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let peer = Self {
            port: listener.local_addr().unwrap().port(),
            ca: certificate.pem().into_bytes(),
            script: Arc::new(Mutex::new(script)),
            seen: Arc::default(),
            acceptor: acceptor(certificate, key),
            implicit,
        };
        let accepting = peer.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                accepting.seen.lock().unwrap().connections += 1;
                let peer = accepting.clone();
                tokio::spawn(async move { peer.converse(stream).await });
            }
        });
        peer
    }

    pub(crate) fn does_once(&self, step: &'static str, act: Act) {
        self.script.lock().unwrap().once.entry(step).or_default().push_back(act);
    }

    pub(crate) fn connections(&self) -> usize {
        self.seen.lock().unwrap().connections
    }

    pub(crate) fn mails(&self) -> Vec<Vec<u8>> {
        self.seen.lock().unwrap().mails.clone()
    }

    /// The lines that begin with `verb`.
    pub(crate) fn lines(&self, verb: &str) -> Vec<String> {
        let seen = self.seen.lock().unwrap();
        seen.lines.iter().filter(|line| line.to_ascii_uppercase().starts_with(verb)).cloned().collect()
    }

    async fn converse(&self, stream: TcpStream) {
        let line: Box<dyn PeerConnection> = if self.implicit {
            let Ok(encrypted) = self.acceptor.accept(stream).await else { return };
            Box::new(encrypted)
        } else {
            Box::new(stream)
        };
        let mut line = BufReader::new(line);
        if self.act(&mut line, "GREETING", "220 peer ESMTP\r\n").await.is_none() {
            return;
        }
        let mut secured = self.implicit;
        while let Some(said) = self.hear(&mut line).await {
            let verb = said.split(' ').next().unwrap_or_default().to_ascii_uppercase();
            let went_on = match verb.as_str() {
                "EHLO" => self.act(&mut line, "EHLO", &self.offer(secured)).await,
                "HELO" => self.act(&mut line, "HELO", "250 peer\r\n").await,
                "STARTTLS" => {
                    let code = self.act(&mut line, "STARTTLS", "220 go\r\n").await;
                    if !is(code.as_deref(), '2') {
                        if code.is_none() {
                            return;
                        }
                        continue;
                    }
                    let Ok(encrypted) = self.acceptor.accept(line.into_inner()).await else { return };
                    secured = true;
                    line = BufReader::new(Box::new(encrypted));
                    code
                }
                "AUTH" => self.act(&mut line, "AUTH", "235 2.7.0 welcome\r\n").await,
                "MAIL" => self.act(&mut line, "MAIL", "250 2.1.0 sender ok\r\n").await,
                "RCPT" => self.act(&mut line, "RCPT", "250 2.1.5 recipient ok\r\n").await,
                "DATA" => self.data(&mut line).await,
                "RSET" => self.act(&mut line, "RSET", "250 2.0.0 forgotten\r\n").await,
                "QUIT" => self.act(&mut line, "QUIT", "221 bye\r\n").await.and(None),
                _ => self.act(&mut line, "?", "500 what?\r\n").await,
            };
            if went_on.is_none() {
                return;
            }
        }
    }

    fn offer(&self, secured: bool) -> String {
        let script = self.script.lock().unwrap();
        let offers =
            script.offers.iter().filter(|extension| !(secured && extension.eq_ignore_ascii_case("STARTTLS")));
        let lines: String = offers.flat_map(|extension| ["250-", extension, "\r\n"]).collect();
        format!("250-peer\r\n{lines}250 HELP\r\n")
    }

    async fn data(&self, line: &mut BufReader<Box<dyn PeerConnection>>) -> Option<String> {
        let code = self.act(line, "DATA", "354 go on\r\n").await?;
        if !is(Some(&code), '3') {
            return Some(code);
        }
        let mut mail = Vec::new();
        loop {
            let start = mail.len();
            if line.read_until(b'\n', &mut mail).await.ok()? == 0 {
                return None;
            }
            if start == 0 && self.planned("BODY").is_some() {
                return None;
            }
            if &mail[start..] == b".\r\n" {
                mail.truncate(start);
                break;
            }
            if mail[start] == b'.' {
                mail.remove(start);
            }
        }
        let code = self.act(line, "DOT", "250 2.0.0 queued as 42\r\n").await?;
        if is(Some(&code), '2') {
            self.seen.lock().unwrap().mails.push(mail);
        }
        Some(code)
    }

    fn planned(&self, step: &str) -> Option<Act> {
        let mut script = self.script.lock().unwrap();
        let once = script.once.get_mut(step).and_then(VecDeque::pop_front);
        once.or_else(|| script.always.get(step).cloned())
    }

    /// Does what the script says, or gives the usual answer; tells the answer's code. `None`: the connection is over.
    async fn act(
        &self,
        line: &mut BufReader<Box<dyn PeerConnection>>,
        step: &str,
        usual: &str,
    ) -> Option<String> {
        let answer: &[&[u8]] = match self.planned(step) {
            None => &[usual.as_bytes()],
            Some(Act::Say(answer)) => &[answer.as_bytes()],
            Some(Act::SayIn(pieces)) => pieces,
            Some(Act::Babble(again)) => loop {
                line.write_all(again).await.ok()?;
            },
            Some(Act::HangUp) => return None,
            Some(Act::Hang) => std::future::pending().await,
        };
        for (number, piece) in answer.iter().enumerate() {
            if number > 0 {
                tokio::task::yield_now().await;
            }
            line.write_all(piece).await.ok()?;
            line.flush().await.ok()?;
        }
        let said = answer.concat();
        // 421 announces the end.
        (!said.starts_with(b"421")).then(|| String::from_utf8_lossy(&said).chars().take(3).collect())
    }

    async fn hear(&self, line: &mut BufReader<Box<dyn PeerConnection>>) -> Option<String> {
        let mut said = String::new();
        if line.read_line(&mut said).await.ok()? == 0 {
            return None;
        }
        let said = said.trim_end().to_owned();
        self.seen.lock().unwrap().lines.push(said.clone());
        Some(said)
    }
}

/// Whether a code begins with that digit.
fn is(code: Option<&str>, digit: char) -> bool {
    code.is_some_and(|code| code.starts_with(digit))
}

/// Speaks TLS under that certificate.
pub(crate) fn acceptor(certificate: &rcgen::Certificate, key: &rcgen::KeyPair) -> TlsAcceptor {
    let key = PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

/// A script that does `act` at `step`, every time.
pub(crate) fn always(step: &'static str, act: Act) -> Script {
    Script { always: HashMap::from([(step, act)]), ..Script::default() }
}

//! A mail server that demands STARTTLS and AUTH, and misbehaves when told to.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Mutex;

use anyhow::{Context, Result, anyhow};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::certificate::Certificate;
use crate::peers::{python, script};
use crate::wait;

/// The user name that it accepts.
pub const USERNAME: &str = "orderbell";
/// The password that it accepts at first.
pub const PASSWORD: &str = "correct horse battery";

/// What it answers to a token that it does not accept.
pub const TOKEN_REFUSED: &str = "535 5.7.8 Username and token not accepted";

/// A running mail server (aiosmtpd in a process of its own); it ends when this is dropped.
#[derive(Debug)]
pub struct SmtpPeer {
    process: Child,
    line: Mutex<(ChildStdin, BufReader<ChildStdout>)>,
    certificate: Certificate,
    tls: Tls,
    port: u16,
}

/// How its lines are secured. All but `None` demand a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Tls {
    /// In the clear at first; mail is refused before STARTTLS.
    Starttls,
    /// From the first byte.
    Implicit,
    /// Never, and nobody logs in.
    None,
}

/// Where in a transaction it misbehaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// At MAIL FROM.
    Mail,
    /// At RCPT TO.
    Rcpt,
    /// After DATA, and the mail is not kept.
    Data,
    /// After DATA, and the mail is kept: the client cannot know.
    AfterData,
}

/// How it misbehaves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// It answers this line, such as `451 4.3.0 try again later`.
    Reply(String),
    /// It answers nothing, for an hour.
    Hang,
    /// It drops the line.
    Drop,
}

/// A mail as it was received.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Mail {
    /// The envelope's sender.
    pub from: String,
    /// The envelope's recipients.
    pub to: Vec<String>,
    /// Every header, decoded, in its order.
    pub headers: Vec<(String, String)>,
    /// The plain text part, decoded.
    pub text: String,
    /// The HTML part, decoded.
    pub html: String,
}

/// What it counted since it was first started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Counts {
    /// Connections taken.
    pub connections: u64,
    /// Attempts to log in.
    pub logins: Logins,
}

/// Attempts to log in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Logins {
    /// Those with the right password.
    pub accepted: u64,
    /// The others; each was answered 535.
    pub refused: u64,
}

impl Mail {
    /// The first header of that name, whatever its case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(other, _)| other.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

impl SmtpPeer {
    /// Starts a server on a free port of the loopback interface.
    ///
    /// # Errors
    /// It does not start; `cargo xtask test` installs what it needs.
    pub fn start(tls: Tls) -> Result<Self> {
        Self::accepting(PASSWORD, tls, false)
    }

    /// Starts one that takes no password, but this token by XOAUTH2, after STARTTLS.
    ///
    /// # Errors
    /// As of [`start`](Self::start).
    pub fn start_for_tokens(token: &str) -> Result<Self> {
        Self::accepting(token, Tls::Starttls, true)
    }

    fn accepting(password: &str, tls: Tls, tokens: bool) -> Result<Self> {
        let certificate = Certificate::new()?;
        let settings = json!({
            "tls": tls, "chain": certificate.chain(), "key": certificate.key(), "password": password,
            "username": (tls != Tls::None).then_some(USERNAME), "tokens": tokens,
        });
        let mut process = Command::new(python())
            .arg(script("smtp_server.py"))
            .arg(settings.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("starting the mail server; `cargo xtask test` installs what it needs")?;
        let input = process.stdin.take().context("its input")?;
        let output = BufReader::new(process.stdout.take().context("its output")?);
        let mut peer = Self { process, line: Mutex::new((input, output)), certificate, tls, port: 0 };
        let started: Value = peer.answer()?;
        peer.port = started["port"].as_u64().and_then(|port| port.try_into().ok()).context("its port")?;
        Ok(peer)
    }

    /// Its port on 127.0.0.1; the same after [`stop`](Self::stop) and [`resume`](Self::resume).
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The certificate that it shows.
    #[must_use]
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// The program's settings to send mail through it.
    #[must_use]
    pub fn settings(&self) -> Vec<(&'static str, String)> {
        let tls = match self.tls {
            Tls::Starttls => "starttls",
            Tls::Implicit => "implicit",
            Tls::None => "none",
        };
        let mut settings = vec![
            ("ORDERBELL_SMTP_HOST", "localhost".to_owned()),
            ("ORDERBELL_SMTP_PORT", self.port.to_string()),
            ("ORDERBELL_SMTP_TLS", tls.to_owned()),
            ("ORDERBELL_SMTP_FROM", "Orders <orders@shop.example>".to_owned()),
        ];
        if self.tls != Tls::None {
            settings.push(("ORDERBELL_SMTP_CA_FILE", self.certificate.authority().display().to_string()));
            settings.push(("ORDERBELL_SMTP_USERNAME", USERNAME.to_owned()));
            settings.push(("ORDERBELL_SMTP_PASSWORD", PASSWORD.to_owned()));
        }
        settings
    }

    /// Takes no more connections and drops those it has.
    ///
    /// # Errors
    /// Its process died.
    pub fn stop(&self) -> Result<()> {
        self.command(&json!({"do": "stop"})).map(drop::<Value>)
    }

    /// Takes connections again, on the same port.
    ///
    /// # Errors
    /// Its process died, or the port is taken.
    pub fn resume(&self) -> Result<()> {
        self.command(&json!({"do": "start"})).map(drop::<Value>)
    }

    /// Misbehaves the next `times` times that a transaction comes to `stage`.
    ///
    /// # Errors
    /// Its process died.
    pub fn misbehave(&self, stage: Stage, fault: &Fault, times: u32) -> Result<()> {
        let fault = json!({"stage": stage, "answer": fault, "times": times});
        self.command(&json!({"do": "misbehave", "fault": fault})).map(drop::<Value>)
    }

    /// Answers every RCPT TO of that address with `reply`, such as `550 5.1.1 no such user`.
    ///
    /// # Errors
    /// Its process died.
    pub fn reject(&self, recipient: &str, reply: &str) -> Result<()> {
        self.command(&json!({"do": "reject", "recipient": recipient, "reply": reply})).map(drop::<Value>)
    }

    /// Takes mail for that address again.
    ///
    /// # Errors
    /// Its process died.
    pub fn accept(&self, recipient: &str) -> Result<()> {
        self.command(&json!({"do": "accept", "recipient": recipient})).map(drop::<Value>)
    }

    /// Accepts this password or token from now on, and answers 535 to any other.
    ///
    /// # Errors
    /// Its process died.
    pub fn set_password(&self, password: &str) -> Result<()> {
        self.command(&json!({"do": "password", "password": password})).map(drop::<Value>)
    }

    /// The mails received so far, oldest first.
    ///
    /// # Errors
    /// Its process died.
    pub fn mails(&self) -> Result<Vec<Mail>> {
        let mut answer: Value = self.command(&json!({"do": "received"}))?;
        Ok(serde_json::from_value(answer["mails"].take())?)
    }

    /// The mails received since this was last called, oldest first; they are kept no longer.
    ///
    /// # Errors
    /// Its process died.
    pub fn take_mails(&self) -> Result<Vec<Mail>> {
        let mut answer: Value = self.command(&json!({"do": "take"}))?;
        Ok(serde_json::from_value(answer["mails"].take())?)
    }

    /// Waits until `count` mails are there, and gives them all.
    ///
    /// # Errors
    /// They do not come soon, or its process died.
    pub async fn wait_for_mails(&self, count: usize) -> Result<Vec<Mail>> {
        let enough = async || Ok(Some(self.mails()?).filter(|mails| mails.len() >= count));
        wait::until(&format!("{count} mails"), enough).await
    }

    /// What it counted so far.
    ///
    /// # Errors
    /// Its process died.
    pub fn counts(&self) -> Result<Counts> {
        self.command(&json!({"do": "counts"}))
    }

    fn command<T: for<'de> Deserialize<'de>>(&self, command: &Value) -> Result<T> {
        let mut line = self.line.lock().map_err(|_| anyhow!("the mail server's line is broken"))?;
        writeln!(line.0, "{command}")?;
        read_answer(&mut line.1)
    }

    fn answer<T: for<'de> Deserialize<'de>>(&mut self) -> Result<T> {
        read_answer(&mut self.line.get_mut().map_err(|_| anyhow!("the mail server's line is broken"))?.1)
    }
}

fn read_answer<T: for<'de> Deserialize<'de>>(output: &mut impl BufRead) -> Result<T> {
    let mut answer = String::new();
    output.read_line(&mut answer)?;
    serde_json::from_str(&answer).context("the mail server died; its own words stand above")
}

impl Drop for SmtpPeer {
    fn drop(&mut self) {
        let _ended_already = self.process.kill();
        let _ended_already = self.process.wait();
    }
}

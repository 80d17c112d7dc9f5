//! What relays answer at each step, in whatever form, and what becomes of the mail.

use application::ports::Channel;
use domain::attempt::{Outcome, OutcomeKind, Scope};
use orderbell_channels::email::{Email, SmtpSettings, TlsMode};

use crate::fixtures::{credentials, mail, plain_relay};
use crate::smtp_peer::{Act, Peer, Script, always};

const DELIVERED: OutcomeKind = OutcomeKind::Delivered;
const CHANNEL: OutcomeKind = OutcomeKind::Transient(Scope::Channel);
const LATER: OutcomeKind = OutcomeKind::Transient(Scope::Delivery);
const NEVER: OutcomeKind = OutcomeKind::Permanent(Scope::Delivery);
const UNCLEAR: OutcomeKind = OutcomeKind::Permanent(Scope::Unclear);
const UNKNOWN: OutcomeKind = OutcomeKind::Unknown;

/// A step, what the relay says there, in pieces, and what comes of it.
type Case = (&'static str, &'static [&'static [u8]], OutcomeKind);

const FORMS: &[Case] = &[
    ("GREETING", &[b"220\r\n"], DELIVERED),
    ("GREETING", &[b"220\n"], DELIVERED),
    ("GREETING", &[b"220-welcome\r\n220-\r\n220 \r\n"], DELIVERED),
    ("GREETING", &[b"2", b"2", b"0", b" hi", b"\r", b"\n"], DELIVERED),
    ("GREETING", &[b"220 Gr\xfc\xdf Gott\r\n"], DELIVERED),
    ("GREETING", &[b"299 strange\r\n"], DELIVERED),
    ("GREETING", &[b"220 a\r\n220 b\r\n"], CHANNEL),
    ("GREETING", &[b"\r\n"], CHANNEL),
    ("GREETING", &[b"SSH-2.0-OpenSSH_9.2\r\n"], CHANNEL),
    ("GREETING", &[b"+OK POP3 ready\r\n"], CHANNEL),
    ("GREETING", &[b"554\r\n"], CHANNEL),
    ("GREETING", &[b"571 no\r\n"], CHANNEL),
    ("GREETING", &[b"421\r\n"], CHANNEL),
    ("GREETING", &[b"600 no\r\n"], CHANNEL),
    ("GREETING", &[b"354 go\r\n"], CHANNEL),
    ("EHLO", &[b"250\r\n"], DELIVERED),
    ("EHLO", &[b"250-peer\n250-8BITMIME\n250\n"], DELIVERED),
    ("EHLO", &[b"250-peer\r\n250-\xe4\xf6\xfc\r\n250 HELP\r\n"], DELIVERED),
    ("EHLO", &[b"502 what\r\n"], DELIVERED),
    ("EHLO", &[b"500\r\n"], DELIVERED),
    ("EHLO", &[b"554 5.5.1 no such command\n"], DELIVERED),
    ("EHLO", &[b"451 4.3.0 later\r\n"], CHANNEL),
    ("EHLO", &[b"250-peer\r\nHELP\r\n"], CHANNEL),
    ("EHLO", &[b"250-peer\r\n250-SIZE 10\r\n250 HELP\r\n"], NEVER),
    ("EHLO", &[b"250-peer\r\n250-size 99\r\n250 help\r\n"], NEVER),
    ("EHLO", &[b"250-peer\r\n250-SIZE 0\r\n250 HELP\r\n"], DELIVERED),
    ("EHLO", &[b"250-peer\r\n250-SIZE\r\n250 HELP\r\n"], DELIVERED),
    ("STARTTLS", &[b"220\r\n"], DELIVERED),
    ("STARTTLS", &[b"220\n"], DELIVERED),
    ("STARTTLS", &[b"220-go\r\n220 on\r\n"], DELIVERED),
    ("STARTTLS", &[b"2", b"20 ", b"L\xf6s\r", b"\n"], DELIVERED),
    ("STARTTLS", &[b"250 fine\r\n"], DELIVERED),
    ("STARTTLS", &[b"454 4.7.0 TLS not available\r\n"], CHANNEL),
    ("STARTTLS", &[b"502\n"], CHANNEL),
    ("STARTTLS", &[b"571 no\r\n"], CHANNEL),
    ("STARTTLS", &[b"421\r\n"], CHANNEL),
    ("STARTTLS", &[b"354 go\r\n"], CHANNEL),
    ("STARTTLS", &[b"600 no\r\n"], CHANNEL),
    ("STARTTLS", &[b"220-a\r\n554 b\r\n"], CHANNEL),
    ("STARTTLS", &[b"220 go\r\n250-peer\r\n250 AUTH PLAIN\r\n235\r\n250\r\n250\r\n354\r\n250\r\n"], CHANNEL),
    ("STARTTLS", &[b"220 go\r\n250"], CHANNEL),
    ("STARTTLS", &[b"220 go\r\n\n"], CHANNEL),
    ("AUTH", &[b"235\r\n"], DELIVERED),
    ("AUTH", &[b"235\n"], DELIVERED),
    ("AUTH", &[b"235-2.7.0 willkommen zur\xfcck\r\n235 2.7.0\r\n"], DELIVERED),
    ("AUTH", &[b"23", b"5 2.7.0", b"\r", b"\n"], DELIVERED),
    ("AUTH", &[b"200 fine\r\n"], DELIVERED),
    ("AUTH", &[b"535\r\n"], CHANNEL),
    ("AUTH", &[b"535 5.7.8 Kennwort ung\xfcltig\n"], CHANNEL),
    ("AUTH", &[b"535-5.7.8 Username and Password not accepted.\r\n535 5.7.8 BadCredentials\r\n"], CHANNEL),
    ("AUTH", &[b"571 no\r\n"], CHANNEL),
    ("AUTH", &[b"550 5.1.1 no such user\r\n"], CHANNEL),
    ("AUTH", &[b"454 4.7.0\r\n"], CHANNEL),
    ("AUTH", &[b"421\r\n"], CHANNEL),
    ("AUTH", &[b"334\r\n"], CHANNEL),
    ("AUTH", &[b"600 what\r\n"], CHANNEL),
    ("AUTH", &[b"235 ok\r\n250 queued\r\n"], CHANNEL),
    ("MAIL", &[b"250\r\n"], DELIVERED),
    ("MAIL", &[b"200 fine\r\n"], DELIVERED),
    ("MAIL", &[b"571 refused\r\n"], CHANNEL),
    ("MAIL", &[b"421\n"], CHANNEL),
    ("MAIL", &[b"550-5.7.1 not\r\n550 5.7.1 you\r\n"], CHANNEL),
    ("MAIL", &[b"354 go\r\n"], CHANNEL),
    ("RCPT", &[b"250\r\n"], DELIVERED),
    ("RCPT", &[b"251 will forward\r\n"], DELIVERED),
    ("RCPT", &[b"252\n"], DELIVERED),
    ("RCPT", &[b"550\r\n"], UNCLEAR),
    ("RCPT", &[b"571 refused\r\n"], UNCLEAR),
    ("RCPT", &[b"599\n"], UNCLEAR),
    ("RCPT", &[b"550 5.1.1 Empf\xe4nger unbekannt\r\n"], NEVER),
    ("RCPT", &[b"550-5.1.1 no\r\n550-5.1.1 such\r\n550 5.1.1 user\r\n"], NEVER),
    ("RCPT", &[b"5", b"50 5.1.1", b" no such user\r", b"\n"], NEVER),
    ("RCPT", &[b"450\r\n"], LATER),
    ("RCPT", &[b"450-greylisted\n450 come again\n"], LATER),
    ("RCPT", &[b"499 odd\r\n"], LATER),
    ("RCPT", &[b"421\r\n"], CHANNEL),
    ("RCPT", &[b"530\r\n"], CHANNEL),
    ("RCPT", &[b"554 5.7.1 Relay access denied\n"], CHANNEL),
    ("RCPT", &[b"250 ok\r\n250 ok\r\n"], CHANNEL),
    ("RCPT", &[b"250 ok\r\n421 4.4.2 bye\r\n"], CHANNEL),
    ("RCPT", &[b"250-a\r\n550 b\r\n"], CHANNEL),
    ("RCPT", &[b"ok\r\n"], CHANNEL),
    ("RCPT", &[b"600 no\r\n"], CHANNEL),
    ("DATA", &[b"354\r\n"], DELIVERED),
    ("DATA", &[b"354\n"], DELIVERED),
    ("DATA", &[b"355 \xe4\r\n"], DELIVERED),
    ("DATA", &[b"354-go\r\n354 on\r\n"], DELIVERED),
    ("DATA", &[b"250 ok\r\n"], CHANNEL),
    ("DATA", &[b"451\r\n"], LATER),
    ("DATA", &[b"554 5.5.1 no valid recipients\r\n"], NEVER),
    ("DATA", &[b"354 go\r\n250 2.0.0 queued\r\n"], CHANNEL),
    ("DOT", &[b"250\r\n"], DELIVERED),
    ("DOT", &[b"250\n"], DELIVERED),
    ("DOT", &[b"250 \xdcbernommen\r\n"], DELIVERED),
    ("DOT", &[b"250-queued\r\n250\r\n"], DELIVERED),
    ("DOT", &[b"200\r\n"], DELIVERED),
    ("DOT", &[b"25", b"0", b"\r\n"], DELIVERED),
    ("DOT", &[b"250 ok\r\n421 4.4.2 bye\r\n"], DELIVERED),
    ("DOT", &[b"571 refused\r\n"], UNCLEAR),
    ("DOT", &[b"554\r\n"], UNCLEAR),
    ("DOT", &[b"552 5.3.4 too large\r\n"], NEVER),
    ("DOT", &[b"554 5.7.1 Spam\xfcberpr\xfcfung\r\n"], NEVER),
    ("DOT", &[b"452\r\n"], LATER),
    ("DOT", &[b"421\r\n"], CHANNEL),
    ("DOT", &[b"354 go on\r\n"], UNKNOWN),
    ("DOT", &[b"600 what\r\n"], UNKNOWN),
    ("DOT", &[b"2500 ok\r\n"], UNKNOWN),
    ("DOT", &[b"250-a\r\n550 b\r\n"], UNKNOWN),
    ("DOT", &[b"HTTP/1.1 200 OK\r\n"], UNKNOWN),
    ("RSET", &[b"250\n"], DELIVERED),
    ("RSET", &[b"502\r\n"], DELIVERED),
    ("RSET", &[b"421\r\n"], DELIVERED),
    ("RSET", &[b"600\r\n"], DELIVERED),
    ("QUIT", &[b"221\r\n"], DELIVERED),
    ("QUIT", &[b"221-auf\n221 Wiederh\xf6ren\n"], DELIVERED),
    ("QUIT", &[b"421\r\n"], DELIVERED),
    ("QUIT", &[b"500 what\r\n"], DELIVERED),
    ("QUIT", &[b"600\r\n"], DELIVERED),
    ("QUIT", &[b"\xff\xfe\r\n"], DELIVERED),
];

/// Codes that relays say, the odd ones too.
const CODES: [u16; 26] = [
    200, 220, 221, 235, 250, 251, 299, 334, 354, 399, 421, 432, 450, 451, 452, 454, 499, 500, 501, 502, 504,
    530, 550, 554, 571, 599,
];
/// In which forms: without text and with lone line feeds; in Latin-1, of several lines; in pieces.
const MANNERS: usize = 3;

/// A code in one of its manners.
fn said(code: u16, manner: usize) -> &'static [&'static [u8]] {
    let pieces: Vec<Vec<u8>> = match manner {
        0 => vec![format!("{code}\n").into_bytes()],
        1 => {
            let mut lines = format!("{code}-gr").into_bytes();
            lines.extend(b"\xfc\xdfe\r\n");
            lines.extend(format!("{code} und tsch").bytes());
            lines.extend(b"\xfcss\r\n");
            vec![lines]
        }
        _ => format!("{code} so\r\n").bytes().map(|byte| vec![byte]).collect(),
    };
    let pieces = pieces.into_iter().map(|piece| &*Vec::leak(piece)).collect::<Vec<&'static [u8]>>();
    Vec::leak(pieces)
}

/// What a relay offers besides: nothing, or to take commands ahead of its replies.
const WAYS: [&[&str]; 2] = [&[], &["PIPELINING"]];

/// What becomes of a mail; at a session's end, which no mail waits for, of a probe.
async fn outcome_of(
    step: &'static str,
    pieces: &'static [&'static [u8]],
    way: &'static [&'static str],
) -> Outcome {
    let script = Script { offers: way.to_vec(), ..always(step, Act::SayIn(pieces)) };
    let (settings, script) = match step {
        "STARTTLS" => {
            (SmtpSettings { tls: TlsMode::StartTls, ..plain_relay(0) }, offering(script, "STARTTLS"))
        }
        "AUTH" => (
            SmtpSettings { credentials: Some(credentials()), ..plain_relay(0) },
            offering(script, "AUTH PLAIN"),
        ),
        _ => (plain_relay(0), script),
    };
    let peer = Peer::start(script).await;
    let email = Email::new(SmtpSettings { port: peer.port, ca: Some(peer.ca.clone()), ..settings }).unwrap();
    if matches!(step, "RSET" | "QUIT") {
        return email.probe().await.err().unwrap_or_else(|| Outcome::new(DELIVERED, "works"));
    }
    email.send(&mail()).await.outcome
}

fn offering(mut script: Script, way: &'static str) -> Script {
    script.offers.push(way);
    script
}

#[tokio::test]
async fn what_a_relay_answers_is_understood_in_whatever_form_it_comes() {
    for (&(step, pieces, kind), way) in FORMS.iter().flat_map(|form| WAYS.map(|way| (form, way))) {
        let outcome = outcome_of(step, pieces, way).await;
        let said =
            pieces.iter().map(|piece| piece.escape_ascii().to_string()).collect::<Vec<_>>().join(" | ");
        println!("{step:<8}  {said:<64}  {:?}: {}", outcome.kind, outcome.reply);
        assert_eq!(outcome.kind, kind, "{step}: {said}: {}", outcome.reply);
    }
    println!("{} answers", FORMS.len() * WAYS.len());
}

/// What is about us, whoever it is said of: the relay goes away, or wants another login.
const OURS: [u16; 3] = [421, 432, 530];

/// RFC 5321 4.2: the first digit decides. At a session's beginning all that is no success is about the relay and us; of
/// EHLO a refusal leads to HELO; where a mail is named, what is refused is its own. What ends the session is not asked.
fn meant(step: &str, code: u16) -> OutcomeKind {
    match (step, code / 100) {
        ("DATA", 2) => CHANNEL,
        ("RSET" | "QUIT", _) | ("DATA", 3) | ("EHLO", 5) | (_, 2) => DELIVERED,
        ("DOT", 3) => UNKNOWN,
        ("RCPT" | "DATA" | "DOT", 4) if !OURS.contains(&code) => LATER,
        ("RCPT" | "DATA" | "DOT", 5) if !OURS.contains(&code) => UNCLEAR,
        _ => CHANNEL,
    }
}

#[tokio::test]
async fn a_code_means_the_same_in_every_manner_at_each_step() {
    for step in ["GREETING", "EHLO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA", "DOT", "RSET", "QUIT"] {
        for code in CODES {
            for (manner, way) in (0..MANNERS).flat_map(|manner| WAYS.map(|way| (manner, way))) {
                let outcome = outcome_of(step, said(code, manner), way).await;
                let wanted = meant(step, code);
                assert_eq!(outcome.kind, wanted, "{step}: {code} in manner {manner}: {}", outcome.reply);
            }
        }
        println!("{step:<8}  {} answers", CODES.len() * MANNERS * WAYS.len());
    }
}

#[tokio::test]
async fn an_answer_without_end_is_no_answer_at_whatever_step() {
    for (step, kind) in [("GREETING", CHANNEL), ("EHLO", CHANNEL), ("RCPT", CHANNEL), ("DOT", UNKNOWN)] {
        for again in [&b"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"[..], b"220-and more\r\n", &[0; 512]] {
            let peer = Peer::start(always(step, Act::Babble(again))).await;
            let outcome = Email::new(plain_relay(peer.port)).unwrap().send(&mail()).await.outcome;
            assert_eq!(outcome.kind, kind, "{step}: {}", outcome.reply);
            assert!(outcome.reply.contains("does not end within"), "{step}: {}", outcome.reply);
        }
    }
}

#[tokio::test]
async fn a_relay_that_takes_neither_ehlo_nor_helo_is_told_by_its_first_refusal() {
    let mut script = always("EHLO", Act::Say("550 5.7.1 not you\r\n"));
    script.always.insert("HELO", Act::Say("503 5.5.1 nor this\r\n"));
    let peer = Peer::start(script).await;
    let outcome = Email::new(plain_relay(peer.port)).unwrap().send(&mail()).await.outcome;
    assert_eq!((outcome.kind, outcome.reply.as_str()), (CHANNEL, "550 5.7.1 not you"));
    assert_eq!(peer.lines("HELO"), ["HELO [127.0.0.1]"]);
}

#[tokio::test]
async fn a_goodbye_after_a_mail_costs_the_next_one_nothing() {
    let peer = Peer::start(Script::default()).await;
    peer.does_once("DOT", Act::Say("250 2.0.0 queued as 42\r\n421 4.4.2 that was all\r\n"));
    let email = Email::new(plain_relay(peer.port)).unwrap();
    for _ in 0..2 {
        assert_eq!(email.send(&mail()).await.outcome.kind, DELIVERED);
    }
    assert_eq!((peer.connections(), peer.mails().len()), (2, 2));
}

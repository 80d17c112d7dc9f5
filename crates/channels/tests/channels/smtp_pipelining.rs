//! Relays that take commands ahead of their replies (RFC 2920), and relays that only say so.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use application::ports::Channel;
use domain::attempt::{Outcome, OutcomeKind, Scope};
use orderbell_channels::email::{Email, SmtpSettings};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::fixtures::{TIMEOUT, mail, plain_relay};
use crate::smtp_peer::{Act, Peer, Script, always};

const DELIVERED: OutcomeKind = OutcomeKind::Delivered;
const CHANNEL: OutcomeKind = OutcomeKind::Transient(Scope::Channel);
const LATER: OutcomeKind = OutcomeKind::Transient(Scope::Delivery);
const NEVER: OutcomeKind = OutcomeKind::Permanent(Scope::Delivery);

fn offering(script: Script) -> Script {
    Script { offers: vec!["PIPELINING"], ..script }
}

async fn outcome(email: &Email) -> Outcome {
    email.send(&mail()).await.outcome
}

/// One side of a conversation, line by line.
type Line = BufReader<TcpStream>;

/// What a relay does with its first connection, once it greeted and offered PIPELINING; the others are answered a command at
/// a time.
#[derive(Clone, Copy)]
enum Manner {
    /// Answers nothing before DATA has come, and then all at once.
    Glued,
    /// Reads MAIL FROM, forgets what else came with it, and answers MAIL FROM alone.
    Forgetting,
    /// Hangs up at whatever comes before it was asked for.
    Strict,
    /// Answers with these lines whatever comes.
    Saying(&'static str),
    /// Reads nothing any more.
    Deaf,
}

/// What a relay heard after it had answered what came ahead, on its first connection.
type Heard = Arc<Mutex<Vec<u8>>>;

#[expect(clippy::disallowed_methods, reason = "the relay is another party and runs beside the test")]
async fn relay(manner: Manner) -> (SmtpSettings, Heard) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let settings = plain_relay(listener.local_addr().unwrap().port());
    let heard = Heard::default();
    let ear = Arc::clone(&heard);
    tokio::spawn(async move {
        let mut first = Some(manner);
        while let Ok((stream, _)) = listener.accept().await {
            let (manner, ear) = (first.take(), Arc::clone(&ear));
            tokio::spawn(async move {
                let mut line = BufReader::new(stream);
                greet(&mut line).await?;
                match manner {
                    Some(manner) => misbehave(&mut line, manner, &ear).await,
                    None => a_command_at_a_time(&mut line).await,
                }
            });
        }
    });
    (settings, heard)
}

async fn greet(line: &mut Line) -> Option<()> {
    say(line, "220 relay ESMTP\r\n").await?;
    hear(line).await?;
    say(line, "250-relay\r\n250 PIPELINING\r\n").await
}

async fn say(line: &mut Line, words: &str) -> Option<()> {
    line.write_all(words.as_bytes()).await.ok()
}

async fn hear(line: &mut Line) -> Option<String> {
    let mut said = String::new();
    (line.read_line(&mut said).await.ok()? > 0).then_some(said)
}

async fn misbehave(line: &mut Line, manner: Manner, heard: &Heard) -> Option<()> {
    match manner {
        Manner::Glued => {
            for verb in ["MAIL", "RCPT", "DATA"] {
                assert!(hear(line).await?.starts_with(verb));
            }
            say(line, "250 ok\r\n250 ok\r\n354 go on\r\n").await?;
            while hear(line).await? != ".\r\n" {}
            say(line, "250 2.0.0 queued\r\n").await?;
        }
        Manner::Forgetting => {
            hear(line).await?;
            let ahead = line.buffer().len();
            line.consume(ahead);
            say(line, "250 ok\r\n").await?;
        }
        Manner::Strict => {
            hear(line).await?;
            if !line.buffer().is_empty() {
                return None;
            }
        }
        Manner::Saying(words) => {
            for _ in 0..3 {
                hear(line).await?;
            }
            say(line, words).await?;
        }
        Manner::Deaf => std::future::pending().await,
    }
    let mut rest = Vec::new();
    let _whatever_ends_it = line.read_to_end(&mut rest).await;
    heard.lock().unwrap().extend(rest);
    Some(())
}

/// Takes mails, and nothing that comes ahead.
async fn a_command_at_a_time(line: &mut Line) -> Option<()> {
    loop {
        let said = hear(line).await?;
        if !line.buffer().is_empty() {
            return None;
        }
        match said.split(' ').next()?.trim_end() {
            "DATA" => {
                say(line, "354 go on\r\n").await?;
                while hear(line).await? != ".\r\n" {}
                say(line, "250 2.0.0 queued\r\n").await?;
            }
            _ => say(line, "250 ok\r\n").await?,
        }
    }
}

#[tokio::test]
async fn sender_recipient_and_data_go_together_where_the_relay_takes_them_and_a_reply_is_waited_for_where_not()
 {
    let (ahead, _) = relay(Manner::Glued).await;
    assert_eq!(outcome(&Email::new(ahead).unwrap()).await.kind, DELIVERED);
    for offers in [vec![], vec!["PIPELININGS", "X-PIPELINING"]] {
        let peer = Peer::start(Script { offers, ..Script::default() }).await;
        peer.does_once("RCPT", Act::Say("550 5.1.1 no such user\r\n"));
        assert_eq!(outcome(&Email::new(plain_relay(peer.port)).unwrap()).await.kind, NEVER);
        assert!(peer.lines("DATA").is_empty());
    }
}

#[tokio::test]
async fn many_mails_go_over_one_line_that_takes_commands_ahead() {
    let peer = Peer::start(offering(Script::default())).await;
    let email = Email::new(plain_relay(peer.port)).unwrap();
    for _ in 0..3 {
        assert_eq!(outcome(&email).await.reply, "250 2.0.0 queued as 42");
    }
    assert_eq!((peer.connections(), peer.mails().len()), (1, 3));
    assert!(peer.lines("RSET").is_empty() && peer.lines("NOOP").is_empty());
}

#[tokio::test]
async fn each_reply_counts_for_the_command_that_it_answers() {
    for (step, answer, kind) in [
        ("MAIL", "550 5.7.1 not your address\r\n", CHANNEL),
        ("MAIL", "451 4.3.0 later\r\n", CHANNEL),
        ("RCPT", "550 5.1.1 no such user\r\n", NEVER),
        ("RCPT", "450 4.2.1 greylisted\r\n", LATER),
        ("RCPT", "554 5.7.1 Relay access denied\r\n", CHANNEL),
        ("RCPT", "421 4.7.0 too much\r\n", CHANNEL),
        ("DATA", "451 4.3.0 later\r\n", LATER),
        ("DATA", "554 5.6.0 no\r\n", NEVER),
        ("DOT", "452 4.3.1 disk full\r\n", LATER),
        ("DOT", "554 5.6.0 no\r\n", NEVER),
    ] {
        let mut script = offering(always(step, Act::Say(answer)));
        if matches!(step, "MAIL" | "RCPT") {
            script.always.insert("DATA", Act::Say("503 5.5.1 need RCPT\r\n"));
        }
        let peer = Peer::start(script).await;
        let outcome = outcome(&Email::new(plain_relay(peer.port)).unwrap()).await;
        assert_eq!((outcome.kind, outcome.reply.as_str()), (kind, answer.trim_end()), "{step}");
        assert!(peer.mails().is_empty());
    }
}

#[tokio::test]
async fn a_line_is_used_again_where_a_refused_recipients_data_was_refused_too() {
    for refusal in ["503 5.5.1 need RCPT\r\n", "554 5.5.1 no valid recipients\r\n"] {
        let peer = Peer::start(offering(Script::default())).await;
        let email = Email::new(plain_relay(peer.port)).unwrap();
        peer.does_once("RCPT", Act::Say("550 5.1.1 no such user\r\n"));
        peer.does_once("DATA", Act::Say(refusal));
        assert_eq!(outcome(&email).await.kind, NEVER);
        assert_eq!(outcome(&email).await.kind, DELIVERED);
        assert_eq!((peer.connections(), peer.lines("RSET").len(), peer.mails().len()), (1, 1, 1));
    }
}

#[tokio::test]
async fn a_relay_that_takes_data_for_a_refused_recipient_is_left_without_a_word_and_has_no_mail() {
    let (settings, heard) = relay(Manner::Saying("250 ok\r\n550 5.1.1 no such user\r\n354 go on\r\n")).await;
    let email = Email::new(settings).unwrap();
    let refused = outcome(&email).await;
    assert_eq!((refused.kind, refused.reply.as_str()), (NEVER, "550 5.1.1 no such user"));
    assert!(heard.lock().unwrap().is_empty(), "neither a dot nor a command");

    let peer = Peer::start(offering(Script::default())).await;
    let email = Email::new(plain_relay(peer.port)).unwrap();
    peer.does_once("RCPT", Act::Say("450 4.2.1 greylisted\r\n"));
    assert_eq!(outcome(&email).await.kind, LATER);
    assert_eq!(outcome(&email).await.kind, DELIVERED);
    assert_eq!((peer.connections(), peer.mails().len(), peer.lines("RSET").len()), (2, 1, 0));
}

#[tokio::test]
async fn a_relay_that_breaks_what_it_offers_is_spoken_to_a_command_at_a_time_from_then_on() {
    for manner in [
        Manner::Forgetting,
        Manner::Strict,
        Manner::Deaf,
        Manner::Saying("250 ok\r\n503 5.5.1 bad sequence\r\n503 5.5.1 bad sequence\r\n"),
        Manner::Saying("250 ok\r\n250 ok\r\n503 5.5.0 improper pipelining\r\n"),
        Manner::Saying("250 ok\r\n354 one answer for all\r\n"),
        Manner::Saying("250 ok\r\n250 ok\r\n250 ok\r\n"),
        Manner::Saying("354 go on\r\n250 ok\r\n250 ok\r\n"),
        Manner::Saying("250 ok\r\n250 ok\r\n354 go on\r\n250 2.0.0 queued\r\n"),
        Manner::Saying("250 ok\r\n250 ok\r\n354 go"),
        Manner::Saying("250 ok\r\n250 o"),
        Manner::Saying("250 ok\r\n250-a\r\n354 b\r\n"),
        Manner::Saying("\r\n"),
    ] {
        let (settings, heard) = relay(manner).await;
        let email = Email::new(SmtpSettings { timeout: TIMEOUT / 5, ..settings }).unwrap();
        let first = outcome(&email).await;
        assert_eq!(first.kind, CHANNEL, "{}", first.reply);
        for _ in 0..2 {
            let next = outcome(&email).await;
            assert_eq!(next.kind, DELIVERED, "{} after {}", next.reply, first.reply);
        }
        assert!(heard.lock().unwrap().is_empty(), "nothing of a mail: {}", first.reply);
    }
}

#[tokio::test]
async fn replies_that_come_in_pieces_and_late_are_waited_for_each_as_long_as_a_step_may_take() {
    const PIECES: &[&[u8]] = &[b"2", b"50 2.", b"1.0 ok\r", b"\n"];
    let script = HashMap::from([("MAIL", Act::SayIn(PIECES)), ("RCPT", Act::SayIn(PIECES))]);
    let peer = Peer::start(offering(Script { always: script, ..Script::default() })).await;
    assert_eq!(outcome(&Email::new(plain_relay(peer.port)).unwrap()).await.kind, DELIVERED);

    let slow = slow_relay(TIMEOUT.mul_f64(0.6)).await;
    let taken = outcome(&Email::new(slow).unwrap()).await;
    assert_eq!(taken.kind, DELIVERED, "{}", taken.reply);
}

/// One that thinks before each of its replies.
#[expect(
    clippy::disallowed_methods,
    reason = "the relay is another party, runs beside the test, and is slow"
)]
async fn slow_relay(pause: Duration) -> SmtpSettings {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let settings = plain_relay(listener.local_addr().unwrap().port());
    tokio::spawn(async move {
        let mut line = BufReader::new(listener.accept().await.unwrap().0);
        greet(&mut line).await?;
        for (verb, reply) in [("MAIL", "250 ok\r\n"), ("RCPT", "250 ok\r\n"), ("DATA", "354 go on\r\n")] {
            assert!(hear(&mut line).await?.starts_with(verb));
            tokio::time::sleep(pause).await;
            say(&mut line, reply).await?;
        }
        while hear(&mut line).await? != ".\r\n" {}
        tokio::time::sleep(pause).await;
        say(&mut line, "250 2.0.0 queued\r\n").await
    });
    settings
}

#[tokio::test]
async fn a_line_lost_after_commands_ahead_is_the_channels_failure_and_after_the_content_nobody_knows() {
    for (step, kind) in [
        ("MAIL", CHANNEL),
        ("RCPT", CHANNEL),
        ("DATA", CHANNEL),
        ("BODY", OutcomeKind::Unknown),
        ("DOT", OutcomeKind::Unknown),
    ] {
        for act in [Act::HangUp, Act::Hang] {
            let peer = Peer::start(offering(always(step, act))).await;
            let settings = SmtpSettings { timeout: TIMEOUT / 5, ..plain_relay(peer.port) };
            let outcome = outcome(&Email::new(settings).unwrap()).await;
            assert_eq!(outcome.kind, kind, "{step}: {}", outcome.reply);
            assert!(peer.mails().is_empty());
        }
    }
}

#[tokio::test]
async fn a_line_that_died_while_it_waited_costs_nothing_and_is_no_breach_of_what_was_offered() {
    for death in [Act::HangUp, Act::Say("421 4.4.2 idle too long\r\n"), Act::Hang] {
        let peer = Peer::start(offering(Script::default())).await;
        let settings = SmtpSettings { timeout: TIMEOUT / 5, ..plain_relay(peer.port) };
        let email = Email::new(settings).unwrap();
        assert_eq!(outcome(&email).await.kind, DELIVERED);
        peer.does_once("MAIL", death);
        assert_eq!(outcome(&email).await.kind, DELIVERED);
        // DATA came along, though the recipient was refused: it still goes ahead.
        peer.does_once("RCPT", Act::Say("550 5.1.1 no such user\r\n"));
        let asked = peer.lines("DATA").len();
        assert_eq!(outcome(&email).await.kind, NEVER);
        assert_eq!((peer.lines("DATA").len(), peer.mails().len()), (asked + 1, 2));
    }
}

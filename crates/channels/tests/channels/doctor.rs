//! The walk to a relay, and what it says when it comes to an end.

use domain::endpoint::EmailAddress;
use orderbell_channels::email::doctor::{Step, examine};
use orderbell_channels::email::{Credentials, Sender, SmtpAuth, SmtpSettings, TlsMode};

use crate::fixtures::{credentials, plain_relay};
use crate::smtp_peer::{Act, Peer, Script, always};
use crate::token_server::{Grant, TokenServer};

fn jane() -> EmailAddress {
    EmailAddress::parse("recipient", "jane@example.com").unwrap()
}

fn names(steps: &[Step]) -> Vec<&'static str> {
    steps.iter().map(|step| step.name).collect()
}

fn complaint(steps: &[Step]) -> &str {
    steps.last().unwrap().result.as_ref().unwrap_err()
}

#[tokio::test]
async fn a_relay_in_order_is_walked_to_the_end_and_nothing_is_sent() {
    let script = Script { offers: vec!["STARTTLS", "AUTH PLAIN"], ..Script::default() };
    let peer = Peer::start(script).await;
    let relay = plain_relay(peer.port);
    let ca = Some(peer.ca.clone());
    let settings = SmtpSettings { tls: TlsMode::StartTls, ca, credentials: Some(credentials()), ..relay };
    let steps = examine(&settings, Some(&jane())).await;
    assert_eq!(names(&steps), ["name", "connect", "greeting", "TLS", "AUTH", "MAIL FROM", "RCPT TO"]);
    assert!(steps.iter().all(|step| step.result.is_ok()), "{steps:?}");
    assert!(peer.lines("DATA").is_empty() && peer.mails().is_empty());
    assert_eq!((peer.lines("RSET").len(), peer.lines("QUIT").len()), (1, 1));
}

#[tokio::test]
async fn without_a_recipient_the_walk_ends_at_mail_from() {
    let peer = Peer::start_implicit(Script::default()).await;
    let relay = plain_relay(peer.port);
    let settings = SmtpSettings { tls: TlsMode::Implicit, ca: Some(peer.ca.clone()), ..relay };
    let steps = examine(&settings, None).await;
    assert_eq!(names(&steps), ["name", "connect", "TLS", "greeting", "MAIL FROM"]);
    assert!(steps.iter().all(|step| step.result.is_ok()), "{steps:?}");
}

#[tokio::test]
async fn the_walk_ends_where_it_fails_and_says_what_to_check() {
    for (step, answer, name, advice) in [
        ("GREETING", "554 5.7.1 no\r\n", "greeting", "may be on a blocklist"),
        ("GREETING", "421 4.3.2 busy\r\n", "greeting", "hangs up for now"),
        ("GREETING", "450 4.3.2 wait\r\n", "greeting", "puts us off"),
        ("EHLO", "501 5.5.4 bad name\r\n", "greeting", "smtp.hello_name"),
        ("EHLO", "502 5.5.1 what\r\n", "greeting", "does not know that command"),
        ("AUTH", "502 5.5.1 what\r\n", "AUTH", "does not know that command"),
        ("AUTH", "454 4.7.0 later\r\n", "AUTH", "says nothing of the password"),
        ("AUTH", "535 5.7.139 basic authentication is disabled\r\n", "AUTH", "smtp.token_url"),
        ("MAIL", "451 4.3.0 later\r\n", "MAIL FROM", "puts us off"),
        ("MAIL", "421 4.7.0 too much\r\n", "MAIL FROM", "hangs up for now"),
        ("RCPT", "450 4.2.0 Greylisted\r\n", "RCPT TO", "greylisting"),
        ("RCPT", "451 later\r\n", "RCPT TO", "greylisting"),
        ("RCPT", "450 4.7.1 Client host rejected\r\n", "RCPT TO", "whatever the address"),
        ("RCPT", "421 4.7.0 too much\r\n", "RCPT TO", "hangs up for now"),
        ("RCPT", "501 5.1.3 bad syntax\r\n", "RCPT TO", "how it is written"),
        ("RCPT", "550 5.1.1 no such user\r\n", "RCPT TO", "Check the address"),
        ("RCPT", "554 5.7.1 Relay access denied\r\n", "RCPT TO", "may send to other domains"),
        ("RCPT", "554\r\n", "RCPT TO", "does not say whether"),
        ("AUTH", "535 5.7.8 wrong\r\n", "AUTH", "Check user and password"),
        ("MAIL", "553 5.7.1 not yours\r\n", "MAIL FROM", "orders@shop.example"),
        ("RCPT", "550 5.7.1 no relaying\r\n", "RCPT TO", "may send to other domains"),
        ("GREETING", "521 5.3.2 no mail here\r\n", "greeting", "names for sending"),
        ("EHLO", "421 4.7.0 slow down\r\n", "greeting", "hangs up for now"),
        ("EHLO", "550 5.7.1 your name is not right\r\n", "greeting", "does not want to talk"),
        ("AUTH", "421 4.7.0 too many\r\n", "AUTH", "hangs up for now"),
        ("AUTH", "504 5.5.4 no such way\r\n", "AUTH", "does not take this way to log in"),
        ("AUTH", "534 5.7.9 Application-specific password required\r\n", "AUTH", "app password"),
        ("AUTH", "538 5.7.11 Encryption required\r\n", "AUTH", "TLS first"),
        ("MAIL", "452 4.3.1 Insufficient system storage\r\n", "MAIL FROM", "puts us off"),
        ("MAIL", "530 5.7.0 Must issue a STARTTLS command first\r\n", "MAIL FROM", "smtp.tls"),
        ("MAIL", "501 5.1.7 Bad sender address syntax\r\n", "MAIL FROM", "does not let us send as"),
        (
            "MAIL",
            "550 5.7.60 no permission to send as this sender\r\n",
            "MAIL FROM",
            "does not let us send as",
        ),
        ("RCPT", "450 4.1.2 Domain not found\r\n", "RCPT TO", "come again later"),
        ("RCPT", "452 4.2.2 Mailbox full\r\n", "RCPT TO", "full or switched off"),
        ("RCPT", "552 5.2.2 Over quota\r\n", "RCPT TO", "full or switched off"),
        ("RCPT", "550 5.2.1 Mailbox disabled\r\n", "RCPT TO", "full or switched off"),
        ("RCPT", "552 no room\r\n", "RCPT TO", "full or switched off"),
        ("RCPT", "571 5.7.1 Delivery not authorized\r\n", "RCPT TO", "whatever the address"),
        ("RCPT", "550 5.7.23 SPF validation failed\r\n", "RCPT TO", "whatever the address"),
        ("RCPT", "550 5.4.5 Daily user sending limit exceeded\r\n", "RCPT TO", "how much was sent"),
        ("RCPT", "503 5.5.1 need MAIL first\r\n", "RCPT TO", "says nothing of the address"),
        ("RCPT", "500 5.5.2 unrecognized command\r\n", "RCPT TO", "says nothing of the address"),
        ("RCPT", "553 5.1.3 not an address\r\n", "RCPT TO", "how it is written"),
    ] {
        let mut script = Script { offers: vec!["AUTH PLAIN"], ..always(step, Act::Say(answer)) };
        if step == "EHLO" {
            script.always.insert("HELO", Act::Say(answer));
        }
        let peer = Peer::start(script).await;
        let settings = SmtpSettings { credentials: Some(credentials()), ..plain_relay(peer.port) };
        let steps = examine(&settings, Some(&jane())).await;
        assert_eq!(steps.last().unwrap().name, name);
        assert!(steps[..steps.len() - 1].iter().all(|step| step.result.is_ok()));
        let complaint = complaint(&steps);
        assert!(complaint.contains(advice) && complaint.contains(answer.trim_end()), "{complaint}");
        assert!(!complaint.contains("correct horse"));
    }
}

#[tokio::test]
async fn a_domain_of_one_machine_is_examined_at_its_own_relay_only() {
    let root = EmailAddress::parse("recipient", "root@localhost").unwrap();
    let peer = Peer::start(Script::default()).await;
    let from = Sender::parse("root@localhost").unwrap();
    let steps = examine(&SmtpSettings { from: from.clone(), ..plain_relay(peer.port) }, Some(&root)).await;
    assert!(steps.iter().all(|step| step.result.is_ok()), "{steps:?}");
    assert_eq!(peer.lines("MAIL"), ["MAIL FROM:<root@localhost>"]);
    assert_eq!(peer.lines("RCPT"), ["RCPT TO:<root@localhost>"]);

    let elsewhere = SmtpSettings { host: "relay.example".to_owned(), ..plain_relay(25) };
    let steps = examine(&elsewhere, Some(&root)).await;
    assert_eq!(names(&steps), ["RCPT TO"]);
    assert!(complaint(&steps).contains("a relay on this machine only"), "{}", complaint(&steps));
    let steps = examine(&SmtpSettings { from, ..elsewhere }, None).await;
    assert_eq!(names(&steps), ["settings"]);
    assert!(complaint(&steps).starts_with("from must have a full domain"), "{}", complaint(&steps));
}

/// As Microsoft 365 words it.
#[tokio::test]
async fn what_microsoft_means_by_one_code_is_told_apart() {
    let refused =
        |text: &str| format!("535 5.7.139 Authentication unsuccessful, {text} [AM0PR01.example]\r\n");
    let off = refused(
        "SmtpClientAuthentication is disabled for the Tenant. Visit https://aka.ms/smtp_auth_disabled",
    );
    let mailbox = refused("SmtpClientAuthentication is disabled for the Mailbox.");
    let basic = refused("basic authentication is disabled.");
    let locked = refused("user is locked by your organization's security defaults policy.");
    let criteria = refused("the request did not meet the criteria to be authenticated successfully.");
    let incorrect = refused("the user credentials were incorrect.");
    let client = "550 5.7.30 Basic authentication is not supported for Client Submission.\r\n".to_owned();
    let late = "530 5.7.57 Client not authenticated to send mail. Error: 535 5.7.139 Authentication unsuccessful, \
                SmtpClientAuthentication is disabled for the Tenant.\r\n";
    let plain = "535 5.7.3 Authentication unsuccessful\r\n".to_owned();
    for (step, answer, by_password, by_token) in [
        ("AUTH", off, "neither a password nor a token", "neither a password nor a token"),
        ("AUTH", mailbox, "Authenticated SMTP", "Authenticated SMTP"),
        ("AUTH", basic, "Set smtp.token_url", "security policy"),
        ("AUTH", locked, "Set smtp.token_url", "security policy"),
        ("AUTH", criteria, "Set smtp.token_url", "security policy"),
        ("AUTH", client, "Set smtp.token_url", "security policy"),
        ("AUTH", incorrect, "Check user and password", "refuses the token"),
        ("AUTH", plain, "Check user and password", "refuses the token"),
        ("MAIL", late.to_owned(), "neither a password nor a token", "neither a password nor a token"),
    ] {
        let answer: &'static str = answer.leak();
        let (_tokens, token) = TokenServer::start(Grant::token()).await;
        let user = "orders@shop.example".to_owned();
        let token = Credentials { user, auth: SmtpAuth::Token(token) };
        for (credentials, advice) in [(credentials(), by_password), (token, by_token)] {
            let offers = vec!["AUTH LOGIN PLAIN XOAUTH2"];
            let peer = Peer::start(Script { offers, ..always(step, Act::Say(answer)) }).await;
            let settings = SmtpSettings { credentials: Some(credentials), ..plain_relay(peer.port) };
            let steps = examine(&settings, None).await;
            assert!(complaint(&steps).contains(advice), "{answer}: {}", complaint(&steps));
        }
    }
}

#[tokio::test]
async fn a_wrong_name_a_wrong_port_and_the_wrong_kind_of_tls_are_told_apart() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (open, encrypted) =
        (Peer::start(Script::default()).await, Peer::start_implicit(Script::default()).await);
    let nameless = SmtpSettings { host: "no-such-host.invalid".to_owned(), ..plain_relay(25) };
    let with_tls = |port, tls| SmtpSettings { tls, ..plain_relay(port) };
    for (settings, name, advice) in [
        (nameless, "name", "Check its spelling"),
        (plain_relay(nobody), "connect", "Check the port"),
        (with_tls(open.port, TlsMode::StartTls), "TLS", "does not offer STARTTLS"),
        (with_tls(open.port, TlsMode::Implicit), "TLS", "choose STARTTLS"),
        (with_tls(encrypted.port, TlsMode::Implicit), "TLS", "CA file"),
        (with_tls(encrypted.port, TlsMode::StartTls), "greeting", "choose implicit TLS"),
        (SmtpSettings { hello_name: Some(String::new()), ..plain_relay(25) }, "settings", "hello_name"),
    ] {
        let steps = examine(&settings, None).await;
        assert_eq!(steps.last().unwrap().name, name, "{steps:?}");
        assert!(complaint(&steps).contains(advice), "{}", complaint(&steps));
    }
}

//! Replies of real relays, and whom they are about.

use super::RefusalSubject::{Delivery, Sender, Unclear};
use super::*;

/// The refusals in their order: the relay's words, and whom they are about.
fn each_is_about(replies: &[(&str, RefusalSubject)]) {
    for (reply, expected) in replies {
        let (code, text) = reply.split_at(3);
        assert_eq!(refusal_subject(code.parse().unwrap(), text.trim_start()), *expected, "{reply}");
    }
}

#[test]
fn postfix() {
    each_is_about(&[
        ("554 5.7.1 <jane@example.com>: Relay access denied", Sender),
        ("454 4.7.1 <jane@example.com>: Relay access denied", Sender),
        ("554 5.7.1 Service unavailable; Client host [192.0.2.7] blocked using zen.spamhaus.org", Sender),
        ("554 5.7.1 <unknown[192.0.2.7]>: Client host rejected: Access denied", Sender),
        ("450 4.7.1 Client host rejected: cannot find your reverse hostname, [192.0.2.7]", Sender),
        ("504 5.5.2 <shop>: Helo command rejected: need fully-qualified hostname", Sender),
        ("553 5.7.1 <orders@shop.example>: Sender address rejected: not owned by user shop", Sender),
        ("550 5.1.8 <orders@shop.example>: Sender address rejected: Domain not found", Sender),
        ("530 5.7.0 Must issue a STARTTLS command first", Sender),
        ("450 4.7.1 <jane@example.com>: Recipient address rejected: Sending quota exceeded", Sender),
        (
            "550 5.1.1 <jane@example.com>: Recipient address rejected: User unknown in virtual mailbox table",
            Delivery,
        ),
        (
            "450 4.1.1 <jane@example.com>: Recipient address rejected: unverified address: connection refused",
            Delivery,
        ),
        (
            "450 4.2.0 <jane@example.com>: Recipient address rejected: Greylisted, see http://postgrey.example",
            Delivery,
        ),
        ("451 4.7.1 Greylisting in action, please come back later", Delivery),
        ("554 5.7.1 <jane@example.com>: Recipient address rejected: Access denied", Delivery),
        ("552 5.3.4 Message size exceeds fixed limit", Delivery),
        ("452 4.3.1 Insufficient system storage", Unclear),
        ("554 5.7.1 Rejected", Unclear),
    ]);
}

#[test]
fn microsoft() {
    each_is_about(&[
        ("550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain", Sender),
        ("550 5.7.64 TenantAttribution; Relay Access Denied", Sender),
        ("550 5.7.60 SMTP; Client does not have permissions to send as this sender", Sender),
        ("554 5.2.252 SendAsDenied; shop@example.com not allowed to send as orders@shop.example", Sender),
        ("554 5.2.0 STOREDRV.Submission.Exception:SendAsDeniedException.MapiExceptionSendAsDenied", Sender),
        ("554 5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException", Sender),
        (
            "550 5.1.90 Your message can't be sent because you've reached your daily limit for recipients",
            Sender,
        ),
        ("550 5.7.30 Basic authentication is not supported for Client Submission", Sender),
        ("535 5.7.139 Authentication unsuccessful, basic authentication is disabled", Sender),
        ("550 5.7.708 Service unavailable. Access denied, traffic not accepted from this IP", Sender),
        ("550 5.7.511 Access denied, banned sender[192.0.2.7]", Sender),
        ("451 4.7.500 Server busy. Please try again later from [192.0.2.7]", Sender),
        ("550 5.7.57 Client not authenticated to send mail", Sender),
        ("550 5.4.1 Recipient address rejected: Access denied", Delivery),
        ("550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup", Delivery),
        ("550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; authentication required", Delivery),
        ("550 5.7.1 RESOLVER.RST.AuthRequired; authentication required", Delivery),
        ("554 5.2.2 mailbox full; STOREDRV.Deliver.Exception:QuotaExceededException", Delivery),
    ]);
}

#[test]
fn google() {
    each_is_about(&[
        (
            "550 5.4.5 Daily user sending limit exceeded. For more information on Gmail sending limits go to",
            Sender,
        ),
        ("550 5.7.0 Mail relay denied [192.0.2.7]. Invalid credentials for relay", Sender),
        ("550 5.7.26 This mail has been blocked because the sender is unauthenticated", Sender),
        (
            "550 5.7.1 The IP you're using to send mail is not authorized to send email directly to our servers",
            Sender,
        ),
        ("530 5.7.0 Authentication Required. For more information, go to", Sender),
        ("450 4.2.1 The user you are trying to contact is receiving mail at a rate that prevents", Delivery),
        ("550 5.1.1 The email account that you tried to reach does not exist.", Delivery),
        ("452 4.2.2 The recipient's inbox is out of storage space.", Delivery),
        (
            "552 5.7.0 This message was blocked because its content presents a potential security issue",
            Delivery,
        ),
    ]);
}

#[test]
fn exim_sendmail_and_qmail() {
    each_is_about(&[
        ("550 relay not permitted", Sender),
        ("550 Sender verify failed", Sender),
        ("550 5.7.1 <jane@example.com>... Relaying denied. Proper authentication required.", Sender),
        ("553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)", Sender),
        ("553 5.3.0 <jane@example.com>... Spam blocked see: http://spamcop.net/bl.shtml?192.0.2.7", Sender),
        ("550 Domain shop.example has exceeded the max emails per hour (100/100 (100%)) allowed", Sender),
        ("550 Unrouteable address", Delivery),
        ("550 sorry, no mailbox here by that name. (#5.1.1)", Delivery),
        ("550 5.1.1 <jane@example.com>... User unknown", Delivery),
        ("554 5.4.6 Too many hops", Delivery),
        ("550 Administrative prohibition", Unclear),
    ]);
}

#[test]
fn services() {
    each_is_about(&[
        (
            "554 Message rejected: Email address is not verified. The following identities failed the check",
            Sender,
        ),
        ("454 Throttling failure: Daily message quota exceeded.", Sender),
        ("454 Throttling failure: Maximum sending rate exceeded.", Sender),
        ("550 Sandbox subdomains are for test purposes only. Please add your own domain", Sender),
        ("550 The from address does not match a verified Sender Identity.", Sender),
        ("451 Authentication failed: Maximum credits exceeded", Sender),
        ("502 5.7.0 Please activate your account: your account is not yet activated", Sender),
        ("553 Sender is not allowed to relay emails", Sender),
        ("550 5.4.6 Unusual sending activity detected. Please try after sometime", Sender),
        ("538 5.7.11 Encryption required for requested authentication mechanism", Sender),
        (
            "554 5.7.1 Your access to this mail system has been rejected due to the sending MTA's poor reputation",
            Sender,
        ),
        ("550 Requested action not taken: mailbox unavailable, invalid DNS PTR resource record", Sender),
        ("550 Requested action not taken: mailbox unavailable", Delivery),
        ("552 Requested mail action aborted: exceeded storage allocation", Unclear),
        ("554 5.7.1 spam", Delivery),
        ("554 5.7.1 Message contains a URL that is listed in dbl.spamhaus.org", Delivery),
        ("554 5.5.1 no valid recipients", Delivery),
        ("571 refused", Unclear),
        ("554", Unclear),
    ]);
}

#[test]
fn a_mailbox_that_is_not_there_is_that_whatever_is_said_of_relays() {
    each_is_about(&[
        (
            "550 <jane@example.com>: Recipient address rejected: User unknown in relay recipient table",
            Delivery,
        ),
        (
            "550 5.1.0 <jane@example.com>: Recipient address rejected: User unknown in relay recipient table",
            Delivery,
        ),
        ("550 Mailbox not found (mx-relay7.example.net)", Delivery),
        ("550 Address refused by mx-relay7.example.net.", Unclear),
        ("554 5.7.1 rejected as spam by the recipient's domain; see the sending guidelines", Delivery),
        ("550 5.7.1 Recipient not authorized to receive external mail", Delivery),
        ("550 5.7.1 You are not authorized to post to this list", Delivery),
        ("550 <orders@shop.example>: Sender address rejected: User unknown in local recipient table", Sender),
        ("550 relay not permitted", Sender),
    ]);
}

#[test]
fn a_recipients_name_is_no_reason() {
    each_is_about(&[
        ("550 <relay-denied@spamhaus.example>: no such user", Delivery),
        ("550 no such user: daily@sending.example", Delivery),
        ("550 5.1.1 <blacklist@your-ip.example> unknown", Delivery),
        ("550 <authentication@example.com> no", Unclear),
    ]);
}

#[test]
fn an_address_is_no_enhanced_code() {
    for text in ["5.2.3.4 no", "192.0.2.7 no", "5.7", "5.x.1 no", "2.0.0 ok", "99999999.1.1 no"] {
        assert_eq!(Enhanced::read(text), None, "{text}");
    }
    assert_eq!(Enhanced::read("5.7.1: no"), Some(Enhanced { class: 5, subject: 7, detail: 1 }));
}

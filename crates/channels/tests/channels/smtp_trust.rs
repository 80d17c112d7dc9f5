//! Whose certificate a relay may show.

use application::ports::Channel;
use domain::attempt::OutcomeKind;
use orderbell_channels::email::{Email, SmtpSettings, TlsMode};
use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};

use crate::fixtures::{mail, plain_relay};
use crate::smtp_peer::{Peer, Script};

/// A certificate, signed by itself, and its key.
pub(crate) fn own(names: &[&str], ca: bool, years: std::ops::Range<i32>) -> (rcgen::Certificate, KeyPair) {
    let key = KeyPair::generate().unwrap();
    (parameters(names, ca, years).self_signed(&key).unwrap(), key)
}

pub(crate) fn parameters(names: &[&str], ca: bool, years: std::ops::Range<i32>) -> CertificateParams {
    let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut parameters = CertificateParams::new(names).unwrap();
    if ca {
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    }
    parameters.not_before = rcgen::date_time_ymd(years.start, 1, 1);
    parameters.not_after = rcgen::date_time_ymd(years.end, 1, 1);
    parameters
}

async fn sent(peer: &Peer, tls: TlsMode, ca: Option<String>) -> (OutcomeKind, String) {
    let settings = SmtpSettings { tls, ca: ca.map(String::into_bytes), ..plain_relay(peer.port) };
    let outcome = Email::new(settings).unwrap().send(&mail()).await.outcome;
    (outcome.kind, outcome.reply)
}

#[tokio::test]
async fn the_very_certificate_that_is_named_is_trusted_whatever_it_says_of_itself() {
    for (names, ca, years) in [
        (&["127.0.0.1"][..], true, 2020..2090),
        (&["127.0.0.1"], false, 2020..2090),
        (&[], true, 2020..2090),
        (&["mail.elsewhere.example"], true, 2020..2090),
        (&["127.0.0.1"], true, 2000..2010),
    ] {
        let (certificate, key) = own(names, ca, years);
        let (other, _) = own(&["127.0.0.1"], true, 2020..2090);
        for tls in [TlsMode::StartTls, TlsMode::Implicit] {
            let script = Script { offers: vec!["starttls"], ..Script::default() };
            let peer = Peer::showing(script, tls == TlsMode::Implicit, &certificate, &key).await;
            for (ca, arrives) in [
                (Some(certificate.pem()), true),
                (Some(other.pem() + &certificate.pem()), true),
                (Some(other.pem()), false),
                (None, false),
            ] {
                let (kind, reply) = sent(&peer, tls, ca).await;
                assert_eq!(kind == OutcomeKind::Delivered, arrives, "{names:?}: {reply}");
                assert!(arrives || reply.starts_with("TLS: invalid peer certificate"), "{reply}");
            }
        }
    }
}

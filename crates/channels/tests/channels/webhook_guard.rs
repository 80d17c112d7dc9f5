//! The SSRF guard, from outside: which URLs are called and which are not.

use application::ports::Channel;
use domain::attempt::{Outcome, OutcomeKind, Scope};
use domain::endpoint::{Protocol, WebhookUrl};
use orderbell_channels::http::{AllowedHost, blocked_address};
use orderbell_channels::webhook::{Webhook, WebhookSettings};

use crate::fixtures::{TIMEOUT, message, notification, rules};
use crate::http_receiver::Receiver;

fn is_refused(url: &str, allowed: &[&str]) -> bool {
    let allowed: Vec<AllowedHost> = allowed.iter().map(|host| host.parse().unwrap()).collect();
    blocked_address(WebhookUrl::parse("url", url).unwrap().url().unwrap(), &allowed).is_some()
}

async fn sent(url: &str, allowed: &[&str]) -> Outcome {
    let allowed_hosts = allowed.iter().map(|host| host.parse().unwrap()).collect();
    let settings = WebhookSettings { allowed_hosts, ca: None, timeout: TIMEOUT, rules: rules() };
    Webhook::new(settings).unwrap().send(&message(Protocol::Webhook, url, notification())).await.outcome
}

#[test]
fn urls_that_hold_an_address_inside_are_refused_however_they_are_written() {
    for url in [
        "http://127.0.0.1/",
        "http://127.1/",
        "http://127.0.0.1./",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0x7f.1/",
        "http://0177.0.0.1/",
        "http://017700000001/",
        "http://%31%32%37.0.0.1/",
        "http://１２７.0.0.1/",
        "http://127。0。0。1/",
        "http://0/",
        "http://0.0.0.0/",
        "http://10.0.0.1/",
        "http://172.16.0.1/",
        "http://172.31.255.255/",
        "http://192.168.0.1/",
        "http://100.64.0.1/",
        "http://169.254.169.254/latest/meta-data/",
        "http://255.255.255.255/",
        "http://224.0.0.1/",
        "http://[::]/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[::ffff:7f00:1]/",
        "http://[::127.0.0.1]/",
        "http://[64:ff9b::127.0.0.1]/",
        "http://[64:ff9b::a9fe:a9fe]/",
        "http://[64:ff9b:1::8.8.8.8]/",
        "http://[2002:7f00:1::]/",
        "http://[2001:0:1:2:3:4:80ff:fffe]/",
        "http://[fe80::1]/",
        "http://[fc00::1]/",
        "http://[fd00:ec2::254]/",
        "http://[fec0::1]/",
        "http://[ff02::1]/",
        "http://[2001:db8::1]/",
        "http://localhost/",
        "http://LOCALHOST./",
        "http://any.localhost:8080/",
    ] {
        assert!(is_refused(url, &[]), "{url}");
    }
}

#[test]
fn urls_of_the_public_internet_are_not_refused() {
    for url in [
        "https://hooks.example.com/",
        "http://8.8.8.8/",
        "http://172.15.255.255/",
        "http://172.32.0.1/",
        "http://100.63.255.255/",
        "http://100.128.0.1/",
        "http://[2606:4700::1111]/",
        "http://[::ffff:8.8.8.8]/",
        "http://[64:ff9b::8.8.8.8]/",
        "http://localhost.example.com/",
        "http://notlocalhost/",
    ] {
        assert!(!is_refused(url, &[]), "{url}");
    }
}

#[test]
fn what_is_allowed_by_name_is_not_refused_and_nothing_else_is_allowed_with_it() {
    assert!(!is_refused("http://127.0.0.1:9000/", &["127.0.0.1"]));
    assert!(is_refused("http://127.0.0.2/", &["127.0.0.1"]));
    assert!(!is_refused("http://10.1.2.3/", &["10.1.0.0/16"]));
    assert!(is_refused("http://10.2.2.3/", &["10.1.0.0/16"]));
    assert!(!is_refused("http://[::ffff:10.1.2.3]/", &["10.1.0.0/16"]));
    assert!(!is_refused("http://[fd12::1]/", &["fd12::/16"]));
    assert!(!is_refused("http://[fd12::1]/", &["[fd12::1]"]));
    assert!(!is_refused("http://LocalHost./", &["localhost"]));
    assert!(is_refused("http://127.0.0.1/", &["localhost"]));
    assert!(is_refused("http://sub.localhost/", &["localhost"]));
}

#[test]
fn a_host_that_is_none_is_not_allowed_by_mistake() {
    for text in ["", "10.0.0.0/33", "a b", "http://x.example/"] {
        assert!(text.parse::<AllowedHost>().is_err(), "{text:?}");
    }
}

#[tokio::test]
async fn an_address_inside_is_never_called() {
    let receiver = Receiver::start([]).await;
    for host in ["127.0.0.1", "[::ffff:127.0.0.1]", "localhost"] {
        let outcome = sent(&format!("http://{host}:{}/", receiver.port), &[]).await;
        assert_eq!(outcome.kind, OutcomeKind::Permanent(Scope::Delivery), "{host}: {}", outcome.reply);
    }
    assert!(receiver.received().is_empty());
}

#[tokio::test]
async fn a_name_allowed_by_name_is_called_wherever_it_is() {
    let receiver = Receiver::start([]).await;
    let outcome = sent(&format!("http://localhost:{}/", receiver.port), &["localhost"]).await;
    assert_eq!(outcome.kind, OutcomeKind::Delivered, "{}", outcome.reply);
    assert_eq!(receiver.received()[0].header("host"), format!("localhost:{}", receiver.port));
}

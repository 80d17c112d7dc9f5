//! Debian's own mail relays, each with STARTTLS and a login. They run as root, within a file system of their own.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::Duration;

use application::ports::Channel;
use domain::attempt::OutcomeKind;
use domain::endpoint::{EmailAddress, Protocol};
use orderbell_channels::Secret;
use orderbell_channels::email::doctor::examine;
use orderbell_channels::email::{Credentials, Email, Sender, SmtpAuth, SmtpSettings, TlsMode};
use rcgen::{CertificateParams, KeyPair};

use crate::fixtures::{credentials, mail, message, notification, plain_relay};

/// How often is looked for what comes by and by, and how long between: half a minute in all.
const LOOKS: u32 = 300;
const PAUSE: Duration = Duration::from_millis(100);

/// A relay of that name; it ends when this is dropped.
struct Relay {
    process: Child,
    folder: tempfile::TempDir,
    settings: SmtpSettings,
}

impl Relay {
    async fn start(name: &str) -> Self {
        assert!(is_root(), "Debian's relays run as several users: run this test as root");
        let folder = tempfile::tempdir().unwrap();
        let key = KeyPair::generate().unwrap();
        let certificate =
            CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap().self_signed(&key).unwrap();
        fs::write(folder.path().join("cert.pem"), certificate.pem()).unwrap();
        fs::write(folder.path().join("key.pem"), key.serialize_pem()).unwrap();
        let packages = std::env::var_os("ORDERBELL_RELAYS").map_or_else(
            || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.tools/relays/unpacked"),
            PathBuf::from,
        );
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../e2e/peers/mail_relays.sh");
        let ports = [TcpListener::bind("127.0.0.1:0").unwrap(), TcpListener::bind("127.0.0.1:0").unwrap()];
        let [port, other] = ports.map(|listener| listener.local_addr().unwrap().port());
        let process = Command::new("unshare")
            .args(["--mount", "--pid", "--fork", "--kill-child", "sh"])
            .arg(script.canonicalize().unwrap())
            .arg(packages.canonicalize().expect("`cargo xtask test` unpacks the relays"))
            .arg(folder.path())
            .args([name, &port.to_string(), &other.to_string()])
            .spawn()
            .unwrap();
        let settings = SmtpSettings {
            tls: TlsMode::StartTls,
            ca: Some(certificate.pem().into_bytes()),
            credentials: Some(credentials()),
            timeout: Duration::from_secs(20),
            ..plain_relay(port)
        };
        let relay = Self { process, folder, settings };
        let listens = |port| TcpStream::connect(("127.0.0.1", port)).is_ok();
        relay.until("it listens", || listens(port) && (name == "exim" || listens(other))).await;
        relay
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the relay is another process, which tells nothing when it is ready"
    )]
    async fn until(&self, what: &str, came: impl Fn() -> bool) {
        for _ in 0..LOOKS {
            if came() {
                return;
            }
            tokio::time::sleep(PAUSE).await;
        }
        panic!("not within half a minute: {what}");
    }

    /// The mails that arrived.
    fn mails(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path().join("mails/new")).into_iter().flatten();
        entries.map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap()).collect()
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        let _ended_already = self.process.kill();
        let _ended_already = self.process.wait();
    }
}

/// Not only within a namespace that knows no other user.
fn is_root() -> bool {
    let users = fs::read_to_string("/proc/self/uid_map").unwrap();
    fs::metadata("/proc/self").unwrap().uid() == 0 && !users.trim().ends_with(" 1")
}

#[tokio::test]
async fn mail_arrives_through_each_of_debians_relays() {
    for name in ["postfix", "dovecot", "exim"] {
        let relay = Relay::start(name).await;
        let email = Email::new(relay.settings.clone()).unwrap();
        for _ in 0..2 {
            let outcome = email.send(&mail()).await.outcome;
            assert_eq!(outcome.kind, OutcomeKind::Delivered, "{name}: {}", outcome.reply);
            println!("{name}: {}", outcome.reply);
        }
        // As a cron job's mail goes, on one machine.
        let from = Sender::parse("root@localhost").unwrap();
        let own = Email::new(SmtpSettings { from, ..relay.settings.clone() }).unwrap();
        let outcome = own.send(&message(Protocol::Email, "root@localhost", notification())).await.outcome;
        assert_eq!(outcome.kind, OutcomeKind::Delivered, "{name}: {}", outcome.reply);
        relay.until("three mails", || relay.mails().len() == 3).await;
        assert!(relay.mails().iter().any(|mail| mail.contains("To: root@localhost")), "{name}");
        assert!(relay.mails().iter().all(|mail| mail.contains("New Order Notification")), "{name}");

        let jane = EmailAddress::parse("recipient", "jane@example.com").unwrap();
        let steps = examine(&relay.settings, Some(&jane)).await;
        assert!(steps.iter().all(|step| step.result.is_ok()), "{name}: {steps:?}");
        let auth = SmtpAuth::Password(Secret::new("wrong".to_owned()));
        let wrong = Some(Credentials { user: "orders".to_owned(), auth });
        let steps = examine(&SmtpSettings { credentials: wrong, ..relay.settings.clone() }, None).await;
        let last = steps.last().unwrap();
        assert_eq!(last.name, "AUTH", "{name}");
        assert!(last.result.as_ref().unwrap_err().contains("Check user and password"), "{name}: {last:?}");
    }
}

//! `orderbell serve`: runs the server until it is told to end.

use std::io::{self, IsTerminal};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::anyhow;
use application::ChannelMode;
use clap::Args;
use domain::this_machine::leads_nowhere_else;
use driver::{Stop, run_escalation, run_relay, stopped};
use sqlite::Store;
use tokio::sync::watch;
use url::Url;
use web::Site;

use super::{Failure, configure};
use crate::config::Config;
use crate::logging::{self, Log};
use crate::operator_socket::OperatorListener;
use crate::shutdown::{self, run_on_runtime};
use crate::wiring::{System, wire};
use crate::workers::{self, Workers, clock, metrics_upkeep};
use crate::{descriptors, http_server, keys};

/// Settings that can be given as flags; see docs/CONFIGURATION.md for all of them.
#[derive(Args, Clone, Default)]
#[group(skip)]
pub(super) struct Flags {
    /// Where to listen [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR")]
    pub(super) listen: Option<String>,
    /// The data folder [default: ./orderbell-data]
    #[arg(long, value_name = "DIR")]
    pub(super) data: Option<String>,
    /// Where links in messages lead [default: where the server listens]; must be set when listening outside loopback
    #[arg(long, value_name = "URL")]
    pub(super) public_url: Option<String>,
    /// Who may place orders; must be chosen when listening outside loopback
    #[arg(long, value_parser = ["open", "key"])]
    pub(super) intake: Option<String>,
    /// The settings file [default: orderbell.toml, if it is there]
    #[arg(long, value_name = "FILE", env = "ORDERBELL_CONFIG")]
    pub(super) config: Option<PathBuf>,
}

/// Serves until a signal tells it to end.
pub(super) fn serve(flags: &Flags) -> Result<(), Failure> {
    let config = configure(flags)?;
    let (log, last_lines) = logging::start(config.log.clone(), config.log_format)?;
    let ended = run_on_runtime(run(&config, &log)).map_err(Into::into).flatten();
    if let Err(error) = &ended {
        // Whoever reads the log may have stalled: the last word goes the way of the others.
        log.say(&format!("orderbell: {error:#}"));
    }
    drop(last_lines);
    ended.map_err(|_: anyhow::Error| Failure::Reported)
}

async fn run(config: &Config, log: &Log) -> anyhow::Result<()> {
    let descriptors = descriptors::raise();
    let listener = http_server::listen(config.listen);
    let listener = listener.map_err(|error| cannot_listen(config.listen, &error))?;
    let address = listener.local_addr()?;
    let System { store, clock, site, delivery, gauges, metrics, modes, public_url, admin_key, auth_throttle } =
        wire(config, address).await?;
    let (stop, stopping) = watch::channel(false);
    let told = shutdown::watch_signals(log.clone(), stopping.clone())?;
    let (orders, topic) = (Arc::new(store.clone()), Arc::new(store.clone()));
    let runtime = Arc::clone(&delivery.runtime);
    let relay = run_relay(orders, topic, store.signals().orders, Arc::clone(&runtime), stopping.clone());
    let (queue, by) = (Arc::clone(&delivery.queue), Arc::clone(&delivery.clock));
    let escalation = run_escalation(queue, by, runtime, stopping.clone());
    let reexamination = workers::reexamine_quarantined(store.clone(), stopping.clone());
    let operators =
        workers::notify_operators(Arc::clone(&delivery.queue), Arc::clone(&delivery.clock), stopping.clone());
    let door = open_operator_listener(&config.data, site.clone(), stopping.clone())?;
    let upkeep = metrics_upkeep::run(metrics, auth_throttle, Arc::clone(&delivery.clock), stopping.clone());
    let (queue, pending) = (Arc::clone(&delivery.queue), Arc::clone(&delivery.pending));
    let watch = clock::run(clock, queue, pending, stopping.clone());
    let delivery = delivery.run(stopping.clone());
    let gauges = gauges.run(stopping.clone());
    let limits = config.connections.limits(descriptors, config.concurrency());
    let mut workers = Workers::default();
    workers.start("the relay", relay);
    workers.start("the delivery engine", delivery);
    workers.start("escalation", escalation);
    workers.start("the re-examination", reexamination);
    workers.start("telling operators", operators);
    workers.start("the gauges", gauges);
    workers.start("the metrics' upkeep", upkeep);
    workers.start("the clock", watch);
    workers.start("the operator's socket", door);
    let http = http_server::serve(listener, site, limits, sqlite::hand_on_replies, stopping);
    workers.start_fallible("the HTTP server", http);

    log.say(&announcement(config, &format!("http://{address}"), &public_url, &modes, &admin_key));
    let ended = until_stopped(told, &store, &mut workers).await;
    tracing::info!("ending");
    stop.send_replace(true);
    workers.ended().await;
    store.close().await;
    ended
}

/// Opens the operator's socket. A file system that has no sockets leaves commands with `--url`.
fn open_operator_listener(
    data: &Path,
    site: Site,
    stop: Stop,
) -> anyhow::Result<impl Future<Output = ()> + use<>> {
    let door = match OperatorListener::open(data) {
        Ok(door) => Some(door),
        Err(error) if error.downcast_ref::<io::Error>().is_some() => {
            tracing::warn!(%error, "there is no socket for commands on this machine: they need --url");
            None
        }
        Err(error) => return Err(error),
    };
    Ok(async move {
        match door {
            Some(door) => door.serve(site, stop).await,
            None => stopped(&mut { stop }).await,
        }
    })
}

/// Waits until the program was `told` to end, or cannot go on.
async fn until_stopped(told: impl Future, store: &Store, workers: &mut Workers) -> anyhow::Result<()> {
    tokio::select! {
        _ = told => Ok(()),
        reason = store.failed() => Err(anyhow!("the store can acknowledge nothing more: {reason}")),
        broken_off = workers.broken_off() => Err(broken_off),
    }
}

/// Why an address cannot be listened at, and what to do.
fn cannot_listen(address: SocketAddr, error: &io::Error) -> anyhow::Error {
    let port = address.port();
    let mend = match error.kind() {
        io::ErrorKind::AddrInUse => "another program holds the port, perhaps another Orderbell",
        io::ErrorKind::AddrNotAvailable => {
            "this machine has no such address; 0.0.0.0 stands for all that it has"
        }
        io::ErrorKind::PermissionDenied if port < 1024 => {
            "ports below 1024 are for root, or for CAP_NET_BIND_SERVICE"
        }
        _ => "the system refuses it",
    };
    anyhow!(
        "cannot listen on {address}: {error}: {mend}. Choose another with --listen, ORDERBELL_LISTEN or `listen` in orderbell.toml"
    )
}

/// Where the program is to be found and what it does with messages.
fn announcement(
    config: &Config,
    url: &str,
    public_url: &str,
    modes: &std::collections::BTreeMap<domain::endpoint::Protocol, ChannelMode>,
    admin_key: &str,
) -> String {
    let mut lines = vec![format!("Orderbell listens on {url}")];
    if public_url != url {
        lines.push(format!("  links lead to  {public_url}"));
    }
    lines.push(format!("  data           {}", config.data.display()));
    for protocol in domain::endpoint::Protocol::ALL {
        let mode = match modes.get(&protocol) {
            Some(ChannelMode::Live) => "live",
            Some(ChannelMode::Sandbox) => "sandbox: kept in the inbox, nothing leaves this machine",
            None => "not configured: subscribing to it is refused",
        };
        lines.push(format!("  {:<14} {mode}", protocol.name()));
    }
    let leads_nowhere_else = Url::parse(public_url).is_ok_and(|url| leads_nowhere_else(&url));
    if leads_nowhere_else && (config.smtp.is_some() || config.sms.is_some()) {
        lines.push(format!(
            "  WARNING: links in mails and texts lead to {public_url}, which opens on this machine only; set \
             ORDERBELL_PUBLIC_URL to where subscribers reach it"
        ));
    }
    if std::io::stderr().is_terminal() {
        lines.push(format!("  console        {url}/console/login#key={admin_key}"));
    } else if config.admin_key.is_none() {
        lines.push(format!("  admin key      {}", config.data.join(keys::ADMIN_KEY_FILE).display()));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::future::pending;
    use std::time::Duration;

    use host::{SystemClock, SystemRandomness};

    use super::*;
    use crate::config::Layers;

    #[test]
    fn real_mail_with_links_to_this_machine_is_warned_of_at_the_start() {
        let layers = || Layers::default().flag("data", Some("orders".to_owned()));
        let sandbox = Config::read(layers()).unwrap();
        let real = layers()
            .flag("smtp.host", Some("smtp.example.com".to_owned()))
            .flag("smtp.from", Some("orders@example.com".to_owned()));
        let real = Config::read(real).unwrap();
        let texts = [
            ("sms.provider", "twilio"),
            ("sms.account_sid", "ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
            ("sms.auth_token", "some token"),
            ("sms.from", "+15557122661"),
        ];
        let texts =
            texts.into_iter().fold(layers(), |all, (name, text)| all.flag(name, Some(text.to_owned())));
        let texts = Config::read(texts).unwrap();
        for (config, public_url, warned) in [
            (&real, "http://127.0.0.1:8080", true),
            (&real, "http://localhost:8080", true),
            (&real, "https://shop.localhost./orders", true),
            (&real, "http://[::1]:8080", true),
            (&real, "http://0.0.0.0:8080", true),
            (&real, "http://[::]:8080", true),
            (&real, "http://127.8.9.10", true),
            (&texts, "http://127.0.0.1:8080", true),
            (&texts, "https://orders.example.com", false),
            (&real, "https://orders.example.com", false),
            (&real, "http://192.168.1.5:8080", false),
            (&real, "https://localhost.example.com", false),
            (&sandbox, "http://127.0.0.1:8080", false),
        ] {
            let said = announcement(config, "http://127.0.0.1:8080", public_url, &BTreeMap::new(), "key");
            let warning = said.lines().find(|line| line.contains("WARNING"));
            assert_eq!(warning.is_some_and(|line| line.contains(public_url)), warned, "{said}");
            assert!(warning.is_none_or(|line| line.contains("ORDERBELL_PUBLIC_URL")), "{said}");
        }
    }

    #[test]
    fn an_address_that_cannot_be_listened_at_is_named_with_what_mends_it() {
        for (address, kind, words) in [
            ("127.0.0.1:8080", io::ErrorKind::AddrInUse, "another program holds the port"),
            ("[::1]:8080", io::ErrorKind::AddrInUse, "another program holds the port"),
            ("192.0.2.7:8080", io::ErrorKind::AddrNotAvailable, "no such address; 0.0.0.0 stands for all"),
            ("127.0.0.1:80", io::ErrorKind::PermissionDenied, "CAP_NET_BIND_SERVICE"),
            ("127.0.0.1:8080", io::ErrorKind::PermissionDenied, "the system refuses it"),
        ] {
            let said = cannot_listen(address.parse().unwrap(), &io::Error::from(kind)).to_string();
            assert!(said.starts_with(&format!("cannot listen on {address}: ")), "{said}");
            assert!(
                said.contains(words) && said.contains("--listen, ORDERBELL_LISTEN or `listen`"),
                "{said}"
            );
        }
    }

    /// Why the program ends if nobody tells it to, and one of its workers does this.
    async fn why_it_ends(work: impl Future<Output = io::Result<()>> + Send + 'static) -> String {
        let folder = tempfile::tempdir().unwrap();
        let options = sqlite::Options::new(Arc::new(SystemClock), Arc::new(SystemRandomness));
        let store = Store::open(folder.path(), options).unwrap();
        let mut workers = Workers::default();
        workers.start("the steady one", pending());
        workers.start_fallible("the other", work);
        let ended = until_stopped(pending::<()>(), &store, &mut workers);
        let ended = tokio::time::timeout(Duration::from_secs(10), ended).await.unwrap();
        store.close().await;
        ended.unwrap_err().to_string()
    }

    #[tokio::test]
    async fn the_program_fails_when_one_of_its_workers_breaks_off() {
        let panicked = why_it_ends(async { panic!("of all things") }).await;
        assert!(
            panicked.starts_with("the other broke off: ") && panicked.contains("of all things"),
            "{panicked}"
        );
        let failed = why_it_ends(async { Err(io::Error::other("no threads")) }).await;
        assert_eq!(failed, "the other broke off: no threads");
        let over = why_it_ends(async { Ok(()) }).await;
        assert_eq!(over, "the other broke off: it came to its end");
        let customer = std::hint::black_box("Jane Doe");
        let quoting = why_it_ends(async move { panic!("no place for {customer}") }).await;
        assert!(quoting.starts_with("the other broke off: ") && !quoting.contains("Jane"), "{quoting}");
    }
}

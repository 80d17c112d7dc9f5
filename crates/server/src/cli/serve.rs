//! `orderbell serve`: runs the server until it is told to end.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, anyhow, bail};
use application::ChannelMode;
use clap::Args;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::{Failure, configure};
use crate::config::Config;
use crate::wiring::{System, wire};
use crate::workers::relay;
use crate::{http_server, keys, logging};

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
    /// Where links in messages lead [default: where the server listens]
    #[arg(long, value_name = "URL")]
    pub(super) public_url: Option<String>,
    /// Who may place orders; must be chosen when listening outside loopback
    #[arg(long, value_name = "open|key")]
    pub(super) intake: Option<String>,
    /// The settings file [default: orderbell.toml, if it is there]
    #[arg(long, value_name = "FILE", env = "ORDERBELL_CONFIG")]
    pub(super) config: Option<PathBuf>,
}

/// Serves until SIGINT or SIGTERM.
pub(super) fn serve(flags: &Flags) -> Result<(), Failure> {
    let config = configure(flags)?;
    let log = logging::start(config.log.clone(), config.log_format);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let ended = runtime.block_on(run(&config));
    drop(runtime);
    drop(log);
    Ok(ended?)
}

async fn run(config: &Config) -> anyhow::Result<()> {
    let listener = TcpListener::bind(config.listen);
    let listener = listener.await.with_context(|| format!("cannot listen on {}", config.listen))?;
    let address = listener.local_addr()?;
    let System { store, router, delivery, modes, public_url, admin_key } = wire(config, address).await?;
    let (stop, stopping) = watch::channel(false);
    let orders = store.signals().orders;
    let mut relay =
        start(relay::run(Arc::new(store.clone()), Arc::new(store.clone()), orders, stopping.clone()));
    let mut delivery = start(delivery.run(stopping.clone()));
    let mut served = start(http_server::serve(listener, router, stopping));

    announce(config, &format!("http://{address}"), &public_url, &modes, &admin_key);
    let ended = tokio::select! {
        signal = told_to_end() => signal,
        reason = store.failed() => Err(anyhow!("the store can acknowledge nothing more: {reason}")),
        ended = &mut served => bail!("the HTTP server broke off: {ended:?}"),
        _ = &mut relay => bail!("the relay broke off"),
        _ = &mut delivery => bail!("the delivery engine broke off"),
    };
    tracing::info!("ending");
    stop.send_replace(true);
    let _ = tokio::join!(served, relay, delivery);
    store.close().await;
    ended
}

#[expect(clippy::disallowed_methods, reason = "the host starts its tasks here")]
fn start<F>(task: F) -> JoinHandle<F::Output>
where
    F: Future<Output: Send + 'static> + Send + 'static,
{
    tokio::spawn(task)
}

async fn told_to_end() -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = terminate.recv() => Ok(()),
        interrupted = tokio::signal::ctrl_c() => Ok(interrupted?),
    }
}

/// Says where the program is to be found and what it does with messages.
fn announce(
    config: &Config,
    url: &str,
    public_url: &str,
    modes: &std::collections::BTreeMap<domain::endpoint::Protocol, ChannelMode>,
    admin_key: &str,
) {
    eprintln!("Orderbell listens on {url}");
    if public_url != url {
        eprintln!("  links lead to  {public_url}");
    }
    eprintln!("  data           {}", config.data.display());
    for protocol in domain::endpoint::Protocol::ALL {
        let mode = match modes.get(&protocol) {
            Some(ChannelMode::Live) => "live",
            Some(ChannelMode::Sandbox) => "sandbox: kept in the inbox, nothing leaves this machine",
            None => "not configured: subscribing to it is refused",
        };
        eprintln!("  {:<14} {mode}", protocol.name());
    }
    if std::io::stderr().is_terminal() {
        eprintln!("  console        {url}/console/login#key={admin_key}");
    } else {
        eprintln!("  admin key      {}", config.data.join(keys::ADMIN_KEY_FILE).display());
    }
}

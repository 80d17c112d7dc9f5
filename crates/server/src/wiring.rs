//! The running system, from top to bottom.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context;
use application::deliver::Engine;
use application::ports::{Channel, Clock, Randomness};
use application::startup_recovery;
use application::templates::TemplateBook;
use application::{App, ChannelMode, Links, LocalDelivery};
use channels::chat::Chat;
use channels::email::{Email, SmtpSettings};
use channels::http::{AllowedHost, blocked_address};
use channels::sandbox::Sandbox;
use channels::sms::sns::Sns;
use channels::sms::twilio::{Twilio, callback};
use channels::webhook::Webhook;
use domain::Invalid;
use domain::delivery::UnknownOutcomePolicy;
use domain::endpoint::{Endpoint, Protocol};
use domain::link_token::LinkKey;
use driver::DeliveryDriver;
use host::{SteadyClock, SystemRandomness};
use metrics_exporter_prometheus::PrometheusHandle;
use sqlite::Store;
use web::Site;

use crate::config::{Config, SmsProvider};
use crate::workers::TokioRuntime;
use crate::workers::gauges::GaugesWorker;
use crate::{keys, prometheus};

/// Everything that runs, wired up and not yet started.
pub(crate) struct System {
    /// The embedded store.
    pub(crate) store: Store,
    /// What everything goes by.
    pub(crate) clock: Arc<SteadyClock>,
    /// What the HTTP server serves.
    pub(crate) site: Site,
    /// What delivers.
    pub(crate) delivery: DeliveryDriver,
    /// What sets the gauges.
    pub(crate) gauges: GaugesWorker,
    /// What was counted and measured.
    pub(crate) metrics: PrometheusHandle,
    /// What each protocol's messages go through.
    pub(crate) modes: BTreeMap<Protocol, ChannelMode>,
    /// Where links lead.
    pub(crate) public_url: String,
    /// The admin key.
    pub(crate) admin_key: String,
    /// Who presented wrong keys lately.
    pub(crate) auth_throttle: Arc<web::AuthThrottle>,
}

type Channels = BTreeMap<Protocol, (ChannelMode, Arc<dyn Channel>)>;

/// Wires the system up around the data folder, which this process holds from here on.
pub(crate) async fn wire(config: &Config, address: SocketAddr) -> anyhow::Result<System> {
    let steady_clock = Arc::new(SteadyClock::start());
    let clock: Arc<dyn Clock> = Arc::<SteadyClock>::clone(&steady_clock);
    let randomness: Arc<dyn Randomness> = Arc::new(SystemRandomness);
    let metrics = install_metrics()?;

    // The store is the outbox, the topic and the queue.
    let store = Store::open(&config.data, sqlite::Options::new(Arc::clone(&clock), Arc::clone(&randomness)))?;
    let signals = store.signals();

    // What lies beside it in the data folder.
    let link_key = keys::link_key(&config.data, &*randomness)?;
    let client_digest_secret = link_key.secret_for("origin");
    let admin_key =
        config.admin_key.clone().map_or_else(|| keys::admin_key(&config.data, &*randomness), Ok)?;

    // What speaks to subscribers.
    let channels = channels(config, &store)?;
    let modes: BTreeMap<_, _> = channels.iter().map(|(protocol, (mode, _))| (*protocol, *mode)).collect();
    let public_url = public_url(config, address);
    let own = local_delivery(config, &store, modes.clone(), link_key, public_url.clone());
    startup_recovery(&own, &store, &policies(&channels), &*clock, &*randomness).await?;

    // What the outside reaches: HTTP → use cases → store.
    let (links, shop, templates) = (own.links.clone(), Arc::clone(&config.shop), templates(&store).await);
    let app = app(config, &store, own, &templates, (&clock, &randomness));
    let (deliveries, data) = (Arc::new(store.clone()), config.data.clone());
    let gauges = GaugesWorker { deliveries, clock: Arc::clone(&clock), data };
    let auth_throttle = Arc::<web::AuthThrottle>::default();
    let given =
        settings(config, &admin_key, &public_url, client_digest_secret, Arc::clone(&auth_throttle), &metrics);
    let site = web::site(app, given);

    // What reaches the outside: store → engine → channels.
    let delivery = DeliveryDriver {
        queue: Arc::new(store.clone()),
        channels: channels.into_iter().map(|(protocol, (_, channel))| (protocol, channel)).collect(),
        links,
        shop,
        templates,
        watch: giving_way(store.clone(), Arc::clone(&clock)),
        clock,
        randomness,
        pending: signals.deliveries,
        pauses_lifted: signals.pauses_lifted,
        runtime: Arc::new(TokioRuntime),
    };
    Ok(System {
        store,
        clock: steady_clock,
        site,
        delivery,
        gauges,
        metrics,
        modes,
        public_url,
        admin_key,
        auth_throttle,
    })
}

/// Has new orders give way as far as the delivery engine says.
fn giving_way(orders: Store, clock: Arc<dyn Clock>) -> Arc<dyn Fn(&Engine) + Send + Sync> {
    Arc::new(move |engine| orders.make_orders_give_way(engine.orders_give_way(clock.now())))
}

/// The templates that are set. Whatever becomes of them, messages are sent.
async fn templates(store: &Store) -> Arc<TemplateBook> {
    let templates = Arc::new(TemplateBook::new(Arc::new(store.clone())));
    if let Err(error) = templates.load().await {
        tracing::error!(%error, cause = error.cause(), "templates cannot be read: the built-in texts stand");
    }
    templates
}

fn app(
    config: &Config,
    store: &Store,
    own: LocalDelivery,
    templates: &Arc<TemplateBook>,
    (clock, randomness): (&Arc<dyn Clock>, &Arc<dyn Randomness>),
) -> App {
    App {
        orders: Arc::new(store.clone()),
        subscriptions: Arc::new(store.clone()),
        local_delivery: Some(own),
        clock: Arc::clone(clock),
        randomness: Arc::clone(randomness),
        idempotency_lifetime: config.idempotency_lifetime,
        shop: Arc::clone(&config.shop),
        templates: Arc::clone(templates),
    }
}

fn settings(
    config: &Config,
    admin_key: &str,
    public_url: &str,
    client_digest_secret: [u8; 32],
    auth_throttle: Arc<web::AuthThrottle>,
    metrics: &PrometheusHandle,
) -> web::Settings {
    let metrics = metrics.clone();
    web::Settings {
        admin_key: Some(web::KeyHash::of(admin_key)),
        client_digest_secret,
        order_auth: config.order_auth.clone(),
        order_path_aliases: config.order_path_aliases.clone(),
        intake_handling: config.intake_handling,
        order_limits: config.order_limits.clone(),
        cors_allow_origins: config.cors_allow_origins.clone(),
        host_policy: config.host_policy.clone(),
        receipts: receipts(config),
        metrics: Some(Arc::new(move || metrics.render())),
        metrics_key: config.metrics_key,
        auth_throttle,
        public_url: public_url.to_owned(),
        version: env!("CARGO_PKG_VERSION"),
    }
}

/// The channel of each protocol. Outside loopback there is no sandbox: a protocol without a provider has none.
fn channels(config: &Config, store: &Store) -> anyhow::Result<Channels> {
    let sandbox = |protocol| -> (ChannelMode, Arc<dyn Channel>) {
        (ChannelMode::Sandbox, Arc::new(Sandbox::new(protocol, Arc::new(store.clone()))))
    };
    let mut channels = Channels::new();
    match &config.smtp {
        Some(smtp) => {
            let email = Email::new(smtp.clone()).with_context(|| "smtp")?;
            channels.insert(Protocol::Email, (ChannelMode::Live, Arc::new(email)));
        }
        None if config.is_loopback() => {
            channels.insert(Protocol::Email, sandbox(Protocol::Email));
        }
        None => {}
    }
    match &config.sms {
        Some(SmsProvider::Twilio(twilio)) => {
            let twilio = Twilio::new(twilio.clone())?;
            channels.insert(Protocol::Sms, (ChannelMode::Live, Arc::new(twilio)));
        }
        Some(SmsProvider::Sns(sns)) => {
            channels.insert(Protocol::Sms, (ChannelMode::Live, Arc::new(Sns::new(sns.clone()))));
        }
        None if config.is_loopback() => {
            channels.insert(Protocol::Sms, sandbox(Protocol::Sms));
        }
        None => {}
    }
    let webhook = Webhook::new(config.webhook.clone()).with_context(|| "webhook")?;
    channels.insert(Protocol::Webhook, (ChannelMode::Live, Arc::new(webhook)));
    let chat = Chat::new(config.chat.clone()).with_context(|| "chat")?;
    channels.insert(Protocol::Chat, (ChannelMode::Live, Arc::new(chat)));
    Ok(channels)
}

fn local_delivery(
    config: &Config,
    store: &Store,
    channels: BTreeMap<Protocol, ChannelMode>,
    link_key: LinkKey,
    public_url: String,
) -> LocalDelivery {
    let (allowed_hosts, relay) = (config.webhook.allowed_hosts.clone(), config.smtp.clone());
    LocalDelivery {
        subscriptions: Arc::new(store.clone()),
        deliveries: Arc::new(store.clone()),
        spam: Arc::new(store.clone()),
        statuses: Arc::new(store.clone()),
        inbox: Arc::new(store.clone()),
        channels,
        endpoint_rule: Arc::new(move |endpoint| reachable(endpoint, &allowed_hosts, relay.as_ref())),
        links: Links { key: link_key, public_url },
    }
}

/// Reads Twilio's callbacks, where they can be told from anyone's.
fn receipts(config: &Config) -> Option<web::ReceiptReader> {
    let Some(SmsProvider::Twilio(twilio)) = &config.sms else { return None };
    let token = twilio.auth_token.clone()?;
    Some(Arc::new(move |report: &web::StatusCallback<'_>| {
        let signature = report.headers.get(callback::SIGNATURE_HEADER).and_then(|value| value.to_str().ok());
        callback::read(&token, report.url, signature.unwrap_or_default(), report.body)
            .map_err(|callback::InvalidSignature| web::InvalidSignature)
    }))
}

/// Refuses what would never be delivered to, before anyone waits for it: a webhook or chat that the SSRF guard would
/// not call, an address that the relay cannot know. The sandbox takes any.
fn reachable(
    endpoint: &Endpoint,
    allowed_hosts: &[AllowedHost],
    relay: Option<&SmtpSettings>,
) -> Result<(), Invalid> {
    let refused = match endpoint {
        Endpoint::Webhook(url) | Endpoint::Chat(url) => {
            url.url().and_then(|url| blocked_address(url, allowed_hosts)).map(|refusal| refusal.to_string())
        }
        Endpoint::Email(address) if relay.is_some_and(|relay| !relay.knows(address.domain())) => Some(
            "endpoint must have a full domain, such as jo@example.com: one without a dot is known to a mail relay on \
             this machine only (smtp.host localhost)"
                .to_owned(),
        ),
        Endpoint::Email(_) | Endpoint::Sms(_) => None,
    };
    refused.map_or(Ok(()), |why| Err(Invalid::new("endpoint_not_allowed", "endpoint", why)))
}

/// What follows on each channel when a message may have arrived or not.
fn policies(channels: &Channels) -> BTreeMap<Protocol, UnknownOutcomePolicy> {
    channels.iter().map(|(protocol, (_, channel))| (*protocol, channel.rules().on_unknown)).collect()
}

fn public_url(config: &Config, address: SocketAddr) -> String {
    let given = config.public_url.as_ref().map(|url| url.as_str().trim_end_matches('/').to_owned());
    given.unwrap_or_else(|| format!("http://{address}"))
}

fn install_metrics() -> anyhow::Result<PrometheusHandle> {
    let recorder = prometheus::recorder()?;
    let handle = recorder.handle();
    metrics::set_global_recorder(recorder)?;
    prometheus::describe_all();
    Ok(handle)
}

#[cfg(test)]
mod tests;

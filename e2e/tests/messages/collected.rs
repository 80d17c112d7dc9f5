//! The orders' messages, as real peers got them.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use orderbell_e2e::client::Client;
use orderbell_e2e::program::{Program, Settings};
use orderbell_e2e::receiver::{Received, Receiver, Reply};
use orderbell_e2e::smtp_peer::{Mail, SmtpPeer, Tls};
use orderbell_e2e::{twilio, wait};
use serde_json::{Map, Value, json};
use url::form_urlencoded;

/// What twelve people ordered, by name.
pub(crate) const ORDERS: &str = include_str!("orders.json");
/// The languages that subscribers read.
pub(crate) const LANGUAGES: [&str; 4] = ["en", "de", "fr", "es"];
/// The most parts that a text message may have, each tried in turn.
pub(crate) const PARTS: [u8; 3] = [1, 2, 3];
/// The zone that all of them live in.
const TIME_ZONE: &str = "Europe/Berlin";

/// All that was said of all orders.
#[derive(Debug)]
pub(crate) struct Collected {
    pub(crate) said: Vec<Said>,
}

/// What was said of one order in one language.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) order: String,
    pub(crate) language: &'static str,
    pub(crate) id: String,
    pub(crate) mail: Mail,
    /// As a text message, for each of [`PARTS`].
    pub(crate) texts: Vec<String>,
    pub(crate) chat: Value,
    pub(crate) webhook: Value,
    /// What `orderbell order show` prints; it is the operator's, in English.
    pub(crate) shown: String,
}

/// Where everything goes.
struct Peers {
    mail: SmtpPeer,
    provider: Receiver,
    web: Receiver,
}

fn address(language: &str) -> String {
    format!("{language}@home.example")
}

fn number(language: &str) -> String {
    let place = LANGUAGES.iter().position(|other| *other == language).unwrap_or_default();
    format!("+1415555010{}", place + 1)
}

impl Peers {
    async fn start() -> Result<Self> {
        let (mail, provider, web) =
            (SmtpPeer::start(Tls::Starttls)?, Receiver::start().await?, Receiver::start().await?);
        provider.answer([], twilio::TAKEN);
        web.answer([], Reply::Status(200));
        Ok(Self { mail, provider, web })
    }

    fn settings(&self, parts: u8) -> Settings {
        let twilio = twilio::settings(&self.provider.url(""));
        let twilio = twilio.into_iter().filter(|(name, _)| *name != "ORDERBELL_SMS_MAX_PARTS");
        let more = [("ORDERBELL_SMS_MAX_PARTS", parts.to_string())];
        twilio.chain(self.mail.settings()).chain(Receiver::settings()).chain(more).collect()
    }

    /// The texts that went to that number since the provider was started.
    fn texts(&self, to: &str) -> Vec<String> {
        let form = |received: &Received| -> BTreeMap<String, String> {
            form_urlencoded::parse(received.body.as_bytes()).into_owned().collect()
        };
        let forms = self.provider.received();
        let forms = forms.iter().map(form).filter(|form| form.get("To").is_some_and(|number| number == to));
        forms.filter_map(|mut form| form.remove("Body")).collect()
    }

    fn posts(&self, path: &str) -> Vec<Value> {
        self.web.received().iter().filter(|one| one.path == path).map(Received::json).collect()
    }
}

impl Collected {
    /// Places the orders and waits until every peer has what it is told of them.
    pub(crate) async fn of(orders: &Map<String, Value>) -> Result<Self> {
        let mut texts: BTreeMap<(&str, &str), Vec<String>> = BTreeMap::new();
        let mut said = Vec::new();
        for parts in PARTS {
            let peers = Peers::start().await?;
            let program = Program::start(peers.settings(parts)).await?;
            let client = program.client()?;
            let is_last = Some(&parts) == PARTS.last();
            for language in LANGUAGES {
                peers.subscribe(&client, language, is_last).await?;
            }
            for (nth, (name, order)) in orders.iter().enumerate() {
                let id = client.post("/create-order", order).await?.expect(200)?["orderId"].clone();
                let id = id.as_str().context("an id")?.to_owned();
                for language in LANGUAGES {
                    let texts = texts.entry((name, language)).or_default();
                    texts.push(nth_of("text", nth, || Ok(peers.texts(&number(language)))).await?);
                    if is_last {
                        said.push(peers.said(&program, nth, name, language, &id).await?);
                    }
                }
            }
        }
        for one in &mut said {
            one.texts = texts.remove(&(one.order.as_str(), one.language)).unwrap_or_default();
        }
        Ok(Self { said })
    }
}

/// What somebody was told of the nth order; before it came the confirmation request.
async fn nth_of<T>(what: &str, nth: usize, all: impl Fn() -> Result<Vec<T>>) -> Result<T> {
    let told = async || Ok(all()?.into_iter().nth(nth + 1));
    wait::until(&format!("{what} of order {nth}"), told).await
}

impl Peers {
    /// Subscribes somebody who reads that language, by text message or by all means.
    async fn subscribe(&self, client: &Client, language: &str, by_all_means: bool) -> Result<()> {
        let endpoints = [
            ("sms", number(language)),
            ("email", address(language)),
            ("chat", self.web.url(&format!("/chat/{language}"))),
            ("webhook", self.web.url(&format!("/hook/{language}"))),
        ];
        for (protocol, endpoint) in endpoints.into_iter().take(if by_all_means { 4 } else { 1 }) {
            let wanted = json!({
                "protocol": protocol, "endpoint": endpoint, "language": language, "timeZone": TIME_ZONE,
            });
            let made = client.post("/subscriptions", &wanted).await?.expect(201)?;
            let id = made["subscriptionId"].as_str().context("an id")?;
            if protocol != "webhook" {
                let link =
                    wait::until("a link that confirms", async || self.link(protocol, language)).await?;
                client.press(&link).await?.expect(200)?;
            }
            client.wait_for_subscription(id, "confirmed").await?;
        }
        Ok(())
    }

    /// The link in the confirmation request that came last.
    fn link(&self, protocol: &str, language: &str) -> Result<Option<String>> {
        let last = match protocol {
            "sms" => self.texts(&number(language)).pop(),
            "email" => self.mails(language)?.pop().map(|mail| mail.text),
            _ => self.posts(&format!("/chat/{language}")).pop().map(|post| post.to_string()),
        };
        let link = |text: String| {
            let start = text.find("http")?;
            let end =
                text[start..].find([' ', '\n', '"', '|', '>', '\\']).map_or(text.len(), |end| start + end);
            Some(text[start..end].to_owned())
        };
        Ok(last.and_then(link).filter(|link| link.contains("/subscriptions/confirm?token=")))
    }

    fn mails(&self, language: &str) -> Result<Vec<Mail>> {
        let address = address(language);
        Ok(self.mail.mails()?.into_iter().filter(|mail| mail.to.contains(&address)).collect())
    }

    async fn said(
        &self,
        program: &Program,
        nth: usize,
        order: &str,
        language: &'static str,
        id: &str,
    ) -> Result<Said> {
        let posts = |kind: &str| self.posts(&format!("/{kind}/{language}"));
        let shown = program.command(&["order", "show", id])?;
        Ok(Said {
            order: order.to_owned(),
            language,
            id: id.to_owned(),
            mail: nth_of("mail", nth, || self.mails(language)).await?,
            texts: Vec::new(),
            chat: nth_of("chat message", nth, || Ok(posts("chat"))).await?,
            webhook: nth_of("webhook", nth, || Ok(posts("hook"))).await?,
            shown: String::from_utf8(shown.stdout)?,
        })
    }
}

//! The templates that messages are made with, read once: no message waits for the store because of them.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use domain::Timestamp;
use domain::endpoint::Protocol;
use domain::subscription::SubscriptionId;
use domain::template::{Template, TemplateName};

use crate::Error;
use crate::ports::{StoredTemplate, Templates};

/// All templates that are set and can be used, as they were when they were [loaded](Self::load).
pub struct TemplateBook {
    store: Arc<dyn Templates>,
    loads: AtomicU64,
    /// When it was last to [keep up](Self::keep_up), in milliseconds since 1970-01-01 UTC.
    loaded_at: AtomicI64,
    loaded: RwLock<Loaded>,
}

#[derive(Default)]
struct Loaded {
    /// The number of the load that it came of.
    by: u64,
    templates: HashMap<TemplateName, Arc<Template>>,
}

impl TemplateBook {
    /// A book of what is kept there, with nothing in it yet.
    #[must_use]
    pub fn new(store: Arc<dyn Templates>) -> Self {
        Self {
            store,
            loads: AtomicU64::new(0),
            loaded_at: AtomicI64::new(i64::MIN),
            loaded: RwLock::default(),
        }
    }

    /// Where templates are kept.
    pub(crate) fn store(&self) -> &dyn Templates {
        &*self.store
    }

    /// Takes in all that is set. One that the program would not take any more is left out, and said in the log.
    ///
    /// # Errors
    /// The store does not answer: the book stays as it is.
    pub async fn load(&self) -> Result<(), Error> {
        let by = self.loads.fetch_add(1, Ordering::Relaxed) + 1;
        let stored = self.store.templates().await?;
        let templates = stored.into_iter().filter_map(usable).collect();
        let mut loaded = self.loaded.write().unwrap_or_else(PoisonError::into_inner);
        // What began later has seen more.
        if by > loaded.by {
            *loaded = Loaded { by, templates };
        }
        Ok(())
    }

    /// As [`load`](Self::load), unless that was done less than `age` ago; should the store not answer, the book stays as it is.
    pub async fn keep_up(&self, age: Duration, now: Timestamp) {
        let (now, age) = (now.as_millisecond(), i64::try_from(age.as_millis()).unwrap_or(i64::MAX));
        let last = self.loaded_at.load(Ordering::Relaxed);
        if now.saturating_sub(last) < age && last <= now {
            return;
        }
        self.loaded_at.store(now, Ordering::Relaxed);
        if let Err(error) = self.load().await {
            tracing::warn!(%error, cause = error.cause(), "templates cannot be read: those that were stand");
        }
    }

    /// What messages to a subscription over `protocol` are made with: its own, or else its protocol's.
    #[must_use]
    pub fn of(&self, subscription: SubscriptionId, protocol: Protocol) -> Option<Arc<Template>> {
        let loaded = self.loaded.read().unwrap_or_else(PoisonError::into_inner);
        let own = loaded.templates.get(&TemplateName::Subscription(subscription));
        own.or_else(|| loaded.templates.get(&TemplateName::Protocol(protocol))).cloned()
    }

    /// What all messages over `protocol` are made with, but to subscriptions that have their own.
    #[must_use]
    pub fn of_protocol(&self, protocol: Protocol) -> Option<Arc<Template>> {
        let loaded = self.loaded.read().unwrap_or_else(PoisonError::into_inner);
        loaded.templates.get(&TemplateName::Protocol(protocol)).cloned()
    }
}

fn usable(stored: StoredTemplate) -> Option<(TemplateName, Arc<Template>)> {
    let StoredTemplate { name, protocol, source, .. } = stored;
    match Template::parse(source, protocol) {
        Ok(template) => Some((name, Arc::new(template))),
        Err(wrong) => {
            tracing::warn!(template = %name, %wrong, "a template is not used: the built-in texts stand");
            None
        }
    }
}

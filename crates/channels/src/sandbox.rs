//! The sandbox: messages are kept where a person can read them, and nothing leaves the machine.

use std::sync::Arc;

use application::ports::{Channel, ChannelRules, Concurrency, Inbox, InboxMessage, Message, Sent};
use async_trait::async_trait;
use domain::attempt::{Outcome, OutcomeKind, Scope};
use domain::endpoint::Protocol;

/// Stands in for a protocol that has no provider: its outcome is `sandboxed`, never delivered.
pub struct Sandbox {
    protocol: Protocol,
    inbox: Arc<dyn Inbox>,
}

/// Keeping a message is one commit of the store, which groups those that come together.
const CONCURRENCY: Concurrency = Concurrency { channel: 64, endpoint: 64 };

impl Sandbox {
    /// Keeps what `protocol` would have carried in `inbox`.
    #[must_use]
    pub fn new(protocol: Protocol, inbox: Arc<dyn Inbox>) -> Self {
        Self { protocol, inbox }
    }
}

#[async_trait]
impl Channel for Sandbox {
    fn protocol(&self) -> Protocol {
        self.protocol
    }

    fn rules(&self) -> ChannelRules {
        ChannelRules::new(CONCURRENCY)
    }

    async fn send(&self, message: &Message) -> Sent {
        let kept = self.inbox.keep(InboxMessage::of(message)).await;
        let outcome = match kept {
            Ok(()) => {
                Outcome::new(OutcomeKind::Sandboxed, "Kept in the sandbox inbox; nothing left the machine")
            }
            Err(error) => Outcome::new(
                OutcomeKind::Transient(Scope::Channel),
                format!("The sandbox inbox could not keep it: {error}"),
            ),
        };
        outcome.into()
    }

    async fn probe(&self) -> Result<(), Outcome> {
        Ok(())
    }
}

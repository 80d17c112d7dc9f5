//! The program's end of its channels: what they are asked goes to the world, which answers when it likes.

use std::panic::resume_unwind;
use std::sync::mpsc::Sender;

use application::ports::{Channel, ChannelRules, Message, Sent};
use async_trait::async_trait;
use domain::attempt::Outcome;
use domain::endpoint::Protocol;
use tokio::sync::oneshot;

/// What a channel is asked.
pub(crate) enum Call {
    Send(Box<Message>, Reply<Sent>),
    Probe(Protocol, Reply<Result<(), Outcome>>),
}

/// Where the answer goes.
pub(crate) type Reply<T> = oneshot::Sender<Answer<T>>;

/// What comes back; `None`: the channel panics.
pub(crate) type Answer<T> = Option<T>;

/// A channel, of which the world is the other end.
pub(crate) struct SimulatedChannel {
    pub(crate) protocol: Protocol,
    pub(crate) rules: ChannelRules,
    pub(crate) calls: Sender<Call>,
}

#[async_trait]
impl Channel for SimulatedChannel {
    fn protocol(&self) -> Protocol {
        self.protocol
    }

    fn rules(&self) -> ChannelRules {
        self.rules
    }

    async fn send(&self, message: &Message) -> Sent {
        self.ask(|reply| Call::Send(Box::new(message.clone()), reply)).await
    }

    async fn probe(&self) -> Result<(), Outcome> {
        self.ask(|reply| Call::Probe(self.protocol, reply)).await
    }
}

impl SimulatedChannel {
    async fn ask<T>(&self, call: impl FnOnce(Reply<T>) -> Call) -> T {
        let (reply, answer) = oneshot::channel();
        // Nobody hears it once the process is dead; nor does it hear of anything then.
        let _ = self.calls.send(call(reply));
        match answer.await {
            Ok(Some(answer)) => answer,
            // It says nothing: there is no defect that anyone would have to see.
            Ok(None) | Err(_) => resume_unwind(Box::new("the channel panics")),
        }
    }
}

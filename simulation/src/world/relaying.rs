//! The relay's shell: reads the log, publishes, waits.

use std::sync::Arc;

use anyhow::Result;
use application::ports::{OrderLog, Publisher};
use application::relay::{RelayAction, RelayEvent};

use super::{Happening, World};
use crate::process::{Stage, Told};

impl World<'_> {
    pub(super) fn tell_relay(&mut self, event: RelayEvent) -> Result<()> {
        let process = self.process()?;
        if process.stage == Stage::Draining {
            // It ends between two turns.
            return Ok(());
        }
        let action = process.relay.on(event);
        self.say(|| format!("  the relay: {action:?}"));
        let process = self.process()?;
        let store = process.store.store();
        match action {
            RelayAction::Read(limit) => {
                let read = async move { Told::Relay(RelayEvent::Read(store.unpublished(limit).await)) };
                process.tasks.spawn("read the log", read);
                self.relay_does = "read";
            }
            RelayAction::Publish(orders) => {
                let publish = async move { Told::Relay(RelayEvent::Published(store.publish(&orders).await)) };
                process.tasks.spawn("publish", publish);
                self.relay_does = "publish";
            }
            RelayAction::Rest => {
                let stored = Arc::clone(&store.signals().orders);
                process.tasks.spawn("wait for orders", async move {
                    stored.notified().await;
                    Told::Stored
                });
                self.relay_does = "rest";
            }
            RelayAction::Wait(time) => {
                self.plan(time, Happening::WakeRelay);
                self.relay_does = "wait";
            }
        }
        Ok(())
    }
}

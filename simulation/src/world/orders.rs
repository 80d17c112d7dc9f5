//! Clients: they place orders, wait for an answer, and ask again if none comes.

use std::time::Duration;

use anyhow::Result;
use application::Error;
use application::orders::{self, PlaceOrder, Placed};
use application::ports::ClientDigest;
use domain::order::OrderDetails;
use domain::order::idempotency::IdempotencyKey;

use super::{ScheduledEvent, World};
use crate::facts::Sought;
use crate::process::{Stage, TaskOutput};

/// Someone who wants an order placed.
#[derive(Debug)]
pub(super) struct Client {
    sought: Sought,
    tries: u32,
    waiting: bool,
}

const CURRENCIES: [&str; 3] = ["EUR", "USD", "GBP"];
/// How often a client asks again, at most.
const TRIES: u32 = 6;

impl World<'_> {
    /// Someone new wants an order placed: perhaps under a key, which now and then another used before.
    pub(super) fn new_client(&mut self) -> Result<()> {
        let client = self.clients.len();
        let used = self.clients.iter().filter_map(|client| client.sought.key.clone());
        let key = match self.rng.below(10) {
            0..4 => None,
            4 => self.rng.any(used),
            _ => Some(format!("key-of-client-{client:04}")),
        };
        // Who takes over a key takes over the client, so that the same payload is the same order.
        let before = self.clients.iter().find(|other| key.is_some() && other.sought.key == key);
        let owner = before.map_or(client, |before| before.sought.client);
        let sought = Sought { client: owner, key, currency: self.rng.pick(&CURRENCIES) };
        self.clients.push(Client { sought, tries: 0, waiting: false });
        self.place(client)
    }

    pub(super) fn place(&mut self, number: usize) -> Result<()> {
        let client = &mut self.clients[number];
        if client.waiting || client.tries >= TRIES {
            return Ok(());
        }
        client.tries += 1;
        let request = format!("client {number}, try {}", client.tries);
        let sought = client.sought.clone();
        let Some(process) = self.process.as_mut().filter(|process| process.stage == Stage::Up) else {
            self.place_again(number);
            return Ok(());
        };
        self.clients[number].waiting = true;
        let body = format!(
            r#"{{"customerName":"Ada {}","productName":"Mouse","currency":"{}"}}"#,
            sought.client, sought.currency
        );
        let place = PlaceOrder {
            details: OrderDetails::parse(body.as_bytes())
                .map_err(|invalid| anyhow::anyhow!("{invalid:?}"))?,
            key: sought
                .key
                .as_deref()
                .map(IdempotencyKey::parse)
                .transpose()
                .map_err(|invalid| anyhow::anyhow!("{invalid:?}"))?,
            caller: String::new(),
            client_digest: Some(ClientDigest::default()),
            request_id: request.clone(),
        };
        let app = process.app.clone();
        process.tasks.spawn("place an order", {
            let request = request.clone();
            async move { TaskOutput::Placed { client: number, answer: orders::place(&app, place).await, request } }
        });
        self.facts.sought.insert(request, sought);
        Ok(())
    }

    pub(super) fn placed(
        &mut self,
        client: usize,
        request: &str,
        answer: &Result<Placed, Error>,
    ) -> Result<()> {
        self.clients[client].waiting = false;
        self.facts.placed(request, answer)?;
        match answer {
            // Some press the button twice.
            Ok(_) => {
                if self.rng.percent(15) {
                    self.place_again(client);
                }
            }
            Err(error) => {
                self.expect_trouble(error)?;
                if error.code != "idempotency_key_reused" {
                    self.place_again(client);
                }
            }
        }
        Ok(())
    }

    fn place_again(&mut self, client: usize) {
        let most = self.rng.pick(&[1, 30, 3_600, 100_000]);
        let after = self.rng.up_to(Duration::from_secs(most));
        self.plan(after, ScheduledEvent::PlaceOrder(client));
    }

    /// The process died: whoever waited does not know what became of the order.
    pub(super) fn clients_lose_their_answers(&mut self) {
        for number in 0..self.clients.len() {
            if std::mem::take(&mut self.clients[number].waiting) && self.rng.percent(80) {
                self.place_again(number);
            }
        }
    }
}

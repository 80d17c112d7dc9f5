//! What operators do about spam.

use application::orders::{mark_spam, unmark_spam};
use application::ports::{SpamFilter, SpamSelection};

use super::World;
use crate::process::TaskOutput;
use crate::scenario::Action;

impl World<'_> {
    /// Marks an order, or all of a client, or takes a mark back.
    pub(super) fn operate_spam(&mut self, action: Action) {
        let Some(id) = self.rng.any(self.facts.orders.values().map(|order| order.id)) else { return };
        let client = self.rng.below(self.clients.len().max(1));
        self.ask("spam", move |app| async move {
            let customer_name = Some(format!("Ada {client}"));
            TaskOutput::Done(match action {
                Action::MarkSpam => mark_spam(&app, SpamSelection::One(id)).await.map(drop),
                Action::UnmarkSpam => unmark_spam(&app, id).await,
                _ => {
                    let filter = SpamFilter { customer_name, ..SpamFilter::default() };
                    mark_spam(&app, SpamSelection::Many(filter)).await.map(drop)
                }
            })
        });
    }
}

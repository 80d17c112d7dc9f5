//! An order in Slack's blocks: a header, its products, its facts in two columns, and what is longer than a line below its label.
//!
//! All that a client wrote is `plain_text`, beside or below a label that is ours.

use domain::notification::{self, Fact, FactKind, ItemLine, facts, other_facts};
use domain::order::{Order, ShortReference};
use domain::reader::Reader;
use domain::visible::with_overrides_shown;
use serde_json::{Value, json};

use super::payload::{MAX_SECTION, aside, header, length, mrkdwn, plain, words};
use super::words::Words;

/// The facts of one section, each of which is two of its ten fields.
const FACTS_PER_SECTION: usize = 5;
/// The longest text of a field.
const MAX_FIELD: usize = 2_000;
/// The longest text that stands beside its label, in UTF-16 units: what fits there on two or three lines.
const MAX_BESIDE: usize = 100;
/// The words of one post. Slack refuses one whose blocks have about 13,000 characters in all (`msg_blocks_too_long`), which
/// stands in no reference: measured in <https://github.com/slackapi/bolt-js/issues/2509>.
const MAX_WORDS: usize = 8_000;
/// With less room than this nothing is begun.
const MIN_WORDS: usize = 100;

/// The blocks that tell `order`, and where the rest of it is, which `rest` says, if they cannot tell all.
pub(super) fn order_blocks(order: &Order, reader: &Reader, rest: &str) -> Vec<Value> {
    let mut post = Post { blocks: Vec::new(), left: MAX_WORDS, is_cut: false };
    let said = notification::Words::of(reader.language);
    let new_order = Words::of(reader.language).new_order;
    post.blocks.push(header(&format!("{new_order} {}", ShortReference::of(order.id))));
    post.products(order, reader);
    let customer = order.details.customer_name.clone().map(|name| (said.customer, name));
    let identity = [(said.order_id, order.id.to_string())].into_iter().chain(customer);
    let identity = identity.map(|(label, text)| Fact {
        kind: FactKind::Other,
        label: label.into(),
        lines: vec![text.into()],
    });
    let facts = identity.chain(facts(order, reader));
    let (beside, below): (Vec<_>, Vec<_>) = facts.partition(stands_beside);
    post.facts(&beside);
    for fact in &below {
        post.below(&fact.label, &fact.lines.join("\n"));
    }
    let others: Vec<_> = other_facts(order, reader).iter().map(on_own_lines).collect();
    if !others.is_empty() {
        post.below(said.also_sent, &others.join("\n"));
    }
    if post.is_cut {
        post.blocks.push(aside(rest));
    }
    post.blocks
}

/// A post while it is written.
struct Post {
    blocks: Vec<Value>,
    /// The words that it has room for.
    left: usize,
    is_cut: bool,
}

impl Post {
    /// Each product on a line; those that do not fit are counted.
    fn products(&mut self, order: &Order, reader: &Reader) {
        let products = &order.details.products;
        let items =
            products.items.iter().map(|item| format!("- {}", ItemLine::of(item, order, reader).told()));
        let lines: Vec<_> = products.product_name.clone().into_iter().chain(items).collect();
        if lines.is_empty() {
            return;
        }
        let language = reader.language;
        let said = notification::Words::of(language);
        let label = if lines.len() == 1 { said.product } else { said.products };
        let mut shown = 0;
        let mut room = MAX_SECTION - said.more_items.of(language, lines.len()).len() - 1;
        for line in &lines {
            match room.checked_sub(length(line) + 1) {
                Some(left) => (room, shown) = (left, shown + 1),
                None => break,
            }
        }
        if shown == lines.len() || shown == 0 {
            self.below(label, &lines.join("\n"));
        } else {
            let rest = lines.len() - shown;
            let more = said.more_items.of(language, rest);
            self.is_cut = true;
            self.below(label, &format!("{}\n{more}", lines[..shown].join("\n")));
        }
    }

    /// Labels to the left, what they say to the right.
    fn facts(&mut self, facts: &[Fact<'_>]) {
        for some in facts.chunks(FACTS_PER_SECTION) {
            let fields = some.iter().flat_map(|fact| {
                let text = with_overrides_shown(&fact.lines.concat());
                [mrkdwn(&bold(&fact.label)), plain(shown(&text), MAX_FIELD)]
            });
            let fields: Vec<_> = fields.collect();
            self.blocks.push(json!({"type": "section", "fields": fields}));
        }
        self.left -= facts.iter().map(|fact| length(&fact.lines.concat())).sum::<usize>().min(self.left);
    }

    /// A label, and below it what it says.
    fn below(&mut self, label: &str, text: &str) {
        let most = self.left.min(MAX_SECTION);
        let text = with_overrides_shown(text);
        let length = length(&text);
        self.is_cut |= length > most;
        if length > most && most < MIN_WORDS {
            return;
        }
        self.left -= length.min(most);
        self.blocks.push(json!({"type": "section", "text": mrkdwn(&bold(label))}));
        self.blocks.push(json!({"type": "section", "text": plain(shown(&text), most)}));
    }
}

fn stands_beside(fact: &Fact<'_>) -> bool {
    matches!(fact.lines.as_slice(), [line] if length(line) <= MAX_BESIDE)
}

/// What is known by the client's own name only, which is no label of ours.
fn on_own_lines(Fact { label, lines, .. }: &Fact<'_>) -> String {
    match lines.as_slice() {
        [line] => format!("{label}: {line}"),
        lines => format!("{label}:\n    {}", lines.join("\n    ")),
    }
}

fn bold(label: &str) -> String {
    format!("*{}*", words(label, MAX_BESIDE))
}

/// Slack refuses a text of nothing.
fn shown(text: &str) -> &str {
    if text.trim().is_empty() { "-" } else { text }
}

//! What of a changed schema breaks a client. Whether what is simple takes all that it took, `jsonschema` tells.

use std::collections::BTreeSet;

use jsonschema::canonical::{CanonicalizationError, Containment, options};
use serde_json::{Map, Value, json};

use crate::alternatives::{ANNOTATIONS, Alternative, alternatives};
use crate::document::{members, target};

/// Keywords whose members have names of the document's own.
const BY_NAME: [&str; 3] = ["properties", "patternProperties", "dependentSchemas"];

/// Whose values a schema describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sender {
    /// Requests: all that could be sent must stay welcome.
    Client,
    /// Answers: nothing may come that could not come before.
    Program,
}

/// Two documents, of which schemas are compared.
pub(crate) struct Comparison<'a> {
    old: &'a Value,
    new: &'a Value,
    sender: Sender,
    /// The pairs that are being compared, since schemas may hold themselves.
    under_way: Vec<(Value, Value)>,
}

impl<'a> Comparison<'a> {
    pub(crate) fn new(old: &'a Value, new: &'a Value, sender: Sender) -> Self {
        Self { old, new, sender, under_way: Vec::new() }
    }

    /// What breaks a client where `old` became `new`; `place` leads to it from the body, as in `items[].orderId`.
    pub(crate) fn broken(&mut self, place: &str, old: &Value, new: &Value) -> Vec<String> {
        let pair = (old.clone(), new.clone());
        if self.under_way.contains(&pair) || self.is_same(old, new, &mut BTreeSet::new()) {
            return Vec::new();
        }
        self.under_way.push(pair);
        let broken = self.alternatives_broken(
            place,
            &alternatives(self.old, old, &[]),
            &alternatives(self.new, new, &[]),
        );
        self.under_way.pop();
        broken
    }

    /// Each way that a client may have gone, or may be led now, must have its like on the other side.
    fn alternatives_broken(&mut self, place: &str, old: &[Alternative], new: &[Alternative]) -> Vec<String> {
        let (wanted, there) = match self.sender {
            Sender::Client => (old, new),
            Sender::Program => (new, old),
        };
        let mut all = Vec::new();
        for (number, alternative) in wanted.iter().enumerate() {
            // Most likely it is the one that it was, and the words are about that; else about the one that is most like it.
            let same = there.get(number).filter(|_| old.len() == new.len());
            let mut said: Option<Vec<String>> = None;
            let others = there.iter().filter(|other| same.is_none_or(|same| !std::ptr::eq(same, *other)));
            for other in same.into_iter().chain(others) {
                let broken = match self.sender {
                    Sender::Client => self.alternative_broken(place, alternative, other),
                    Sender::Program => self.alternative_broken(place, other, alternative),
                };
                let fits = broken.is_empty();
                if fits || said.as_ref().is_none_or(|said| same.is_none() && broken.len() < said.len()) {
                    said = Some(broken);
                }
                if fits {
                    break;
                }
            }
            let nothing = || vec![format!("{} has nothing any more that it may be", named(place))];
            all.extend(said.unwrap_or_else(nothing));
        }
        all.sort();
        all.dedup();
        all
    }

    fn alternative_broken(&mut self, place: &str, old: &Alternative, new: &Alternative) -> Vec<String> {
        let mut broken = self.members_broken(place, old, new);
        let at = named(place);
        match self.sender {
            Sender::Client => {
                let added = new.required.difference(&old.required);
                broken.extend(added.map(|name| format!("{} must be sent now", inside(place, name))));
                if new.is_closed && !old.is_closed {
                    broken.push(format!("{at} refuses members that it does not name now"));
                }
            }
            Sender::Program => {
                let dropped = old.required.difference(&new.required);
                broken.extend(dropped.map(|name| format!("{} may be left out now", inside(place, name))));
            }
        }
        broken.extend(self.inside_broken(&inside(place, "*"), &old.others, &new.others));
        broken.extend(self.inside_broken(&format!("{place}[]"), &old.elements, &new.elements));
        if !self.stays_simple(old, new) {
            let (was, is) = (display_schema(&old.simple), display_schema(&new.simple));
            broken.push(match self.sender {
                Sender::Client => format!("{at} takes no longer all that it took: {was} became {is}"),
                Sender::Program => format!("{at} may be what it could not be: {was} became {is}"),
            });
        }
        broken.extend(self.rest_broken(&at, old, new));
        broken
    }

    fn members_broken(&mut self, place: &str, old: &Alternative, new: &Alternative) -> Vec<String> {
        let mut broken = Vec::new();
        for (name, was) in &old.members {
            let place = inside(place, name);
            match new.members.get(name) {
                None => broken.push(format!("{place} is gone")),
                Some(is) => broken.extend(self.broken(&place, &all_of(was), &all_of(is))),
            }
        }
        broken
    }

    /// What breaks in what holds for each element, or for each member without a name. Nothing: anything goes there.
    fn inside_broken(&mut self, place: &str, old: &[Value], new: &[Value]) -> Vec<String> {
        let loosened = if self.sender == Sender::Client { new } else { old };
        if loosened.is_empty() { Vec::new() } else { self.broken(place, &all_of(old), &all_of(new)) }
    }

    /// Whether what is simple takes all that it must take, or gives nothing that it did not give.
    fn stays_simple(&self, old: &Alternative, new: &Alternative) -> bool {
        let (wide, narrow) = match self.sender {
            Sender::Client => (&new.simple, &old.simple),
            Sender::Program => (&old.simple, &new.simple),
        };
        // What cannot be decided is not safe.
        wide.is_empty() || wide == narrow || matches!(covers(wide, narrow), Ok(Containment::Yes))
    }

    /// The keywords that are not looked into: more of them bind whoever sends, and must stay as they are otherwise.
    fn rest_broken(&self, at: &str, old: &Alternative, new: &Alternative) -> Vec<String> {
        let (wide, narrow) = match self.sender {
            Sender::Client => (&new.rest, &old.rest),
            Sender::Program => (&old.rest, &new.rest),
        };
        let stays = |(keyword, values): &(&String, &Vec<Value>)| {
            narrow.get(*keyword).is_some_and(|others| {
                let (old, new) =
                    if self.sender == Sender::Client { (others, *values) } else { (*values, others) };
                self.is_same(&json!(old), &json!(new), &mut BTreeSet::new())
            })
        };
        let changed = wide.iter().filter(|one| !stays(one));
        changed.map(|(keyword, _)| format!("{at} has another {keyword}, which may break a client")).collect()
    }

    /// Whether both say the same, also where their references lead.
    fn is_same(&self, old: &Value, new: &Value, seen: &mut BTreeSet<String>) -> bool {
        match (old, new) {
            (Value::Object(a), Value::Object(b)) => {
                let says = |(name, _): &(&String, &Value)| !ANNOTATIONS.contains(&name.as_str());
                let (a, b): (Vec<_>, Vec<_>) =
                    (a.iter().filter(says).collect(), b.iter().filter(says).collect());
                a.len() == b.len()
                    && a.iter().zip(&b).all(|((name, a), (other, b))| {
                        name == other && self.is_same_keyword(name, a, b, seen)
                    })
            }
            (Value::Array(a), Value::Array(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| self.is_same(a, b, seen))
            }
            _ => old == new,
        }
    }

    fn is_same_keyword(&self, name: &str, old: &Value, new: &Value, seen: &mut BTreeSet<String>) -> bool {
        if let ("$ref", Some(reference)) = (name, old.as_str()) {
            let is_known = !seen.insert(reference.to_owned());
            let leads_to_same =
                |seen: &mut _| self.is_same(target(self.old, reference), target(self.new, reference), seen);
            return old == new && (is_known || leads_to_same(seen));
        }
        if BY_NAME.contains(&name) {
            let names = |value| members(value).map(|(name, _)| name).collect::<Vec<_>>();
            return names(old) == names(new)
                && members(old).zip(members(new)).all(|((_, a), (_, b))| self.is_same(a, b, seen));
        }
        self.is_same(old, new, seen)
    }
}

/// Whether all that fits what is `narrow` fits what is `wide`.
fn covers(
    wide: &[Map<String, Value>],
    narrow: &[Map<String, Value>],
) -> Result<Containment, CanonicalizationError> {
    let canonical =
        |simple| options().should_validate_formats(true).canonicalize(&json!({ "allOf": simple }));
    canonical(wide)?.covers(&canonical(narrow)?)
}

/// Schemas that hold together, as one.
fn all_of(schemas: &[Value]) -> Value {
    let mut different: Vec<&Value> = Vec::new();
    for schema in schemas {
        if !different.contains(&schema) {
            different.push(schema);
        }
    }
    if let [one] = different[..] { one.clone() } else { json!({ "allOf": different }) }
}

fn display_schema(simple: &[Map<String, Value>]) -> String {
    let all: Vec<_> = simple.iter().flatten().map(|(keyword, value)| format!("{keyword} {value}")).collect();
    if all.is_empty() { "anything".to_owned() } else { all.join(" and ") }
}

fn inside(place: &str, name: &str) -> String {
    if place.is_empty() { name.to_owned() } else { format!("{place}.{name}") }
}

fn named(place: &str) -> String {
    if place.is_empty() { "the whole".to_owned() } else { place.to_owned() }
}

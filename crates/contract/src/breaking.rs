//! What of a changed document breaks a client of the one before.

use serde_json::{Value, json};

use crate::document::{METHODS, elements, members, resolved};
use crate::schemas::{Comparison, Sender};

/// Each change from one `OpenAPI` 3.1 document to another that breaks a client of the first, in words that name the place.
/// What is only added breaks none: a client leaves out what it does not know, and passes over what it did not expect.
///
/// What cannot be told for certain counts as breaking.
#[must_use]
pub fn breaking_changes(old: &Value, new: &Value) -> Vec<String> {
    let mut documents = Documents { old, new, broken: Vec::new() };
    for (path, old_item) in members(&old["paths"]) {
        let Some(new_item) = new["paths"].get(path) else {
            documents.broken.push(format!("{path} is gone"));
            continue;
        };
        for method in METHODS {
            let Some(old_operation) = old_item.get(method) else { continue };
            let name = format!("{} {path}", method.to_uppercase());
            match new_item.get(method) {
                None => documents.broken.push(format!("{name} is gone")),
                Some(new_operation) => {
                    documents.parameters(&name, (old_item, old_operation), (new_item, new_operation));
                    documents.operation(&name, old_operation, new_operation);
                }
            }
        }
    }
    documents.broken
}

struct Documents<'a> {
    old: &'a Value,
    new: &'a Value,
    broken: Vec<String>,
}

impl Documents<'_> {
    fn operation(&mut self, name: &str, old: &Value, new: &Value) {
        self.security(name, &old["security"], &new["security"]);
        self.request(name, &old["requestBody"], &new["requestBody"]);
        for (status, old_answer) in members(&old["responses"]) {
            let place = format!("the answer {status} of {name}");
            match new["responses"].get(status) {
                None => self.broken.push(format!("{place} is gone")),
                Some(new_answer) => self.answer(&place, old_answer, new_answer),
            }
        }
    }

    /// Parameters of a path and of its operation: each with its own, which go before the path's.
    fn parameters(&mut self, name: &str, old: (&Value, &Value), new: (&Value, &Value)) {
        let (old, new) = (parameters(self.old, old), parameters(self.new, new));
        let of = |parameters: &[Value], one: &Value| {
            parameters.iter().find(|other| identity(other) == identity(one)).cloned()
        };
        for parameter in &old {
            let place = format!("the {} of {name}", identity(parameter));
            match of(&new, parameter) {
                None => self.broken.push(format!("{place} is gone")),
                Some(kept) => {
                    if kept["required"] == true && parameter["required"] != true {
                        self.broken.push(format!("{place} must be sent now"));
                    }
                    self.schemas(&place, Sender::Client, &parameter["schema"], &kept["schema"]);
                }
            }
        }
        for parameter in new.iter().filter(|new| new["required"] == true && of(&old, new).is_none()) {
            self.broken.push(format!("the {} of {name} must be sent now", identity(parameter)));
        }
    }

    fn request(&mut self, name: &str, old: &Value, new: &Value) {
        let (old, new) = (resolved(self.old, old).clone(), resolved(self.new, new).clone());
        if new["required"] == true && old["required"] != true {
            self.broken.push(format!("{name} must have a body now"));
        }
        self.bodies(&format!("the request of {name}"), Sender::Client, &old, &new);
    }

    fn answer(&mut self, place: &str, old: &Value, new: &Value) {
        let (old, new) = (resolved(self.old, old).clone(), resolved(self.new, new).clone());
        for (header, _) in members(&old["headers"]) {
            if new["headers"].get(header).is_none() {
                self.broken.push(format!("the header {header} of {place} is gone"));
            }
        }
        self.bodies(place, Sender::Program, &old, &new);
    }

    fn bodies(&mut self, place: &str, sender: Sender, old: &Value, new: &Value) {
        for (media_type, old_media) in members(&old["content"]) {
            match new["content"].get(media_type) {
                None => self.broken.push(format!("{place} can no longer be {media_type}")),
                Some(new_media) => self.schemas(place, sender, &old_media["schema"], &new_media["schema"]),
            }
        }
    }

    /// Each way in which a client could get in must stay one.
    fn security(&mut self, name: &str, old: &Value, new: &Value) {
        let without_key = [json!({})];
        let alternatives = |security: &Value| match security.as_array() {
            Some(alternatives) if !alternatives.is_empty() => alternatives.clone(),
            _ => without_key.to_vec(),
        };
        let (old, new) = (alternatives(old), alternatives(new));
        for alternative in
            old.iter().filter(|alternative| !new.contains(alternative) && !new.contains(&without_key[0]))
        {
            let keys: Vec<_> = members(alternative).map(|(key, _)| key).collect();
            let with = if keys.is_empty() {
                "without a key".to_owned()
            } else {
                format!("with {}", keys.join(" and "))
            };
            self.broken.push(format!("{name} can no longer be asked {with}"));
        }
    }

    fn schemas(&mut self, place: &str, sender: Sender, old: &Value, new: &Value) {
        let broken = Comparison::new(self.old, self.new, sender).broken("", old, new);
        self.broken.extend(broken.into_iter().map(|what| format!("{place}: {what}")));
    }
}

fn parameters(document: &Value, (item, operation): (&Value, &Value)) -> Vec<Value> {
    let own: Vec<_> =
        elements(&operation["parameters"]).map(|parameter| resolved(document, parameter).clone()).collect();
    let of_path = elements(&item["parameters"]).map(|parameter| resolved(document, parameter).clone());
    let inherited: Vec<_> =
        of_path.filter(|parameter| own.iter().all(|other| identity(other) != identity(parameter))).collect();
    [own, inherited].concat()
}

/// What names a parameter, such as `query parameter limit`.
fn identity(parameter: &Value) -> String {
    let text = |name: &str| parameter[name].as_str().unwrap_or_default().to_owned();
    format!("{} parameter {}", text("in"), text("name"))
}

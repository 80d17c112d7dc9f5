//! Reading settings one by one while collecting every mistake.

use std::collections::{BTreeMap, BTreeSet};

use channels::Secret;

use super::layers::{Layers, RawSetting, environment_name};

/// Settings being read.
pub(super) struct Reading {
    written: BTreeMap<&'static str, RawSetting>,
    mistakes: Vec<String>,
    /// What was asked for so far.
    asked: BTreeSet<String>,
    /// What was written wrongly, or is missing.
    mistaken: BTreeSet<String>,
}

impl Reading {
    pub(super) fn new(layers: Layers) -> Self {
        let (written, mistakes) = layers.into_parts();
        Self { written, mistakes, asked: BTreeSet::new(), mistaken: BTreeSet::new() }
    }

    /// The setting, if it was written and is right.
    pub(super) fn optional<T>(
        &mut self,
        setting: &'static str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        self.asked.insert(setting.to_owned());
        let written = self.written.get(setting)?;
        match parse(&written.text) {
            Ok(value) => Some(value),
            Err(why) => {
                self.mistakes.push(format!("{}: {why}", written.origin));
                self.mistaken.insert(setting.to_owned());
                None
            }
        }
    }

    /// The setting, or its default.
    pub(super) fn or<T>(
        &mut self,
        setting: &'static str,
        default: T,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> T {
        self.optional(setting, parse).unwrap_or(default)
    }

    /// A setting that others make necessary.
    pub(super) fn required<T>(
        &mut self,
        setting: &'static str,
        because: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        if !self.is_written(setting) {
            self.mistake(setting, &format!("is missing: {because}"));
        }
        self.optional(setting, parse)
    }

    pub(super) fn is_written(&self, setting: &str) -> bool {
        self.written.contains_key(setting)
    }

    pub(super) fn is_mistaken(&self, setting: &str) -> bool {
        self.mistaken.contains(setting)
    }

    /// Says of each setting that was written and that nothing asked for that it has no effect. Where another setting of its
    /// section is wrong that may be why, and is said already.
    pub(super) fn name_the_unused(&mut self) {
        let section = |setting: &str| setting.split_once('.').map(|(section, _)| section.to_owned());
        let wrong: BTreeSet<_> = self.mistaken.iter().map(|setting| section(setting)).collect();
        // AWS's own variables are there for others, too.
        let ours = self.written.iter().filter(|(_, written)| !written.origin.starts_with("AWS_"));
        for (setting, written) in ours.filter(|(setting, _)| !self.asked.contains(**setting)) {
            if !wrong.contains(&section(setting)) {
                self.mistakes.push(format!("{}: {}", written.origin, without_effect(setting)));
            }
        }
    }

    /// Says that a setting is wrong, or missing, in view of the others.
    pub(super) fn mistake(&mut self, setting: &str, why: &str) {
        let name = match self.written.get(setting) {
            Some(written) => written.origin.clone(),
            None => format!("{setting} ({})", environment_name(setting)),
        };
        self.mistakes.push(format!("{name}: {why}"));
        self.mistaken.insert(setting.to_owned());
    }

    /// What was read, unless there was a mistake.
    pub(super) fn finish<T>(self, read: T) -> Result<T, Vec<String>> {
        if self.mistakes.is_empty() { Ok(read) } else { Err(self.mistakes) }
    }
}

/// Why a setting that is right by itself does nothing.
fn without_effect(setting: &str) -> &'static str {
    match setting.split_once('.') {
        Some(("smtp", _)) => {
            "has no effect without smtp.host (ORDERBELL_SMTP_HOST): mail is kept in the sandbox inbox"
        }
        Some(("sms", _)) => {
            "has no effect with sms.provider (ORDERBELL_SMS_PROVIDER) as it is, or without it"
        }
        _ => "has no effect beside the other settings",
    }
}

/// Refuses what a copied line brings along: a line break at the end of a secret is not seen, and not accepted by anyone.
pub(super) fn no_control_characters(text: &str) -> Result<(), String> {
    if text.ends_with(['\n', '\r']) {
        return Err("must not end with a line break".to_owned());
    }
    if text.contains(char::is_control) {
        return Err("must be without line breaks and other control characters".to_owned());
    }
    Ok(())
}

/// The entries of a list written with commas.
pub(super) fn list(text: &str) -> impl Iterator<Item = String> {
    text.split(',').map(str::trim).filter(|entry| !entry.is_empty()).map(str::to_owned)
}

/// A text that says something, without the blanks around it.
pub(super) fn words(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("must not be empty".to_owned()),
        said => no_control_characters(text).map(|()| said.to_owned()),
    }
}

/// A secret, without the blanks around it. An empty one is anyone's.
pub(super) fn secret(text: &str) -> Result<Secret, String> {
    words(text).map(Secret::new)
}

/// A whole number within a range.
pub(super) fn number<T>(range: std::ops::RangeInclusive<T>) -> impl FnOnce(&str) -> Result<T, String>
where
    T: std::str::FromStr + PartialOrd + std::fmt::Display,
{
    move |text| {
        let number = text.parse().ok().filter(|number| range.contains(number));
        number.ok_or_else(|| format!("must be a whole number from {} to {}", range.start(), range.end()))
    }
}

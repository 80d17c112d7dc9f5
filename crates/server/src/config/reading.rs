//! Reading settings one by one while collecting every mistake.

use std::collections::BTreeMap;

use channels::Secret;

use super::layers::{Layers, Written, environment_name};

/// Settings being read.
pub(super) struct Reading {
    written: BTreeMap<&'static str, Written>,
    mistakes: Vec<String>,
}

impl Reading {
    pub(super) fn new(layers: Layers) -> Self {
        let (written, mistakes) = layers.into_parts();
        Self { written, mistakes }
    }

    /// The setting, if it was written and is right.
    pub(super) fn optional<T>(
        &mut self,
        setting: &'static str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let written = self.written.get(setting)?;
        match parse(&written.text) {
            Ok(value) => Some(value),
            Err(why) => {
                self.mistakes.push(format!("{}: {why}", written.origin));
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

    /// Says that a setting is wrong, or missing, in view of the others.
    pub(super) fn mistake(&mut self, setting: &str, why: &str) {
        let name = match self.written.get(setting) {
            Some(written) => written.origin.clone(),
            None => format!("{setting} ({})", environment_name(setting)),
        };
        self.mistakes.push(format!("{name}: {why}"));
    }

    /// What was read, unless there was a mistake.
    pub(super) fn finish<T>(self, read: T) -> Result<T, Vec<String>> {
        if self.mistakes.is_empty() { Ok(read) } else { Err(self.mistakes) }
    }
}

/// The entries of a list written with commas.
pub(super) fn list(text: &str) -> impl Iterator<Item = String> {
    text.split(',').map(str::trim).filter(|entry| !entry.is_empty()).map(str::to_owned)
}

/// A text that says something, without the blanks around it.
pub(super) fn words(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("must not be empty".to_owned()),
        text => Ok(text.to_owned()),
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

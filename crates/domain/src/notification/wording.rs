//! How an order is told to a reader.

use std::borrow::Cow;

use super::words::Words;
use crate::language::{Language, times};
use crate::reader::Reader;
use crate::time_zone::TimeZone;

/// In which words, and by which clock.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wording<'a> {
    pub(super) language: Language,
    pub(super) words: &'static Words,
    time_zone: &'a TimeZone,
    in_gsm: bool,
}

impl<'a> Wording<'a> {
    /// As messages have it.
    pub(super) fn of(reader: &'a Reader) -> Self {
        let Reader { language, time_zone } = reader;
        Self { language: *language, words: Words::of(*language), time_zone, in_gsm: false }
    }

    /// As text messages have it, where one letter beyond the GSM alphabet would halve the room.
    pub(super) fn in_gsm(reader: &'a Reader) -> Self {
        Self { words: Words::in_gsm(reader.language), in_gsm: true, ..Self::of(reader) }
    }

    /// When an order is wanted: a date or a time as the reader's language writes it, and what is none as it came.
    pub(super) fn wanted_at<'t>(&self, at: &'t str) -> Cow<'t, str> {
        match times::wanted_at(self.language, self.time_zone, at) {
            Some(said) if self.in_gsm => times::in_gsm(&said).into(),
            Some(said) => said.into(),
            None => at.into(),
        }
    }
}

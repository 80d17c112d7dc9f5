//! Reading a part of a template into steps that need no looking up, and no more depth than one list, to be followed.

use super::html;
use super::names::{List, Name, Value};
use super::{MAX_PART, MAX_SECTIONS, MAX_TAGS, Part, invalid};
use crate::Invalid;

/// What an error repeats of a name, in characters.
const MAX_NAME_SHOWN: usize = 60;

/// A part that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Parsed {
    pub(super) steps: Vec<Step>,
}

/// One step of filling a part in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// What the operator wrote.
    Words(String),
    /// What the order says.
    Value(Name),
    /// A link of ours as the value of an attribute of HTML.
    Link(Name),
    /// Goes on behind the end, if there is nothing that it is about.
    Begin {
        /// What it is there for.
        section: Section,
        /// Where its end is.
        end: usize,
    },
    /// Goes back to what follows the beginning, if there is another of its list.
    End {
        /// Where its beginning is.
        begin: usize,
    },
}

/// What a section is there for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Section {
    /// Each of a list.
    Each(List),
    /// A value that is there.
    With(Name),
    /// A value that is not there, or a list of nothing.
    Without(Name),
}

/// A section that is not closed yet.
struct Open<'a> {
    name: &'a str,
    list: Option<List>,
    /// Its step.
    begin: usize,
    /// Where it stands in the source.
    at: usize,
}

/// A part while it is read.
struct Reading<'a> {
    part: Part,
    source: &'a str,
    steps: Vec<Step>,
    /// Where each step stands in the source.
    places: Vec<usize>,
    open: Vec<Open<'a>>,
}

impl Parsed {
    /// Reads a part.
    pub(super) fn read(part: Part, source: &str) -> Result<Self, Invalid> {
        let name = part.name();
        if source.len() > MAX_PART {
            return Err(invalid(name, format!("{name} must have at most {MAX_PART} bytes")));
        }
        // Windows ends a line with two characters.
        let source = &source.replace("\r\n", "\n");
        let mut reading = Reading { part, source, steps: Vec::new(), places: Vec::new(), open: Vec::new() };
        reading.read()?;
        let Reading { mut steps, places, .. } = reading;
        if part == Part::Html {
            html::check(&mut steps)
                .map_err(|(step, offset, why)| wrong(part, source, places[step] + offset, &why))?;
        }
        Ok(Self { steps })
    }
}

impl<'a> Reading<'a> {
    fn read(&mut self) -> Result<(), Invalid> {
        if let Some(at) = self.source.find(|c: char| c.is_control() && !matches!(c, '\n' | '\t')) {
            return Err(self.wrong(at, "a control character cannot stand in a template"));
        }
        let (mut at, mut tags) = (0, 0);
        while let Some(length) = self.source[at..].find("{{") {
            let begin = at + length;
            let Some(length) = self.source[begin..].find("}}") else {
                return Err(self.wrong(begin, "a tag is not closed: }} is missing"));
            };
            let end = begin + length + 2;
            tags += 1;
            if tags > MAX_TAGS {
                return Err(self.wrong(begin, &format!("a part has at most {MAX_TAGS} tags")));
            }
            let tag = &self.source[begin + 2..end - 2];
            let (words_end, next) = self.line_of(tag, begin, end).unwrap_or((begin, end));
            self.words(at, words_end);
            self.tag(tag, begin)?;
            at = next;
        }
        self.words(at, self.source.len());
        match self.open.pop() {
            None => Ok(()),
            Some(Open { name, at, .. }) => Err(self.wrong(at, &format!("the section {name} is not closed"))),
        }
    }

    /// Of a tag that shows nothing and has its line for itself: where that begins, and where the next one does. The line is
    /// left out, as Mustache does it.
    fn line_of(&self, tag: &str, begin: usize, end: usize) -> Option<(usize, usize)> {
        if !tag.starts_with(['#', '^', '/', '!']) {
            return None;
        }
        let line = self.source[..begin].rfind('\n').map_or(0, |at| at + 1);
        let next = self.source[end..].find('\n').map_or(self.source.len(), |length| end + length + 1);
        let is_blank = |words: &str| words.trim().is_empty();
        (is_blank(&self.source[line..begin]) && is_blank(&self.source[end..next])).then_some((line, next))
    }

    fn words(&mut self, begin: usize, end: usize) {
        if begin < end {
            self.push(begin, Step::Words(self.source[begin..end].to_owned()));
        }
    }

    fn push(&mut self, at: usize, step: Step) {
        self.places.push(at);
        self.steps.push(step);
    }

    fn tag(&mut self, tag: &'a str, at: usize) -> Result<(), Invalid> {
        let name = |sign: char| tag.trim_start().strip_prefix(sign).map(str::trim);
        if let Some(name) = name('#') {
            let section = match self.resolve(name, at)? {
                Name::List(list) => Section::Each(list),
                value => Section::With(value),
            };
            self.begin(name, section, at)
        } else if let Some(name) = name('^') {
            let section = Section::Without(self.resolve(name, at)?);
            self.begin(name, section, at)
        } else if let Some(name) = name('/') {
            self.end(name, at)
        } else if name('!').is_some() {
            Ok(())
        } else if tag.trim_start().starts_with(['{', '&', '>', '=', '<', '$', '*']) {
            Err(self.wrong(at, "a tag is {{name}}, {{#name}}, {{^name}}, {{/name}} or {{! a remark }}"))
        } else {
            match self.resolve(tag.trim(), at)? {
                Name::List(_) | Name::Value(Value::HasItems) => {
                    let name = tag.trim();
                    Err(self.wrong(at, &format!("{name} is no value: write {{{{#{name}}}}}…{{{{/{name}}}}}")))
                }
                value => {
                    self.push(at, Step::Value(value));
                    Ok(())
                }
            }
        }
    }

    fn begin(&mut self, name: &'a str, section: Section, at: usize) -> Result<(), Invalid> {
        if self.open.len() == MAX_SECTIONS {
            return Err(self.wrong(at, &format!("sections stand at most {MAX_SECTIONS} deep in one another")));
        }
        let list = match section {
            Section::Each(list) => Some(list),
            Section::With(_) | Section::Without(_) => None,
        };
        if let (Some(_), Some(around)) = (list, self.open.iter().find(|open| open.list.is_some())) {
            let why = format!("the list {name} cannot stand within the list {}", around.name);
            return Err(self.wrong(at, &why));
        }
        self.open.push(Open { name, list, begin: self.steps.len(), at });
        self.push(at, Step::Begin { section, end: 0 });
        Ok(())
    }

    fn end(&mut self, name: &str, at: usize) -> Result<(), Invalid> {
        let begin = match self.open.pop() {
            Some(Open { name: begun, begin, .. }) if begun == name => begin,
            Some(Open { name: begun, .. }) => {
                return Err(self.wrong(at, &format!("the section {begun} ends here, not {name}")));
            }
            None => return Err(self.wrong(at, &format!("no section {name} is open here"))),
        };
        let place = self.steps.len();
        if let Step::Begin { end, .. } = &mut self.steps[begin] {
            *end = place;
        }
        self.push(at, Step::End { begin });
        Ok(())
    }

    fn resolve(&self, name: &str, at: usize) -> Result<Name, Invalid> {
        let list = self.open.iter().find_map(|open| open.list);
        Name::resolve(name, list).ok_or_else(|| {
            let shown: String = name.chars().take(MAX_NAME_SHOWN).collect();
            self.wrong(at, &format!("{shown:?} is not known here; there are {}", Name::all(list)))
        })
    }

    fn wrong(&self, at: usize, why: &str) -> Invalid {
        wrong(self.part, self.source, at, why)
    }
}

/// Says where something is wrong, as editors count.
fn wrong(part: Part, source: &str, at: usize, why: &str) -> Invalid {
    let before = &source[..source.floor_char_boundary(at)];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    invalid(part.name(), format!("{}, line {line}, column {column}: {why}", part.name()))
}

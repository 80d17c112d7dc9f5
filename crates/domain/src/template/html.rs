//! Which HTML an operator may write, and where values may stand in it: between elements, where escaping keeps them words.
//! Within a tag there is no value but a link of ours, and nothing there loads a program or runs one.

use super::grammar::Step;
use super::names::{Name, Value};

/// The elements that a mail's words are made of.
const ELEMENTS: [&str; 48] = [
    "a",
    "abbr",
    "b",
    "bdi",
    "bdo",
    "blockquote",
    "br",
    "caption",
    "center",
    "code",
    "col",
    "colgroup",
    "dd",
    "del",
    "div",
    "dl",
    "dt",
    "em",
    "font",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "i",
    "img",
    "ins",
    "li",
    "ol",
    "p",
    "pre",
    "s",
    "small",
    "span",
    "strong",
    "sub",
    "sup",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "tr",
    "u",
    "ul",
];
/// Those that have no end.
const VOID: [&str; 4] = ["br", "col", "hr", "img"];
/// Their attributes, of which none names a program.
const ATTRIBUTES: [&str; 23] = [
    "align",
    "alt",
    "bgcolor",
    "border",
    "cellpadding",
    "cellspacing",
    "color",
    "colspan",
    "dir",
    "face",
    "height",
    "href",
    "lang",
    "role",
    "rowspan",
    "scope",
    "size",
    "span",
    "src",
    "style",
    "title",
    "valign",
    "width",
];
/// What the address of a link or an image begins with.
const SCHEMES: [&str; 4] = ["https://", "http://", "mailto:", "tel:"];
/// How deep elements may stand in one another.
const MAX_ELEMENTS: usize = 50;

/// What stands for a step that is no words: no template has controls in it.
const VALUE: char = '\u{1}';
const LINK: char = '\u{2}';
const BEGIN: char = '\u{3}';
const END: char = '\u{4}';

/// What is wrong: at which step, how far into its words, and why.
pub(super) type Wrong = (usize, usize, String);

/// Checks the HTML of a part, and marks the links that are values of attributes.
pub(super) fn check(steps: &mut [Step]) -> Result<(), Wrong> {
    let mut html = String::new();
    let mut places = Vec::new();
    for step in &*steps {
        places.push(html.len());
        match step {
            Step::Words(words) => html.push_str(words),
            Step::Value(Name::Value(Value::OrderUrl | Value::UnsubscribeUrl)) => html.push(LINK),
            Step::Value(_) | Step::Link(_) => html.push(VALUE),
            Step::Begin { .. } => html.push(BEGIN),
            Step::End { .. } => html.push(END),
        }
    }
    let step_at = |at: usize| places.partition_point(|place| *place <= at).saturating_sub(1);
    let mut check = Check { html: &html, at: 0, open: Vec::new(), sections: Vec::new(), links: Vec::new() };
    if let Err((at, why)) = check.words() {
        let step = step_at(at);
        return Err((step, at - places[step], why));
    }
    for link in check.links {
        let step = &mut steps[step_at(link)];
        if let Step::Value(name) = step {
            *step = Step::Link(name.clone());
        }
    }
    Ok(())
}

/// HTML while it is checked.
struct Check<'a> {
    html: &'a str,
    at: usize,
    /// The elements that are open, and where each began.
    open: Vec<(&'a str, usize)>,
    /// How many elements were open where each open section began.
    sections: Vec<usize>,
    /// Where links of ours are values of attributes.
    links: Vec<usize>,
}

impl<'a> Check<'a> {
    /// Whatever is in a section or not, the same elements are open behind it as before it.
    fn words(&mut self) -> Result<(), (usize, String)> {
        while let Some(length) = self.html[self.at..].find(['<', BEGIN, END]) {
            self.at += length;
            if self.rest().starts_with(BEGIN) {
                self.sections.push(self.open.len());
                self.at += 1;
            } else if self.rest().starts_with(END) {
                let outside = self.sections.pop().unwrap_or_default();
                if let Some((name, at)) = self.open.get(outside) {
                    return Err((*at, format!("<{name}> is not closed where its section ends")));
                }
                self.at += 1;
            } else {
                self.tag()?;
            }
        }
        match self.open.pop() {
            None => Ok(()),
            Some((name, at)) => Err((at, format!("<{name}> is not closed"))),
        }
    }

    fn rest(&self) -> &'a str {
        &self.html[self.at..]
    }

    /// Takes what begins the rest as long as `fits` says.
    fn take(&mut self, fits: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let taken = &rest[..rest.find(|c| !fits(c)).unwrap_or(rest.len())];
        self.at += taken.len();
        taken
    }

    fn takes(&mut self, words: &str) -> bool {
        let begins = self.rest().starts_with(words);
        self.at += if begins { words.len() } else { 0 };
        begins
    }

    fn tag(&mut self) -> Result<(), (usize, String)> {
        let begin = self.at;
        self.at += 1;
        if self.rest().starts_with("!--") {
            return Err((begin, "a remark is {{! … }}: what stands in <!-- --> is sent".to_owned()));
        }
        let ends = self.takes("/");
        let name = self.take(|c| c.is_ascii_alphanumeric());
        let Some(name) = ELEMENTS.into_iter().find(|element| element.eq_ignore_ascii_case(name)) else {
            let why = if name.is_empty() {
                "a < that begins no element is written &lt;".to_owned()
            } else {
                format!("<{name}> cannot stand in a mail; there are {}", ELEMENTS.join(", "))
            };
            return Err((begin, why));
        };
        self.take(char::is_whitespace);
        while !(self.takes(">") || !ends && self.takes("/>")) {
            if ends {
                return Err((self.at, format!("</{name}> ends with >")));
            }
            self.attribute(name)?;
            self.take(char::is_whitespace);
        }
        if ends { self.close(name, begin) } else { self.open(name, begin) }
    }

    fn open(&mut self, name: &'static str, at: usize) -> Result<(), (usize, String)> {
        if VOID.contains(&name) {
            return Ok(());
        }
        if self.open.len() == MAX_ELEMENTS {
            return Err((at, format!("elements stand at most {MAX_ELEMENTS} deep in one another")));
        }
        self.open.push((name, at));
        Ok(())
    }

    fn close(&mut self, name: &str, at: usize) -> Result<(), (usize, String)> {
        let outside = self.sections.last().copied().unwrap_or_default();
        let innermost = self.open.get(outside..).and_then(<[_]>::last);
        match innermost {
            Some((open, _)) if *open == name => {
                self.open.pop();
                Ok(())
            }
            Some((open, _)) => Err((at, format!("</{name}> comes before </{open}>"))),
            None if self.sections.is_empty() => Err((at, format!("</{name}> closes nothing that is open"))),
            None => Err((at, format!("</{name}> closes nothing that is open in this section"))),
        }
    }

    fn attribute(&mut self, element: &str) -> Result<(), (usize, String)> {
        let begin = self.at;
        let name = self.take(|c| c.is_ascii_alphanumeric() || c == '-').to_ascii_lowercase();
        if name.is_empty() {
            let why = format!("within <{element}> there are only attributes, each with its value in quotes");
            return Err((begin, why));
        }
        if !ATTRIBUTES.contains(&name.as_str()) && !name.starts_with("aria-") {
            let why = format!("{name} is no attribute here; there are {}", ATTRIBUTES.join(", "));
            return Err((begin, why));
        }
        let quote = if self.takes("=\"") {
            '"'
        } else if self.takes("='") {
            '\''
        } else {
            return Err((self.at, format!("the value of {name} stands in quotes")));
        };
        let at = self.at;
        let value = self.take(|c| c != quote);
        if !self.takes(if quote == '"' { "\"" } else { "'" }) {
            return Err((at, format!("the value of {name} is not closed")));
        }
        if let Some(length) = value.find([VALUE, BEGIN, END]) {
            let why = "in a tag there is no value but a href of {{orderUrl}} or {{unsubscribeUrl}} alone, and no section";
            return Err((at + length, why.to_owned()));
        }
        if name == "href" && value.chars().eq([LINK]) {
            self.links.push(at);
            return Ok(());
        }
        if let Some(length) = value.find(LINK) {
            return Err((
                at + length,
                "a link of ours is the whole value of a href, or stands between tags".to_owned(),
            ));
        }
        let has_scheme = |scheme: &&str| {
            value.get(..scheme.len()).is_some_and(|begins| begins.eq_ignore_ascii_case(scheme))
        };
        if matches!(name.as_str(), "href" | "src") && !SCHEMES.iter().any(has_scheme) {
            return Err((at, format!("the value of {name} begins with {}", SCHEMES.join(", "))));
        }
        Ok(())
    }
}

//! An order as a text message, each part of which is charged: what staff act on first stands first, and what does not fit
//! gives way from the end.

use unicode_segmentation::UnicodeSegmentation;

use super::facts::{Fact, FactKind, joined, lines};
use super::wording::Wording;
use super::words::Words;
use super::{headline, text};
use crate::language::{Language, numbers};
use crate::order::{Order, ShortReference};
use crate::reader::Reader;
use crate::sms_text::{Alphabet, Room, parts, with_plain_letters, with_plain_punctuation};
use crate::visible::with_overrides_shown;

/// The facts that staff act on first; the others follow in their own order.
const FIRST: [FactKind; 6] = [
    FactKind::Note,
    FactKind::Total,
    FactKind::Phone,
    FactKind::WantedAt,
    FactKind::Address,
    FactKind::Reference,
];
/// Facts of which a beginning says something. Half a number or an address of mail says what is wrong.
const CUT: [FactKind; 2] = [FactKind::Note, FactKind::Address];
/// The units that a line leaves to each one after it that has so much to say.
const BRIEF: usize = 40;
/// A beginning of less than this says nothing.
const SHORTEST: usize = 8;

/// The order as a text message that fits `room`: the recipe's text where that is the whole order and fits, else a form of
/// its own.
///
/// That begins with the short reference and the items, and goes on with the customer, the note, the total, the phone number,
/// the time wanted, the address, the shop's reference and all else, each on one line, with ` / ` for a line break of the
/// customer's. It has nothing that the GSM alphabet lacks unless the order has, and typographic characters do not count: they
/// are written as that alphabet has them where all else is of it; where all of it would not fit otherwise, letters lose the marks
/// that it lacks. Items that do not fit are counted (`+3 more items`), a long text ends in an ellipsis, and where a line is left
/// out the last one is `+ more`. All that is ours in it is of the GSM alphabet in every language.
///
/// The link to the order's page stands where it costs nothing: in the room that the last part has left, or in the place of
/// what would be cut anyway, as long as it leaves two thirds of all the room to the order.
#[must_use]
pub fn sms(order: &Order, reader: &Reader, room: Room<'_>, order_url: Option<&str>) -> String {
    let recipe = headline(order, reader);
    if room.holds(&recipe) && recipe == text(order, reader) {
        return room.message(&recipe);
    }
    let (said, is_whole) = said(order, reader, room);
    let message = room.message(&said);
    let Some(url) = order_url else { return message };
    let ending = room.ending(url);
    let Ok(with_link) = room.ending_with(&ending) else { return message };
    if is_whole {
        let linked = with_link.message(&said);
        let costs_nothing = with_link.holds(&said) && parts(&linked).count <= parts(&message).count;
        return if costs_nothing { linked } else { message };
    }
    let alphabet = Alphabet::of(&message);
    if with_link.units(alphabet) < room.units(alphabet) * 2 / 3 {
        return message;
    }
    with_link.message(&self::said(order, reader, with_link).0)
}

/// What stands in the room beside its link, and whether that is the whole order.
fn said(order: &Order, reader: &Reader, room: Room<'_>) -> (String, bool) {
    let written = said_lines(order, Wording::in_gsm(reader));
    let plain: Vec<Line> = written.iter().map(Line::in_plain_punctuation).collect();
    let letters: Vec<Line> = plain.iter().map(Line::in_plain_letters).collect();
    let in_gsm = |lines: &[Line]| {
        let said = fitted(lines, lines.len() < plain.len(), Alphabet::Gsm7, room, reader.language);
        Some(said).filter(|said| Alphabet::of(said) == Alphabet::Gsm7)
    };
    let whole = || Some(whole(&written)).filter(|whole| room.holds(whole));
    // What matters least shall not halve the room of what matters most.
    let without_wide_details = || {
        let kept = |line: &&Line| line.matters || Alphabet::of(&line.whole()) == Alphabet::Gsm7;
        in_gsm(&letters.iter().filter(kept).cloned().collect::<Vec<_>>())
    };
    let said = in_gsm(&plain)
        .or_else(whole)
        .or_else(|| in_gsm(&letters))
        .or_else(without_wide_details)
        .unwrap_or_else(|| fitted(&written, false, Alphabet::Ucs2, room, reader.language));
    let is_whole = [&written, &plain, &letters].iter().any(|lines| said == self::whole(lines));
    (said, is_whole)
}

/// A line of the message.
#[derive(Debug, Clone)]
struct Line {
    label: String,
    /// Each item; of other lines, all that they say.
    words: Vec<String>,
    /// Whether a beginning is better than nothing.
    cut: bool,
    /// Whether it is more than a detail.
    matters: bool,
    language: Language,
}

/// All lines, what matters most at the top.
fn said_lines(order: &Order, wording: Wording<'_>) -> Vec<Line> {
    let (language, words) = (wording.language, wording.words);
    let products = &order.details.products;
    let told = |name: &str, quantity: Option<u32>, also: Option<String>| {
        let quantity = quantity.map(|quantity| format!("{} x ", numbers::whole(language, quantity.into())));
        let also = also.map(|also| format!(" ({also})"));
        format!("{}{}{}", quantity.unwrap_or_default(), joined(&lines(name)), also.unwrap_or_default())
    };
    let one = products.product_name.iter().map(|name| told(name, products.quantity, None));
    let items = one.chain(
        products.items.iter().map(|item| told(&item.product_name, item.quantity, wording.beside_item(item))),
    );
    let items = Line {
        label: ShortReference::of(order.id).to_string(),
        words: items.filter(|item| !item.is_empty()).collect(),
        cut: true,
        matters: true,
        language,
    };
    let line = |label: &str, said: String, cut, matters| Line {
        label: label.to_owned(),
        words: vec![said],
        cut,
        matters,
        language,
    };
    let customer = order.details.customer_name.as_ref();
    let customer = customer.map(|name| line(words.customer, joined(&lines(name)), true, true));
    let mut facts = wording.facts(order);
    // Said with its product, where it has one.
    facts.retain(|fact| fact.kind != FactKind::Quantity || order.details.products.product_name.is_none());
    let place = |fact: &Fact<'_>| FIRST.iter().position(|first| *first == fact.kind).unwrap_or(FIRST.len());
    facts.sort_by_key(place);
    let facts = facts.iter().map(|fact| {
        line(&fact.label, joined(&fact.lines), CUT.contains(&fact.kind), FIRST.contains(&fact.kind))
    });
    let others = wording.other_facts(order);
    let others: Vec<_> =
        others.iter().map(|fact| format!("{}: {}", fact.label, joined(&fact.lines))).collect();
    let others = line(words.also_sent, others.join("; "), true, false);
    let others = customer.into_iter().chain(facts).chain([others]);
    let others = others.filter(|line| line.words.iter().any(|words| !words.is_empty()));
    // The reference stands there though no item be shown.
    [items].into_iter().chain(others).map(Line::with_overrides_shown).collect()
}

impl Line {
    fn with_overrides_shown(self) -> Self {
        self.written_with(with_overrides_shown)
    }

    fn in_plain_punctuation(&self) -> Self {
        self.clone().written_with(with_plain_punctuation)
    }

    fn in_plain_letters(&self) -> Self {
        self.clone().written_with(with_plain_letters)
    }

    fn written_with(self, write: fn(&str) -> String) -> Self {
        let words = self.words.iter().map(|words| write(words)).collect();
        Self { words, ..self }
    }

    fn whole(&self) -> String {
        if self.words.is_empty() {
            return self.label.clone();
        }
        format!("{}: {}", self.label, self.words.join(", "))
    }

    /// As much of it as `most` units hold, which are fewer than it has.
    fn beginning(&self, most: usize, alphabet: Alphabet) -> Option<String> {
        let left = most.checked_sub(alphabet.length(&self.label) + 2).filter(|_| self.cut)?;
        let words = match self.words.as_slice() {
            [] => None,
            [one] => beginning(one, left, alphabet),
            items => first_items(items, left, alphabet, self.language)
                .or_else(|| beginning(&items.join(", "), left, alphabet)),
        };
        words.map(|words| format!("{}: {words}", self.label))
    }
}

/// As many items as `most` units hold with the number of the others, and of the first at least a beginning.
fn first_items(items: &[String], most: usize, alphabet: Alphabet, language: Language) -> Option<String> {
    let more = Words::in_gsm(language).more_items;
    let with_rest = |said: &str, count: usize| format!("{said}, {}", more.of(language, items.len() - count));
    let mut fitting = None;
    let mut said = String::new();
    for (place, item) in items.iter().enumerate().take(items.len() - 1) {
        said.push_str(if place == 0 { "" } else { ", " });
        said.push_str(item);
        let message = with_rest(&said, place + 1);
        if alphabet.length(&message) > most {
            break;
        }
        fitting = Some(message);
    }
    fitting.or_else(|| {
        let rest = with_rest("", 1);
        let first = beginning(items.first()?, most.checked_sub(alphabet.length(&rest))?, alphabet)?;
        Some(with_rest(&first, 1))
    })
}

/// The beginning of `text` that `most` units hold with an ellipsis, cut between two characters as people see them.
fn beginning(text: &str, most: usize, alphabet: Alphabet) -> Option<String> {
    if alphabet.length(text) <= most {
        return Some(text.to_owned());
    }
    let ellipsis = alphabet.ellipsis();
    let mut left = most.checked_sub(alphabet.length(ellipsis)).filter(|left| *left >= SHORTEST)?;
    let fits = |character: &&str| {
        let units = alphabet.length(character);
        let fits = units <= left;
        left = left.saturating_sub(units);
        fits
    };
    let beginning: String = text.graphemes(true).take_while(fits).collect();
    let beginning = beginning.trim_end_matches([' ', '/', ',', ';']);
    Some(format!("{beginning}{ellipsis}")).filter(|_| !beginning.is_empty())
}

fn whole(lines: &[Line]) -> String {
    lines.iter().map(Line::whole).collect::<Vec<_>>().join("\n")
}

/// A line with what it says as a whole, and the units of that.
struct Measured<'a> {
    line: &'a Line,
    whole: String,
    units: usize,
}

/// The lines in as many units as the room has, and in fewer where these would be too many bytes; `is_more`: there are others.
fn fitted(lines: &[Line], is_more: bool, alphabet: Alphabet, room: Room<'_>, language: Language) -> String {
    let more = Words::in_gsm(language).more_lines;
    let measured = lines.iter().map(|line| {
        let whole = line.whole();
        Measured { line, units: alphabet.length(&whole), whole }
    });
    let lines: Vec<_> = measured.collect();
    let mut most = room.units(alphabet);
    loop {
        let said = within(&lines, is_more, more, most, alphabet);
        // A unit is three bytes at most.
        match room.bytes_over(&said).div_ceil(3) {
            0 => return said,
            over => most = most.saturating_sub(over),
        }
    }
}

/// What `most` units hold of the lines. A long line takes what is left but for the beginnings of those after it, and half of
/// it at least. `more` stands last where others are left out.
fn within(lines: &[Measured<'_>], is_more: bool, more: &str, most: usize, alphabet: Alphabet) -> String {
    let all = lines.iter().map(|line| line.units + 1).sum::<usize>().saturating_sub(1);
    let mut left = if is_more || all > most { most.saturating_sub(alphabet.length(more) + 1) } else { most };
    let mut later: usize = lines.iter().map(Measured::brief).sum();
    let mut said: Vec<String> = Vec::new();
    for line in lines {
        let room = left.saturating_sub(usize::from(!said.is_empty()));
        later -= line.brief();
        let words = match line.within(room - later.min(room / 2), room, alphabet) {
            // The first says what all is about.
            None if said.is_empty() => line.within(room, room, alphabet),
            words => words,
        };
        match words {
            Some(words) => {
                left = room - alphabet.length(&words);
                said.push(words);
            }
            None if said.is_empty() => {
                let reference = Some(&line.line.label).filter(|label| alphabet.length(label) <= most);
                return reference.cloned().unwrap_or_default();
            }
            None => {}
        }
    }
    if is_more || said.len() < lines.len() {
        said.push(more.to_owned());
    }
    said.join("\n")
}

impl Measured<'_> {
    /// What it says at least where there is room, with its line break.
    fn brief(&self) -> usize {
        self.units.min(BRIEF) + 1
    }

    /// As much of it as `share` units hold, or all of it where it is never cut and `room` units hold that.
    fn within(&self, share: usize, room: usize, alphabet: Alphabet) -> Option<String> {
        if self.units <= if self.line.cut { share } else { room } {
            return Some(self.whole.clone());
        }
        self.line.beginning(share, alphabet)
    }
}

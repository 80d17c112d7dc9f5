//! Dates and times as a language writes them, by the patterns of CLDR.

use jiff::civil::{Date, DateTime, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use super::Language;

/// When something is wanted, as orders have it: a date as it is, a time without an offset as it is, since it is the shop's,
/// and a time with one, or with a zone's name (RFC 9557), by the clock of `zone`. `None` of what is none of these.
#[must_use]
pub fn wanted_at(language: Language, zone: &TimeZone, at: &str) -> Option<String> {
    if let Ok(moment) = at.parse::<Timestamp>() {
        return Some(moment_in(language, zone, moment));
    }
    // What reads a time reads a date alone too, as its midnight.
    let time = at.parse::<DateTime>().ok()?;
    let has_time = at.contains(['T', 't', ' ']);
    if has_time && at.contains('[') {
        // It is not the shop's: of a zone that nobody knows here, it is left as it came.
        return at.parse::<Zoned>().ok().map(|time| moment_in(language, zone, time.timestamp()));
    }
    Some(if has_time { date_time(language, time) } else { date(language, time.date()) })
}

/// A moment by the clock of `zone`. UTC is named: nobody's clock shows it.
#[must_use]
pub fn moment_in(language: Language, zone: &TimeZone, moment: Timestamp) -> String {
    let time = date_time(language, zone.to_datetime(moment));
    if zone.iana_name().is_some_and(|name| name.ends_with("UTC")) { format!("{time} UTC") } else { time }
}

/// What the others wrote, as a text message has it: a letter that the GSM alphabet lacks, as in `sáb`, would halve its room.
#[must_use]
pub fn in_gsm(said: &str) -> String {
    said.replace('á', "a").replace('\u{a0}', " ")
}

/// A date and a time of day.
fn date_time(language: Language, time: DateTime) -> String {
    format!("{}, {}", date(language, time.date()), time_of_day(language, time))
}

/// A date with its day of the week: people plan by that.
fn date(language: Language, date: Date) -> String {
    let (day, month, year) = (date.day(), date.month(), date.year());
    let weekday = weekday(language, date.weekday());
    match language {
        Language::En => format!("{weekday}, {} {day}, {year}", month_in_english(month)),
        Language::De => format!("{weekday}, {day:02}.{month:02}.{year}"),
        Language::Fr => format!("{weekday} {day:02}/{month:02}/{year}"),
        Language::Es => format!("{weekday}, {day}/{month}/{year}"),
    }
}

/// Seconds are said where there are any.
fn time_of_day(language: Language, time: DateTime) -> String {
    let (hour, minute) = (time.hour(), time.minute());
    let seconds = if time.second() > 0 { format!(":{:02}", time.second()) } else { String::new() };
    match language {
        Language::En => {
            let half = if hour < 12 { "AM" } else { "PM" };
            format!("{}:{minute:02}{seconds}\u{a0}{half}", (hour + 11) % 12 + 1)
        }
        Language::De | Language::Fr | Language::Es => format!("{hour:02}:{minute:02}{seconds}"),
    }
}

fn month_in_english(month: i8) -> &'static str {
    match month {
        1 => "Jan",
        2 => "Feb",
        3 => "Mar",
        4 => "Apr",
        5 => "May",
        6 => "Jun",
        7 => "Jul",
        8 => "Aug",
        9 => "Sep",
        10 => "Oct",
        11 => "Nov",
        _ => "Dec",
    }
}

fn weekday(language: Language, day: Weekday) -> &'static str {
    let days = match language {
        Language::En => ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"],
        Language::De => ["Mo.", "Di.", "Mi.", "Do.", "Fr.", "Sa.", "So."],
        Language::Fr => ["lun.", "mar.", "mer.", "jeu.", "ven.", "sam.", "dim."],
        Language::Es => ["lun", "mar", "mié", "jue", "vie", "sáb", "dom"],
    };
    days.get(usize::from(day.to_monday_zero_offset().unsigned_abs())).copied().unwrap_or_default()
}

//! What arguments may be, and those that many commands have: each mistake is named before anything is asked.

use std::fs::{self, File};
use std::io::{self, Read};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::builder::{PossibleValuesParser, StyledStr, UnknownArgumentValueParser};
use clap::{Arg, ArgAction, Args};
use domain::attributes::SubscribedTo;
use domain::delivery::DeliveryState;
use domain::endpoint::Protocol;
use domain::fields::Fields;
use domain::filter_policy::FilterPolicyScope;
use domain::language::Language;
use domain::subscription::SubscriptionState;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::de::DeserializeOwned;
use serde_json::Value;
use uuid::Uuid;

use super::Failure;
use crate::config::{Layers, Local};

/// The most that is read of a file, in bytes: more than any event or secret has.
const MAX_INPUT_BYTES: u64 = 16 * 1024 * 1024;

/// Which data folder and settings this machine's server has.
#[derive(Args, Clone)]
#[group(skip)]
pub(super) struct LocalFlags {
    /// The data folder [default: as the server has it, else ./orderbell-data]
    #[arg(long, value_name = "DIR")]
    pub(super) data: Option<String>,
    /// The settings file [default: orderbell.toml, if it is there]
    #[arg(long, value_name = "FILE", env = "ORDERBELL_CONFIG")]
    pub(super) config: Option<PathBuf>,
}

impl LocalFlags {
    /// Where the server is, by its file, the environment and these flags.
    ///
    /// # Errors
    /// `Usage` names every mistake.
    pub(super) fn resolve(&self) -> Result<Local, Failure> {
        let layers = Layers::default()
            .file(self.config.as_deref())
            .environment(std::env::vars_os())
            .flag("data", self.data.clone());
        Local::read(layers).map_err(Failure::Usage)
    }
}

/// All that stands in the file, or, for `-`, that comes over standard input.
///
/// # Errors
/// It cannot be read, or is too large.
pub(super) fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    let source: Box<dyn Read> = if path == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        Box::new(File::open(path).with_context(|| format!("cannot read {}", path.display()))?)
    };
    let mut bytes = Vec::new();
    let length = source.take(MAX_INPUT_BYTES + 1).read_to_end(&mut bytes);
    let length = length.with_context(|| format!("cannot read {}", path.display()))?;
    anyhow::ensure!(length as u64 <= MAX_INPUT_BYTES, "{} is larger than 16 MiB", path.display());
    Ok(bytes)
}

/// A text that says something.
pub(super) fn words(text: &str) -> Result<String, String> {
    if text.trim().is_empty() { Err("must not be empty".to_owned()) } else { Ok(text.to_owned()) }
}

/// A language's tag.
pub(super) fn language(tag: &str) -> Result<String, String> {
    let choices = || format!("must be {}", Language::CHOICES);
    Language::of_tag(tag.trim()).map(|language| language.name().to_owned()).ok_or_else(choices)
}

/// What `read` takes, or `null` to take it away.
pub(super) fn or_null<T: Into<Value> + 'static>(
    read: fn(&str) -> Result<T, String>,
) -> impl Fn(&str) -> Result<Value, String> + Clone + Send + Sync + 'static {
    move |text| match text {
        "null" => Ok(Value::Null),
        text => read(text).map(Into::into).map_err(|why| format!("{why}, or null")),
    }
}

/// What names an order, a subscription, a delivery or a message.
pub(super) fn id(text: &str) -> Result<String, String> {
    let id = Uuid::try_parse(text.trim()).map(|id| id.hyphenated().to_string());
    id.map_err(|_| {
        "must be an id as the lists show them, such as 01a22bef-8158-7f9b-b107-a48ca82a6d63".to_owned()
    })
}

/// A moment: with its zone, or by this machine's clock, as lists show it; a day alone begins at midnight.
pub(super) fn time(text: &str) -> Result<String, String> {
    in_zone(text.trim(), &TimeZone::system())
}

fn in_zone(text: &str, zone: &TimeZone) -> Result<String, String> {
    let here = || text.parse::<DateTime>().ok()?.to_zoned(zone.clone()).ok();
    let time = text.parse::<Timestamp>().ok().or_else(|| here().map(|time| time.timestamp()));
    time.map(|time| time.to_string()).ok_or_else(|| {
        "must be a time such as 2026-01-31T12:00:00Z, or 2026-01-31 12:00 by this machine's clock".to_owned()
    })
}

/// Refuses a span of time that nothing lies in.
pub(super) fn refuse_backwards(from: Option<&str>, before: Option<&str>) -> Result<(), Failure> {
    let moment = |time: Option<&str>| time?.parse::<Timestamp>().ok();
    match (moment(from), moment(before)) {
        (Some(from), Some(before)) if before <= from => {
            Err(Failure::Usage(vec![format!("--before: must be later than --from, which is {from}")]))
        }
        _ => Ok(()),
    }
}

/// A whole number within a range.
pub(super) fn whole(
    range: RangeInclusive<u32>,
) -> impl Fn(&str) -> Result<u32, String> + Clone + Send + Sync + 'static {
    move |text| {
        let number = text.trim().parse().ok().filter(|number| range.contains(number));
        number.ok_or_else(|| format!("must be a whole number from {} to {}", range.start(), range.end()))
    }
}

/// Members of an order, with commas between.
pub(super) fn fields(text: &str) -> Result<Value, String> {
    let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
    Fields::parse(names).map(|fields| fields.names().collect()).map_err(|wrong| wrong.message)
}

/// JSON, or the file that holds it.
pub(super) fn json<T: DeserializeOwned>(argument: &str) -> Result<T, String> {
    let wrong = |error: serde_json::Error| format!("must be JSON: {error}");
    let text = argument.trim();
    if text.starts_with(['{', '[', '"']) || text.parse::<serde_json::Value>().is_ok() {
        return serde_json::from_str(text).map_err(wrong);
    }
    let file = fs::read_to_string(argument);
    let file = file.map_err(|error| format!("is neither JSON nor a file that can be read ({error})"))?;
    serde_json::from_str(file.trim()).map_err(|error| format!("{argument}: {}", wrong(error)))
}

pub(super) fn protocol() -> PossibleValuesParser {
    Protocol::ALL.map(Protocol::name).into()
}

pub(super) fn subscription_state() -> PossibleValuesParser {
    SubscriptionState::ALL.map(SubscriptionState::name).into()
}

pub(super) fn delivery_state() -> PossibleValuesParser {
    DeliveryState::ALL.map(DeliveryState::name).into()
}

pub(super) fn receives() -> PossibleValuesParser {
    SubscribedTo::ALL.map(SubscribedTo::name).into()
}

pub(super) fn scope() -> PossibleValuesParser {
    FilterPolicyScope::ALL.map(FilterPolicyScope::name).into()
}

/// A flag that a command has not, and what is meant by it: named in the error, and nowhere else.
pub(super) fn missing(flag: &'static str, meant: &'static str) -> Arg {
    let unknown = UnknownArgumentValueParser::suggest(StyledStr::from(meant));
    Arg::new(flag).long(flag).action(ArgAction::SetTrue).value_parser(unknown).hide(true)
}

#[cfg(test)]
mod tests {
    use jiff::tz;
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_time_is_one_with_its_zone_or_as_lists_show_it() {
        let zone = TimeZone::fixed(tz::offset(2));
        for (text, meant) in [
            ("2026-01-31T12:00:00Z", "2026-01-31T12:00:00Z"),
            ("2026-01-31T12:00:00+05:00", "2026-01-31T07:00:00Z"),
            ("2026-01-31 12:00:00", "2026-01-31T10:00:00Z"),
            ("2026-01-31 12:00", "2026-01-31T10:00:00Z"),
            ("2026-01-31", "2026-01-30T22:00:00Z"),
        ] {
            assert_eq!(in_zone(text, &zone).as_deref(), Ok(meant), "{text}");
        }
        for wrong in ["", "yesterday", "31.01.2026", "12:00", "2026-02-30", "2026-01", "1769860800"] {
            assert!(in_zone(wrong, &zone).is_err_and(|why| why.contains("2026-01-31T12:00:00Z")), "{wrong}");
        }
    }

    #[test]
    fn a_span_that_ends_before_it_begins_is_refused() {
        let (early, late) = (Some("2026-01-31T12:00:00Z"), Some("2026-01-31T12:00:00.5Z"));
        for (from, before) in [(early, late), (early, None), (None, early), (None, None)] {
            assert!(refuse_backwards(from, before).is_ok(), "{from:?} {before:?}");
        }
        for (from, before) in [(late, early), (early, early)] {
            assert!(matches!(refuse_backwards(from, before), Err(Failure::Usage(_))), "{from:?} {before:?}");
        }
    }

    #[test]
    fn what_names_nothing_is_refused_before_it_is_asked_for() {
        assert!(words("Ada").is_ok() && words("").is_err() && words(" \t").is_err());
        let one = "01a22bef-8158-7f9b-b107-a48ca82a6d63";
        for same in [one, " 01A22BEF-8158-7F9B-B107-A48CA82A6D63 ", "01a22bef81587f9bb107a48ca82a6d63"] {
            assert_eq!(id(same).as_deref(), Ok(one));
        }
        for wrong in
            ["", "12", "ID", "../readyz", "01a22bef", "x?all=1", "01a22bef-8158-7f9b-b107-a48ca82a6d63/drop"]
        {
            assert!(id(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_number_says_between_what_it_must_be() {
        let quantity = whole(1..=1_000_000);
        assert_eq!(quantity("3"), Ok(3));
        for wrong in ["0", "1.5", "-1", "many", "", "1000001", "99999999999"] {
            assert_eq!(quantity(wrong).unwrap_err(), "must be a whole number from 1 to 1000000", "{wrong}");
        }
    }

    #[test]
    fn json_is_given_as_it_is_or_by_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("policy.json");
        fs::write(&file, "{\"currency\": [\"EUR\"]}\n").unwrap();
        let wanted = json!({"currency": ["EUR"]});
        for given in [file.to_str().unwrap(), "{\"currency\":[\"EUR\"]}", " {\"currency\": [\"EUR\"]} "] {
            assert_eq!(json::<Value>(given).unwrap(), wanted, "{given}");
        }
        assert_eq!(json::<Value>("null"), Ok(Value::Null));
        for (given, why) in [
            ("{currency:[EUR]}", "must be JSON: key must be a string"),
            ("policy.jsn", "is neither JSON nor a file"),
            ("", "is neither JSON nor a file"),
            ("[", "must be JSON: EOF"),
        ] {
            assert!(json::<Value>(given).is_err_and(|error| error.contains(why)), "{given}");
        }
        fs::write(&file, "not JSON").unwrap();
        let path = file.to_str().unwrap();
        assert!(json::<Value>(path).is_err_and(|error| error.starts_with(&format!("{path}: must be JSON"))));
    }
}

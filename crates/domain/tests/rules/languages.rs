//! Numbers, times and plurals as CLDR has them: icu4x, which has its data, is the oracle.

use domain::language::{Counted, Language, numbers, times};
use domain::reader::Reader;
use domain::shop::Shop;
use domain::time_zone::{TimeZone, TimeZoneName};
use icu_datetime::fieldsets::{T, YMDE};
use icu_datetime::input::{Date, Time};
use icu_datetime::options::{TimePrecision, YearStyle};
use icu_datetime::{DateTimeFormatter, NoCalendarFormatter};
use icu_decimal::DecimalFormatter;
use icu_decimal::options::DecimalFormatterOptions;
use icu_locale_core::Locale;
use icu_plurals::{PluralCategory, PluralRules};
use jiff::ToSpan;
use proptest::prelude::*;
use rust_decimal::Decimal;

fn locale(language: Language) -> Locale {
    language.name().parse().unwrap()
}

#[test]
fn a_tags_first_part_says_the_language() {
    for (tag, language) in [
        ("de", Some(Language::De)),
        ("DE", Some(Language::De)),
        ("de-AT", Some(Language::De)),
        ("de-Latn-CH-1996", Some(Language::De)),
        ("en-US-u-hc-h23", Some(Language::En)),
        ("fr-CA", Some(Language::Fr)),
        ("es-419", Some(Language::Es)),
        ("ja", None),
        ("den", None),
        ("german", None),
        ("d", None),
        ("", None),
        ("-de", None),
        ("de-", None),
        ("de--AT", None),
        ("de_AT", None),
        ("de AT", None),
        ("de-\u{e4}", None),
        ("de-abcdefghi", None),
        ("x-de", None),
    ] {
        assert_eq!(Language::of_tag(tag), language, "{tag}");
    }
}

#[test]
fn numbers_are_written_as_the_language_has_them_with_the_digits_that_they_have() {
    for (number, written) in [
        ("0", ["0", "0", "0", "0"]),
        ("19.90", ["19.90", "19,90", "19,90", "19,90"]),
        ("1000", ["1,000", "1.000", "1\u{202f}000", "1000"]),
        ("-1234.5", ["-1,234.5", "-1.234,5", "-1\u{202f}234,5", "-1234,5"]),
        ("12345", ["12,345", "12.345", "12\u{202f}345", "12.345"]),
        ("1234567.890", ["1,234,567.890", "1.234.567,890", "1\u{202f}234\u{202f}567,890", "1.234.567,890"]),
        ("0.0000001", ["0.0000001", "0,0000001", "0,0000001", "0,0000001"]),
    ] {
        for (language, written) in Language::ALL.into_iter().zip(written) {
            assert_eq!(numbers::decimal(language, number.parse().unwrap()), written);
        }
    }
}

proptest! {
    #[test]
    fn any_number_is_written_as_icu_writes_it(
        mantissa in (-(1_i128 << 96) + 1)..(1_i128 << 96),
        shift in 0_u32..96,
        scale in 0_u32..=28,
    ) {
        let number = Decimal::from_i128_with_scale(mantissa >> shift, scale);
        let exact: icu_decimal::input::Decimal = number.to_string().parse().unwrap();
        for language in Language::ALL {
            let icu = DecimalFormatter::try_new(locale(language).into(), DecimalFormatterOptions::default()).unwrap();
            prop_assert_eq!(numbers::decimal(language, number), icu.format(&exact).to_string());
        }
    }
}

#[test]
fn money_has_its_sign_where_readers_know_it_and_else_its_code() {
    let amount: Decimal = "1234.50".parse().unwrap();
    for (currency, written) in [
        (Some("EUR"), ["€1,234.50", "1.234,50\u{a0}€", "1\u{202f}234,50\u{a0}€", "1234,50\u{a0}€"]),
        (Some("USD"), ["$1,234.50", "1.234,50\u{a0}$", "1\u{202f}234,50\u{a0}USD", "1234,50\u{a0}USD"]),
        (Some("GBP"), ["£1,234.50", "1.234,50\u{a0}£", "1\u{202f}234,50\u{a0}GBP", "1234,50\u{a0}GBP"]),
        (Some("JPY"), ["¥1,234.50", "1.234,50\u{a0}¥", "1\u{202f}234,50\u{a0}JPY", "1234,50\u{a0}JPY"]),
        (
            Some("CHF"),
            ["CHF\u{a0}1,234.50", "1.234,50\u{a0}CHF", "1\u{202f}234,50\u{a0}CHF", "1234,50\u{a0}CHF"],
        ),
        // Dollars of others.
        (
            Some("CAD"),
            ["CAD\u{a0}1,234.50", "1.234,50\u{a0}CAD", "1\u{202f}234,50\u{a0}CAD", "1234,50\u{a0}CAD"],
        ),
        (None, ["1,234.50", "1.234,50", "1\u{202f}234,50", "1234,50"]),
    ] {
        for (language, written) in Language::ALL.into_iter().zip(written) {
            assert_eq!(numbers::money(language, amount, currency), written);
        }
    }
    let refund: Decimal = "-5".parse().unwrap();
    assert_eq!(numbers::money(Language::En, refund, Some("EUR")), "-€5");
    assert_eq!(numbers::money(Language::En, refund, Some("CHF")), "-CHF\u{a0}5");
    assert_eq!(numbers::money(Language::De, refund, Some("EUR")), "-5\u{a0}€");
}

#[test]
fn a_number_stands_with_one_or_with_several_as_in_icu() {
    let words = Counted { one: ("", " one"), other: ("", " other") };
    for language in Language::ALL {
        let rules = PluralRules::try_new_cardinal(locale(language).into()).unwrap();
        for number in (0..2_000).chain([1_000_000, 1_000_001, 2_000_000]) {
            // Whole millions, which French and Spanish set apart in words.
            let one = rules.category_for(number) == PluralCategory::One;
            let said = words.of(language, number);
            assert_eq!(said.ends_with(" one"), one, "{said}");
        }
    }
    assert_eq!(words.of(Language::Fr, 0), "0 one");
    assert_eq!(words.of(Language::De, 1_000_000), "1.000.000 other");
    assert_eq!([words.of(Language::Es, 1), words.of(Language::Es, 2)], ["1 one", "2 other"]);
}

/// A day of each month of many years, and each day of one.
fn days() -> impl Iterator<Item = jiff::civil::Date> {
    let each_of = |year: i16| {
        let first = jiff::civil::date(year, 1, 1);
        first.series(1.day()).take_while(move |day| day.year() == year)
    };
    let of_others =
        (1900..2100).flat_map(|year| (1..=12).map(move |month| jiff::civil::date(year, month, 9)));
    each_of(2026).chain(each_of(2028)).chain(of_others)
}

#[test]
fn dates_are_written_as_icu_writes_them_with_their_day_of_the_week() {
    for language in Language::ALL {
        let fields = match language {
            Language::En => YMDE::medium(),
            Language::De | Language::Fr | Language::Es => YMDE::short(),
        };
        let fields = fields.with_year_style(YearStyle::Full);
        let icu = DateTimeFormatter::try_new(locale(language).into(), fields).unwrap();
        for day in days() {
            let (year, month, of_month) =
                (day.year().into(), day.month().unsigned_abs(), day.day().unsigned_abs());
            let expected = icu.format(&Date::try_new_iso(year, month, of_month).unwrap()).to_string();
            let written = times::wanted_at(language, &TimeZone::UTC, &day.to_string()).unwrap();
            assert_eq!(written, expected);
        }
    }
}

#[test]
fn times_of_day_are_written_as_icu_writes_them() {
    for language in Language::ALL {
        let icu = |precision| {
            let fields = T::medium().with_time_precision(precision);
            NoCalendarFormatter::try_new(locale(language).into(), fields).unwrap()
        };
        let (minutes, seconds) = (icu(TimePrecision::Minute), icu(TimePrecision::Second));
        let of_day = jiff::civil::Time::midnight().series(601.seconds());
        let around_noon = jiff::civil::time(11, 58, 0, 0).series(30.seconds()).take(10);
        for time in of_day.chain(around_noon) {
            let [hour, minute, second] = [time.hour(), time.minute(), time.second()].map(i8::unsigned_abs);
            let time = Time::try_new(hour, minute, second, 0).unwrap();
            let expected = if second == 0 { &minutes } else { &seconds }.format(&time).to_string();
            let local = format!("2026-12-24T{hour:02}:{minute:02}:{second:02}");
            let written = times::wanted_at(language, &TimeZone::UTC, &local).unwrap();
            let (_, written) = written.rsplit_once(", ").unwrap();
            assert_eq!(written, expected.replace('\u{202f}', "\u{a0}"));
        }
    }
}

#[test]
fn a_time_with_an_offset_is_told_by_the_readers_clock_and_one_without_as_it_is() {
    let berlin = TimeZone::get("Europe/Berlin").unwrap();
    let new_york = TimeZone::get("America/New_York").unwrap();
    let in_german = |zone: &TimeZone, at| times::wanted_at(Language::De, zone, at);
    for (zone, at, told) in [
        (&berlin, "2026-12-24T12:30:00Z", "Do., 24.12.2026, 13:30"),
        (&berlin, "2026-12-24T12:30:00+01:00", "Do., 24.12.2026, 12:30"),
        (&new_york, "2026-12-24T02:30:00+01:00", "Mi., 23.12.2026, 20:30"),
        (&TimeZone::UTC, "2026-12-24T12:30:00+01:00", "Do., 24.12.2026, 11:30 UTC"),
        (&new_york, "2026-12-24T12:30", "Do., 24.12.2026, 12:30"),
        (&new_york, "2026-12-24", "Do., 24.12.2026"),
        (&new_york, "2026-12-24T18", "Do., 24.12.2026, 18:00"),
        (&new_york, "20261224T1830", "Do., 24.12.2026, 18:30"),
        (&new_york, "2026-12-24 18:00", "Do., 24.12.2026, 18:00"),
        (&new_york, "20261224", "Do., 24.12.2026"),
        (&new_york, "2026-12-24T00:00", "Do., 24.12.2026, 00:00"),
        // A zone's name says as much as an offset; one that disagrees with the offset beside it, less.
        (&berlin, "2026-12-24T10:00[America/New_York]", "Do., 24.12.2026, 16:00"),
        (&new_york, "2026-12-24t02:00[Europe/Berlin]", "Mi., 23.12.2026, 20:00"),
        (&TimeZone::UTC, "2026-12-24T10:00[Europe/Berlin]", "Do., 24.12.2026, 09:00 UTC"),
        (&berlin, "2026-03-29T02:30[Europe/Berlin]", "So., 29.03.2026, 03:30"),
        (&berlin, "2026-12-24T10:00+01:00[America/New_York]", "Do., 24.12.2026, 10:00"),
        (&berlin, "2026-12-24[America/New_York]", "Do., 24.12.2026"),
        // Around the hour that a clock skips in spring, one that nobody's clock shows among them, and the one it repeats.
        (&berlin, "2026-03-29T00:59:59Z", "So., 29.03.2026, 01:59:59"),
        (&berlin, "2026-03-29T01:00:00Z", "So., 29.03.2026, 03:00"),
        (&berlin, "2026-03-29T02:30", "So., 29.03.2026, 02:30"),
        (&berlin, "2026-10-25T00:30:00Z", "So., 25.10.2026, 02:30"),
        (&berlin, "2026-10-25T01:30:00Z", "So., 25.10.2026, 02:30"),
        // The ends of what a calendar can tell.
        (&berlin, "9999-12-30T21:59:59Z", "Do., 30.12.9999, 22:59:59"),
        (&berlin, "9999-12-31", "Fr., 31.12.9999"),
    ] {
        assert_eq!(in_german(zone, at).as_deref(), Some(told), "{at}");
    }
    for none in ["", "soon", "12:30", "24.12.2026", "2026-13-01", "2026-12-24T10:00[Mars/Olympus_Mons]"] {
        assert_eq!(in_german(&berlin, none), None, "{none}");
    }
}

/// A container may have no `/usr/share/zoneinfo`.
#[test]
fn the_program_has_time_zones_where_the_machine_has_none() {
    let own = jiff::tz::TimeZoneDatabase::bundled();
    assert!(own.available().count() > 400);
    assert_eq!(own.get("Europe/Berlin").unwrap().iana_name(), Some("Europe/Berlin"));
}

#[test]
fn a_zone_that_this_machine_does_not_know_is_the_shops() {
    let time_zone = TimeZone::get("Europe/Paris").unwrap();
    let shop = Shop { language: Language::Fr, time_zone, ..Shop::default() };
    let mut attributes = domain::attributes::Attributes::default();
    let reader = |attributes: &_| {
        let Reader { language, time_zone } = Reader::of(&shop, attributes);
        (language, time_zone.iana_name().unwrap().to_owned())
    };
    assert_eq!(reader(&attributes), (Language::Fr, "Europe/Paris".to_owned()));
    attributes.language = Some(Language::Es);
    attributes.time_zone = Some(TimeZoneName::stored("Mars/Olympus_Mons"));
    assert_eq!(reader(&attributes), (Language::Es, "Europe/Paris".to_owned()));
    attributes.time_zone = Some(TimeZoneName::parse("timeZone", "america/bogota").unwrap());
    assert_eq!(reader(&attributes), (Language::Es, "America/Bogota".to_owned()));
    let refused = TimeZoneName::parse("timeZone", "Mars/Olympus_Mons").unwrap_err();
    assert_eq!((refused.code, &*refused.field), ("invalid_time_zone", "timeZone"));
}

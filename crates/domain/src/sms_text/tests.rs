use proptest::prelude::*;

use super::*;

fn most(count: u8) -> NonZeroU8 {
    NonZeroU8::new(count).unwrap()
}

/// What is said of `text` and `link`.
fn said(text: &str, link: Option<&str>, parts: u8) -> Result<String, LinkTooLong> {
    let room = Room::of(most(parts));
    let room = link.map_or(Ok(room), |link| room.ending_with(link))?;
    Ok(fitted(text, room))
}

fn count(text: &str) -> (Alphabet, usize) {
    let parts = parts(text);
    (parts.alphabet, parts.count)
}

#[test]
fn the_alphabet_has_the_characters_of_the_standard() {
    assert_eq!(BASIC.chars().count(), 127, "128 places, one of them the escape");
    assert_eq!(EXTENSION.chars().count(), 10);
    for c in BASIC.chars().chain(EXTENSION.chars()) {
        assert_eq!(BASIC.chars().chain(EXTENSION.chars()).filter(|other| *other == c).count(), 1, "{c:?}");
    }
    for outside in ['ç', '`', '\t', 'á', '…', '“', '📦', '\u{1b}'] {
        assert_eq!(septets(outside), None, "{outside:?}");
    }
}

#[test]
fn one_part_holds_more_than_each_of_several() {
    for (character, alphabet, single, joined) in
        [("a", Alphabet::Gsm7, 160, 153), ("é", Alphabet::Gsm7, 160, 153), ("ж", Alphabet::Ucs2, 70, 67)]
    {
        assert_eq!(count(&character.repeat(single)), (alphabet, 1));
        assert_eq!(count(&character.repeat(single + 1)), (alphabet, 2));
        assert_eq!(count(&character.repeat(2 * joined)), (alphabet, 2));
        assert_eq!(count(&character.repeat(2 * joined + 1)), (alphabet, 3));
    }
    assert_eq!(count(""), (Alphabet::Gsm7, 1));
}

#[test]
fn a_character_of_the_extension_takes_two_septets() {
    assert_eq!(count(&"€".repeat(80)).1, 1);
    assert_eq!(count(&"€".repeat(81)).1, 2);
}

#[test]
fn no_character_is_split_between_two_parts() {
    // 153 septets hold 76 euros and a half; 67 units hold 33 parcels and a half.
    assert_eq!(count(&"€".repeat(152)), (Alphabet::Gsm7, 2));
    assert_eq!(count(&"€".repeat(153)), (Alphabet::Gsm7, 3));
    assert_eq!(count(&"📦".repeat(66)), (Alphabet::Ucs2, 2));
    assert_eq!(count(&"📦".repeat(67)), (Alphabet::Ucs2, 3));
}

#[test]
fn one_character_outside_the_alphabet_makes_all_of_it_ucs_2() {
    assert_eq!(count(&"a".repeat(71)), (Alphabet::Gsm7, 1));
    assert_eq!(count(&format!("{}ж", "a".repeat(70))), (Alphabet::Ucs2, 2));
}

#[test]
fn what_fits_is_sent_as_it_is_with_its_link_on_a_line_of_its_own() {
    assert_eq!(said("New order", None, 1).unwrap(), "New order");
    assert_eq!(said("New order", Some("https://x/1"), 1).unwrap(), "New order\nhttps://x/1");
}

#[test]
fn what_does_not_fit_is_cut_and_the_ellipsis_stays_in_the_alphabet() {
    let plain = said(&"a".repeat(161), None, 1).unwrap();
    assert_eq!(plain, format!("{}...", "a".repeat(157)));
    let wide = said(&"ж".repeat(71), None, 1).unwrap();
    assert_eq!(wide, format!("{}…", "ж".repeat(69)));
}

#[test]
fn a_link_is_kept_whole_and_the_text_gives_way() {
    let link = format!("https://orders.example/{}", "x".repeat(100));
    let message = said(&"a".repeat(500), Some(&link), 1).unwrap();
    assert_eq!(message, format!("{}...\n{link}", "a".repeat(160 - 4 - link.len())));
    let nothing_else = "x".repeat(159);
    assert_eq!(said("text", Some(&nothing_else), 1).unwrap(), nothing_else);
}

#[test]
fn a_link_that_takes_more_than_a_message_may_have_is_refused() {
    let refused = said("text", Some(&"x".repeat(161)), 1).unwrap_err();
    assert_eq!(refused.to_string(), "its link alone takes 2 parts of GSM-7, and a message may have 1");
}

#[test]
fn a_cut_before_the_first_wide_character_gives_room_to_more_of_the_others() {
    let text = format!("{}📦", "a".repeat(200));
    assert_eq!(said(&text, None, 1).unwrap(), format!("{}...", "a".repeat(157)));
}

#[test]
fn what_people_see_as_one_character_is_never_cut_in_two() {
    let family = "👨‍👩‍👧‍👦";
    assert_eq!(family.encode_utf16().count(), 11);
    let message = said(&family.repeat(7), None, 1).unwrap();
    assert_eq!(message, format!("{}…", family.repeat(6)));
}

#[test]
fn typographic_characters_are_written_as_the_alphabet_has_them_and_letters_stay() {
    let typed = "“Zoë’s” 5\u{a0}–\u{202f}6 × „x“…\u{200b}\u{ad}";
    assert_eq!(with_plain_punctuation(typed), "\"Zoë's\" 5 - 6 x \"x\"...");
    assert_eq!(with_plain_punctuation("François Łukasz 語 📦 col·legi"), "François Łukasz 語 📦 col·legi");
}

proptest! {
    #[test]
    fn a_fitted_text_fits_begins_as_the_whole_does_and_is_only_cut_if_it_must_be(
        text in "[a-zé€ж📦 \n]{1,400}", link in proptest::option::of("https://[a-z]{1,60}"), room in 1_u8..4
    ) {
        let message = said(&text, link.as_deref(), room).unwrap();
        prop_assert!(parts(&message).count <= usize::from(room), "{}", parts(&message));
        let line = link.map_or(String::new(), |link| format!("\n{link}"));
        if message != format!("{text}{line}") {
            let said = message.strip_suffix(&line).unwrap();
            prop_assert!(text.starts_with(said.trim_end_matches("...").trim_end_matches('…')));
            prop_assert!(parts(&format!("{text}{line}")).count > usize::from(room), "it was cut without need");
        }
    }

    #[test]
    fn counting_and_fitting_never_fail_whatever_is_said(text in ".{0,300}", room: u8) {
        let room = Room::of(NonZeroU8::new(room).unwrap_or(NonZeroU8::MIN));
        prop_assert!(room.holds(&fitted(&text, room)));
    }

    #[test]
    fn a_fitted_text_takes_no_more_bytes_than_it_may(text in "[a-zé€ж📦語 ]{0,900}", bytes in 3_usize..1_700) {
        let room = Room::of(most(10)).within(bytes);
        let message = fitted(&text, room);
        prop_assert!(message.len() <= bytes);
        prop_assert!(message == text || message.len() + 8 > bytes || parts(&message).count == 10);
    }

    #[test]
    fn a_text_of_as_many_units_as_a_room_has_always_fits(text in "[a€]{0,500}", wide in "[ж📦]{0,250}", room in 1_u8..4) {
        let room = Room::of(most(room)).ending_with("https://x/~1").unwrap();
        for (text, alphabet) in [(text, Alphabet::Gsm7), (wide, Alphabet::Ucs2)] {
            prop_assert!(room.holds(&text) || alphabet.length(&text) > room.units(alphabet));
        }
    }
}

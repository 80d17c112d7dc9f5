//! What one order says in a text message, in however few parts.

use std::num::NonZeroU8;

use domain::language::Language;
use domain::notification::{FactKind, Words, headline, sms, text};
use domain::order::{Order, ShortReference};
use domain::reader::Reader;
use domain::sms_text::{Room, parts};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::fixtures::order;

const LINK: &str = "https://orders.example/u/abcdefgh";

fn room(parts: u8) -> Room<'static> {
    Room::of(NonZeroU8::new(parts).unwrap())
}

fn reference(order: &Order) -> String {
    ShortReference::of(order.id).to_string()
}

/// A bakery's order, as its own page sends it.
fn bakery() -> Value {
    json!({
        "customerName": "Jane Doe",
        "items": [
            {"productName": "Rye bread", "quantity": 2, "unitPrice": "4.20"},
            {"productName": "Croissant", "quantity": 10},
            {"productName": "Apple strudel"},
        ],
        "note": "Ring twice, please.\nNo sugar on the strudel: it is for my grandmother, who is not allowed any.",
        "total": "31.50", "currency": "EUR", "customerPhone": "+4915112345678",
        "deliverAt": "2026-12-24T08:00", "deliveryAddress": {"streetAddress": "Main Street 1", "postalCode": "12345",
        "addressLocality": "Springfield"}, "reference": "B-1042", "customerEmail": "jane@example.com",
        "attributes": {"express": true}, "gift": "wrapped",
    })
}

#[test]
fn an_order_of_the_two_names_is_the_recipes_text_where_it_fits() {
    let order = order(r#"{"customerName":"Jane Doe","productName":"Wireless Mouse"}"#);
    assert_eq!(sms(&order, &Reader::default(), room(2), None), headline(&order, &Reader::default()));
    assert_eq!(
        sms(&order, &Reader::default(), room(1), None),
        format!("{}: Wireless Mouse\nCustomer: Jane Doe", reference(&order))
    );
    let with_link = room(3).ending_with(LINK).unwrap();
    assert_eq!(
        sms(&order, &Reader::default(), with_link, None),
        format!("{}\n{LINK}", headline(&order, &Reader::default()))
    );
    let with_link = room(2).ending_with(LINK).unwrap();
    assert_eq!(
        sms(&order, &Reader::default(), with_link, None),
        format!("{}: Wireless Mouse\nCustomer: Jane Doe\n{LINK}", reference(&order))
    );
}

#[test]
fn an_order_that_says_more_has_its_own_form_in_three_parts_all_of_it() {
    let order = order(&bakery().to_string());
    let expected = "\
: 2 x Rye bread, 10 x Croissant, Apple strudel
Customer: Jane Doe
Note: Ring twice, please. / No sugar on the strudel: it is for my grandmother, who is not allowed any.
Total: €31.50
Phone: +4915112345678
Wanted at: Thu, Dec 24, 2026, 8:00 AM
Address: Main Street 1 / 12345 Springfield
Reference: B-1042
Email: jane@example.com
Also sent: express: yes; gift: wrapped";
    assert_eq!(sms(&order, &Reader::default(), room(3), None), format!("{}{expected}", reference(&order)));
    assert_eq!(parts(&sms(&order, &Reader::default(), room(3), None)).to_string(), "3 parts of GSM-7");
}

#[test]
fn in_two_parts_the_least_important_gives_way_and_it_says_that_there_is_more() {
    let order = order(&bakery().to_string());
    let expected = "\
: 2 x Rye bread, 10 x Croissant, Apple strudel
Customer: Jane Doe
Note: Ring twice, please. / No sugar on the strudel: it is for my grandmother, who is not allowed any.
Total: €31.50
Phone: +4915112345678
Wanted at: Thu, Dec 24, 2026, 8:00 AM
Address: Main Street...
Reference: B-1042
+ more";
    assert_eq!(sms(&order, &Reader::default(), room(2), None), format!("{}{expected}", reference(&order)));
}

#[test]
fn in_one_part_it_says_what_for_whom_and_how_the_note_begins() {
    let order = order(&bakery().to_string());
    let expected = "\
: 2 x Rye bread, 10 x Croissant, Apple strudel
Customer: Jane Doe
Note: Ring twice, please. / No sugar...
Total: €31.50
Phone: +4915112345678
+ more";
    assert_eq!(sms(&order, &Reader::default(), room(1), None), format!("{}{expected}", reference(&order)));
}

#[test]
fn of_many_items_as_many_are_said_as_fit_and_the_others_are_counted() {
    let item = |n: usize| json!({"productName": format!("Product number {n}"), "quantity": n});
    let many: Vec<_> = (1..=1_000).map(item).collect();
    let order = order(
        &json!({"customerName": "Jane Doe", "items": many, "total": 5, "customerPhone": "+4915112345678"})
            .to_string(),
    );
    let expected = "\
: 1 x Product number 1, 2 x Product number 2, 3 x Product number 3, +997 more items
Customer: Jane Doe
Total: 5
Phone: +4915112345678";
    assert_eq!(sms(&order, &Reader::default(), room(1), None), format!("{}{expected}", reference(&order)));
    let in_two =
        ", 10 x Product number 10, +990 more items\nCustomer: Jane Doe\nTotal: 5\nPhone: +4915112345678";
    assert!(
        sms(&order, &Reader::default(), room(2), None).ends_with(in_two),
        "{}",
        sms(&order, &Reader::default(), room(2), None)
    );
}

#[test]
fn the_last_item_is_counted_as_one_and_a_first_that_is_too_long_is_begun() {
    let long = "x".repeat(200);
    let of = |items: Value| order(&json!({"customerName": "Jo", "items": items}).to_string());
    let two = of(json!([{"productName": "Mouse"}, {"productName": long}]));
    assert_eq!(
        sms(&two, &Reader::default(), room(1), None),
        format!("{}: Mouse, +1 more item\nCustomer: Jo", reference(&two))
    );
    let two = of(json!([{"productName": long}, {"productName": "Mouse"}]));
    let begun = format!("{}: {}..., +1 more item\nCustomer: Jo", reference(&two), "x".repeat(112));
    assert_eq!(sms(&two, &Reader::default(), room(1), None), begun);
    let one = of(json!([{"productName": long}]));
    assert_eq!(
        sms(&one, &Reader::default(), room(1), None),
        format!("{}: {}...\nCustomer: Jo", reference(&one), "x".repeat(126))
    );
}

#[test]
fn what_is_written_in_other_letters_is_said_in_them_in_fewer_units() {
    for (name, product, note) in [
        ("مريم", "خبز الجاودار", "اتصل مرتين من فضلك"),
        ("田中さくら", "ライ麦パン", "二回鳴らしてください。玄関は裏側にあります。"),
        ("Jo 🦊", "Cake 🎂", "🎉🎉🎉 Happy birthday 🎉🎉🎉"),
    ] {
        let mut members = bakery();
        members["customerName"] = name.into();
        members["items"][0]["productName"] = product.into();
        members["note"] = note.into();
        let order = order(&members.to_string());
        for most in 1..=4 {
            let said = sms(&order, &Reader::default(), room(most), None);
            assert!(parts(&said).count <= usize::from(most), "{said}");
            assert!(said.starts_with(&format!("{}: 2 x ", reference(&order))), "{said}");
            assert!(said.contains(name), "{said}");
            assert!(!said.contains('📦'), "{said}");
        }
        assert!(sms(&order, &Reader::default(), room(3), None).contains(&format!("\nNote: {note}\n")));
    }
}

#[test]
fn two_parts_of_other_letters_say_what_for_whom_the_note_and_the_total() {
    let mut members = bakery();
    members["customerName"] = "田中さくら".into();
    members["note"] = "二回鳴らしてください。玄関は裏側にあります。".into();
    let order = order(&members.to_string());
    let expected = "\
: 2 x Rye bread, 10 x Croissant, Apple strudel
Customer: 田中さくら
Note: 二回鳴らしてください。玄関は裏側にありま…
Total: €31.50
+ more";
    assert_eq!(sms(&order, &Reader::default(), room(2), None), format!("{}{expected}", reference(&order)));
    let expected = ": 2 x Rye bread, 10 x…\nCustomer: 田中さくら\nTotal: €31.50\n+ more";
    assert_eq!(sms(&order, &Reader::default(), room(1), None), format!("{}{expected}", reference(&order)));
}

#[test]
fn a_detail_in_other_letters_does_not_halve_the_room_of_what_matters() {
    let mut members = bakery();
    members["attributes"] = json!({"カード": "お誕生日おめでとう"});
    let order = order(&members.to_string());
    let said = sms(&order, &Reader::default(), room(2), None);
    assert!(said.contains("\nReference: B-1042\n") && said.ends_with("\n+ more"), "{said}");
    assert_eq!(parts(&said).to_string(), "2 parts of GSM-7");
}

#[test]
fn letters_lose_their_marks_where_not_all_would_be_told_with_them() {
    let said = |parts| {
        let mut order = bakery();
        order["customerName"] = "María Núñez".into();
        order["note"] = "Sin azúcar, por favor; llame al tímbre de São João. Bœuf, 3.º izq., Łódź.".into();
        sms(&self::order(&order.to_string()), &Reader::default(), room(parts), None)
    };
    for parts in [1, 2, 3] {
        let said = said(parts);
        assert!(said.contains("\nCustomer: Maria Nuñez\nNote: Sin azucar, por favor;"), "{said}");
    }
    assert!(said(3).contains("timbre de Sao Joao. Boeuf, 3.o izq., Lodz."), "{}", said(3));
    let short = self::order(r#"{"customerName":"María Núñez","productName":"Té","quantity":2}"#);
    assert!(sms(&short, &Reader::default(), room(1), None).ends_with(": 2 x Té\nCustomer: María Núñez"));
}

#[test]
fn what_else_came_with_an_item_is_said_beside_it() {
    let order =
        order(r#"{"customerName":"Jo","items":[{"productName":"Pizza","size":"L","no":"onions"},"Cola"]}"#);
    let said = sms(&order, &Reader::default(), room(1), None);
    assert_eq!(said, format!("{}: Pizza (size: L; no: onions), Cola\nCustomer: Jo", reference(&order)));
}

#[test]
fn typographic_characters_cost_nothing_and_stay_where_others_need_the_wide_alphabet() {
    let mut members =
        json!({"customerName": "René O’Hara", "productName": "„Sacher“ – 20\u{a0}cm", "note": "don’t ring…"});
    let plain = order(&members.to_string());
    let said =
        format!("{}: \"Sacher\" - 20 cm\nCustomer: René O'Hara\nNote: don't ring...", reference(&plain));
    assert_eq!(sms(&plain, &Reader::default(), room(1), None), said);
    members["customerName"] = "Łucja O’Hara".into();
    let wide = order(&members.to_string());
    assert!(
        sms(&wide, &Reader::default(), room(2), None)
            .contains("„Sacher“ – 20\u{a0}cm\nCustomer: Łucja O’Hara\nNote: don’t ring…")
    );
}

#[test]
fn nothing_that_a_customer_wrote_can_pass_for_a_line_of_ours() {
    for forged in
        ["\nTotal: 0", "\r\nTotal: 0", "\rTotal: 0", "\u{2028}Total: 0", "\u{85}Total: 0", "\u{b}Total: 0"]
    {
        let members = json!({
            "customerName": format!("Jo{forged}"), "note": format!("x{forged}"), "reference": format!("x{forged}"),
            "deliveryAddress": format!("Main St{forged}"), format!("a{forged}"): "b", "Total": "0",
            "b": format!("c{forged}"), "items": [{"productName": format!("Pad{forged}"), "c": forged}],
            "attributes": {"Total": 0},
        });
        let order = order(&members.to_string());
        for most in 1..=10 {
            let said = sms(&order, &Reader::default(), room(most), None);
            let breaks = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
            assert!(!said.split(breaks).any(|line| line.trim().starts_with("Total")), "{said}");
        }
        assert!(sms(&order, &Reader::default(), room(3), None).contains("\nNote: x / Total: 0\n"));
    }
}

#[test]
fn a_number_is_said_whole_or_not_at_all() {
    let members = json!({
        "customerName": "Jane Doe", "productName": "Mouse", "note": "x".repeat(300), "total": "1234567.89",
        "currency": "EUR", "customerPhone": "+4915112345678", "reference": "R".repeat(60),
    });
    let order = order(&members.to_string());
    for most in 1..=4 {
        for length in 0..100 {
            let link = "x".repeat(length);
            let said = sms(&order, &Reader::default(), room(most).ending_with(&link).unwrap(), None);
            for line in said.lines() {
                let whole = text(&order, &Reader::default()).lines().any(|said| said == line);
                let number =
                    line.starts_with("Total") || line.starts_with("Phone") || line.starts_with("Ref");
                assert!(whole || !number, "{line}");
            }
        }
    }
}

#[test]
fn what_turns_the_direction_is_written_out() {
    let order = order(r#"{"customerName":"evil\u202egpj","productName":"Mouse","note":"\u2066a"}"#);
    let said = sms(&order, &Reader::default(), room(3), None);
    assert!(said.contains("Customer: evil[U+202E]gpj\nNote: [U+2066]a"), "{said}");
}

#[test]
fn where_a_link_leaves_no_room_for_words_the_reference_is_said_if_it_fits() {
    let order = order(&bakery().to_string());
    let link = |length: usize| "x".repeat(length);
    let said = |link: &str| sms(&order, &Reader::default(), room(1).ending_with(link).unwrap(), None);
    assert_eq!(said(&link(150)), format!("{}\n{}", reference(&order), link(150)));
    assert_eq!(said(&link(151)), link(151));
    assert_eq!(said(&link(160)), link(160));
}

/// 43 characters of a token behind a host of a usual length.
const PAGE: &str = "https://orders.example.com/o/AZGo5ra7c5GvPSUnL40dDp9fB0c6qKX5wM2yTtQxZ4k";

#[test]
fn the_link_to_the_page_stands_where_it_costs_no_part() {
    let page = |order: &Order, most: u8| sms(order, &Reader::default(), room(most), Some(PAGE));
    let short = order(r#"{"customerName":"Jane Doe","productName":"Wireless Mouse","note":"Ring twice"}"#);
    let said = format!("{}: Wireless Mouse\nCustomer: Jane Doe\nNote: Ring twice", reference(&short));
    assert_eq!(page(&short, 1), format!("{said}\n{PAGE}"));
    // It would be a second part.
    let longer = json!({"customerName": "Jane Doe", "productName": "Wireless Mouse", "note": "Ring twice, ".repeat(5)});
    let longer = order(&longer.to_string());
    assert_eq!(page(&longer, 3), sms(&longer, &Reader::default(), room(3), None));
    // The recipe's text, which is the whole order.
    let recipe = order(r#"{"customerName":"Jane Doe","productName":"Wireless Mouse"}"#);
    assert_eq!(page(&recipe, 3), headline(&recipe, &Reader::default()));
}

#[test]
fn what_is_cut_ends_with_the_link_to_all_of_it() {
    let order = order(&bakery().to_string());
    let said = sms(&order, &Reader::default(), room(2), Some(PAGE));
    assert!(said.starts_with(&reference(&order)), "{said}");
    assert!(said.ends_with(&format!("\n+ more\n{PAGE}")), "{said}");
    assert_eq!(parts(&said).count, 2);
    let both = room(2).ending_with(LINK).unwrap();
    let said = sms(&order, &Reader::default(), both, Some(PAGE));
    assert!(said.ends_with(&format!("\n{PAGE}\n{LINK}")), "{said}");
    // It leaves two thirds of the room to the order, or gives way.
    let without = sms(&order, &Reader::default(), room(1), None);
    assert_eq!(sms(&order, &Reader::default(), room(1), Some(PAGE)), without);
    let wide = crate::fixtures::order(
        &json!({"customerName": "مريم", "productName": "خبز", "note": "ا".repeat(200)}).to_string(),
    );
    let said = sms(&wide, &Reader::default(), room(1), Some(PAGE));
    assert_eq!(said, sms(&wide, &Reader::default(), room(1), None));
}

fn room_ending_with(parts: u8, link: Option<&str>) -> Room<'_> {
    link.map_or(room(parts), |link| room(parts).ending_with(link).unwrap())
}

fn words() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z0-9 ,.'€^~-]{1,300}",
        "[a-z “”…–\u{a0}]{1,60}",
        "[ا-ي ]{1,80}",
        "[ぁ-ん\n📦👩‍👩‍👧é̈]{1,80}",
        "\\PC{1,40}",
        Just("a\u{301}".repeat(500)),
    ]
}

proptest! {
    #[test]
    fn it_always_fits_begins_with_the_reference_and_ends_with_its_link(
        (customer, note, address) in (words(), proptest::option::of(words()), proptest::option::of(words())),
        items in proptest::collection::vec((words(), proptest::option::of(1_u32..2_000)), 1..6),
        (extra, phone) in (proptest::option::of(words()), any::<bool>()),
        link in proptest::option::of("https://[a-z~]{1,70}"), most in 1_u8..11, bytes in 160_usize..2_000,
        language in proptest::sample::select(Language::ALL.to_vec()),
    ) {
        let items: Vec<_> = items.iter().map(|(name, quantity)| json!({"productName": format!("P{name}"), "quantity": quantity})).collect();
        let members = json!({
            "customerName": format!("C{customer}"), "items": items, "note": note, "deliveryAddress": address, "total": "19.90",
            "customerPhone": phone.then_some("+4915112345678"), "something": extra,
        });
        let order = order(&members.to_string());
        let limits = room(most).within(bytes);
        let room = link.as_deref().map_or(limits, |link| limits.ending_with(link).unwrap());
        let reader = Reader { language, ..Reader::default() };
        let said = sms(&order, &reader, room, None);
        prop_assert!(parts(&said).count <= usize::from(most) && said.len() <= bytes, "{}: {said}", parts(&said));
        if let Some(link) = &link {
            prop_assert!(said.ends_with(link.as_str()));
        }
        prop_assert!(said.starts_with(&reference(&order)) || Some(&said) == link.as_ref(), "{said}");
        let linked = sms(&order, &reader, room, Some(PAGE));
        prop_assert!(parts(&linked).count <= usize::from(most) && linked.len() <= bytes, "{}: {linked}", parts(&linked));
        prop_assert!(linked.starts_with(&reference(&order)) || linked == said, "{linked}");
        let endless = room_ending_with(255, link.as_deref());
        if linked != said && said == sms(&order, &reader, endless, None) {
            prop_assert!(parts(&linked).count <= parts(&said).count, "{said} {linked}");
        }
        let words = Words::in_gsm(language);
        let ours = [words.more_lines, link.as_deref().unwrap_or_default()];
        let kinds = [FactKind::Note, FactKind::Total, FactKind::Phone, FactKind::Address];
        let labels = kinds.map(|kind| words.label(kind)).into_iter().chain([words.customer, words.also_sent]);
        let labels: Vec<_> = labels.map(|label| format!("{label}: ")).collect();
        for line in said.lines().skip(1) {
            prop_assert!(ours.contains(&line) || labels.iter().any(|label| line.starts_with(label.as_str())), "{said}");
        }
    }
}

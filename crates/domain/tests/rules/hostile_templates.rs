//! Templates that mean harm, or were written in haste: each is refused when it is set, or costs no more than a limit allows.

mod rows;

use std::fmt::Write;

use domain::endpoint::Protocol;
use domain::order::Order;
use domain::reader::Reader;
use domain::shop::Shop;
use domain::template::{Template, TemplateSource, Told, Written, sample_orders};
use proptest::prelude::*;

use self::rows::Fate::{self, Refused, Told as Says, Unused};
use self::rows::rows;
use crate::fixtures::order;

/// More than that no part may say, in bytes.
const MOST: usize = 32_000;

/// An order as large as they come: thousands of items, and a note of many lines.
fn largest() -> Order {
    let mut items = String::new();
    for _ in 0..1_500 {
        write!(items, r#"{{"productName":"<&>","quantity":2}},"#).unwrap();
    }
    let items = items.trim_end_matches(',');
    let note = "<&\\n".repeat(1_000);
    order(&format!(
        r#"{{"customerName":"Jo","productName":"All","items":[{items}],"note":"{note}","big":"{}","deep":{}1{}}}"#,
        "x".repeat(9_000),
        "[".repeat(31),
        "]".repeat(31)
    ))
}

fn told(template: &Template, order: &Order) -> Result<Written, String> {
    let (reader, shop) = (Reader::default(), Shop::default());
    let told = Told {
        order,
        reader: &reader,
        shop: &shop,
        order_url: Some("https://shop.example/o/1"),
        unsubscribe_url: "https://shop.example/u",
    };
    template.render(&told).map_err(|why| why.to_string())
}

fn text(text: impl Into<String>) -> TemplateSource {
    TemplateSource { text: Some(text.into()), ..TemplateSource::default() }
}

fn html(html: impl Into<String>) -> TemplateSource {
    TemplateSource { html: Some(html.into()), ..TemplateSource::default() }
}

/// Each with what becomes of it.
fn sources() -> Vec<(TemplateSource, Fate)> {
    let (texts, htmls) = rows();
    let texts = texts.into_iter().map(|(template, fate)| (text(template), fate));
    texts.chain(htmls.into_iter().map(|(template, fate)| (html(template), fate))).collect()
}

#[test]
fn a_hostile_template_is_refused_or_says_no_more_than_a_message_has_room_for() {
    let largest = largest();
    let sources = sources();
    assert!(sources.len() >= 60);
    for (source, fate) in sources {
        let shown = format!("{source:.80?}");
        let template = Template::parse(source, Protocol::Email);
        match (template, fate) {
            (Err(wrong), Refused(why)) => assert!(wrong.message.contains(why), "{shown}: {wrong}"),
            (Ok(template), Says | Unused(_)) => match (told(&template, &largest), fate) {
                (Ok(written), Says) => {
                    assert!(written.text.or(written.html).unwrap().len() <= MOST, "{shown}");
                }
                (Err(unused), Unused(why)) => assert!(unused.contains(why), "{shown}: {unused}"),
                (became, fate) => panic!("{shown}: {became:.200?}, not {fate:?}"),
            },
            (template, fate) => panic!("{shown}: {:.300?}, not {fate:?}", template.map(|_| "taken")),
        }
    }
}

/// What templates are made of, and what breaks them.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        prop::sample::select(vec![
            "{{",
            "}}",
            "{{#items}}",
            "{{/items}}",
            "{{#note}}",
            "{{/note}}",
            "{{^note}}",
            "{{note}}",
            "{{text}}",
            "{{orderUrl}}",
            "{{productName}}",
            "{{extra.a.b}}",
            "{{! x }}",
            "<p>",
            "</p>",
            "<b title='",
            "'>",
            "</b>",
            "<a href='{{orderUrl}}'>",
            "</a>",
            "<br/>",
            "\n",
            " ",
            "\r\n",
            "é",
            "{{#facts}}",
            "{{/facts}}",
            "{{label}}",
        ])
        .prop_map(str::to_owned),
        "\\PC{0,3}",
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn no_template_breaks_the_reading_or_the_filling_in(template in pieces()) {
        for (source, protocol) in [(text(&template), Protocol::Sms), (text(&template), Protocol::Chat), (html(&template), Protocol::Email)] {
            let Ok(template) = Template::parse(source, protocol) else { continue };
            for order in sample_orders() {
                let written = told(&template, &order).expect("it was tried on these");
                if let Some(html) = written.html {
                    prop_assert!(html.len() <= MOST);
                    prop_assert_eq!(html.matches("<p>").count(), html.matches("</p>").count());
                    prop_assert_eq!(html.matches("<bdi>").count(), html.matches("</bdi>").count());
                }
            }
        }
    }
}

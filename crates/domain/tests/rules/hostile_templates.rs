//! Templates that mean harm, or were written in haste: each is refused when it is set, or costs no more than a limit allows.

use std::fmt::Write;

use domain::endpoint::Protocol;
use domain::order::Order;
use domain::reader::Reader;
use domain::shop::Shop;
use domain::template::{Template, TemplateSource, Told, Written, sample_orders};
use proptest::prelude::*;

use crate::fixtures::order;

/// More than that no part may say, in bytes.
const MOST: usize = 32_000;

/// What becomes of a template.
#[derive(Debug, Clone, Copy)]
enum Fate {
    /// It is not taken, for a reason that says this.
    Refused(&'static str),
    /// Of the largest order it says something within the limits.
    Told,
    /// Of the largest order it is not used, for a reason that says this: the program's own words are sent.
    Unused(&'static str),
}
use Fate::{Refused, Told as Says, Unused};

/// An order as large as they come: thousands of items, and a note of many lines.
fn largest() -> Order {
    let mut items = String::new();
    for _ in 0..1_500 {
        write!(items, r#"{{"productName":"<&>","quantity":2}},"#).unwrap();
    }
    let items = items.trim_end_matches(',');
    let note = "<&\\n".repeat(1_000);
    order(&format!(
        r#"{{"customerName":"Jo","productName":"All","items":[{items}],"note":"{note}","deep":{}1{}}}"#,
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

/// In another order, other data, other powers.
fn out_of_reach() -> Vec<(&'static str, Fate)> {
    let unknown = Refused("is not known here");
    vec![
        ("{{secret}}", unknown),
        ("{{subscription.secrets}}", unknown),
        ("{{endpoint}}", unknown),
        ("{{linkKey}} {{env.AWS_SECRET_ACCESS_KEY}}", unknown),
        ("{{orders}}", unknown),
        ("{{#orders}}{{note}}{{/orders}}", unknown),
        ("{{../note}}", unknown),
        ("{{this}}", unknown),
        ("{{.}}", unknown),
        ("{{orderId.__proto__}}", unknown),
        ("{{items.0.productName}}", unknown),
        ("{{items[0]}}", unknown),
        ("{{constructor.constructor('return process')()}}", unknown),
        ("{{7*7}}", unknown),
        ("{{ note | upper }}", unknown),
        ("{% for a in items %}{{a}}{% endfor %}", unknown),
        ("{{include 'x'}}", unknown),
        ("{{attributes.}}", unknown),
        ("{{attributes}}", unknown),
        ("{{extra}}", unknown),
        ("{{}}", unknown),
        ("{{> /etc/passwd}}", Refused("a tag is {{name}}")),
        ("{{{note}}}", Refused("a tag is {{name}}")),
        ("{{& note}}", Refused("a tag is {{name}}")),
        ("{{=<% %>=}}", Refused("a tag is {{name}}")),
        ("${jndi:ldap://x/a} #{7*7} <%= 1 %> {note} $note", Says),
        ("!{{attributes.x' OR 1=1}}{{extra.a.b.c.d.e.f}}", Says),
    ]
}

/// Broken, on purpose or not.
fn broken() -> Vec<(String, Fate)> {
    let within = |depth: usize| format!("!{}{}", "{{#note}}".repeat(depth), "{{/note}}".repeat(depth));
    vec![
        ("{{".into(), Refused("}} is missing")),
        ("a {{note".into(), Refused("}} is missing")),
        ("{{#note}}".into(), Refused("the section note is not closed")),
        ("{{/note}}".into(), Refused("no section note is open")),
        ("{{#note}}{{#total}}{{/note}}{{/total}}".into(), Refused("the section total ends here")),
        ("{{#items}}{{#items}}a{{/items}}{{/items}}".into(), Refused("cannot stand within the list items")),
        ("{{#items}}{{#facts}}a{{/facts}}{{/items}}".into(), Refused("cannot stand within the list items")),
        ("{{items}}".into(), Refused("items is no value")),
        ("{{hasItems}}".into(), Refused("hasItems is no value")),
        (within(8), Says),
        (within(9), Refused("at most 8 deep")),
        (within(100_000), Refused("at most 16384 bytes")),
        ("{{note}}".repeat(500) + "!", Refused("more than 16000 bytes")),
        ("{{note}}".repeat(501), Refused("at most 500 tags")),
        ("-".repeat(8 * 1024), Says),
        ("{".repeat(8 * 1024), Refused("}} is missing")),
        ("}".repeat(8 * 1024), Says),
        ("{{!".repeat(5_000) + "}}!", Says),
        ("\0".into(), Refused("a control character")),
        ("a\u{1b}[2J".into(), Refused("a control character")),
        (String::new(), Refused("says nothing")),
        ("\u{200b} \u{2060}\n".into(), Refused("says nothing")),
        ("\u{202e}{{note}}\u{2066}!".into(), Says),
        ("😀".repeat(4_000), Says),
    ]
}

/// One gigabyte of output, or an hour of work, if nothing bounded it.
fn without_end() -> Vec<(String, Fate)> {
    let nothing = "{{#sku}}{{/sku}}".repeat(120);
    vec![
        (format!("!{{{{#items}}}}{}{{{{/items}}}}", "x".repeat(15_000)), Refused("more than 16000 bytes")),
        (format!("!{{{{#items}}}}{}{{{{/items}}}}", "x".repeat(100)), Unused("more than 16000 bytes")),
        (format!("!{{{{#items}}}}{}{{{{/items}}}}", "{{note}}".repeat(100)), Unused("more than 16000 bytes")),
        (format!("!{{{{#items}}}}{nothing}{{{{/items}}}}"), Unused("more than 100000 steps")),
        (format!("!{}", "{{#text}}{{/text}}".repeat(240)), Says),
        (format!("!{}", "{{#extra.deep.deep.deep}}{{/extra.deep.deep.deep}}".repeat(240)), Says),
        ("{{text}}".repeat(20), Unused("more than 16000 bytes")),
    ]
}

/// HTML in which a value would be more than words, that runs or loads programs, or breaks what stands around it.
fn html_that_harms() -> Vec<(String, Fate)> {
    let no_value = Refused("in a tag there is no value but a href");
    vec![
        ("<script>alert(1)</script>".into(), Refused("<script> cannot stand in a mail")),
        ("<SCRIPT src=//x>".into(), Refused("cannot stand in a mail")),
        ("<iframe src='https://x'></iframe>".into(), Refused("<iframe> cannot stand in a mail")),
        ("<form action='https://x'><input></form>".into(), Refused("<form> cannot stand in a mail")),
        ("<style>{{note}}</style>".into(), Refused("<style> cannot stand in a mail")),
        ("<svg/onload=alert(1)>".into(), Refused("<svg> cannot stand in a mail")),
        ("<meta http-equiv='refresh' content='0'>".into(), Refused("cannot stand in a mail")),
        ("<base href='https://x'>".into(), Refused("cannot stand in a mail")),
        ("<img src='https://x/a.png' onerror='a()'>".into(), Refused("onerror is no attribute here")),
        ("<a href='javascript:alert(1)'>a</a>".into(), Refused("begins with https://")),
        ("<a href=' javascript:alert(1)'>a</a>".into(), Refused("begins with https://")),
        ("<a href='java&#115;cript:a'>a</a>".into(), Refused("begins with https://")),
        ("<img src='data:text/html,x'>".into(), Refused("begins with https://")),
        ("<a href='{{note}}'>a</a>".into(), no_value),
        ("<a href='https://x/?{{note}}'>a</a>".into(), no_value),
        ("<a href='https://x/?{{orderUrl}}'>a</a>".into(), Refused("a link of ours is the whole value")),
        ("<img src='{{orderUrl}}'>".into(), Refused("a link of ours is the whole value")),
        ("<a href={{orderUrl}}>a</a>".into(), Refused("stands in quotes")),
        ("<p {{note}}>a</p>".into(), Refused("only attributes")),
        ("<p title='{{#note}}'>'{{/note}}>a</p>".into(), no_value),
        ("<{{note}}>".into(), Refused("begins no element")),
        ("<scr{{! }}ipt>".into(), Refused("cannot stand in a mail")),
        ("<!-- {{note}} -->".into(), Refused("a remark is {{!")),
        ("<!--[if mso]><p>a</p><![endif]-->".into(), Refused("a remark is {{!")),
        ("a < b".into(), Refused("written &lt;")),
        ("</td></tr></table>out".into(), Refused("closes nothing that is open")),
        ("<div style='display:none'>".into(), Refused("<div> is not closed")),
        ("{{#note}}<b>{{/note}}a</b>".into(), Refused("not closed where its section ends")),
        ("<b>{{#note}}</b>{{/note}}".into(), Refused("closes nothing that is open in this section")),
        ("<b>".repeat(5_000), Refused("at most 50 deep")),
        ("<p title='a".into(), Refused("is not closed")),
        ("<p>{{#items}}<b>{{productName}}</b>{{/items}}</p>".into(), Unused("more than 32000 bytes")),
        ("<p>{{note}}</p>".into(), Unused("more than 32000 bytes")),
    ]
}

fn rows() -> Vec<(TemplateSource, Fate)> {
    let texts = out_of_reach().into_iter().map(|(template, fate)| (template.to_owned(), fate));
    let texts = texts.chain(broken()).chain(without_end()).map(|(template, fate)| (text(template), fate));
    texts.chain(html_that_harms().into_iter().map(|(template, fate)| (html(template), fate))).collect()
}

#[test]
fn a_hostile_template_is_refused_or_says_no_more_than_a_message_has_room_for() {
    let largest = largest();
    for (source, fate) in rows() {
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

//! What an operator wrote in place of what the program says of an order.

use domain::endpoint::Protocol;
use domain::language::Language;
use domain::order::Order;
use domain::reader::Reader;
use domain::shop::Shop;
use domain::template::{LISTS, Template, TemplateName, TemplateSource, Told, VALUES, Written, sample_orders};

use crate::fixtures::order;

fn text(text: &str) -> TemplateSource {
    TemplateSource { text: Some(text.to_owned()), ..TemplateSource::default() }
}

fn html(html: &str) -> TemplateSource {
    TemplateSource { html: Some(html.to_owned()), ..TemplateSource::default() }
}

fn written(source: TemplateSource, protocol: Protocol, order: &Order, language: Language) -> Written {
    let shop = Shop { name: Some("Corner & Co".to_owned()), ..Shop::default() };
    let reader = Reader { language, ..Reader::default() };
    let told = Told {
        order,
        reader: &reader,
        shop: &shop,
        order_url: Some("https://shop.example/o/1?a&b"),
        unsubscribe_url: "https://shop.example/u?token=1",
    };
    Template::parse(source, protocol).unwrap().render(&told).unwrap()
}

fn said(template: &str, order: &Order) -> String {
    written(text(template), Protocol::Email, order, Language::En).text.unwrap()
}

fn html_of(template: &str, order: &Order) -> String {
    written(html(template), Protocol::Email, order, Language::En).html.unwrap()
}

fn bakery() -> Order {
    order(
        r#"{"customerName": "Jo", "items": [{"productName": "Rolls", "quantity": 12, "unitPrice": "0.40", "slicing": "thin"},
            {"productName": "Rye", "sku": "R-1"}], "total": "8.80", "currency": "EUR", "note": "Ring twice.\nTotal: 0.00",
            "deliverAt": "2026-12-24T08:00", "attributes": {"table": 7, "gift": true},
            "extra.name": "x", "door": {"code": "A <7>", "floor": 2}}"#,
    )
}

#[test]
fn values_stand_where_their_names_do_as_the_readers_language_writes_them() {
    let template = "{{customerName}}: {{ total }} ({{currency}}), {{shopName}}, {{attributes.table}}, {{attributes.gift}}";
    assert_eq!(said(template, &bakery()), "Jo: €8.80 (EUR), Corner & Co, 7, yes");
    let german = written(text(template), Protocol::Email, &bakery(), Language::De).text.unwrap();
    assert_eq!(german, "Jo: 8,80\u{a0}€ (EUR), Corner & Co, 7, ja");
}

#[test]
fn a_list_is_told_one_by_one_and_a_line_of_a_section_alone_is_left_out() {
    let template = "Bake:\n{{#items}}\n- {{#quantity}}{{quantity}} x {{/quantity}}{{productName}}{{#extra}} ({{extra}}){{/extra}} for {{customerName}}\n{{/items}}\nfor {{deliverAt}}\n";
    let expected =
        "Bake:\n- 12 x Rolls (slicing: thin) for Jo\n- Rye for Jo\nfor Thu, Dec 24, 2026, 8:00\u{a0}AM\n";
    assert_eq!(said(template, &bakery()), expected);
    assert_eq!(said(&template.replace('\n', "\r\n"), &bakery()), expected, "as Windows ends its lines");
}

#[test]
fn a_section_says_something_of_what_is_there_or_of_what_is_not() {
    let template = "{{#note}}note{{/note}}{{^note}}none{{/note}} {{#hasItems}}items{{/hasItems}}{{^items}}no items{{/items}}";
    assert_eq!(said(template, &bakery()), "note items");
    let seed = order(r#"{"customerName": "Jo", "productName": "Mouse"}"#);
    assert_eq!(said(template, &seed), "none no items");
}

#[test]
fn facts_carry_their_labels_in_the_readers_language() {
    let template =
        "!\n{{#facts}}\n{{label}} = {{value}}\n{{/facts}}{{#otherFacts}}[{{label}}={{value}}]{{/otherFacts}}";
    let told = written(text(template), Protocol::Webhook, &bakery(), Language::Fr).text.unwrap();
    assert_eq!(
        told,
        "!\nTotal = 8,80\u{a0}€\nDate souhaitée = jeu. 24/12/2026, 08:00\nRemarque = Ring twice.\n    Total: 0.00\n\
         [gift=oui][table=7][extra.name=x][door.code=A <7>][door.floor=2]"
    );
}

#[test]
fn what_the_program_does_not_know_is_named_by_its_path() {
    assert_eq!(said("!{{extra.extra.name}} {{extra.door.code}}{{extra.door.no}}", &bakery()), "!x A <7>");
    assert_eq!(said("!{{extra.door}}", &bakery()), r#"!{"code":"A <7>","floor":2}"#);
}

#[test]
fn no_line_of_a_customers_passes_for_one_of_the_operators() {
    assert_eq!(
        said("Note: {{note}}\nTotal: {{total}}", &bakery()),
        "Note: Ring twice.\n    Total: 0.00\nTotal: €8.80"
    );
    let sms = written(text("!{{note}}\n{{total}}"), Protocol::Sms, &bakery(), Language::En).text.unwrap();
    assert_eq!(sms, "!Ring twice. / Total: 0.00\n€8.80");
    let subject = TemplateSource {
        subject: Some("{{note}} \u{2014} {{customerName}}".to_owned()),
        ..TemplateSource::default()
    };
    let subject = written(subject, Protocol::Email, &bakery(), Language::En).subject.unwrap();
    assert_eq!(subject, "Ring twice. / Total: 0.00 — Jo");
    assert_eq!(
        html_of("<p>{{note}}</p>", &bakery()),
        "<p><bdi>Ring twice.</bdi><br>&nbsp;&nbsp;&nbsp;&nbsp;<bdi>Total: 0.00</bdi></p>"
    );
}

#[test]
fn the_programs_own_text_can_stand_in_a_template() {
    let own = domain::notification::text(&bakery(), &Reader::default());
    assert_eq!(said("Kitchen!\n\n{{text}}", &bakery()), format!("Kitchen!\n\n{own}"));
}

#[test]
fn in_html_a_value_is_words_and_a_link_of_ours_may_be_where_a_link_leads() {
    assert_eq!(
        html_of(r#"<p title="x">{{extra.door.code}} <a href='{{orderUrl}}'>{{shopName}}</a></p>"#, &bakery()),
        "<p title=\"x\"><bdi>A &lt;7&gt;</bdi> <a href='https://shop.example/o/1?a&amp;b'><bdi>Corner &amp; Co</bdi></a></p>"
    );
    let hostile = order(r#"{"customerName": "\"'><script>&amp;", "productName": "a"}"#);
    assert_eq!(html_of("{{customerName}}", &hostile), "<bdi>&quot;&#39;&gt;&lt;script&gt;&amp;amp;</bdi>");
}

#[test]
fn a_customers_braces_are_no_template() {
    let order = order(r#"{"customerName": "{{orderId}}", "productName": "{{#items}}"}"#);
    assert_eq!(said("{{customerName}} {{productName}}", &order), "{{orderId}} {{#items}}");
}

#[test]
fn every_name_there_is_can_be_used() {
    for value in &VALUES {
        let template = format!(
            "-{{{{{name}}}}}{{{{#{name}}}}}x{{{{/{name}}}}}{{{{^{name}}}}}y{{{{/{name}}}}}",
            name = value.name
        );
        for protocol in Protocol::ALL {
            Template::parse(text(&template), protocol).unwrap();
        }
        Template::parse(html(&template), Protocol::Email).unwrap();
    }
    for (list, values) in &LISTS {
        for value in *values {
            let template = format!(
                "-{{{{#{list}}}}}{{{{{value}}}}}{{{{/{list}}}}}",
                list = list.name,
                value = value.name
            );
            Template::parse(text(&template), Protocol::Sms).unwrap();
        }
    }
}

#[test]
fn what_is_wrong_is_named_with_its_part_its_line_and_its_column() {
    let wrong = Template::parse(text("Hello\n  {{ordrId}}"), Protocol::Sms).unwrap_err();
    assert_eq!((wrong.code, wrong.field.as_str()), ("invalid_template", "text"));
    assert!(
        wrong
            .message
            .starts_with("text, line 2, column 3: \"ordrId\" is not known here; there are orderId, "),
        "{wrong}"
    );
    let within = Template::parse(text("ä{{#items}}{{total}}{{label}}"), Protocol::Sms).unwrap_err();
    assert!(
        within
            .message
            .starts_with("text, line 1, column 21: \"label\" is not known here; there are productName, ")
    );
    let wrong = Template::parse(html("<p>\r\n<b>\r\n{{note}}</p>"), Protocol::Email).unwrap_err();
    assert_eq!(wrong.message, "html, line 3, column 9: </p> comes before </b>");
}

#[test]
fn a_template_that_says_nothing_of_some_order_is_refused_when_it_is_set() {
    let wrong = Template::parse(text("{{#items}}{{productName}}{{/items}}"), Protocol::Chat).unwrap_err();
    assert_eq!(wrong.message, "its text says nothing, of a sample order of one product");
}

#[test]
fn only_a_mail_has_a_subject_and_html_and_some_part_there_must_be() {
    for protocol in [Protocol::Sms, Protocol::Webhook, Protocol::Chat] {
        let wrong = Template::parse(html("<p>a</p>"), protocol).unwrap_err();
        assert_eq!(wrong.message, format!("html is a mail's: a template for {protocol} has text alone"));
    }
    let wrong = Template::parse(TemplateSource::default(), Protocol::Email).unwrap_err();
    assert_eq!(
        (wrong.field.as_str(), wrong.message.as_str()),
        ("", "a template for email has subject, text or html")
    );
}

#[test]
fn a_template_is_named_by_its_protocol_or_its_subscription() {
    for name in ["email", "sms", "webhook", "chat", "0198c5f2-7a00-7000-8000-000000000001"] {
        assert_eq!(name.parse::<TemplateName>().unwrap().to_string(), name);
    }
    let wrong = "mail".parse::<TemplateName>().unwrap_err();
    assert_eq!(
        wrong.message,
        "a template is named email, sms, webhook, chat or by the id of its subscription"
    );
}

#[test]
fn samples_are_orders_of_every_kind() {
    let samples = sample_orders();
    assert_eq!(samples.len(), 3);
    assert_eq!(samples[1].details.products.items.len(), 2);
    assert!(samples[1].details.extra.is_some() && samples[1].details.attributes.len() == 1);
    assert!(samples[2].details.note.as_deref().unwrap().contains('\u{202e}'));
}

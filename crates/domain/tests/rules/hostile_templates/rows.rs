//! The templates, as they are written, and what becomes of each.

/// What becomes of a template.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fate {
    /// It is not taken, for a reason that says this.
    Refused(&'static str),
    /// Of the largest order it says something within the limits.
    Told,
    /// Of the largest order it is not used, for a reason that says this: the program's own words are sent.
    Unused(&'static str),
}
use Fate::{Refused, Told as Says, Unused};

/// Templates, each with its fate.
type Rows = Vec<(String, Fate)>;

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
fn broken() -> Rows {
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
fn without_end() -> Rows {
    let nothing = "{{#sku}}{{/sku}}".repeat(120);
    vec![
        (format!("!{{{{#items}}}}{}{{{{/items}}}}", "x".repeat(15_000)), Refused("more than 16000 bytes")),
        (format!("!{{{{#items}}}}{}{{{{/items}}}}", "x".repeat(100)), Unused("more than 16000 bytes")),
        (format!("!{{{{#items}}}}{}{{{{/items}}}}", "{{note}}".repeat(100)), Unused("more than 16000 bytes")),
        (format!("!{{{{#items}}}}{nothing}{{{{/items}}}}"), Unused("more than 30000 steps")),
        (format!("!{}", "{{#text}}{{/text}}".repeat(240)), Says),
        (format!("!{}", "{{#extra.deep.deep.deep}}{{/extra.deep.deep.deep}}".repeat(240)), Says),
        (format!("!{}", "{{#note}}{{/note}}".repeat(240)), Says),
        (format!("!{}", "{{#extra.big}}{{/extra.big}}".repeat(240)), Unused("more than 30000 steps")),
        ("{{text}}".repeat(20), Unused("more than 16000 bytes")),
    ]
}

/// HTML in which a value would be more than words, that runs or loads programs, or breaks what stands around it.
fn html_that_harms() -> Rows {
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

/// All of them: those of texts, and those of HTML.
pub(crate) fn rows() -> (Rows, Rows) {
    let texts = out_of_reach().into_iter().map(|(template, fate)| (template.to_owned(), fate));
    (texts.chain(broken()).chain(without_end()).collect(), html_that_harms())
}

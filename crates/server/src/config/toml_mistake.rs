//! What is wrong with a settings file that cannot be read as TOML, in a person's words.

use std::path::Path;

use toml::{Table, Value};

/// Names the place and what mends it. The line itself is not shown: it may hold a secret.
pub(super) fn toml_mistake(path: &Path, text: &str, error: &toml::de::Error) -> String {
    let start = error.span().map_or(0, |span| span.start.min(text.len()));
    let before = text.get(..start).unwrap_or_default();
    let (number, line) = (before.matches('\n').count() + 1, line_at(text, start));
    let place = format!("{}, line {number}", path.display());
    if let Some(mended) = in_quotes(line) {
        return format!("{place}: a text stands in quotes: {mended}");
    }
    let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
    format!("{place}, column {column}: {}", error.message().replace('\n', ", "))
}

fn line_at(text: &str, start: usize) -> &str {
    let from = text.get(..start).and_then(|before| before.rfind('\n')).map_or(0, |end| end + 1);
    text.get(from..).and_then(|rest| rest.lines().next()).unwrap_or_default()
}

/// How a setting is written whose text stands without quotes, if that is all that is wrong. Of a secret, its name alone.
fn in_quotes(line: &str) -> Option<String> {
    let (name, value) = line.split_once('=')?;
    let (name, value) = (name.trim(), without_remark(value).trim());
    let is_bare = !value.is_empty() && !value.starts_with(['"', '\'', '[', '{']);
    let is_wrong = format!("{name} = {value}").parse::<Table>().is_err();
    let quoted = format!("{name} = {}", Value::String(value.to_owned()));
    if !is_bare || !is_wrong || quoted.parse::<Table>().is_err() {
        return None;
    }
    let may_be_secret = ["key", "password", "secret", "token"].iter().any(|word| name.contains(word));
    Some(if may_be_secret { format!("{name} = \"…\"") } else { quoted })
}

fn without_remark(value: &str) -> &str {
    value.split_once(" #").map_or(value, |(value, _)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> String {
        let error = text.parse::<Table>().unwrap_err();
        toml_mistake(Path::new("orderbell.toml"), text, &error)
    }

    #[test]
    fn a_text_without_quotes_is_shown_as_it_is_written() {
        for (text, line, mended) in [
            ("listen = 127.0.0.1:8080\n", 1, "listen = \"127.0.0.1:8080\""),
            ("# ours\ndata = /var/lib/orderbell\n", 2, "data = \"/var/lib/orderbell\""),
            ("intake = key", 1, "intake = \"key\""),
            ("[smtp]\nhost = smtp.example.com # the relay\nport = 25\n", 2, "host = \"smtp.example.com\""),
            ("public_url = https://orders.example.com", 1, "public_url = \"https://orders.example.com\""),
            ("listen = [::]:8080", 1, ""),
            ("[smtp]\npassword = hunter-2!\n", 2, "password = \"…\""),
            ("admin_key=obk_admin_0123456789", 1, "admin_key = \"…\""),
        ] {
            let told = told(text);
            let place = format!("orderbell.toml, line {line}");
            assert!(told.starts_with(&place) && told.contains(mended), "{text}: {told}");
            assert_eq!(told.contains("in quotes"), !mended.is_empty(), "{text}: {told}");
            assert!(!told.contains("hunter") && !told.contains("0123456789"), "{told}");
        }
    }

    #[test]
    fn what_else_is_wrong_is_told_with_its_place_and_without_the_line() {
        for (text, place) in [
            ("log = \"info", "line 1, column 12: "),
            ("\n[smtp\nhost = \"a\"", "line 2, column 6: "),
            ("listen '127.0.0.1:80'", "line 1, column 8: "),
            ("[smtp]\npassword = \"hunter", "line 2, column 19: "),
            ("data = \"a\"\ndata = \"b\"", "line 2, column 1: "),
        ] {
            let told = told(text);
            assert!(told.contains(place) && told.lines().count() == 1, "{text}: {told}");
            assert!(!told.contains("hunter"), "{told}");
        }
    }
}

//! What a notice repeats of others' words.

use crate::endpoint::Protocol;

/// The longest quotation, in characters: a notice may have to fit into a text message.
pub const MAX_QUOTE: usize = 120;

/// The beginning of what somebody said, with mail addresses masked. Of what a webhook's or chat's receiver answered only
/// the status: the rest may repeat the order. `protocol` is the one it was said over, if over any.
#[must_use]
pub fn quote(protocol: Option<Protocol>, said: &str) -> String {
    if let (Some(Protocol::Webhook | Protocol::Chat), Some(status)) = (protocol, status(said)) {
        return format!("HTTP {status}");
    }
    let words: Vec<_> = said.split_whitespace().map(masked).collect();
    let words = words.join(" ");
    match words.char_indices().nth(MAX_QUOTE) {
        Some((end, _)) => format!("{}…", words[..end].trim_end()),
        None => words.trim_end_matches('.').to_owned(),
    }
}

/// The three digits that an answer begins with.
fn status(said: &str) -> Option<&str> {
    let status = said.get(..3).filter(|status| status.bytes().all(|byte| byte.is_ascii_digit()));
    status.filter(|_| !said[3..].starts_with(|c: char| c.is_ascii_alphanumeric()))
}

/// A word; of a mail address in it, the first character and the domain.
fn masked(word: &str) -> String {
    let Some(at) = word.rfind('@') else { return word.to_owned() };
    let (before, domain) = word.split_at(at);
    let starts = |c: char| matches!(c, '<' | '(' | '[' | '"' | '\'' | ':' | '=' | ',' | ';');
    let (around, local) = before.rfind(starts).map_or(("", before), |last| before.split_at(last + 1));
    let first: String = local.chars().take(1).collect();
    format!("{}{first}***{domain}", masked(around))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_web_receiver_says_may_repeat_the_order_and_is_left_out() {
        let said = r#"503 Service Unavailable {"customerName":"Ada"}"#;
        for protocol in [Protocol::Webhook, Protocol::Chat] {
            assert_eq!(quote(Some(protocol), said), "HTTP 503");
            assert_eq!(quote(Some(protocol), "503"), "HTTP 503");
            assert_eq!(quote(Some(protocol), "no answer in time"), "no answer in time");
            assert_eq!(quote(Some(protocol), "4040 Ada"), "4040 Ada", "that is no status");
        }
    }

    #[test]
    fn mail_addresses_are_masked_wherever_they_stand() {
        let quoted = |said| quote(Some(Protocol::Email), said);
        assert_eq!(quoted("550 5.1.1 <jane@example.com>: unknown."), "550 5.1.1 <j***@example.com>: unknown");
        assert_eq!(quoted("to:jane@example.com"), "to:j***@example.com");
        assert_eq!(quoted("j***@example.com"), "j***@example.com");
        assert_eq!(quoted("a@b.example,c@d.example"), "a***@b.example,c***@d.example");
        assert_eq!(quoted("élan@example.com @ @x"), "é***@example.com ***@ ***@x");
    }

    #[test]
    fn a_long_quotation_is_cut_between_two_characters() {
        let long = "é ".repeat(500);
        let cut = quote(None, &long);
        assert!(cut.chars().count() <= MAX_QUOTE + 1 && cut.ends_with("é…"), "{cut}");
        assert_eq!(quote(None, "  two\n lines \u{7}"), "two lines \u{7}");
        assert_eq!(quote(None, ""), "");
    }
}

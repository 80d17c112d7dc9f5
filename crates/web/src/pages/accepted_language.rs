//! Which language a browser's person reads.

use domain::language::Language;
use http::HeaderMap;
use http::header::ACCEPT_LANGUAGE;

use super::weighted;

/// Of the languages that there are, the one that `Accept-Language` wants most (RFC 9110, section 12.5.4), the first of
/// several that it wants alike; where it wants none of them, or any, that of the shop.
pub(super) fn accepted_language(headers: &HeaderMap, shop: Language) -> Language {
    let accepted = headers.get_all(ACCEPT_LANGUAGE).iter().filter_map(|value| value.to_str().ok());
    let ranges = accepted.flat_map(|value| value.split(',')).map(weighted);
    let known = ranges.filter_map(|(range, weight)| {
        let language = if range == "*" { Some(shop) } else { Language::of_tag(range) };
        language.zip(Some(weight).filter(|weight| *weight > 0.0))
    });
    let most = known.reduce(|most, one| if one.1 > most.1 { one } else { most });
    most.map_or(shop, |(language, _)| language)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn the_language_that_is_wanted_most_of_those_there_are_is_taken_else_the_shops() {
        for (header, language) in [
            ("de", Language::De),
            ("de-AT,de;q=0.9,en;q=0.8", Language::De),
            ("en;q=0.5, FR-ca;q=0.9", Language::Fr),
            ("ja, es;q=0.1", Language::Es),
            ("en, de", Language::En),
            ("ja", Language::Fr),
            ("*", Language::Fr),
            ("ja, *;q=0.5, de;q=0.4", Language::Fr),
            ("de;q=0", Language::Fr),
            ("de;q=x, es;q=0.001", Language::Es),
            ("", Language::Fr),
            (",;,=", Language::Fr),
        ] {
            let headers = HeaderMap::from_iter([(ACCEPT_LANGUAGE, HeaderValue::from_str(header).unwrap())]);
            assert_eq!(accepted_language(&headers, Language::Fr), language, "{header}");
        }
        assert_eq!(accepted_language(&HeaderMap::new(), Language::Es), Language::Es);
    }
}

//! The API's words for what was wrong, in those of the command line.

/// Members and headers of the API, each with the flag or argument that it is given by. These names are no words of a
/// sentence.
const NAMES: [(&str, &str); 10] = [
    ("customerName", "--customer"),
    ("productName", "--product"),
    ("customerEmail", "--email"),
    ("customerPhone", "--phone"),
    ("filterPolicyScope", "--filter-policy-scope"),
    ("filterPolicy", "--filter-policy"),
    ("maxReceivesPerSecond", "--max-receives-per-second"),
    ("timeZone", "--time-zone"),
    ("Idempotency-Key", "--idempotency-key"),
    ("orderId", "--order-id"),
];

/// Those that are words too: they are meant where the sentence begins with them.
const WORDS: [(&str, &str); 16] = [
    ("quantity", "--quantity"),
    ("currency", "--currency"),
    ("total", "--total"),
    ("note", "--note"),
    ("attributes", "--attribute"),
    ("escalation", "--escalation"),
    ("fields", "--fields"),
    ("receives", "--receives"),
    ("language", "--language"),
    ("secret", "--secret-file"),
    ("endpoint", "ENDPOINT"),
    ("protocol", "PROTOCOL"),
    ("from", "--from"),
    ("before", "--before"),
    ("limit", "--limit"),
    ("cursor", "--cursor"),
];

/// The sentence with the flags' names for those of the API.
pub(super) fn in_flags(sentence: &str) -> String {
    let begins = |name: &&(&str, &str)| {
        sentence.strip_prefix(name.0).is_some_and(|rest| rest.starts_with([' ', '.', '[']))
    };
    if let Some((before, members)) = sentence.split_once(DIFFER) {
        let flags: Vec<_> = members.split(", ").map(one).collect();
        return format!("{before}{DIFFER}{}", flags.join(", "));
    }
    let word = WORDS.iter().find(begins);
    let told = word.map_or_else(|| sentence.to_owned(), |(name, flag)| renamed(sentence, name, flag));
    NAMES.iter().fold(told, |told, (name, flag)| renamed(&told, name, flag).replace(name, flag))
}

/// Behind it stand members alone.
const DIFFER: &str = "not with the same ";

fn one(member: &str) -> &str {
    let all = NAMES.iter().chain(&WORDS);
    all.into_iter().find(|(name, _)| *name == member).map_or(member, |(_, flag)| flag)
}

/// The sentence with the flag for the name's first place. What lies within a member is named after it: `filterPolicy.total`
/// is within `--filter-policy`.
fn renamed(sentence: &str, name: &str, flag: &str) -> String {
    let Some((before, after)) = sentence.split_once(name) else { return sentence.to_owned() };
    let within = after.strip_prefix('.').filter(|within| within.starts_with(|c: char| !c.is_whitespace()));
    match within {
        Some(within) => format!("{before}{flag}: {within}"),
        None => format!("{before}{flag}{after}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_server_says_of_its_members_is_told_of_the_flags() {
        for (said, told) in [
            ("Missing customerName or productName", "Missing --customer or --product"),
            ("customerEmail must be a mail address", "--email must be a mail address"),
            ("total must be a number in plain notation", "--total must be a number in plain notation"),
            ("filterPolicy.total.numeric must be a list", "--filter-policy: total.numeric must be a list"),
            ("filterPolicyScope must be MessageBody", "--filter-policy-scope must be MessageBody"),
            ("attributes.channel must be at most 100 long", "--attribute: channel must be at most 100 long"),
            ("endpoint must be a mail address", "ENDPOINT must be a mail address"),
            ("Idempotency-Key must be 16 to 255", "--idempotency-key must be 16 to 255"),
            ("escalation.afterMinutes must be whole", "--escalation: afterMinutes must be whole"),
            (
                "This endpoint is subscribed as X, and not with the same filterPolicy, receives, escalation",
                "This endpoint is subscribed as X, and not with the same --filter-policy, --receives, --escalation",
            ),
            // Words that are no names.
            ("The total of secrets and endpoints", "The total of secrets and endpoints"),
            ("total: wanted a number > 100", "total: wanted a number > 100"),
            ("fromage is not known here", "fromage is not known here"),
        ] {
            assert_eq!(in_flags(said), told);
        }
    }
}

//! Whom a relay's refusal is about: the recipient or the mail, or us. The reply says so, not the stage that it answers:
//! Postfix keeps its refusals of a client until RCPT, others theirs of a sender until after the content.
//!
//! Sources: RFC 3463 and IANA's registry of enhanced status codes; Microsoft, "Email nondelivery reports in Exchange
//! Online"; Google, "Gmail SMTP errors and codes"; the texts of Postfix, Exim, sendmail, qmail and the large relays.

/// Whom a refusal is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RefusalSubject {
    /// The recipient, or this mail.
    Delivery,
    /// Us, who send: our host, login, sender address or quota.
    Sender,
    /// It does not say.
    Unclear,
}

/// An enhanced status code, `5.7.1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Enhanced {
    class: u16,
    subject: u16,
    detail: u16,
}

/// Codes that say that authentication is needed, too weak, failed, or needs encryption.
const LOGIN_CODES: [u16; 5] = [432, 530, 534, 535, 538];

/// Phrases of a recipient who takes no mail from such as us, or makes strangers wait (greylisting): about the recipient,
/// whatever else the words hold.
const RECIPIENT_PHRASES: [&str; 4] = ["resolver.rst", "greylist", "graylist", "grey list"];

/// Phrases about our host, login, sender or quota; of relaying, see [`refuses_to_relay`].
const SENDER_PHRASES: [&str; 67] = [
    // The host.
    "rcpthosts",
    "spamhaus",
    "spamcop",
    "barracudacentral",
    "sorbs",
    "abuseat",
    "blocked using",
    "dnsbl",
    " rbl",
    "blocklist",
    "block list",
    "blacklist",
    "black list",
    "blackhole",
    "denylist",
    "is listed",
    "listed at",
    "listed by",
    "listed in",
    "listed on",
    "reputation",
    "your ip",
    "ip address",
    "client host",
    "client address",
    "your host",
    "your server",
    "your mail server",
    "your network",
    "helo",
    "ehlo",
    "reverse dns",
    "reverse hostname",
    "rdns",
    "ptr record",
    "ptr resource",
    "dynamic ip",
    // The login and the account.
    "authenticat",
    "authoriz",
    "smtp auth",
    "auth required",
    "log in",
    "login",
    "your account",
    "credits",
    "your plan",
    // The sender.
    "sender address",
    "sender rejected",
    "sender denied",
    "sender verif",
    "sender domain",
    "sender is not",
    "sender not",
    "envelope sender",
    "invalid sender",
    "send as",
    "from address",
    "from domain",
    "mail from",
    "not owned by",
    "not verified",
    " spf",
    "dkim",
    "dmarc",
    // The quota.
    "sending",
    "sandbox",
    "starttls",
];

/// What is said of how much is sent, beside what is said of [`SENDER_PHRASES`].
const RATE_PHRASES: [&str; 13] = [
    "daily",
    "per day",
    "per hour",
    "hourly",
    "rate limit",
    "ratelimit",
    "rate exceeded",
    "unusual rate",
    "too many messages",
    "too many mails",
    "too many emails",
    "message limit",
    "throttl",
];

/// Phrases about the mailbox itself, or about a mail that its host does not want: they decide, whatever is said beside
/// them of relays or of us.
const MAILBOX_PHRASES: [&str; 8] = [
    "user unknown",
    "unknown user",
    "no such user",
    "no such recipient",
    "mailbox not found",
    "recipient not authorized",
    "to post to",
    "as spam",
];

/// Phrases about a recipient or a mail.
const DELIVERY_PHRASES: [&str; 29] = [
    "user unknown",
    "unknown user",
    "no such",
    "recipient",
    "not exist",
    "n't exist",
    "mailbox",
    "over quota",
    "quota exceeded",
    "address rejected",
    "invalid address",
    "bad address",
    "account disabled",
    "account is disabled",
    "inactive",
    "unrouteable",
    "unroutable",
    "spam",
    "virus",
    "malware",
    "content",
    "attachment",
    "url",
    "too large",
    "too big",
    "message size",
    "loop",
    "hop count",
    "utf8",
];

/// Whom the refusal with this `code` and `text` is about.
pub(super) fn refusal_subject(code: u16, text: &str) -> RefusalSubject {
    if LOGIN_CODES.contains(&code) {
        return RefusalSubject::Sender;
    }
    let words = without_addresses(text);
    let holds = |known: &[&str]| known.iter().any(|word| words.contains(word));
    let enhanced = Enhanced::read(text);
    if let Some(certain) = enhanced.and_then(|enhanced| enhanced.certain_subject(&words)) {
        return certain;
    }
    if holds(&RECIPIENT_PHRASES) || (holds(&MAILBOX_PHRASES) && !words.contains("sender")) {
        return RefusalSubject::Delivery;
    }
    if refuses_to_relay(&words)
        || holds(&RATE_PHRASES)
        || (holds(&SENDER_PHRASES) && !is_about_the_content(&words))
    {
        return RefusalSubject::Sender;
    }
    if holds(&DELIVERY_PHRASES) || enhanced.is_some_and(Enhanced::is_mostly_about_the_delivery) {
        return RefusalSubject::Delivery;
    }
    RefusalSubject::Unclear
}

/// A text with a refusal's verb beside `relay`, where that is not in the name of a host.
fn refuses_to_relay(words: &str) -> bool {
    const REFUSED: [&str; 10] =
        ["den", "not ", "n't", "cannot", "unable", "prohibit", "refus", "reject", "no relay", "allow"];
    let is_a_host = |word: &str| word.trim_end_matches(['.', ',', ')', ':', ';']).contains('.');
    words.split(' ').any(|word| word.contains("relay") && !is_a_host(word))
        && REFUSED.iter().any(|verb| words.contains(verb))
}

/// What a list says of a link or a file in the mail is not said of our host.
fn is_about_the_content(words: &str) -> bool {
    ["url ", "urls", "uri ", "surbl", "uribl", "attachment", "virus", "malware", "message contains"]
        .iter()
        .any(|word| words.contains(word))
}

/// In lower case, and without mail addresses and what stands in angle brackets: a recipient's name is no reason.
fn without_addresses(text: &str) -> String {
    let mut depth = 0_u32;
    let outside: String = text
        .chars()
        .map(|c| {
            match c {
                '<' => depth += 1,
                '>' => depth = depth.saturating_sub(1),
                c if depth == 0 => return c,
                _ => {}
            }
            ' '
        })
        .collect();
    let words = outside.split_whitespace().filter(|word| !word.contains('@'));
    words.map(str::to_lowercase).fold(String::new(), |all, word| all + " " + &word)
}

impl Enhanced {
    /// The code at the beginning, or where qmail has it: `(#5.7.1)`.
    fn read(text: &str) -> Option<Self> {
        let first = text.split_whitespace().next().unwrap_or_default();
        let behind = text.split_once("(#").and_then(|(_, rest)| rest.split(')').next());
        [Some(first), behind].into_iter().flatten().find_map(Self::parse)
    }

    fn parse(code: &str) -> Option<Self> {
        let mut numbers = code.trim_end_matches([':', ',', ';']).split('.').map(|number| number.parse().ok());
        let (class, subject, detail) = (numbers.next()??, numbers.next()??, numbers.next()??);
        (numbers.next().is_none() && matches!(class, 4 | 5)).then_some(Self { class, subject, detail })
    }

    /// Whom the code is about by itself, whatever the words.
    fn certain_subject(self, words: &str) -> Option<RefusalSubject> {
        let Self { class, subject, detail } = self;
        // The recipient takes mail from few, or is not who it was.
        let is_recipient = matches!((subject, detail), (7, 2 | 17 | 18 | 124 | 129 | 133..=136 | 513));
        let is_sender = match (subject, detail) {
            // Not allowed to send as this sender, or so much, which older servers say in words.
            (2, _) => detail == 252 || words.contains("sendas") || words.contains("submissionquota"),
            // A day's quota is used up (Google).
            (4, 5) => class == 5,
            // The sender's address; too many recipients in a day (Microsoft).
            (1, detail) => matches!(detail, 7 | 8 | 90),
            // Login and encryption; SPF, DKIM, DMARC and the host's name; Microsoft's of the client, its sender, its tenant,
            // its address.
            (7, detail) => {
                matches!(detail, 3 | 8..=14 | 20..=30 | 54 | 57 | 60 | 64 | 139 | 230..=239 | 500..=799)
            }
            _ => false,
        };
        let is_delivery = matches!((subject, detail), (1, 1..=6 | 10) | (2 | 6, _) | (3, 4));
        if is_sender && !is_recipient {
            return Some(RefusalSubject::Sender);
        }
        (is_recipient || is_delivery).then_some(RefusalSubject::Delivery)
    }

    /// Addresses, ways to the recipient, and what was said between us: of policy and of systems it tells too little.
    fn is_mostly_about_the_delivery(self) -> bool {
        matches!(self.subject, 1 | 4 | 5)
    }
}

#[cfg(test)]
mod tests;

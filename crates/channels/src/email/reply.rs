//! Whom a relay's refusal is about: the recipient or the mail, or us. The reply says so, not the step that it answers:
//! Postfix keeps its refusals of a client until RCPT, others theirs of a sender until after the content.
//!
//! Sources: RFC 3463 and IANA's registry of enhanced status codes; Microsoft, "Email nondelivery reports in Exchange
//! Online"; Google, "Gmail SMTP errors and codes"; the texts of Postfix, Exim, sendmail, qmail and the large relays.

/// Whom a refusal is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum About {
    /// The recipient, or this mail.
    Delivery,
    /// Our host, login, sender or quota.
    Us,
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

/// Authentication is needed, too weak, failed, or needs encryption.
const LOGIN: [u16; 5] = [432, 530, 534, 535, 538];

/// A recipient who takes no mail from such as us, or asked for patience with strangers: said of the recipient, whatever
/// else the words hold.
const OF_THE_RECIPIENT: [&str; 4] = ["resolver.rst", "greylist", "graylist", "grey list"];

/// What is said of a host, a login, a sender or a quota; of relaying, see [`refuses_to_relay`].
const OF_US: [&str; 67] = [
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

/// What is said of how much is sent, beside what is said of [`OF_US`].
const OF_OUR_PACE: [&str; 13] = [
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

/// What is said of the mailbox itself, or of a mail that its host does not want, by whichever host: it is so whatever is
/// said beside it of relays or of us.
const NO_SUCH_MAILBOX: [&str; 8] = [
    "user unknown",
    "unknown user",
    "no such user",
    "no such recipient",
    "mailbox not found",
    "recipient not authorized",
    "to post to",
    "as spam",
];

/// What is said of a recipient or a mail.
const OF_THE_DELIVERY: [&str; 29] = [
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

/// What the refusal `code`, whose text is this, is about.
pub(super) fn about(code: u16, text: &str) -> About {
    if LOGIN.contains(&code) {
        return About::Us;
    }
    let words = without_addresses(text);
    let holds = |known: &[&str]| known.iter().any(|word| words.contains(word));
    let enhanced = Enhanced::read(text);
    if let Some(certain) = enhanced.and_then(|enhanced| enhanced.certainly(&words)) {
        return certain;
    }
    if holds(&OF_THE_RECIPIENT) || (holds(&NO_SUCH_MAILBOX) && !words.contains("sender")) {
        return About::Delivery;
    }
    if refuses_to_relay(&words) || holds(&OF_OUR_PACE) || (holds(&OF_US) && !is_of_the_content(&words)) {
        return About::Us;
    }
    if holds(&OF_THE_DELIVERY) || enhanced.is_some_and(Enhanced::is_mostly_the_deliverys) {
        return About::Delivery;
    }
    About::Unclear
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
fn is_of_the_content(words: &str) -> bool {
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

    /// What the code says by itself, whatever the words.
    fn certainly(self, words: &str) -> Option<About> {
        let Self { class, subject, detail } = self;
        // The recipient takes mail from few, or is not who it was.
        let is_the_recipients = matches!((subject, detail), (7, 2 | 17 | 18 | 124 | 129 | 133..=136 | 513));
        let is_ours = match (subject, detail) {
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
        let is_the_deliverys = matches!((subject, detail), (1, 1..=6 | 10) | (2 | 6, _) | (3, 4));
        if is_ours && !is_the_recipients {
            return Some(About::Us);
        }
        (is_the_recipients || is_the_deliverys).then_some(About::Delivery)
    }

    /// Addresses, ways to the recipient, and what was said between us: of policy and of systems it tells too little.
    fn is_mostly_the_deliverys(self) -> bool {
        matches!(self.subject, 1 | 4 | 5)
    }
}

#[cfg(test)]
mod tests;

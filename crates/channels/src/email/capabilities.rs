//! What a relay says it can do (RFC 5321, 4.1.1.1).

use super::reply::Reply;

/// What of it matters to us.
#[expect(clippy::struct_excessive_bools, reason = "a relay offers each by itself")]
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Capabilities {
    /// RFC 3207.
    pub(super) starttls: bool,
    /// Addresses beyond ASCII (RFC 6531).
    pub(super) smtputf8: bool,
    /// Content beyond ASCII (RFC 6152).
    pub(super) eight_bits: bool,
    /// Commands ahead of the replies to those before them (RFC 2920).
    pub(super) pipelining: bool,
    /// The largest mail that it takes, in bytes, where it says so (RFC 1870).
    pub(super) size: Option<usize>,
    /// The AUTH mechanisms (RFC 4954), in capitals.
    pub(super) auth_mechanisms: Vec<String>,
}

impl Capabilities {
    /// Reads the reply to EHLO: a keyword a line, in any case, behind the relay's name. `AUTH=` is how old relays wrote
    /// `AUTH`, and how many still do beside it.
    pub(super) fn read(reply: &Reply) -> Self {
        let mut capabilities = Self::default();
        for line in reply.lines.iter().skip(1) {
            let line = line.to_ascii_uppercase();
            let mut words = line.split([' ', '=']).filter(|word| !word.is_empty());
            match words.next().unwrap_or_default() {
                "STARTTLS" => capabilities.starttls = true,
                "SMTPUTF8" => capabilities.smtputf8 = true,
                "8BITMIME" => capabilities.eight_bits = true,
                "PIPELINING" => capabilities.pipelining = true,
                "AUTH" => capabilities.auth_mechanisms.extend(words.map(str::to_owned)),
                // 0 means that there is no limit.
                "SIZE" => {
                    capabilities.size =
                        words.next().and_then(|size| size.parse().ok()).filter(|size| *size > 0);
                }
                _ => {}
            }
        }
        capabilities
    }

    pub(super) fn supports_auth(&self, way: &str) -> bool {
        self.auth_mechanisms.iter().any(|login| login == way)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&str]) -> Capabilities {
        let lines = [&["relay"], lines].concat();
        Capabilities::read(&Reply { code: 250, lines: lines.into_iter().map(str::to_owned).collect() })
    }

    #[test]
    fn keywords_are_read_in_any_case_and_in_their_old_form() {
        for lines in [
            &["AUTH LOGIN PLAIN"][..],
            &["auth login plain"],
            &["AUTH=LOGIN PLAIN"],
            &["auth=Login", "AUTH plain"],
            &["AUTH = LOGIN = PLAIN"],
            &["AUTH  LOGIN  PLAIN "],
        ] {
            let read = read(lines);
            assert!(read.supports_auth("LOGIN") && read.supports_auth("PLAIN"), "{lines:?}");
            assert!(!read.supports_auth("XOAUTH2"));
        }
        let all = read(&["StartTLS", "smtputf8", "8bitMIME", "size 100", "PIPELINING", ""]);
        assert!(all.starttls && all.smtputf8 && all.eight_bits && all.pipelining);
        assert_eq!(all.size, Some(100));
    }

    #[test]
    fn a_size_that_is_none_is_no_limit() {
        for line in ["SIZE", "SIZE 0", "SIZE lots", "SIZE -1", "SIZE 99999999999999999999999"] {
            assert_eq!(read(&[line]).size, None, "{line}");
        }
    }

    #[test]
    fn the_relays_name_is_no_capability() {
        let named = Reply { code: 250, lines: vec!["STARTTLS".to_owned()] };
        assert_eq!(Capabilities::read(&named), Capabilities::default());
    }
}

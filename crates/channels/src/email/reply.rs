//! A relay's reply to a command (RFC 5321, 4.2): a code of three digits, the first of which decides, and whatever text.
//!
//! Read as relays really write: no text, text that is no UTF-8, lines that end in a lone LF. Bounded while it is read.

use super::stage_error::Cause;

/// How much of one line's text is kept, in bytes. RFC 5321, 4.5.3.1.5, has lines of 512; the rest of a longer one is read
/// and forgotten.
const MAX_LINE_BYTES: usize = 2 * 1024;
/// How long the text that is kept of one reply may become, in bytes.
const MAX_TEXT_BYTES: usize = 16 * 1024;
/// How long one reply may be, in bytes: what has not ended by then never will.
const MAX_REPLY_BYTES: usize = 64 * 1024;
/// How much of what is no SMTP an error quotes, in characters.
const MAX_QUOTED_CHARS: usize = 60;

/// A complete reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reply {
    /// The code; its first digit is one of 2 to 5.
    pub(super) code: u16,
    /// Each line's text, without codes and control characters.
    pub(super) lines: Vec<String>,
}

/// What the first digit of a reply's code says (RFC 5321, 4.2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ReplyClass {
    /// 2yz: done.
    Completion,
    /// 3yz: go on.
    Intermediate,
    /// 4yz and 5yz: refused, for now or for good.
    Failure,
}

/// Reads one reply from the bytes that come.
#[derive(Debug, Default)]
pub(super) struct ReplyReader {
    line: Vec<u8>,
    lines: Vec<String>,
    /// How much text is kept in `lines`.
    kept: usize,
    /// How much was read.
    length: usize,
    code: Option<u16>,
}

impl Reply {
    pub(super) fn class(&self) -> ReplyClass {
        match self.code / 100 {
            2 => ReplyClass::Completion,
            3 => ReplyClass::Intermediate,
            _ => ReplyClass::Failure,
        }
    }

    /// The whole text on one line.
    pub(super) fn text(&self) -> String {
        self.lines.join(" ").trim().to_owned()
    }

    /// The code and the text of a reply of that class.
    ///
    /// # Errors
    /// A refusal; or a reply that does not belong to the command: after it, no reply on this connection can be trusted.
    pub(super) fn expect(&self, class: ReplyClass) -> Result<String, Cause> {
        let code = self.code;
        if self.class() == class {
            return Ok(format!("{code} {}", self.text()).trim_end().to_owned());
        }
        Err(match self.class() {
            ReplyClass::Failure => Cause::Refused { code, text: self.text() },
            _ => Cause::Broken(format!("the server answered {code}, which is no answer to that")),
        })
    }
}

impl ReplyReader {
    /// Takes from `received` what belongs to this reply, and leaves what follows it. `None`: there is more to come.
    ///
    /// # Errors
    /// It is no SMTP, or does not end.
    pub(super) fn take(&mut self, received: &mut Vec<u8>) -> Result<Option<Reply>, Cause> {
        while !received.is_empty() {
            let end = received.iter().position(|&byte| byte == b'\n');
            let taken = end.map_or(received.len(), |end| end + 1);
            self.length += taken;
            if self.length > MAX_REPLY_BYTES {
                return Err(Cause::Broken(format!(
                    "the server's answer does not end within {MAX_REPLY_BYTES} bytes"
                )));
            }
            let room = MAX_LINE_BYTES - self.line.len();
            self.line.extend_from_slice(&received[..end.unwrap_or(taken).min(room)]);
            received.drain(..taken);
            if end.is_some()
                && let Some(reply) = self.end_line()?
            {
                return Ok(Some(reply));
            }
        }
        Ok(None)
    }

    /// Reads the line that just ended; the reply, if it was the last one.
    fn end_line(&mut self) -> Result<Option<Reply>, Cause> {
        let line = std::mem::take(&mut self.line);
        let (code, rest) = read_code(&line).ok_or_else(|| not_smtp(&line))?;
        if self.code.is_some_and(|first| first / 100 != code / 100) {
            return Err(Cause::Broken("the server's answer contradicts itself".to_owned()));
        }
        self.code = Some(code);
        let text = readable(rest.strip_prefix(b"-").unwrap_or(rest));
        // A line costs its place, too.
        self.kept += text.len() + size_of::<String>();
        if self.kept <= MAX_TEXT_BYTES {
            self.lines.push(text);
        }
        if rest.first() == Some(&b'-') {
            return Ok(None);
        }
        Ok(Some(Reply { code, lines: std::mem::take(&mut self.lines) }))
    }
}

/// The code at the line's beginning, and what follows it.
fn read_code(line: &[u8]) -> Option<(u16, &[u8])> {
    let (digits, rest) = line.split_at_checked(3)?;
    let follows = rest.first().is_none_or(|byte| !byte.is_ascii_digit());
    if !matches!(digits[0], b'2'..=b'5') || !digits.iter().all(u8::is_ascii_digit) || !follows {
        return None;
    }
    let code = digits.iter().fold(0, |code, digit| code * 10 + u16::from(digit - b'0'));
    Some((code, rest))
}

/// UTF-8, or else Latin-1, in which every byte is some character; without control characters.
fn readable(bytes: &[u8]) -> String {
    let latin = |bytes: &[u8]| bytes.iter().map(|&byte| char::from(byte)).collect();
    let text = str::from_utf8(bytes).map_or_else(|_| latin(bytes), str::to_owned);
    text.replace(char::is_control, " ").trim().to_owned()
}

fn not_smtp(line: &[u8]) -> Cause {
    let shown: String = readable(line).chars().take(MAX_QUOTED_CHARS).collect();
    Cause::Broken(format!("the server answered {shown:?}, which is no SMTP"))
}

#[cfg(test)]
mod tests;

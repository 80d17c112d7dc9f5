//! Speaking with a relay, a command and its answer at a time: nothing is sent ahead, and nothing that came unasked is ever
//! taken for an answer.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};

use super::answer::{Answer, Class, Reading};
use super::fault::{CLOSING, Cause};

/// How much is read at once, in bytes.
const CHUNK: usize = 1024;

/// What carries a conversation.
pub(super) trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

/// A conversation over a wire, in the clear or encrypted.
pub(super) struct Conversation<W = Box<dyn Wire>> {
    wire: W,
    /// What came and was not read yet: at most a chunk.
    received: Vec<u8>,
}

impl<W: Wire> Conversation<W> {
    /// Begins one; nothing that came over another wire belongs to it.
    pub(super) fn new(wire: W) -> Self {
        Self { wire, received: Vec::new() }
    }

    /// Ends this one for another over the same wire.
    ///
    /// # Errors
    /// More was said than was asked: it would have come from anyone.
    pub(super) async fn into_wire(mut self) -> Result<W, Cause> {
        self.nothing_unasked().await?;
        Ok(self.wire)
    }

    /// Says a line and hears its answer.
    ///
    /// # Errors
    /// The line is lost, or what came makes no sense.
    pub(super) async fn ask(&mut self, line: &str) -> Result<Answer, Cause> {
        if line.contains(['\r', '\n']) {
            return Err(Cause::Unwritable("a command cannot hold a line break".to_owned()));
        }
        self.say(format!("{line}\r\n").as_bytes()).await
    }

    /// Sends a mail's content (RFC 5321, 4.5.2) and hears what became of it.
    ///
    /// # Errors
    /// As of [`Self::ask`].
    pub(super) async fn send(&mut self, content: &[u8]) -> Result<Answer, Cause> {
        self.say(&as_data(content)).await
    }

    async fn say(&mut self, bytes: &[u8]) -> Result<Answer, Cause> {
        self.nothing_unasked().await?;
        let said = async {
            self.wire.write_all(bytes).await?;
            self.wire.flush().await
        };
        let Err(lost) = said.await else { return self.hear().await };
        // Who hangs up may have said why.
        match self.hear().await {
            Ok(answer) if answer.class() == Class::Refused => Ok(answer),
            _ => Err(lost.into()),
        }
    }

    /// Hears one answer.
    ///
    /// # Errors
    /// As of [`Self::ask`].
    pub(super) async fn hear(&mut self) -> Result<Answer, Cause> {
        let mut reading = Reading::default();
        loop {
            if let Some(answer) = reading.take(&mut self.received)? {
                return Ok(answer);
            }
            let mut chunk = [0; CHUNK];
            match self.wire.read(&mut chunk).await? {
                0 => return Err(closed()),
                length => self.received.extend_from_slice(&chunk[..length]),
            }
        }
    }

    /// Sees that the relay waits for us. What came unasked can only be its goodbye.
    ///
    /// # Errors
    /// It does not, or the line is lost.
    pub(super) async fn nothing_unasked(&mut self) -> Result<(), Cause> {
        let mut chunk = [0; CHUNK];
        let mut into = ReadBuf::new(&mut chunk);
        let wire = &mut self.wire;
        let polled = poll_fn(|context| Poll::Ready(Pin::new(&mut *wire).poll_read(context, &mut into))).await;
        match polled {
            Poll::Pending => {}
            Poll::Ready(Err(error)) => return Err(error.into()),
            Poll::Ready(Ok(())) if into.filled().is_empty() && self.received.is_empty() => {
                return Err(closed());
            }
            Poll::Ready(Ok(())) => self.received.extend_from_slice(into.filled()),
        }
        if self.received.is_empty() {
            return Ok(());
        }
        match Reading::default().take(&mut self.received) {
            Ok(Some(Answer { code: CLOSING, lines })) => {
                Err(Cause::Refused { code: CLOSING, text: lines.join(" ") })
            }
            _ => Err(Cause::Broken("the server said more than it was asked".to_owned())),
        }
    }
}

impl<W: Wire + 'static> Conversation<W> {
    /// The same conversation, whatever carries it.
    pub(super) fn boxed(self) -> Conversation {
        Conversation { wire: Box::new(self.wire), received: self.received }
    }
}

fn closed() -> Cause {
    Cause::Broken("the server closed the connection".to_owned())
}

/// The content as DATA has it: each line ends in CRLF, one that begins with a dot gets another, and a dot alone ends it.
fn as_data(content: &[u8]) -> Vec<u8> {
    const END: &[u8] = b".\r\n";
    let mut data = Vec::with_capacity(content.len() + content.len() / 64 + END.len());
    let mut rest = content;
    while !rest.is_empty() {
        let end = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n')).unwrap_or(rest.len());
        let (line, after) = rest.split_at(end);
        if line.starts_with(b".") {
            data.push(b'.');
        }
        data.extend_from_slice(line);
        data.extend_from_slice(b"\r\n");
        rest = after.strip_prefix(b"\r\n").or_else(|| after.get(1..)).unwrap_or_default();
    }
    data.extend_from_slice(END);
    data
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_keeps_its_dots_and_cannot_end_before_its_end() {
        for (content, data) in [
            (&b"a\r\nb\r\n"[..], &b"a\r\nb\r\n.\r\n"[..]),
            (b"a", b"a\r\n.\r\n"),
            (b"", b".\r\n"),
            (b".\r\n..\r\n.a\r\na.\r\n", b"..\r\n...\r\n..a\r\na.\r\n.\r\n"),
            (b"a\n.\nMAIL FROM:<x@y>\n", b"a\r\n..\r\nMAIL FROM:<x@y>\r\n.\r\n"),
            (b"a\r.\rb", b"a\r\n..\r\nb\r\n.\r\n"),
            (b"a\r\n\r\n.\n", b"a\r\n\r\n..\r\n.\r\n"),
        ] {
            assert_eq!(as_data(content), data, "{content:?}");
        }
    }

    #[tokio::test]
    async fn what_came_unasked_is_no_answer() {
        for (unasked, told) in [
            (&b"250 ok\r\n"[..], Cause::Broken("the server said more than it was asked".to_owned())),
            (b"250", Cause::Broken("the server said more than it was asked".to_owned())),
            (b"421 4.4.2 idle\r\n", Cause::Refused { code: 421, text: "4.4.2 idle".to_owned() }),
        ] {
            let (ours, mut theirs) = tokio::io::duplex(1024);
            theirs.write_all(unasked).await.unwrap();
            let mut conversation = Conversation::new(ours);
            assert_eq!(conversation.ask("NOOP").await.unwrap_err(), told);
            let mut said = [0; 16];
            assert!(
                poll_fn(|context| {
                    let mut into = ReadBuf::new(&mut said);
                    Poll::Ready(Pin::new(&mut theirs).poll_read(context, &mut into).is_pending())
                })
                .await,
                "nothing was said to it"
            );
        }
    }

    #[tokio::test]
    async fn a_command_with_a_line_break_is_never_said() {
        let (ours, _theirs) = tokio::io::duplex(1024);
        let asked = Conversation::new(ours).ask("RCPT TO:<a@b>\r\nDATA").await;
        assert!(matches!(asked, Err(Cause::Unwritable(_))));
    }
}

//! SMTP over a transport: commands, a mail's content, and the replies to them. Nothing that came unasked is ever taken for a
//! reply.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};

use super::reply::{Reply, ReplyClass, ReplyReader};
use super::stage_error::{Cause, SERVICE_CLOSING};

/// How much is read at once.
const CHUNK_BYTES: usize = 1024;

/// What carries SMTP: a TCP or a TLS stream.
pub(super) trait Transport: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Transport for T {}

/// Commands and replies over a transport, in the clear or encrypted.
pub(super) struct SmtpStream<T = Box<dyn Transport>> {
    transport: T,
    /// What came and was not read yet: at most a chunk.
    received: Vec<u8>,
}

impl<T: Transport> SmtpStream<T> {
    /// Begins one; nothing that came over another transport belongs to it.
    pub(super) fn new(transport: T) -> Self {
        Self { transport, received: Vec::new() }
    }

    /// Ends this one for another over the same transport.
    ///
    /// # Errors
    /// More was said than was asked: it would have come from anyone.
    pub(super) async fn into_transport(mut self) -> Result<T, Cause> {
        self.ensure_nothing_unsolicited().await?;
        Ok(self.transport)
    }

    /// Sends a command and reads its reply.
    ///
    /// # Errors
    /// The connection is lost, or what came makes no sense.
    pub(super) async fn command(&mut self, line: &str) -> Result<Reply, Cause> {
        self.commands(&[line]).await
    }

    /// Sends commands in one go (RFC 2920) and reads the reply to the first; [`Self::read_reply`] reads those to the others,
    /// one by one.
    ///
    /// # Errors
    /// As of [`Self::command`].
    pub(super) async fn commands(&mut self, lines: &[&str]) -> Result<Reply, Cause> {
        if lines.iter().any(|line| line.contains(['\r', '\n'])) {
            return Err(Cause::Unwritable("a command cannot hold a line break".to_owned()));
        }
        let group: String = lines.iter().flat_map(|line| [line, "\r\n"]).collect();
        self.send_bytes(group.as_bytes()).await
    }

    /// Sends a mail's content (RFC 5321, 4.5.2) and reads the reply to it.
    ///
    /// # Errors
    /// As of [`Self::command`].
    pub(super) async fn send_content(&mut self, content: &[u8]) -> Result<Reply, Cause> {
        self.send_bytes(&as_data(content)).await
    }

    async fn send_bytes(&mut self, bytes: &[u8]) -> Result<Reply, Cause> {
        self.ensure_nothing_unsolicited().await?;
        let sent = async {
            self.transport.write_all(bytes).await?;
            self.transport.flush().await
        };
        let Err(error) = sent.await else { return self.read_reply().await };
        // Who hangs up may have said why.
        match self.read_reply().await {
            Ok(reply) if reply.class() == ReplyClass::Failure => Ok(reply),
            _ => Err(error.into()),
        }
    }

    /// Reads one reply.
    ///
    /// # Errors
    /// As of [`Self::command`].
    pub(super) async fn read_reply(&mut self) -> Result<Reply, Cause> {
        let mut reader = ReplyReader::default();
        loop {
            if let Some(reply) = reader.take(&mut self.received)? {
                return Ok(reply);
            }
            let mut chunk = [0; CHUNK_BYTES];
            match self.transport.read(&mut chunk).await? {
                0 => return Err(closed()),
                length => self.received.extend_from_slice(&chunk[..length]),
            }
        }
    }

    /// Makes sure that the relay waits for us: what came unasked can only be its goodbye.
    ///
    /// # Errors
    /// Something else came, or the connection is lost.
    pub(super) async fn ensure_nothing_unsolicited(&mut self) -> Result<(), Cause> {
        let mut chunk = [0; CHUNK_BYTES];
        let mut into = ReadBuf::new(&mut chunk);
        let transport = &mut self.transport;
        let polled =
            poll_fn(|context| Poll::Ready(Pin::new(&mut *transport).poll_read(context, &mut into))).await;
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
        match ReplyReader::default().take(&mut self.received) {
            Ok(Some(Reply { code: SERVICE_CLOSING, lines })) => {
                Err(Cause::Refused { code: SERVICE_CLOSING, text: lines.join(" ") })
            }
            _ => Err(Cause::Broken("the server said more than it was asked".to_owned())),
        }
    }
}

impl<T: Transport + 'static> SmtpStream<T> {
    /// The same stream, whatever carries it.
    pub(super) fn boxed(self) -> SmtpStream {
        SmtpStream { transport: Box::new(self.transport), received: self.received }
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
    async fn what_came_unasked_is_no_reply() {
        for (unasked, told) in [
            (&b"250 ok\r\n"[..], Cause::Broken("the server said more than it was asked".to_owned())),
            (b"250", Cause::Broken("the server said more than it was asked".to_owned())),
            (b"421 4.4.2 idle\r\n", Cause::Refused { code: 421, text: "4.4.2 idle".to_owned() }),
        ] {
            let (ours, mut theirs) = tokio::io::duplex(1024);
            theirs.write_all(unasked).await.unwrap();
            let mut stream = SmtpStream::new(ours);
            assert_eq!(stream.command("NOOP").await.unwrap_err(), told);
            let mut sent = [0; 16];
            assert!(
                poll_fn(|context| {
                    let mut into = ReadBuf::new(&mut sent);
                    Poll::Ready(Pin::new(&mut theirs).poll_read(context, &mut into).is_pending())
                })
                .await,
                "nothing was said to it"
            );
        }
    }

    #[tokio::test]
    async fn a_command_with_a_line_break_is_never_sent() {
        let (ours, _theirs) = tokio::io::duplex(1024);
        let asked = SmtpStream::new(ours).command("RCPT TO:<a@b>\r\nDATA").await;
        assert!(matches!(asked, Err(Cause::Unwritable(_))));
    }
}

use super::*;
use crate::fuzz::fuzz;

/// What is read of `bytes`, one answer after the other, and what is left over.
fn read_in(pieces: &[&[u8]]) -> (Vec<Result<Reply, Cause>>, Vec<u8>) {
    let (mut answers, mut received, mut reader) = (Vec::new(), Vec::new(), ReplyReader::default());
    for piece in pieces {
        received.extend_from_slice(piece);
        loop {
            match reader.take(&mut received) {
                Ok(None) => break,
                Ok(Some(reply)) => answers.push(Ok(reply)),
                Err(cause) => {
                    answers.push(Err(cause));
                    return (answers, Vec::new());
                }
            }
            reader = ReplyReader::default();
        }
        assert!(reader.line.len() <= MAX_LINE_BYTES, "a line is bounded while it is read");
        assert!(reader.lines.iter().map(String::len).sum::<usize>() <= MAX_TEXT_BYTES, "so is the text");
    }
    (answers, received)
}

fn one(bytes: &[u8]) -> Result<Reply, Cause> {
    let (mut answers, left) = read_in(&[bytes]);
    assert_eq!((answers.len(), left.len()), (1, 0), "{bytes:?}");
    answers.remove(0)
}

#[test]
fn an_answer_is_its_first_digit_with_any_text_or_none() {
    for (bytes, code, text) in [
        (&b"250 ok\r\n"[..], 250, "ok"),
        (b"250\r\n", 250, ""),
        (b"250\n", 250, ""),
        (b"250 \r\n", 250, ""),
        (b"250-\r\n250\r\n", 250, ""),
        (b"250-a\n250 b\n", 250, "a b"),
        (b"250-first\r\n251 second\r\n", 251, "first second"),
        (b"571 refused\r\n", 571, "refused"),
        (b"299\tstrange\r\n", 299, "strange"),
        (b"550 Empf\xe4nger unbekannt\r\n", 550, "Empfänger unbekannt"),
        ("550 Empfänger unbekannt\r\n".as_bytes(), 550, "Empfänger unbekannt"),
        (b"250 a\x00b\x1b[31mc\rd\r\n", 250, "a b [31mc d"),
        (b"354\r\r\n", 354, ""),
        (b"250ok\r\n", 250, "ok"),
    ] {
        let reply = one(bytes).unwrap();
        assert_eq!((reply.code, reply.text().as_str()), (code, text), "{bytes:?}");
    }
}

#[test]
fn malformed_smtp_is_no_reply() {
    for bytes in [
        &b"\r\n"[..],
        b"HTTP/1.1 400 Bad Request\r\n",
        b"25\r\n",
        b"2500 ok\r\n",
        b"600 no\r\n",
        b"199 soon\r\n",
        b"000\r\n",
        b" 250 ok\r\n",
        b"2\xb250 ok\r\n",
        b"250-ok\r\nand more\r\n",
        b"250-ok\r\n550 no\r\n",
    ] {
        assert!(matches!(one(bytes), Err(Cause::Broken(_))), "{bytes:?}");
    }
}

#[test]
fn a_long_text_is_cut_and_a_reply_without_end_is_none() {
    let long = [b"250 ".as_slice(), &vec![b'x'; 40_000], b"\r\n"].concat();
    let reply = one(&long).unwrap();
    assert_eq!((reply.code, reply.text().len()), (250, MAX_LINE_BYTES - 4));
    let lines = [b"250-x\r\n".repeat(5_000), b"250 end\r\n".to_vec()].concat();
    assert_eq!(one(&lines).unwrap().code, 250);
    for endless in [vec![b'2'; 100_000], b"250-x\r\n".repeat(20_000), vec![0; 100_000]] {
        assert!(matches!(read_in(&[&endless]).0.as_slice(), [Err(Cause::Broken(_))]));
    }
}

#[test]
fn what_follows_a_reply_is_left() {
    let mut received = b"220 go\r\n250 already".to_vec();
    assert_eq!(ReplyReader::default().take(&mut received).unwrap().map(|reply| reply.code), Some(220));
    assert_eq!(received, b"250 already");
}

/// In whatever pieces it comes, it is the same; nothing panics; nothing grows.
#[test]
fn fuzzed_replies_are_the_same_in_any_pieces() {
    let seeds: [&[u8]; 8] = [
        b"220 relay ESMTP\r\n",
        b"250-relay\r\n250-AUTH PLAIN LOGIN\r\n250-SIZE 1000\r\n250 HELP\r\n",
        b"250\n354\r\n535 5.7.139 no\r\n",
        b"334 VXNlcm5hbWU6\r\n235 \xe4\xf6\xfc\r\n",
        b"250-\r\n250-=\r\n250",
        b"421 4.4.2 idle\r\n\r\n",
        b"600 what\r\n2500 ok\r\n-250\r\n",
        &[b'x'; 3_000],
    ];
    fuzz("the relay's answers", &seeds, |bytes, chance| {
        let whole = read_in(&[bytes]);
        let (mut pieces, mut rest) = (Vec::new(), bytes);
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(chance.usize(1..=rest.len().min(200)));
            pieces.push(piece);
            rest = after;
        }
        assert_eq!(read_in(&pieces).0, whole.0);
        for reply in whole.0.into_iter().flatten() {
            assert!((200..600).contains(&reply.code), "{reply:?}");
            assert!(!reply.text().contains(char::is_control), "{reply:?}");
            super::super::capabilities::Capabilities::read(&reply);
        }
    });
}

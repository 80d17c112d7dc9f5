//! Messages put together into batches that SNS takes in one call.

use super::message::{MAX_MESSAGE_BYTES, SnsMessage};

/// The most messages of one call (SNS's limit).
const MAX_ENTRIES: usize = 10;

/// Splits messages into batches of at most 10 and 262,144 bytes each, in their order.
pub(super) fn batches(messages: Vec<SnsMessage>) -> Vec<Vec<SnsMessage>> {
    let mut batches: Vec<Vec<SnsMessage>> = Vec::new();
    let mut room = 0;
    for message in messages {
        let bytes = message.bytes();
        match batches.last_mut() {
            Some(batch) if batch.len() < MAX_ENTRIES && bytes <= room => {
                room -= bytes;
                batch.push(message);
            }
            _ => {
                room = MAX_MESSAGE_BYTES.saturating_sub(bytes);
                batches.push(vec![message]);
            }
        }
    }
    batches
}

#[cfg(test)]
mod tests {
    use domain::reader::Reader;

    use super::*;
    use crate::topic::message::Texts;
    use crate::topic::message::fixtures::order;

    fn messages(count: usize, note: usize) -> Vec<SnsMessage> {
        let json = format!(
            r#"{{"customerName":"Ada","items":[{}],"note":"{}"}}"#,
            vec![format!(r#"{{"productName":"{}","quantity":1}}"#, "x".repeat(200)); note.max(1)].join(","),
            "n".repeat(10)
        );
        let message = || {
            let order = order(&json);
            SnsMessage::of(&order, &Texts::of(&order, &Reader::default(), |_| None)).unwrap()
        };
        (0..count).map(|_| message()).collect()
    }

    fn lengths(batches: &[Vec<SnsMessage>]) -> Vec<usize> {
        batches.iter().map(Vec::len).collect()
    }

    #[test]
    fn ten_messages_go_together_and_no_more() {
        assert_eq!(lengths(&batches(messages(23, 1))), [10, 10, 3]);
        assert_eq!(lengths(&batches(messages(10, 1))), [10]);
        assert!(batches(Vec::new()).is_empty());
    }

    #[test]
    fn large_messages_go_together_as_far_as_their_bytes_allow() {
        let together = batches(messages(12, 40));
        let bytes = |batch: &Vec<SnsMessage>| batch.iter().map(SnsMessage::bytes).sum::<usize>();
        assert!(together.iter().all(|batch| bytes(batch) <= MAX_MESSAGE_BYTES && batch.len() < MAX_ENTRIES));
        let next = |pair: &[Vec<SnsMessage>]| bytes(&pair[0]) + pair[1][0].bytes() > MAX_MESSAGE_BYTES;
        assert!(together.len() > 1 && together.windows(2).all(next), "a batch that had room was left");
        assert_eq!(together.iter().map(Vec::len).sum::<usize>(), 12);
    }
}

//! Messages put together into batches that SNS takes in one call.

use super::message::{Announcement, MAX_BYTES};

/// The most messages of one call (SNS's limit).
const MAX_ENTRIES: usize = 10;

/// Splits announcements into runs of at most 10 and 262,144 bytes each, in their order.
pub(super) fn runs(announcements: Vec<Announcement>) -> Vec<Vec<Announcement>> {
    let mut runs: Vec<Vec<Announcement>> = Vec::new();
    let mut room = 0;
    for announcement in announcements {
        let bytes = announcement.bytes();
        match runs.last_mut() {
            Some(run) if run.len() < MAX_ENTRIES && bytes <= room => {
                room -= bytes;
                run.push(announcement);
            }
            _ => {
                room = MAX_BYTES.saturating_sub(bytes);
                runs.push(vec![announcement]);
            }
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topic::message::fixtures::order;

    fn announcements(count: usize, note: usize) -> Vec<Announcement> {
        let json = format!(
            r#"{{"customerName":"Ada","items":[{}],"note":"{}"}}"#,
            vec![format!(r#"{{"productName":"{}","quantity":1}}"#, "x".repeat(200)); note.max(1)].join(","),
            "n".repeat(10)
        );
        (0..count).map(|_| Announcement::of(&order(&json)).unwrap()).collect()
    }

    fn lengths(runs: &[Vec<Announcement>]) -> Vec<usize> {
        runs.iter().map(Vec::len).collect()
    }

    #[test]
    fn ten_messages_go_together_and_no_more() {
        assert_eq!(lengths(&runs(announcements(23, 1))), [10, 10, 3]);
        assert_eq!(lengths(&runs(announcements(10, 1))), [10]);
        assert!(runs(Vec::new()).is_empty());
    }

    #[test]
    fn large_messages_go_together_as_far_as_their_bytes_allow() {
        let together = runs(announcements(12, 40));
        let bytes = |run: &Vec<Announcement>| run.iter().map(Announcement::bytes).sum::<usize>();
        assert!(together.iter().all(|run| bytes(run) <= MAX_BYTES && run.len() < MAX_ENTRIES));
        let next = |pair: &[Vec<Announcement>]| bytes(&pair[0]) + pair[1][0].bytes() > MAX_BYTES;
        assert!(together.len() > 1 && together.windows(2).all(next), "a run that had room was left");
        assert_eq!(together.iter().map(Vec::len).sum::<usize>(), 12);
    }
}

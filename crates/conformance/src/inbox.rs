//! What [`Inbox`] promises.

use application::ports::{Inbox, InboxMessage, PageRequest};

use crate::fixtures::{delivery_id, first_page, message};

/// Every part of it comes back exactly.
pub async fn a_kept_message_reads_back_as_it_was(inbox: &dyn Inbox) {
    let kept = message("Confirm");
    inbox.keep(kept.clone()).await.unwrap();
    assert_eq!(inbox.message(kept.id).await.unwrap(), Some(kept));
    assert_eq!(inbox.message(delivery_id()).await.unwrap(), None);
}

/// A repeat of a message is the same message.
pub async fn keeping_a_message_again_replaces_it(inbox: &dyn Inbox) {
    let first = message("Confirm");
    let again = InboxMessage { subject: "Confirm again".to_owned(), ..first.clone() };
    inbox.keep(first.clone()).await.unwrap();
    inbox.keep(again.clone()).await.unwrap();
    assert_eq!(inbox.messages(first_page(10)).await.unwrap().items, [again]);
}

/// Newest means last kept; pages neither repeat nor skip.
pub async fn messages_are_listed_newest_first(inbox: &dyn Inbox) {
    for number in 0..5 {
        inbox.keep(message(&number.to_string())).await.unwrap();
    }
    let (mut subjects, mut page) = (Vec::new(), first_page(2));
    loop {
        let found = inbox.messages(page.clone()).await.unwrap();
        subjects.extend(found.items.into_iter().map(|message| message.subject));
        let Some(next) = found.next else { break };
        page = PageRequest { cursor: Some(next), ..page };
    }
    assert_eq!(subjects, ["4", "3", "2", "1", "0"]);
}

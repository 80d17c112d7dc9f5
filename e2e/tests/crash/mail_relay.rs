//! The relay that mail goes to: a server of its own, which puts mails off now and then, and now and then takes one and
//! drops the line.

use std::time::Duration;

use anyhow::Result;
use domain::endpoint::Protocol;
use orderbell_e2e::program::Settings;
use orderbell_e2e::smtp_peer::{Fault, Mail, SmtpPeer, Stage, Tls};
use tokio::sync::watch;
use tokio::task::{JoinHandle, block_in_place};

use crate::receipts::{Ledger, Receipt, order_in};

/// How long between two looks at what arrived.
const BETWEEN_LOOKS: Duration = Duration::from_millis(25);
/// Before one look in so many the next mail is put off, and before as many it is taken and the line dropped.
const TROUBLED: usize = 40;

/// The running relay.
#[derive(Debug)]
pub(crate) struct MailRelay {
    peer: SmtpPeer,
    ledger: Ledger,
}

/// How often the relay was told to misbehave.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Troubles {
    /// To put a mail off: 451.
    pub(crate) put_off: usize,
    /// To take a mail and drop the line.
    pub(crate) dropped: usize,
}

impl MailRelay {
    /// Starts it; what arrives is written into `ledger`.
    pub(crate) fn start(ledger: Ledger) -> Result<Self> {
        Ok(Self { peer: SmtpPeer::start(Tls::Starttls)?, ledger })
    }

    /// The program's settings.
    pub(crate) fn settings(&self) -> Settings {
        self.peer.settings()
    }

    /// Looks at what arrives until the test comes to its end, and misbehaves from when it may.
    pub(crate) fn watch(
        self,
        stopping: watch::Receiver<bool>,
        may_misbehave: watch::Receiver<bool>,
    ) -> JoinHandle<Result<(Self, Troubles)>> {
        tokio::spawn(async move {
            let mut troubles = Troubles::default();
            while !*stopping.borrow() {
                if *may_misbehave.borrow() {
                    block_in_place(|| self.misbehave_now_and_then(&mut troubles))?;
                }
                block_in_place(|| self.write_down())?;
                tokio::time::sleep(BETWEEN_LOOKS).await;
            }
            Ok((self, troubles))
        })
    }

    fn misbehave_now_and_then(&self, troubles: &mut Troubles) -> Result<()> {
        match fastrand::usize(..TROUBLED) {
            0 => {
                troubles.put_off += 1;
                self.peer.misbehave(Stage::Data, &Fault::Reply("451 4.3.0 try again later".to_owned()), 1)
            }
            1 => {
                troubles.dropped += 1;
                self.peer.misbehave(Stage::AfterData, &Fault::Drop, 1)
            }
            _ => Ok(()),
        }
    }

    /// Writes down what arrived since the last look: a confirmation's link, a notification, or a test.
    pub(crate) fn write_down(&self) -> Result<()> {
        for mail in self.peer.take_mails()? {
            let endpoint = mail.to.first().cloned().unwrap_or_default();
            let order = order_in(&mail.text);
            let link = mail.text.split_whitespace().find(|word| word.contains("/subscriptions/confirm"));
            if let Some(link) = link.filter(|_| order.is_none()) {
                self.ledger.add_link(&endpoint, link.to_owned());
            } else {
                let delivery = delivery(&mail);
                self.ledger.add(Receipt {
                    protocol: Protocol::Email,
                    endpoint,
                    delivery,
                    order,
                    signed: None,
                });
            }
        }
        Ok(())
    }
}

/// The delivery's id, without hyphens, which stands before the at sign of the Message-ID.
fn delivery(mail: &Mail) -> Option<String> {
    let (id, _) = mail.header("Message-ID")?.trim_start_matches('<').split_once('@')?;
    Some(id.replace('-', ""))
}

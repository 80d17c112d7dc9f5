//! What Twilio's callbacks say became of a message.
//!
//! Source: Twilio, "Track outbound message status" and "Messages resource" (message statuses).

use domain::receipt::{Receipt, ReceiptStatus};

use super::response::OPTED_OUT;
use super::signature::verify;
use crate::Secret;

/// The header that carries a callback's signature.
pub const SIGNATURE_HEADER: &str = "x-twilio-signature";

/// A callback whose signature is not the account's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidSignature;

/// Reads a callback to `url` with the form `body`: a receipt, or nothing final.
///
/// # Errors
/// `signature` is not that of the account whose token this is.
pub fn read(
    auth_token: &Secret,
    url: &str,
    signature: &str,
    body: &[u8],
) -> Result<Option<Receipt>, InvalidSignature> {
    let fields: Vec<_> = url::form_urlencoded::parse(body).into_owned().collect();
    if verify(auth_token, url, &fields, signature) { Ok(receipt(&fields)) } else { Err(InvalidSignature) }
}

/// The receipt in a callback's form; `None` if it says nothing final, or is no callback about a message.
fn receipt(fields: &[(String, String)]) -> Option<Receipt> {
    let field = |name: &str| fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    let (message, said) = (field("MessageSid")?, field("MessageStatus")?);
    let status = match said {
        "delivered" | "read" => ReceiptStatus::Delivered,
        "undelivered" | "failed" | "canceled" => ReceiptStatus::Failed,
        // It is on its way: accepted, scheduled, queued, sending, sent.
        _ => return None,
    };
    let code = field("ErrorCode").and_then(|code| code.parse::<u32>().ok()).filter(|code| *code != 0);
    let reply = match code {
        Some(code) => format!("{message} {said}: error {code}"),
        None => format!("{message} {said}"),
    };
    Some(Receipt { opted_out: code == Some(OPTED_OUT), ..Receipt::new(status, reply) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&str, &str)]) -> Option<Receipt> {
        let fields: Vec<_> =
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        receipt(&fields)
    }

    #[test]
    fn a_callback_tells_how_a_message_ended() {
        for (status, expected) in [
            ("delivered", Some(ReceiptStatus::Delivered)),
            ("read", Some(ReceiptStatus::Delivered)),
            ("undelivered", Some(ReceiptStatus::Failed)),
            ("failed", Some(ReceiptStatus::Failed)),
            ("canceled", Some(ReceiptStatus::Failed)),
            ("accepted", None),
            ("queued", None),
            ("sending", None),
            ("sent", None),
            ("something new", None),
        ] {
            let receipt = of(&[("MessageSid", "SM1"), ("MessageStatus", status)]);
            assert_eq!(receipt.map(|receipt| receipt.status), expected, "{status}");
        }
    }

    #[test]
    fn an_error_is_told_by_its_code_and_an_opt_out_is_recognised() {
        let failed = [("MessageSid", "SM1"), ("MessageStatus", "undelivered"), ("ErrorCode", "30003")];
        let receipt = of(&failed).unwrap();
        assert_eq!((receipt.reply.as_str(), receipt.opted_out), ("SM1 undelivered: error 30003", false));
        let stopped = [("MessageSid", "SM1"), ("MessageStatus", "failed"), ("ErrorCode", "21610")];
        assert!(of(&stopped).unwrap().opted_out);
        let well = [("MessageSid", "SM1"), ("MessageStatus", "delivered"), ("ErrorCode", "0")];
        assert_eq!(of(&well).unwrap().reply, "SM1 delivered");
    }

    #[test]
    fn a_callback_is_read_only_if_the_account_signed_it() {
        let token = Secret::new("token".to_owned());
        let url = "https://orders.example/receipts/1";
        let body = b"MessageSid=SM1&MessageStatus=delivered&To=%2B4915112345678";
        let fields: Vec<_> = url::form_urlencoded::parse(body).into_owned().collect();
        let signature = crate::sms::twilio::signature::sign(&token, url, &fields);
        assert!(matches!(read(&token, url, &signature, body), Ok(Some(_))));
        assert_eq!(read(&token, url, "", body), Err(InvalidSignature));
        assert_eq!(
            read(&token, url, &signature, b"MessageSid=SM1&MessageStatus=failed"),
            Err(InvalidSignature)
        );
        assert_eq!(read(&Secret::new("other".to_owned()), url, &signature, body), Err(InvalidSignature));
    }

    #[test]
    fn what_is_no_callback_about_a_message_says_nothing() {
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[("MessageStatus", "failed")]), None);
        assert_eq!(of(&[("MessageSid", "SM1")]), None);
    }
}

//! By what an order is known again: in the answer to its client, and in what its receivers are told.

use uuid::Uuid;

/// What stands before it in both.
const BEFORE: &str = r#""orderId":"#;
/// The length of a UUID in text.
const LENGTH: usize = 36;

/// The first order's id in a text of JSON.
pub(crate) fn order_id(json: &[u8]) -> Option<u128> {
    let json = str::from_utf8(json).ok()?;
    let (_, after) = json.split_once(BEFORE)?;
    let digits = after.trim_start().strip_prefix('"')?.get(..LENGTH)?;
    Uuid::try_parse(digits).ok().map(|id| id.as_u128())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_known_again_by_its_id() {
        let answer = br#"{"message":"Order placed","orderId":"01890a5d-ac96-774b-bcce-b302099a8057"}"#;
        let told =
            br#"{"type":"order.placed","data":{"orderId": "01890a5d-ac96-774b-bcce-b302099a8057","x":1}}"#;
        assert_eq!(order_id(answer), Some(0x0189_0a5d_ac96_774b_bcce_b302_099a_8057));
        assert_eq!(order_id(told), order_id(answer));
    }

    #[test]
    fn what_names_no_order_has_no_id() {
        for other in [r#"{"challenge":"x"}"#, r#"{"orderId":"short"}"#, r#"{"orderId":"#, "\u{ff}"] {
            assert_eq!(order_id(other.as_bytes()), None);
        }
    }
}

//! What a text message says that is about no order: in fewer words than elsewhere, and in the GSM alphabet in every language,
//! since each part is charged.

use domain::Timestamp;
use domain::language::{Language, times};
use domain::reader::Reader;

/// What stands above the link that confirms, which works until `expires_at`, and before it who asks.
pub(super) fn confirmation_request(reader: &Reader, asked_by: Option<&str>, expires_at: Timestamp) -> String {
    let asked_by = asked_by.map(|name| format!("{name}: ")).unwrap_or_default();
    let until = times::in_gsm(&times::moment_in(reader.language, &reader.time_zone, expires_at));
    let request = match reader.language {
        Language::En => format!("To get new orders as texts, confirm by {until} (not you? Do nothing):"),
        Language::De => {
            format!("Bestellungen per SMS? Bis {until} bestätigen (nicht angefordert? Nichts tun):")
        }
        Language::Fr => format!("Commandes par SMS? Confirmez avant le {until} (pas vous? Ne faites rien):"),
        Language::Es => {
            format!("¿Pedidos por SMS? Confirme antes del {until} (¿no fue usted? No haga nada):")
        }
    };
    asked_by + &request
}

//! How the program proves to the mail relay who it is.

use channels::Secret;
use channels::email::{Credentials, SmtpAuth, TokenSettings};

use crate::config::reading::{Reading, secret, words};

const TOKEN: [&str; 4] = ["smtp.client_id", "smtp.client_secret", "smtp.scope", "smtp.refresh_token"];

/// The account, with its password or with where its tokens come from; none where neither is set.
pub(super) fn credentials(reading: &mut Reading) -> Option<Credentials> {
    let by_token = reading.is_written("smtp.token_url");
    let by_password = reading.is_written("smtp.password");
    if by_token && by_password {
        reading.mistake("smtp.password", "must not be set where smtp.token_url is: it is one or the other");
    }
    if !by_token {
        for setting in TOKEN.into_iter().filter(|setting| reading.is_written(setting)).collect::<Vec<_>>() {
            reading.mistake(setting, "needs smtp.token_url, where tokens come from");
        }
    }
    match (reading.is_written("smtp.username"), by_password || by_token) {
        (true, false) => reading.mistake("smtp.password", "is missing: smtp.username is set"),
        (false, true) if by_token => {
            reading.mistake("smtp.username", "is missing: it names the mailbox that smtp.token_url is for");
        }
        (false, true) => reading.mistake("smtp.username", "is missing: smtp.password is set"),
        (true, true) | (false, false) => {}
    }
    // Blanks around these may be part of them.
    let user = reading.optional("smtp.username", |text| words(text).map(|_| text.to_owned()));
    let password =
        reading.optional("smtp.password", |text| words(text).map(|_| Secret::new(text.to_owned())));
    let auth = if by_token { token(reading).map(SmtpAuth::Token) } else { password.map(SmtpAuth::Password) };
    Some(Credentials { user: user?, auth: auth? })
}

fn token(reading: &mut Reading) -> Option<TokenSettings> {
    let url = reading.optional("smtp.token_url", |text| {
        text.parse()
            .map_err(|_| "must be an https URL such as https://login.example/oauth2/v2.0/token".to_owned())
    });
    let client_id = reading.required("smtp.client_id", "the token server must know who asks", words);
    let client_secret = reading.optional("smtp.client_secret", secret);
    let scope = reading.optional("smtp.scope", words);
    let refresh_token = reading.optional("smtp.refresh_token", secret);
    if !reading.is_written("smtp.client_secret") && !reading.is_written("smtp.refresh_token") {
        reading.mistake("smtp.client_secret", "is missing: tokens take it, or smtp.refresh_token, or both");
    }
    Some(TokenSettings { url: url?, client_id: client_id?, client_secret, scope, refresh_token })
}

//! The settings of the channels.

use domain::delivery::UnknownOutcomePolicy;

use super::*;

#[test]
fn what_stands_beside_a_relays_host_is_named_with_the_setting_that_it_belongs_to() {
    let relay = |host: &str| format!("[smtp]\nhost = '{host}'\nfrom = 'shop@example.com'");
    for (host, why) in [
        ("smtp.example.com:587", "without the port, which is smtp.port (ORDERBELL_SMTP_PORT)"),
        ("[2001:db8::1]:587", "without the port"),
        ("127.0.0.1:25", "without the port"),
        ("smtp://smtp.example.com", "without smtp://"),
        ("smtps://smtp.example.com:465", "without smtp://"),
    ] {
        let said = mistakes(&relay(host), &[]);
        assert!(said.contains("smtp.host in ") && said.contains(why), "{host}: {said}");
    }
    for (host, read_as) in [("smtp.example.com", "smtp.example.com"), ("::1", "::1"), ("[::1]", "::1")] {
        assert_eq!(read(&relay(host), &[]).unwrap().smtp.unwrap().host, read_as);
    }
}

#[test]
fn a_relay_has_the_port_of_its_encryption_unless_another_is_set() {
    let port = |tls: &str, more: &str| {
        let toml = format!("[smtp]\nhost = \"relay\"\nfrom = \"a@example.com\"\ntls = \"{tls}\"\n{more}");
        read(&toml, &[]).unwrap().smtp.unwrap().port
    };
    assert_eq!([port("starttls", ""), port("implicit", ""), port("none", "")], [587, 465, 25]);
    assert_eq!(port("starttls", "port = 2525"), 2525);
}

#[test]
fn texts_are_held_when_nobody_knows_whether_they_were_sent_and_all_else_is_sent_again() {
    let on_unknown = |more: &str| {
        let config = read(&format!("{TWILIO}{more}"), &[]).unwrap();
        let Some(SmsProvider::Twilio(twilio)) = config.sms else { panic!("Twilio is wanted") };
        [twilio.sms.rules, config.webhook.rules, config.chat.rules].map(|rules| rules.on_unknown)
    };
    assert_eq!(
        on_unknown(""),
        [UnknownOutcomePolicy::Hold, UnknownOutcomePolicy::Retry, UnknownOutcomePolicy::Retry]
    );
    let otherwise = "on_unknown = \"retry\"\n[webhook]\non_unknown = \"hold\"\n[chat]\non_unknown = \"hold\"";
    assert_eq!(
        on_unknown(otherwise),
        [UnknownOutcomePolicy::Retry, UnknownOutcomePolicy::Hold, UnknownOutcomePolicy::Hold]
    );
    assert!(mistakes("[chat]\non_unknown = \"drop\"", &[]).contains("must be retry or hold"));
}

#[test]
fn a_provider_says_what_it_still_lacks() {
    assert!(mistakes("[sms]\nprovider = \"pigeon\"", &[]).contains("must be twilio or sns"));
    assert!(mistakes("[sms]\nfrom = \"+1555\"", &[]).contains("sms.provider"));
    let twilio = mistakes("[sms]\nprovider = \"twilio\"\napi_key_sid = \"SK1\"", &[]);
    for lacking in ["sms.account_sid", "sms.api_key_secret", "sms.auth_token", "sms.messaging_service_sid"] {
        assert!(twilio.contains(lacking), "{lacking} is not in:\n{twilio}");
    }
    let sns = mistakes("[sms]\nprovider = \"sns\"", &[]);
    for lacking in ["sms.aws_region", "sms.aws_access_key_id", "sms.aws_secret_access_key"] {
        assert!(sns.contains(lacking), "{lacking} is not in:\n{sns}");
    }
}

#[test]
fn where_sns_is_must_be_an_address() {
    let sns = "[sms]\nprovider = \"sns\"\naws_access_key_id = \"a\"\naws_secret_access_key = \"b\"\n";
    let with = |region: &str, url: &str| {
        read(&format!("{sns}aws_region = \"{region}\"\naws_endpoint_url = \"{url}\""), &[])
    };
    for (region, url) in [("eu-central-1", "http://127.0.0.1:4566"), (" us-east-1 ", "https://sns.example/x")]
    {
        with(region, url).unwrap();
    }
    for region in ["", "eu central 1", "EU-CENTRAL-1", "eu-central-1.evil.example", "eu/"] {
        let said = with(region, "http://127.0.0.1:4566").unwrap_err().join("\n");
        assert!(said.contains("sms.aws_region"), "{region:?}: {said}");
    }
    for url in ["localhost:4566", "ftp://127.0.0.1", "sns", "http://", "http:// a"] {
        let said = with("us-east-1", url).unwrap_err().join("\n");
        assert!(said.contains("sms.aws_endpoint_url"), "{url:?}: {said}");
    }
}

#[test]
fn sns_takes_its_keys_from_awss_own_variables_unless_ours_say_otherwise() {
    let aws = [
        ("AWS_REGION", "eu-central-1"),
        ("AWS_ACCESS_KEY_ID", "theirs"),
        ("AWS_SECRET_ACCESS_KEY", "hunter2"),
    ];
    let config = read("[sms]\nprovider = \"sns\"\naws_access_key_id = \"ours\"", &aws).unwrap();
    let Some(SmsProvider::Sns(sns)) = &config.sms else { panic!("SNS is wanted") };
    assert_eq!((sns.region.as_str(), sns.keys.access_key_id.as_str()), ("eu-central-1", "ours"));
    assert!(!format!("{config:?}").contains("hunter2"));
    assert!(!format!("{:?}", read(TWILIO, &[]).unwrap()).contains("hunter2"));
}

#[test]
fn a_relay_on_this_machine_is_handed_more_mails_at_once_than_a_providers_unless_it_is_said_how_many() {
    let at_once = |host: &str, more: &str| {
        let toml = format!("[smtp]\nfrom = \"a@example.com\"\nhost = \"{host}\"\n{more}");
        read(&toml, &[]).unwrap().smtp.unwrap().rules.concurrency.channel
    };
    for host in ["localhost", "127.0.0.1", "[::1]"] {
        assert_eq!(at_once(host, ""), 16, "{host}");
    }
    for host in ["smtp.office365.com", "postfix", "192.0.2.7"] {
        assert_eq!(at_once(host, ""), 3, "{host}");
    }
    for host in ["localhost", "smtp.example.com"] {
        assert_eq!(at_once(host, "concurrency = 7"), 7);
    }
}

#[test]
fn mail_logs_in_by_password_or_by_token_and_not_by_half_of_one() {
    const SMTP: &str = "[smtp]\nhost = \"relay\"\nfrom = \"a@example.com\"\n";
    const TOKEN: &str =
        "username = \"me\"\ntoken_url = \"https://login.example/token\"\nclient_id = \"ours\"\n";
    for (rest, said) in [
        (format!("{TOKEN}client_secret = \"hunter2\""), None),
        (format!("{TOKEN}refresh_token = \"hunter2\"\nscope = \"mail\""), None),
        (TOKEN.to_owned(), Some("smtp.client_secret (ORDERBELL_SMTP_CLIENT_SECRET): is missing")),
        (format!("{TOKEN}client_secret = \"hunter2\"\npassword = \"hunter2\""), Some("smtp.password in ")),
        ("client_id = \"ours\"".to_owned(), Some("smtp.client_id in ")),
        (
            "token_url = \"https://login.example/token\"\nclient_id = \"ours\"\nclient_secret = \"hunter2\""
                .to_owned(),
            Some("smtp.username (ORDERBELL_SMTP_USERNAME): is missing"),
        ),
        (TOKEN.replace("https://login.example/token", "login"), Some("smtp.token_url in ")),
        (
            "username = \"me\"\ntoken_url = \"https://login.example/token\"\nclient_secret = \"hunter2\""
                .to_owned(),
            Some("smtp.client_id (ORDERBELL_SMTP_CLIENT_ID)"),
        ),
    ] {
        let read = read(&format!("{SMTP}{rest}"), &[]);
        match said {
            None => assert!(read.unwrap().smtp.unwrap().credentials.is_some(), "{rest}"),
            Some(said) => {
                let mistakes = read.unwrap_err().join("\n");
                assert!(mistakes.contains(said) && !mistakes.contains("hunter2"), "{rest}: {mistakes}");
            }
        }
    }
}

mod channels;
mod connections;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::*;

/// What the settings read as, if the file holds `toml` and the environment `variables`.
fn read(toml: &str, variables: &[(&str, &str)]) -> Result<Config, Vec<String>> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("orderbell.toml");
    fs::write(&file, toml).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let variables = variables.iter().map(|(name, value)| (name.into(), value.into()));
    Config::read(Layers::default().file(Some(&file)).environment(variables))
}

fn mistakes(toml: &str, variables: &[(&str, &str)]) -> String {
    read(toml, variables).unwrap_err().join("\n")
}

#[test]
fn nothing_needs_to_be_set() {
    let config = read("", &[]).unwrap();
    assert_eq!(config.listen, SocketAddr::from(([127, 0, 0, 1], 8080)));
    assert_eq!(config.data, PathBuf::from("./orderbell-data"));
    assert!(matches!(config.order_auth, web::OrderAuth::Open));
    assert!(config.smtp.is_none());
    assert_eq!(config.cors_allow_origins, ["*"]);
}

#[test]
fn flags_win_over_the_environment_and_the_environment_over_the_file() {
    let layers = |flag: Option<&str>, variable: Option<&str>| {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("settings.toml");
        fs::write(&file, "data = \"file\"").unwrap();
        let variable = variable.map(|value| ("ORDERBELL_DATA".into(), value.into()));
        let layers =
            Layers::default().file(Some(&file)).environment(variable).flag("data", flag.map(str::to_owned));
        Config::read(layers).unwrap().data
    };
    assert_eq!(layers(None, None), PathBuf::from("file"));
    assert_eq!(layers(None, Some("variable")), PathBuf::from("variable"));
    assert_eq!(layers(Some("flag"), Some("variable")), PathBuf::from("flag"));
    assert_eq!(layers(None, Some("")), PathBuf::from("file"), "an empty variable counts as none");
}

#[test]
fn orders_are_limited_outside_loopback_and_as_is_written() {
    let outside = "listen = '0.0.0.0:80'\nintake = 'open'\npublic_url = 'https://shop.example'\n";
    let limits = |toml: &str| {
        let limits = read(toml, &[]).unwrap().order_limits;
        [limits.per_address, limits.per_key, limits.without_key]
            .map(|rate| rate.map(|web::OrderRate { per_minute, burst }| (per_minute, burst)))
    };
    assert_eq!(limits(""), [None; 3]);
    assert_eq!(limits(outside), [Some((60, 120)), Some((600, 1_200)), Some((1_200, 2_400))]);
    for (written, expected) in [
        ("\"60/120\"", Some((60, 120))),
        ("\" 5 / 1 \"", Some((5, 1))),
        ("7", Some((7, 14))),
        ("\"off\"", None),
    ] {
        assert_eq!(limits(&format!("{outside}max_orders_per_address = {written}"))[0], expected, "{written}");
        assert_eq!(limits(&format!("max_orders_without_key = {written}"))[2], expected, "{written}");
    }
    for wrong in
        ["0", "-1", "\"\"", "\"60/0\"", "\"60/\"", "\"60/1/1\"", "\"1000001\"", "1.5", "\"on\"", "false"]
    {
        let said = mistakes(&format!("max_orders_per_key = {wrong}"), &[]);
        assert!(
            said.contains("max_orders_per_key in ") && said.contains("such as 60/120"),
            "{wrong}: {said}"
        );
    }
}

#[test]
fn a_limit_of_callers_that_there_are_none_of_is_a_mistake() {
    let key = format!("intake = 'key'\nintake_keys = ['shop={}']\n", "0".repeat(64));
    for (order_auth, setting, why) in [
        (key.as_str(), "max_orders_without_key", "has no effect where intake is key"),
        (&key, "max_orders_per_address", "has no effect where intake is key"),
        ("intake = 'open'\n", "max_orders_per_key", "has no effect where intake is open"),
        ("", "max_orders_per_key", "has no effect where intake is open"),
    ] {
        let said = mistakes(&format!("{order_auth}{setting} = '60/120'"), &[]);
        assert!(said.contains(&format!("{setting} in ")) && said.contains(why), "{said}");
        assert!(read(&format!("{order_auth}{setting} = 'off'"), &[]).is_ok(), "none is what there is");
    }
    assert!(read(&format!("{key}max_orders_per_key = 60"), &[]).is_ok());
}

#[test]
fn all_mistakes_are_named_at_once() {
    let said = mistakes(
        "listen = \"here\"\nunknown = 1\n[smtp]\nhost = \"relay\"\nusername = \"me\"\ntls = \"maybe\"",
        &[("ORDERBELL_WEBHOOK_CONCURRENCY", "0"), ("ORDERBELL_ADMIN_KEY", "short")],
    );
    for part in [
        "listen in ",
        "unknown in ",
        "smtp.tls in ",
        "smtp.from (ORDERBELL_SMTP_FROM): is missing",
        "smtp.password (ORDERBELL_SMTP_PASSWORD): is missing",
        "ORDERBELL_WEBHOOK_CONCURRENCY: must be a whole number from 1 to 1000",
        "ORDERBELL_ADMIN_KEY: must be at least 20 characters",
    ] {
        assert!(said.contains(part), "{part:?} is not in:\n{said}");
    }
}

#[test]
fn a_mistake_never_shows_the_secret_it_is_about() {
    assert!(!mistakes("", &[("ORDERBELL_ADMIN_KEY", "hunter2")]).contains("hunter2"));
}

#[test]
fn an_empty_secret_is_none() {
    let smtp =
        "[smtp]\nhost = \"relay\"\nfrom = \"a@example.com\"\nusername = \"me\"\npassword = \"hunter2\"";
    let api_key = format!("{TWILIO}api_key_sid = \"SK1\"\napi_key_secret = \"hunter2\"");
    let sns = "[sms]\nprovider = \"sns\"\naws_region = \"eu-central-1\"\naws_access_key_id = \"ours\"\n\
               aws_secret_access_key = \"hunter2\"\naws_session_token = \"hunter2\"";
    for (toml, setting, variable) in [
        (TWILIO, "sms.auth_token", "ORDERBELL_SMS_AUTH_TOKEN"),
        (&api_key, "sms.api_key_secret", "ORDERBELL_SMS_API_KEY_SECRET"),
        (sns, "sms.aws_secret_access_key", "AWS_SECRET_ACCESS_KEY"),
        (sns, "sms.aws_session_token", "AWS_SESSION_TOKEN"),
        (smtp, "smtp.password", "ORDERBELL_SMTP_PASSWORD"),
        ("", "admin_key", "ORDERBELL_ADMIN_KEY"),
    ] {
        read(toml, &[]).unwrap();
        let name = setting.rsplit('.').next().unwrap();
        let without: String = toml
            .lines()
            .filter(|line| !line.starts_with(name))
            .fold(String::new(), |all, line| all + line + "\n");
        for blank in ["", "  ", "\t\n"] {
            let said = mistakes(&format!("{without}{name} = {blank:?}"), &[]);
            assert!(said.starts_with(&format!("{setting} in ")), "{blank:?}: {said}");
            assert!(!said.contains('\n'), "one mistake is named once: {said}");
        }
        let said = mistakes(&without, &[(variable, "  ")]);
        assert!(said.starts_with(&format!("{variable}: must")), "{said}");
    }
}

#[test]
fn a_file_that_is_named_must_be_there_and_be_toml() {
    let missing = Layers::default().file(Some(Path::new("/nonexistent/orderbell.toml")));
    assert!(Config::read(missing).unwrap_err()[0].contains("cannot be read"));
    assert!(mistakes("listen = ", &[]).contains("orderbell.toml"));
}

#[test]
fn a_logo_is_a_picture_that_mails_can_carry() {
    assert!(mistakes("shop.logo = '/nonexistent.png'", &[]).contains("/nonexistent.png cannot be read"));
    assert!(mistakes("shop.logo = '/dev/zero'", &[]).contains("/dev/zero has 32769 bytes"));
}

#[test]
fn outside_loopback_intake_must_be_chosen() {
    let open =
        [("ORDERBELL_LISTEN", "0.0.0.0:80"), ("ORDERBELL_PUBLIC_URL", "https://orders.example.com/shop/")];
    assert!(mistakes("", &open).contains("intake"));
    assert!(matches!(read("intake = \"open\"", &open).unwrap().order_auth, web::OrderAuth::Open));
    let key = format!("intake = \"key\"\n[intake_keys]\nshop = \"{}\"", web::KeyHash::of("a key"));
    assert!(matches!(read(&key, &open).unwrap().order_auth, web::OrderAuth::Keys(_)));
}

#[test]
fn outside_loopback_it_must_be_said_where_links_lead() {
    for listen in ["0.0.0.0:80", "[::]:80", "192.0.2.7:80"] {
        let said = mistakes("intake = \"open\"", &[("ORDERBELL_LISTEN", listen)]);
        assert!(said.starts_with("public_url (ORDERBELL_PUBLIC_URL): must be set"), "{listen}: {said}");
    }
    assert!(read("intake = \"open\"\nlisten = \"[::1]:80\"", &[]).unwrap().public_url.is_none());
}

#[test]
fn links_lead_to_a_bare_address() {
    for url in [
        "https://orders.example.com/?shop=1",
        "https://orders.example.com/?",
        "https://orders.example.com/#top",
        "https://me@orders.example.com",
        "https://me:hunter2@orders.example.com",
        "https://:hunter2@orders.example.com",
        "orders.example.com",
        "ftp://orders.example.com",
    ] {
        let said = mistakes("", &[("ORDERBELL_PUBLIC_URL", url)]);
        assert!(
            said.starts_with("ORDERBELL_PUBLIC_URL: must be") && !said.contains("hunter2"),
            "{url}: {said}"
        );
    }
    let url = read("public_url = \"https://orders.example.com/shop/\"", &[]).unwrap().public_url.unwrap();
    assert_eq!(url.as_str(), "https://orders.example.com/shop/");
}

#[test]
fn clients_keys_can_be_a_table_or_a_list() {
    let hash = web::KeyHash::of("a key").to_string();
    let table = format!("intake = \"key\"\n[intake_keys]\nshop = \"{hash}\"\nkiosk = \"{hash}\"");
    let list = format!("shop={hash}, kiosk={hash}");
    let from_table = read(&table, &[]).unwrap();
    let from_list = read("intake = \"key\"", &[("ORDERBELL_INTAKE_KEYS", &list)]).unwrap();
    for config in [from_table, from_list] {
        let web::OrderAuth::Keys(keys) = config.order_auth else { panic!("keys are wanted") };
        let mut names: Vec<_> = keys.iter().map(|key| key.name.as_str()).collect();
        names.sort_unstable();
        assert_eq!(names, ["kiosk", "shop"]);
    }
    assert!(mistakes("", &[("ORDERBELL_INTAKE_KEYS", "shop=123")]).contains("NAME=HASH"));
    assert!(mistakes("", &[("ORDERBELL_INTAKE_KEYS", &format!("admin={hash}"))]).contains("admin"));
}

const TWILIO: &str = "[sms]\nprovider = \"twilio\"\naccount_sid = \"ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"\n\
                      auth_token = \"hunter2\"\nfrom = \"+15557122661\"\n";

#[test]
fn a_name_that_is_no_setting_is_refused_with_the_one_that_was_meant() {
    for (written, meant) in [
        ("ORDERBELL_LISTNE", "ORDERBELL_LISTEN"),
        ("ORDERBELL_SMTP_HOSTT", "ORDERBELL_SMTP_HOST"),
        ("ORDERBELL_PASSWORD", "ORDERBELL_SMTP_PASSWORD"),
        ("ORDERBELL_WEBHOOK_ALLOWED_HOST", "ORDERBELL_WEBHOOK_ALLOWED_HOSTS"),
        ("ORDERBELL_smtp_host", "ORDERBELL_SMTP_HOST"),
        ("ORDERBELL_SMTP.FROM", "ORDERBELL_SMTP_FROM"),
        ("ORDERBELL_ULR", "ORDERBELL_URL"),
        ("orderbell_listen", "ORDERBELL_LISTEN"),
        ("Orderbell_Smtp_Host", "ORDERBELL_SMTP_HOST"),
        ("ORDERBEL_LISTEN", "ORDERBELL_LISTEN"),
        ("ODERBELL_PUBLIC_URL", "ORDERBELL_PUBLIC_URL"),
        ("ORDERBELLS_INTAKE", "ORDERBELL_INTAKE"),
        ("ORDERBELL-DATA", "ORDERBELL_DATA"),
        ("ORDERBELLLISTEN", "ORDERBELL_LISTEN"),
        ("ORDERBELL__SMTP__HOST", "ORDERBELL_SMTP_HOST"),
    ] {
        let said = mistakes("", &[(written, "x")]);
        assert_eq!(said, format!("{written}: there is no such setting; did you mean {meant}?"));
    }
    assert_eq!(
        mistakes("", &[("ORDERBELL_FROBNICATE", "x")]),
        "ORDERBELL_FROBNICATE: there is no such setting"
    );
    for (written, meant) in [
        ("listne = 1", "listen"),
        ("host = \"relay\"", "smtp.host"),
        ("public-url = 1", "public_url"),
        ("[webhook]\nallowed_host = []", "webhook.allowed_hosts"),
        ("[smpt]\nhost = \"relay\"", "smtp.host"),
        ("[smtp]\nfrm = \"a@example.com\"", "smtp.from"),
        ("[SMTP]\nhost = \"relay\"", "smtp.host"),
    ] {
        let said = mistakes(written, &[]);
        assert!(said.ends_with(&format!("there is no such setting; did you mean {meant}?")), "{said}");
    }
}

#[test]
fn variables_that_others_set_are_let_be() {
    let others = [
        ("ORDERBELL_URL", "http://127.0.0.1:1"),
        ("ORDERBELL_KEY", "some key"),
        ("ORDERBELL_CONFIG", "orderbell.toml"),
        ("ORDERBELL_PORT", "tcp://10.0.0.1:80"),
        ("ORDERBELL_PORT_80_TCP_ADDR", "10.0.0.1"),
        ("ORDERBELL_SERVICE_HOST", "10.0.0.1"),
        ("ORDERBELL_LISTNE", ""),
        ("ORDERBELL_RELAY_SERVICE_HOST", "10.0.0.2"),
        ("ORDERBELL_RELAY_SERVICE_PORT_SMTP", "25"),
        ("ORDERBELL_RELAY_PORT", "tcp://10.0.0.2:25"),
        ("ORDERBELL_RELAY_PORT_25_TCP", "tcp://10.0.0.2:25"),
        ("ORDERBELL_RELAY_PORT_25_TCP_PROTO", "tcp"),
        ("ORDERBOOK_LISTEN", "x"),
        ("DOORBELL_LISTEN", "x"),
        ("LISTEN", "x"),
        ("AWS_REGION", "eu-central-1"),
    ];
    read("", &others).unwrap();
    assert!(mistakes("", &[("ORDERBELL_PORT", "9000")]).starts_with("ORDERBELL_PORT: there is no such"));
}

#[test]
fn what_would_silence_the_log_is_no_filter() {
    for filter in ["loud", "", "info,sqlit=debug", "hyper=debug"] {
        let said = mistakes(&format!("log = {filter:?}"), &[]);
        assert!(
            said.starts_with("log in ") && said.contains("must be error, warn, info"),
            "{filter:?}: {said}"
        );
    }
    for filter in ["info", "WARN", "off", "info,sqlite=debug", "warn,application=trace"] {
        read(&format!("log = {filter:?}"), &[]).unwrap();
    }
}

#[test]
fn keys_for_intake_and_the_wish_for_them_go_together() {
    for none in
        ["intake = \"key\"", "intake = \"key\"\n[intake_keys]", "intake = \"key\"\nintake_keys = \",\""]
    {
        let said = mistakes(none, &[]);
        assert!(said.contains("orderbell key new") && !said.contains('\n'), "{none}: {said}");
    }
    let keys = format!("[intake_keys]\nshop = \"{}\"", web::KeyHash::of("a key"));
    assert!(mistakes(&keys, &[]).contains("intake (ORDERBELL_INTAKE): must be chosen"));
    assert!(matches!(
        read(&format!("intake = \"open\"\n{keys}"), &[]).unwrap().order_auth,
        web::OrderAuth::Open
    ));
}

#[test]
fn a_secret_that_ends_with_a_line_break_is_not_what_was_meant() {
    let smtp = "[smtp]\nhost = \"relay\"\nfrom = \"a@example.com\"\n";
    let (user, password) = ("username = \"me\"\n", "password = \"hunter2\"\n");
    for (toml, variable) in [
        (format!("{smtp}{user}"), "ORDERBELL_SMTP_PASSWORD"),
        (format!("{smtp}{password}"), "ORDERBELL_SMTP_USERNAME"),
        (TWILIO.replace("auth_token = \"hunter2\"\n", ""), "ORDERBELL_SMS_AUTH_TOKEN"),
        (String::new(), "ORDERBELL_ADMIN_KEY"),
        (
            "[sms]\nprovider = \"sns\"\naws_region = \"eu-central-1\"\naws_access_key_id = \"a\"".to_owned(),
            "AWS_SECRET_ACCESS_KEY",
        ),
    ] {
        for text in ["a-secret-of-length-20\n", "a-secret-of-length-20\r\n", "a-secret-of\n-length-20"] {
            let said = mistakes(&toml, &[(variable, text)]);
            assert!(said.starts_with(&format!("{variable}: must")) && said.contains("line break"), "{said}");
            assert!(!said.contains("a-secret"), "{said}");
        }
        read(&toml, &[(variable, "a-secret-of-length-20")]).unwrap();
    }
}

#[test]
fn a_setting_that_does_nothing_is_named() {
    for (toml, setting) in [
        ("[smtp]\nusername = \"me\"\npassword = \"hunter2\"", "smtp.password in "),
        ("[smtp]\nport = 2525", "smtp.port in "),
        ("[sms]\naccount_sid = \"AC\"", "sms.account_sid in "),
        ("[sms]\nsender_id = \"Shop\"", "sms.sender_id in "),
        (&format!("{TWILIO}sender_id = \"Shop\""), "sms.sender_id in "),
        (&format!("{TWILIO}api_key_secret = \"hunter2\""), "sms.api_key_secret in "),
    ] {
        let said = mistakes(toml, &[]);
        assert!(said.contains(setting) && said.contains("has no effect"), "{toml}: {said}");
        assert!(!said.contains("hunter2"), "{said}");
    }
}

#[test]
fn on_loopback_the_public_urls_host_and_those_that_are_named_are_let_in() {
    let door = |toml: &str| read(toml, &[]).unwrap().host_policy;
    let web::HostPolicy::Loopback { hosts, origins } = door("") else { panic!("it listens on loopback") };
    assert!(
        hosts.is_empty() && origins.is_empty(),
        "pages of elsewhere are let in only where that is written"
    );
    let toml = "public_url = \"https://Orders.example:8443\"\nallowed_hosts = [\"intra\", \"10.0.0.7\"]\n\
                cors_allow_origins = \"https://shop.example\"";
    let web::HostPolicy::Loopback { hosts, origins } = door(toml) else { panic!("it listens on loopback") };
    let hosts: Vec<_> = hosts.iter().map(ToString::to_string).collect();
    assert_eq!(
        (hosts, origins),
        (
            vec!["intra".into(), "10.0.0.7".into(), "orders.example".into()],
            vec!["https://shop.example".to_owned()]
        )
    );
    let outside = "listen = \"0.0.0.0:8080\"\nintake = \"open\"\npublic_url = \"https://orders.example\"";
    assert!(matches!(door(outside), web::HostPolicy::CommonPorts));
    for wrong in ["http://intra", "intra:8080", "in tra", "[::"] {
        assert!(
            mistakes(&format!("allowed_hosts = \"{wrong}\""), &[]).contains("allowed_hosts in "),
            "{wrong}"
        );
    }
}

#[test]
fn a_home_folder_that_only_shells_know_is_not_made_here() {
    for path in ["~", "~/orders", "~shop/orders", "$HOME/orders", "${HOME}/orders"] {
        let said = mistakes(&format!("data = {path:?}"), &[]);
        assert!(said.starts_with("data in ") && said.contains("written in full"), "{path}: {said}");
    }
    for path in ["orders~", "./~/orders", "/srv/a$b"] {
        assert_eq!(read(&format!("data = {path:?}"), &[]).unwrap().data, PathBuf::from(path));
    }
}

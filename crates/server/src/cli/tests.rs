use clap::CommandFactory;

use super::*;

const ID: &str = "01a22bef-8158-7f9b-b107-a48ca82a6d63";

/// What a command line that is wrong is told.
fn refused(line: &[&str]) -> String {
    match Cli::try_parse_from([&["orderbell"], line].concat()) {
        Err(error) => {
            assert_eq!(error.exit_code(), 2, "{line:?}");
            error.render().to_string()
        }
        Ok(_) => panic!("{line:?} is taken"),
    }
}

#[test]
fn no_command_has_flags_that_contradict_each_other() {
    Cli::command().debug_assert();
}

#[test]
fn a_command_that_lacks_what_it_is_about_names_every_way_to_say_it() {
    let cases: [(&[&str], &[&str]); 9] = [
        (&["order", "spam"], &["orderbell order spam <ORDER>", "[--from <TIME>]", "[--customer <NAME>]"]),
        (&["delivery", "redrive"], &["<ID|--dead|--held>", "orderbell delivery redrive <ID>"]),
        (&["delivery", "retry"], &["<ID|--pending>", "orderbell delivery retry --pending"]),
        (&["delivery", "drop"], &["<ID|--pending|--held>", "<--pending|--held>"]),
        (&["delivery", "drop", "--protocol", "sms"], &["<--pending|--held>", "[--protocol <PROTOCOL>]"]),
        (&["subscription", "test-filter"], &["--filter-policy", "<--order <FILE|JSON>|--order-id <ID>>"]),
        (
            &["subscription", "test-filter", "--filter-policy", "{}"],
            &["<--order <FILE|JSON>|--order-id <ID>>"],
        ),
        (&["subscription", "change", ID], &["--filter-policy", "--max-receives-per-second", "--escalation"]),
        (&["subscription", "add", "email"], &["<ENDPOINT>"]),
    ];
    for (line, words) in cases {
        let told = refused(line);
        assert!(words.iter().all(|words| told.contains(words)), "{line:?}: {told}");
    }
}

#[test]
fn what_contradicts_itself_is_refused_with_the_ways_there_are() {
    let one_order: &[&str] = &["--filter-policy", "{}", "--order", "{}", "--order-id", ID];
    let cases: [(&[&str], &[&str], &str); 6] = [
        (&["order", "spam", ID], &["--customer", "Mallory"], "order spam <ORDER>\n"),
        (&["delivery", "redrive", ID], &["--dead"], "delivery redrive <--dead|--held>"),
        (&["delivery", "redrive"], &["--dead", "--held"], "delivery redrive <--dead|--held>"),
        (&["delivery", "drop", ID], &["--held"], "delivery drop <--pending|--held>"),
        (&["delivery", "retry", ID], &["--pending"], "delivery retry --pending"),
        (&["subscription", "test-filter"], one_order, "--order-id <ID>"),
    ];
    for (line, more, ways) in cases {
        let told = refused(&[line, more].concat());
        assert!(told.contains("cannot be used with") && told.contains(ways), "{line:?} {more:?}: {told}");
    }
}

#[test]
fn a_flag_that_another_command_has_is_told_where_it_belongs() {
    for (line, tip) in [
        (["delivery", "drop", "--dead"], "there is nothing to drop"),
        (["delivery", "retry", "--dead"], "`orderbell delivery redrive --dead`"),
        (["delivery", "retry", "--held"], "`orderbell delivery redrive --held`"),
        (["delivery", "redrive", "--pending"], "`orderbell delivery retry --pending`"),
    ] {
        let told = refused(&line);
        assert!(told.contains(&format!("unexpected argument '{}'", line[2])), "{told}");
        assert!(told.contains(tip) && !told.contains("to pass"), "{told}");
    }
}

#[test]
fn a_value_that_cannot_be_is_refused_with_those_that_can() {
    let placed = ["order", "place", "--customer", "Ada", "--product", "Pad"];
    let cases: [(&[&str], &str); 18] = [
        (&["subscription", "list", "--state", "dead"], "pending, confirmed, suspended, ended"),
        (&["delivery", "list", "--state", "confirmed"], "delivered, sandboxed, held, dead, cancelled"),
        (&["subscription", "add", "mail", "you@example.com"], "a similar value exists: 'email'"),
        (&["delivery", "drop", "--held", "--protocol", "mail"], "email, sms, webhook, chat"),
        (&["subscription", "add", "email", "a@b.example", "--receives", "none"], "orders, notices, all"),
        (&["serve", "--intake", "closed"], "open, key"),
        (&["order", "show", " "], "must not be empty"),
        (&["delivery", "show", "12"], "must be an id as the lists show them"),
        (&["order", "list", "--from", "yesterday"], "2026-01-31 12:00 by this machine's clock"),
        (&["order", "list", "--limit", "1000"], "from 1 to 200"),
        (&["order", "place", "--customer", "", "--product", "Pad"], "must not be empty"),
        (&[&placed[..], &["--quantity", "1.5"]].concat(), "a whole number from 1 to 1000000"),
        (&[&placed[..], &["--quantity", "-1"]].concat(), "a whole number from 1 to 1000000"),
        (&["subscription", "confirm", ID], "is an id: the link is meant that was sent"),
        (&["subscription", "change", ID, "--escalation", ID], r#"must be as {"afterMinutes":15"#),
        (&["subscription", "change", ID, "--max-receives-per-second", "fast"], "from 1 to 10000, or null"),
        (
            &["subscription", "add", "email", "a@b.example", "--filter-policy", "none.json"],
            "neither JSON nor a file",
        ),
        (&["delivery", "redrive", "--dead", "--subscription", ""], "must be an id"),
    ];
    for (line, words) in cases {
        let told = refused(line);
        assert!(told.contains(words), "{line:?}: {told}");
    }
}

#[test]
fn one_pair_of_flags_says_from_when_to_when() {
    let every = |command: &clap::Command| -> Vec<String> {
        let mut flags = Vec::new();
        let mut open = vec![command.clone()];
        while let Some(command) = open.pop() {
            open.extend(command.get_subcommands().cloned());
            flags.extend(command.get_arguments().filter_map(|flag| flag.get_long().map(str::to_owned)));
        }
        flags
    };
    let flags = every(&Cli::command());
    let count = |name: &str| flags.iter().filter(|flag| *flag == name).count();
    assert_eq!(
        (count("from"), count("before")),
        (5, 5),
        "order list and spam, delivery redrive, retry and drop"
    );
    assert_eq!(count("to"), 1, "the doctor's recipient alone");
}

#[test]
fn a_page_of_the_manual_names_the_program_at_its_foot() {
    for page in [&["order", "place"][..], &["subscription", "add"], &[]] {
        let of = page.iter().map(|name| (*name).to_owned()).collect();
        let roff = manual::roff(&manual::Page { of }).unwrap_or_default();
        let foot = String::from_utf8(roff).unwrap();
        let foot = foot.lines().find(|line| line.starts_with(".TH")).unwrap_or_default().to_owned();
        assert!(foot.contains(concat!("\"orderbell ", env!("CARGO_PKG_VERSION"), "\"")), "{page:?}: {foot}");
    }
}

//! What [`Templates`] promises.

use application::ports::Templates;
use domain::endpoint::Protocol;
use domain::template::{TemplateName, TemplateSource};

use crate::fixtures::now;

pub(crate) const OF_MAILS: TemplateName = TemplateName::Protocol(Protocol::Email);
pub(crate) const OF_TEXTS: TemplateName = TemplateName::Protocol(Protocol::Sms);

pub(crate) fn text(text: &str) -> TemplateSource {
    TemplateSource { text: Some(text.to_owned()), ..TemplateSource::default() }
}

pub(crate) async fn set(templates: &dyn Templates, name: TemplateName, source: &TemplateSource) {
    templates.set_template(name, source.clone(), now()).await.unwrap();
}

/// What is set, by name.
pub(crate) async fn kept(templates: &dyn Templates) -> Vec<(TemplateName, Protocol, TemplateSource)> {
    let stored = templates.templates().await.unwrap();
    let mut kept: Vec<_> = stored.into_iter().map(|one| (one.name, one.protocol, one.source)).collect();
    kept.sort_by_key(|(name, ..)| *name);
    kept
}

/// To the character, with when it was set.
pub async fn a_template_reads_back_as_it_was_written(templates: &dyn Templates) {
    let source = text("  {{note}}\r\n\t\"{{! 📦 }}\"\n\n");
    let before = now();
    set(templates, OF_MAILS, &source).await;
    let stored = templates.templates().await.unwrap();
    let [one] = stored.as_slice() else { panic!("{stored:?}") };
    assert_eq!((one.name, one.protocol, &one.source), (OF_MAILS, Protocol::Email, &source));
    assert!((before..=now()).contains(&one.set_at), "{}", one.set_at);
}

/// What one set no longer says is not kept.
pub async fn the_template_that_was_set_last_stands(templates: &dyn Templates) {
    set(templates, OF_MAILS, &text("a")).await;
    set(templates, OF_TEXTS, &text("c")).await;
    set(templates, OF_MAILS, &text("d")).await;
    let mails = (OF_MAILS, Protocol::Email, text("d"));
    assert_eq!(kept(templates).await, [mails, (OF_TEXTS, Protocol::Sms, text("c"))]);
}

/// Taking away what is not there changes nothing.
pub async fn a_template_is_taken_away(templates: &dyn Templates) {
    set(templates, OF_MAILS, &text("a")).await;
    set(templates, OF_TEXTS, &text("b")).await;
    for _ in 0..2 {
        templates.reset_template(OF_MAILS).await.unwrap();
        assert_eq!(kept(templates).await, [(OF_TEXTS, Protocol::Sms, text("b"))]);
    }
}

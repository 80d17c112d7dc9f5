//! What [`Templates`] promises where subscriptions have their own.
//!
//! [`Templates`]: application::ports::Templates

use application::ErrorKind;
use application::ports::MAX_TEMPLATES;
use domain::endpoint::Protocol;
use domain::subscription::{EndReason, SubscriptionId};
use domain::template::{TemplateName, TemplateSource};

use crate::fixtures::{email, now, unique};
use crate::local_ports::LocalPorts;
use crate::templates::{OF_MAILS, OF_TEXTS, kept, set, text};

/// What one set no longer says is not kept.
pub async fn every_part_of_a_mails_template_is_kept_until_it_is_set_without(ports: &LocalPorts<'_>) {
    let whole = TemplateSource {
        subject: Some("{{productName}} 📦".to_owned()),
        html: Some("<p title='\"'>{{note}}</p>\r\n".to_owned()),
        ..text("{{note}}")
    };
    for source in [whole, text("{{note}}")] {
        set(ports.templates, OF_MAILS, &source).await;
        assert_eq!(kept(ports.templates).await, [(OF_MAILS, Protocol::Email, source)]);
    }
}

/// It has the protocol of its subscription, and nobody gets the next subscription's.
pub async fn a_subscriptions_template_goes_with_its_end(ports: &LocalPorts<'_>) {
    let subscription = ports.subscribe(email("a@example.com")).await;
    let name = TemplateName::Subscription(subscription.id);
    set(ports.templates, name, &text("a")).await;
    set(ports.templates, OF_MAILS, &text("b")).await;
    let of_mails = (OF_MAILS, Protocol::Email, text("b"));
    assert_eq!(kept(ports.templates).await, [of_mails.clone(), (name, Protocol::Email, text("a"))]);
    ports.subscriptions.unsubscribe(subscription.id, EndReason::Removed, now()).await.unwrap();
    assert_eq!(kept(ports.templates).await, [of_mails]);
    let refused = ports.templates.set_template(name, text("c"), now()).await.unwrap_err();
    assert_eq!((refused.kind, refused.code), (ErrorKind::Conflict, "subscription_ended"));
}

/// None is set for who is not there.
pub async fn an_unknown_subscription_has_no_template(ports: &LocalPorts<'_>) {
    let name = TemplateName::Subscription(SubscriptionId::new(now(), unique()));
    let refused = ports.templates.set_template(name, text("a"), now()).await.unwrap_err();
    assert_eq!((refused.kind, refused.code), (ErrorKind::NotFound, "subscription_not_found"));
    assert_eq!(kept(ports.templates).await, []);
}

/// Past the limit none is set; one that is can be set anew.
pub async fn so_many_templates_are_kept_and_no_more(ports: &LocalPorts<'_>) {
    let mut last = OF_MAILS;
    set(ports.templates, OF_MAILS, &text("a")).await;
    for number in 1..MAX_TEMPLATES {
        let subscription = ports.subscribe(email(&format!("{number}@example.com"))).await;
        last = TemplateName::Subscription(subscription.id);
        set(ports.templates, last, &text("b")).await;
    }
    let refused = ports.templates.set_template(OF_TEXTS, text("c"), now()).await.unwrap_err();
    assert_eq!((refused.kind, refused.code), (ErrorKind::Conflict, "too_many_templates"));
    set(ports.templates, last, &text("d")).await;
    ports.templates.reset_template(OF_MAILS).await.unwrap();
    set(ports.templates, OF_TEXTS, &text("c")).await;
    assert_eq!(kept(ports.templates).await.len(), MAX_TEMPLATES as usize);
}

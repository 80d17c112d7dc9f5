//! What a template would say of an order, to whoever would read it. Nothing is sent.

use domain::attributes::Attributes;
use domain::endpoint::Protocol;
use domain::notification::{mail_subject, text};
use domain::order::{Order, OrderId};
use domain::reader::Reader;
use domain::template::{Template, TemplateName, TemplateSource, Told, Written, sample_orders};

use super::protocol_of;
use crate::{App, Error, orders, subscriptions};

/// What is to be tried out.
#[derive(Debug, Clone, Default)]
pub struct PreviewRequest {
    /// A template that is not set; `None`: what would be used now.
    pub source: Option<TemplateSource>,
    /// An order that is stored; `None`: one made up for this.
    pub order: Option<OrderId>,
}

/// What a message would say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// Over which protocol.
    pub protocol: Protocol,
    /// A mail's subject.
    pub subject: Option<String>,
    /// Its text.
    pub text: String,
    /// A mail's HTML as its template has it; what stands around that is not shown, nor is the built-in form.
    pub html: Option<String>,
    /// Why the template would not be used, in which case the built-in texts are these.
    pub unused: Option<String>,
}

/// Tries a template out.
///
/// # Errors
/// `invalid_template`; `NotFound` with `order_not_found` or `subscription_not_found`.
pub async fn preview(app: &App, name: TemplateName, request: PreviewRequest) -> Result<Preview, Error> {
    let protocol = protocol_of(app, name).await?;
    let template = match request.source {
        Some(source) => Some(Template::parse(source, protocol)?),
        None => in_use(app, name, protocol).await?,
    };
    let attributes = match name {
        TemplateName::Protocol(_) => Attributes::default(),
        TemplateName::Subscription(id) => subscriptions::get(app, id).await?.attributes,
    };
    let order = match request.order {
        Some(id) => orders::get(app, id).await?,
        None => sample_order(app)?,
    };
    let order = attributes.shown(&order).unwrap_or(order);
    let reader = Reader::of(&app.shop, &attributes);
    let links = app.local_delivery.as_ref().map(|own| own.links.public_url.as_str()).unwrap_or_default();
    let (page, end) =
        (format!("{links}/o/preview"), format!("{links}/subscriptions/unsubscribe?token=preview"));
    let told = Told {
        order: &order,
        reader: &reader,
        shop: &app.shop,
        order_url: Some(&page),
        unsubscribe_url: &end,
    };
    let (written, unused) = match template.map(|template| template.render(&told)) {
        None => (Written::default(), None),
        Some(Ok(written)) => (written, None),
        Some(Err(why)) => (Written::default(), Some(why.to_string())),
    };
    let is_mail = protocol == Protocol::Email;
    let subject = written.subject.unwrap_or_else(|| mail_subject(&order, &reader));
    Ok(Preview {
        protocol,
        subject: is_mail.then_some(subject),
        text: written.text.unwrap_or_else(|| text(&order, &reader)),
        html: written.html,
        unused,
    })
}

/// The template that messages are made with now, as it is kept: another process may have set it.
async fn in_use(app: &App, name: TemplateName, protocol: Protocol) -> Result<Option<Template>, Error> {
    let stored = app.templates.store().templates().await?;
    let of = |name: TemplateName| {
        let found = stored.iter().find(|template| template.name == name)?;
        Template::parse(found.source.clone(), protocol).ok()
    };
    Ok(of(name).or_else(|| of(TemplateName::Protocol(protocol))))
}

/// An order of everything.
fn sample_order(app: &App) -> Result<Order, Error> {
    let order = sample_orders().into_iter().max_by_key(|order| order.details.products.items.len());
    let order = order.map(|order| Order { time: app.clock.now(), ..order });
    order.ok_or_else(|| Error::not_found("order_not_found", "order"))
}

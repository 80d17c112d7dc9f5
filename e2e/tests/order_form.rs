//! The order form in a real browser, at the width of a phone.

use anyhow::Result;
use fantoccini::Locator;
use orderbell_e2e::browser::Browser;
use orderbell_e2e::program::Program;

#[tokio::test]
async fn a_customer_places_an_order_in_the_browser() -> Result<()> {
    let program = Program::start(Vec::new()).await?;
    let browser = Browser::start(390, 844).await?;
    let page = browser.page();
    page.goto(&program.url()).await?;
    page.find(Locator::Css("[name=customerName]")).await?.send_keys("John Doe").await?;
    page.find(Locator::Css("[name=productName]")).await?.send_keys("Wireless Mouse").await?;
    page.find(Locator::Css("form button[type=submit]")).await?.click().await?;
    let client = program.client()?;
    let stored = async || Ok(client.list("/orders").await?.pop());
    let order = orderbell_e2e::wait::until("the order is stored", stored).await?;
    assert_eq!(order["customerName"], "John Doe");
    let short = order["shortReference"].as_str().unwrap().to_owned();
    let shown =
        async || Ok(page.find(Locator::Css("main")).await?.text().await?.contains(&short).then_some(()));
    orderbell_e2e::wait::until("the page shows what the order is called", shown).await?;
    let width =
        page.execute("return document.documentElement.scrollWidth - window.innerWidth", Vec::new()).await?;
    assert!(width.as_i64().is_some_and(|beyond| beyond <= 0), "nothing sticks out sideways: {width}");
    Ok(())
}

#[tokio::test]
async fn what_the_form_refuses_it_refuses_in_its_readers_language_with_the_limit() -> Result<()> {
    let key = format!("shop={}", "0".repeat(64));
    let settings = vec![("ORDERBELL_INTAKE", "key".to_owned()), ("ORDERBELL_INTAKE_KEYS", key)];
    let program = Program::start(settings).await?;
    let browser = Browser::start_for((390, 844), "de").await?;
    let page = browser.page();
    page.goto(&program.url()).await?;
    for (field, text) in
        [("customerName", "Jo"), ("productName", "Brot"), ("quantity", "1000001"), ("key", "falsch")]
    {
        page.find(Locator::Id(field)).await?.send_keys(text).await?;
    }
    let quantity = page.find(Locator::Id("quantity")).await?;
    for (text, field, refusal) in [
        ("", "quantity", "Die Menge muss zwischen 1 und 1.000.000 liegen"),
        ("1.5", "quantity", "Die Menge muss eine ganze Zahl sein"),
        ("2", "key", "Dieser Schlüssel ist hier nicht bekannt"),
    ] {
        if !text.is_empty() {
            quantity.clear().await?;
            quantity.send_keys(text).await?;
        }
        page.find(Locator::Css("form button[type=submit]")).await?.click().await?;
        let place = page.find(Locator::Id(&format!("{field}-error"))).await?;
        let said = async || Ok((place.text().await? == refusal).then_some(()));
        orderbell_e2e::wait::until(refusal, said).await?;
    }
    assert_eq!(program.client()?.list("/orders").await?.len(), 0);
    Ok(())
}

#[tokio::test]
async fn a_subscriber_confirms_by_pressing_the_button_on_the_page() -> Result<()> {
    let program = Program::start(Vec::new()).await?;
    let client = program.client()?;
    let subscription = client.subscribe("email", "you@example.com").await?;
    let id = subscription["subscriptionId"].as_str().unwrap();
    let message = client.wait_for_message("you@example.com", "Confirm").await?;
    let browser = Browser::start(390, 844).await?;
    browser.page().goto(message["link"].as_str().unwrap()).await?;
    assert_eq!(client.subscription_state(id).await?, "pending");
    browser.page().find(Locator::Css("form button[type=submit]")).await?.click().await?;
    client.wait_for_subscription(id, "confirmed").await
}

#[tokio::test]
async fn an_operator_reads_the_inbox_after_opening_the_ready_link() -> Result<()> {
    let program = Program::start(Vec::new()).await?;
    let client = program.client()?;
    client.subscribe("email", "you@example.com").await?;
    client.wait_for_message("you@example.com", "Confirm").await?;
    let key = std::fs::read_to_string(program.data().join("admin.key"))?;
    let browser = Browser::start(390, 844).await?;
    let page = browser.page();
    page.goto(&format!("{}/console/inbox", program.url())).await?;
    assert!(!page.source().await?.contains("you@example.com"), "a stranger reads nothing");
    page.goto(&format!("{}/console/login#key={}", program.url(), key.trim())).await?;
    let read = async || Ok(page.source().await?.contains("you@example.com").then_some(()));
    orderbell_e2e::wait::until("the inbox is shown", read).await
}

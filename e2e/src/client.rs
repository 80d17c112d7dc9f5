//! Calls to the program over HTTP, as its users make them.

use std::net::IpAddr;

use anyhow::{Context, Result, ensure};
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use url::Url;

use crate::wait;

/// A client with or without a key.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    url: String,
    key: Option<String>,
}

/// What API Gateway answers itself, with 500, where the function fails: none of our answers, and not of our contract.
pub(crate) const GATEWAY_FAILURE: &str = r#"{"message":"Internal Server Error"}"#;

/// An answer, whole.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: String,
}

/// An HTTP client that follows no redirect and knows no proxy.
///
/// # Errors
/// It cannot be made.
pub fn http() -> Result<reqwest::Client> {
    http_from(None)
}

/// The same, which calls from that address of this machine.
fn http_from(address: Option<IpAddr>) -> Result<reqwest::Client> {
    let _installed_already = rustls::crypto::ring::default_provider().install_default();
    let builder = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
    Ok(builder.local_address(address).timeout(wait::SOON).build()?)
}

impl Answer {
    /// Its body as JSON; null if it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or(Value::Null)
    }

    /// Its body as JSON, if it has the status expected.
    ///
    /// # Errors
    /// It has another; the error holds the whole answer.
    pub fn expect(&self, status: u16) -> Result<Value> {
        ensure!(self.status == status, "expected {status}, got {}: {}", self.status, self.body);
        Ok(self.json())
    }
}

impl Client {
    /// A client of the program at `url`, with the key that it sends as `x-api-key`.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn new(url: &str, key: Option<&str>) -> Result<Self> {
        Ok(Self { http: http()?, url: url.to_owned(), key: key.map(str::to_owned) })
    }

    /// A client of the program at `url` that holds no key and calls from that address of this machine.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn calling_from(address: IpAddr, url: &str) -> Result<Self> {
        Ok(Self { http: http_from(Some(address))?, url: url.to_owned(), key: None })
    }

    /// A request to `path`, with the key, to be completed and then [sent](Self::send).
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.url));
        match &self.key {
            Some(key) => request.header("x-api-key", key),
            None => request,
        }
    }

    /// Sends a request and reads the whole answer, which must be one that the contract promises.
    ///
    /// # Errors
    /// No answer came.
    ///
    /// # Panics
    /// The answer is at odds with the contract, whatever else the scenario looks at.
    pub async fn send(&self, request: RequestBuilder) -> Result<Answer> {
        let request = request.build()?;
        let (method, path) = (request.method().clone(), request.url().path().to_owned());
        let response = self.http.execute(request).await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let answer = Answer { status, headers, body: response.text().await? };
        if (status, answer.body.as_str()) != (500, GATEWAY_FAILURE) {
            let content_type = answer.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
            let (method, path, body) = (method.as_str(), path.as_str(), answer.body.as_str());
            let response = contract::Response { method, path, status, content_type, body };
            contract::check(&response).unwrap_or_else(|error| panic!("{error:#}"));
        }
        Ok(answer)
    }

    /// GET.
    ///
    /// # Errors
    /// No answer came.
    pub async fn get(&self, path: &str) -> Result<Answer> {
        self.send(self.request(Method::GET, path)).await
    }

    /// POST of a JSON body.
    ///
    /// # Errors
    /// No answer came.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Answer> {
        self.send(self.request(Method::POST, path).json(body)).await
    }

    /// PATCH of a JSON body.
    ///
    /// # Errors
    /// No answer came.
    pub async fn patch(&self, path: &str, body: &Value) -> Result<Answer> {
        self.send(self.request(Method::PATCH, path).json(body)).await
    }

    /// DELETE.
    ///
    /// # Errors
    /// No answer came.
    pub async fn delete(&self, path: &str) -> Result<Answer> {
        self.send(self.request(Method::DELETE, path)).await
    }

    /// Places an order and gives its id.
    ///
    /// # Errors
    /// It was not accepted.
    pub async fn place_order(&self, customer: &str, product: &str) -> Result<String> {
        let body = json!({"customerName": customer, "productName": product});
        let answer = self.post("/create-order", &body).await?.expect(200)?;
        answer["orderId"].as_str().map(str::to_owned).context("an orderId")
    }

    /// Subscribes and gives the new subscription.
    ///
    /// # Errors
    /// It was not made.
    pub async fn subscribe(&self, protocol: &str, endpoint: &str) -> Result<Value> {
        self.post("/subscriptions", &json!({"protocol": protocol, "endpoint": endpoint})).await?.expect(201)
    }

    /// Presses the button of the page that a message's link leads to: POST of nothing. The link may be of an earlier
    /// start of the program.
    ///
    /// # Errors
    /// It is no link, or no answer came.
    pub async fn press(&self, link: &str) -> Result<Answer> {
        let link = Url::parse(link).context("a link")?;
        let path = format!("{}?{}", link.path(), link.query().unwrap_or_default());
        self.send(self.http.post(format!("{}{path}", self.url))).await
    }

    /// One order with its timeline.
    ///
    /// # Errors
    /// It is not there.
    pub async fn order(&self, id: &str) -> Result<Value> {
        self.get(&format!("/orders/{id}")).await?.expect(200)
    }

    /// The state of a subscription, by name.
    ///
    /// # Errors
    /// It is not there.
    pub async fn subscription_state(&self, id: &str) -> Result<String> {
        let found = self.get(&format!("/subscriptions/{id}")).await?.expect(200)?;
        found["state"].as_str().map(str::to_owned).context("a state")
    }

    /// Waits until a subscription is in that state.
    ///
    /// # Errors
    /// It does not come to it soon.
    pub async fn wait_for_subscription(&self, id: &str, state: &str) -> Result<()> {
        let reached = async || Ok((self.subscription_state(id).await? == state).then_some(()));
        wait::until(&format!("subscription {id} is {state}"), reached).await
    }

    /// Every item of a list, page by page. `path` may hold a query.
    ///
    /// # Errors
    /// A page is refused.
    pub async fn list(&self, path: &str) -> Result<Vec<Value>> {
        let mut items = Vec::new();
        let mut next = String::new();
        loop {
            let mut page = self.get(&format!("{path}{next}")).await?.expect(200)?;
            items.append(page["items"].as_array_mut().context("items")?);
            let Some(cursor) = page["next"].as_str() else { return Ok(items) };
            let separator = if path.contains('?') { '&' } else { '?' };
            next = format!("{separator}cursor={cursor}");
        }
    }

    /// Waits until the sandbox inbox holds a message to `recipient` whose subject holds `subject`, and gives the
    /// newest.
    ///
    /// # Errors
    /// None comes soon.
    pub async fn wait_for_message(&self, recipient: &str, subject: &str) -> Result<Value> {
        let wanted = |message: &Value| {
            message["to"] == recipient
                && message["subject"].as_str().is_some_and(|text| text.contains(subject))
        };
        let found = async || Ok(self.list("/inbox").await?.into_iter().find(wanted));
        wait::until(&format!("a message to {recipient} about {subject}"), found).await
    }
}

//! Explains why a server could not be reached, in a person's words, and what to do.

use std::error::Error;
use std::time::Duration;
use std::{io, iter};

use anyhow::anyhow;

/// Says why the server at `place` was not reached within that time, or did not answer.
pub(super) fn explain_connection_error(
    place: &str,
    timeout: Duration,
    error: &reqwest::Error,
) -> anyhow::Error {
    let causes: Vec<&(dyn Error + 'static)> =
        iter::successors(error.source(), |cause| (*cause).source()).collect();
    let tls = causes.iter().find_map(|cause| tls_error(*cause));
    let last = causes.last().map_or_else(|| error.to_string(), ToString::to_string);
    if let Some(tls) = tls {
        return anyhow!("{place} is not spoken to safely: {}", explain_tls_error(tls));
    }
    if error.is_timeout() {
        return anyhow!("{place} did not answer within {} s", timeout.as_secs());
    }
    if !error.is_connect() {
        return anyhow!(
            "what answers at {place} is no HTTP server: {last}. Name Orderbell's own address with --url"
        );
    }
    if last.contains("lookup address") || last.contains("resolve") {
        return anyhow!("{place} is not found: {last}. Is the name in --url (ORDERBELL_URL) right?");
    }
    anyhow!(
        "no Orderbell answers at {place} ({last}); start one with `orderbell serve`, run the command in the folder that it \
         was started in, name its data folder with --data (ORDERBELL_DATA), or another server with --url (ORDERBELL_URL)"
    )
}

/// TLS's own error: I/O errors hold theirs inside, one within another.
fn tls_error<'a>(cause: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    match cause.downcast_ref::<io::Error>() {
        Some(outer) => tls_error(outer.get_ref()?),
        None => cause.downcast_ref(),
    }
}

fn explain_tls_error(error: &rustls::Error) -> String {
    match error {
        rustls::Error::InvalidMessage(_) => {
            "what answers there does not speak TLS; is its address http://… ?".to_owned()
        }
        rustls::Error::InvalidCertificate(why) => format!("its certificate is not believed ({why})"),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    const SOON: Duration = Duration::from_secs(5);

    /// What is told of a server that says this to whoever comes, and closes.
    fn error_of(scheme: &str, says: &'static [u8]) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let place = format!("{scheme}://{}", listener.local_addr().unwrap());
        let server = thread::spawn(move || {
            let (mut client, _) = listener.accept().unwrap();
            let _ = client.read(&mut [0; 1_024]);
            client.write_all(says).unwrap();
        });
        let told = ask(&place);
        server.join().unwrap();
        told
    }

    fn ask(place: &str) -> String {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let client = reqwest::Client::builder().timeout(SOON).no_proxy().build().unwrap();
        let error = runtime.block_on(async { client.get(place).send().await }).unwrap_err();
        explain_connection_error(place, SOON, &error).to_string()
    }

    #[test]
    fn what_is_no_http_server_is_named_as_such() {
        for says in
            [&b"SSH-2.0-OpenSSH_9.2\r\n"[..], b"220 relay ESMTP\r\n", b"\0\0\0", b"", b"+OK ready\r\n"]
        {
            let told = error_of("http", says);
            assert!(told.contains("is no HTTP server: ") && told.contains("--url"), "{told}");
            assert!(!told.contains("error sending request"), "{told}");
        }
    }

    #[test]
    fn a_server_without_tls_is_not_taken_for_none() {
        let told = error_of("https", b"HTTP/1.1 400 Bad Request\r\n\r\n");
        assert!(told.contains("does not speak TLS; is its address http://"), "{told}");
    }

    #[test]
    fn a_refused_connection_names_the_ways_to_a_server() {
        let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let told = ask(&format!("http://{nobody}"));
        assert!(told.contains("no Orderbell answers") && told.contains("Connection refused"), "{told}");
        let told = ask("http://no-such-host.invalid");
        assert!(told.contains("is not found") && told.contains("Is the name in --url"), "{told}");
    }
}

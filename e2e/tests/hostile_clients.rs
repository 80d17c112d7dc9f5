//! Clients that take what they can get: the service goes on for the others, and nobody else pays for it.

use std::fs;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result};
use orderbell_e2e::program::{Program, new_home};
use orderbell_e2e::receiver::Receiver;
use orderbell_e2e::{process, wait};
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How many descriptors the program may have, and how many clients want one.
const DESCRIPTORS: usize = 256;
const CLIENTS: usize = 600;

/// The program with few descriptors, which it cannot have more of.
async fn program(receiver: &Receiver) -> Result<Program> {
    let few = format!("ulimit -n {DESCRIPTORS}; exec \"$@\"");
    let shell = vec!["sh".into(), "-c".into(), few.into(), "sh".into()];
    let program = Program::start_in(new_home()?, Receiver::settings(), shell).await?;
    let client = program.client()?;
    let subscription = client.subscribe("webhook", &receiver.url("/hook")).await?;
    let id = subscription["subscriptionId"].as_str().context("an id")?;
    client.wait_for_subscription(id, "confirmed").await?;
    Ok(program)
}

fn address(program: &Program) -> Result<SocketAddr> {
    Ok(program.url().replace("http://", "").parse()?)
}

/// How many connections the program has, to whomever.
fn sockets(program: &Program) -> Result<usize> {
    let open = fs::read_dir(format!("/proc/{}/fd", program.id()))?;
    let targets = open.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok());
    Ok(targets.filter(|target| target.to_string_lossy().starts_with("socket:")).count())
}

/// What one of them does. None of them reads an answer.
async fn occupy(address: SocketAddr, kind: usize) -> Result<TcpStream> {
    let mut line = TcpStream::connect(address).await?;
    let sent = match kind % 6 {
        0 => String::new(),
        1 => "GET /orders HTTP/1.1\r\nHost:".to_owned(),
        2 => "POST /create-order HTTP/1.1\r\nHost: localhost\r\nContent-Length: 60000\r\n\r\n{".to_owned(),
        3 => "POST /create-order HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n"
            .to_owned(),
        4 => "GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(400),
        _ => "HEAD /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(4_000),
    };
    // It may already be closed again, or be read no further.
    let _ = timeout(Duration::from_millis(50), line.write_all(sent.as_bytes())).await;
    Ok(line)
}

#[tokio::test]
async fn clients_that_take_every_connection_and_read_no_answer_cost_the_others_nothing() -> Result<()> {
    let receiver = Receiver::start().await?;
    let mut program = program(&receiver).await?;
    let client = program.client()?;
    let at_the_start = sockets(&program)?;
    let mut occupying = Vec::new();
    for number in 0..CLIENTS {
        occupying.push(occupy(address(&program)?, number).await?);
        if number % 20 == 0 {
            client.place_order("John Doe", &format!("order {number}")).await?;
        }
    }
    let orders = CLIENTS / 20;
    receiver.wait_for_notifications(orders).await?;
    for order in client.list("/orders").await? {
        let id = order["orderId"].as_str().context("an id")?;
        let told = async || {
            let mut timeline = client.order(id).await?;
            Ok(Some(timeline["deliveries"][0].take()).filter(|delivery| delivery["state"] == "delivered"))
        };
        let delivery = wait::until("the order is told", told).await?;
        assert_eq!(
            delivery["attempts"].as_array().map(Vec::len),
            Some(1),
            "none was used by us: {delivery:#}"
        );
    }
    drop((occupying, client));
    // A connection or two to the receiver are kept for the next notifications.
    let as_before = async || Ok((sockets(&program)? <= at_the_start + 2).then_some(()));
    wait::until("all connections are closed", as_before).await?;
    assert!(!program.log().contains("Too many open files"), "{}", program.log());
    assert!(program.terminate().await?.success());
    Ok(())
}

#[tokio::test]
async fn where_the_system_gives_no_descriptor_an_idle_connection_makes_room() -> Result<()> {
    let program = Program::start(Vec::new()).await?;
    let mut idle = Vec::new();
    for _ in 0..20 {
        idle.push(TcpStream::connect(address(&program)?).await?);
    }
    program.stranger()?.place_order("John Doe", "Wireless Mouse").await?;
    let open = fs::read_dir(format!("/proc/{}/fd", program.id()))?.count() as u64;
    let process = i32::try_from(program.id()).ok().and_then(Pid::from_raw);
    prlimit(process, Resource::Nofile, Rlimit { current: Some(open - 10), maximum: Some(open - 10) })?;
    let mut clients = Vec::new();
    for number in 0..20 {
        let client = program.stranger()?;
        client.place_order("Jane Doe", &format!("order {number}")).await?;
        clients.push(client);
    }
    assert_eq!(program.log().matches("no connection can be taken").count(), 1, "{}", program.log());
    Ok(())
}

#[tokio::test]
async fn a_peer_that_takes_every_connection_it_may_have_leaves_the_rest_to_the_others() -> Result<()> {
    let settings = vec![
        ("ORDERBELL_PROXIES", "127.0.0.1".to_owned()),
        ("ORDERBELL_MAX_CONNECTIONS", "40".to_owned()),
        ("ORDERBELL_MAX_CONNECTIONS_PER_PEER", "10".to_owned()),
    ];
    let program = Program::start(settings).await?;
    let before = sockets(&program)?;
    let mut occupying = Vec::new();
    for _ in 0..100 {
        let socket = tokio::net::TcpSocket::new_v4()?;
        socket.bind("127.0.0.2:0".parse()?)?;
        occupying.push(socket.connect(address(&program)?).await?);
    }
    let few = async || Ok((sockets(&program)? <= before + 10).then_some(()));
    wait::until("the peer has its share and no more", few).await?;
    let metrics = program.client()?.get("/metrics").await?.body;
    let closed = "orderbell_connections_closed_total{because=\"too_many_of_peer\"} 90";
    assert!(metrics.contains(closed), "{metrics}");
    assert!(metrics.contains("orderbell_connections_closed_total{because=\"no_room\"} 0"), "{metrics}");
    Ok(())
}

#[tokio::test]
async fn requests_without_end_and_answers_that_nobody_takes_are_kept_in_little_memory() -> Result<()> {
    let program = Program::start(Vec::new()).await?;
    program.stranger()?.place_order("John Doe", "Wireless Mouse").await?;
    let before = process::peak_memory(program.id())?;
    let mut occupying = Vec::new();
    for number in 0..200 {
        let mut line = TcpStream::connect(address(&program)?).await?;
        let sent = match number % 2 {
            0 => format!("GET / HTTP/1.1\r\nCookie: {}", "x".repeat(390_000)),
            _ => "OPTIONS /create-order HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(20_000),
        };
        let _refused = timeout(Duration::from_millis(100), line.write_all(sent.as_bytes())).await;
        occupying.push(line);
    }
    program.stranger()?.place_order("Jane Doe", "Keyboard").await?;
    let taken = process::peak_memory(program.id())? - before;
    assert!(taken < 20_000_000, "{taken} bytes for 200 clients that sent 126 MB");
    Ok(())
}

#[tokio::test]
async fn a_body_that_drips_is_given_its_time_and_no_more() -> Result<()> {
    let program = Program::start(Vec::new()).await?;
    let mut line = TcpStream::connect(address(&program)?).await?;
    line.write_all(b"POST /create-order HTTP/1.1\r\nHost: localhost\r\nContent-Length: 60000\r\n\r\n")
        .await?;
    let (mut reading, mut writing) = line.split();
    let mut answer = String::new();
    let dripping = async {
        while writing.write_all(b" ").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    };
    let answered = timeout(Duration::from_mins(2), async {
        tokio::select! {
            read = reading.read_to_string(&mut answer) => drop(read),
            () = dripping => {}
        }
    });
    answered.await.context("the connection is closed")?;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    Ok(())
}

/// What is framed in a way that another server on the way may read otherwise, or in a coding that nobody undoes.
#[tokio::test]
async fn a_body_is_framed_in_one_way_or_refused_and_not_stored() -> Result<()> {
    let program = Program::start(Vec::new()).await?;
    let order = r#"{"customerName":"Jo","productName":"Pad"}"#;
    let chunks = format!("{:x}\r\n{order}\r\n0\r\n\r\n", order.len());
    let length = format!("Content-Length: {}\r\n", order.len());
    let mut stored = 0;
    for (framing, body, status) in [
        ("Transfer-Encoding: chunked\r\n", &chunks, 200),
        ("Transfer-Encoding: CHUNKED\r\n", &chunks, 200),
        ("transfer-encoding: \t chunked \t\r\n", &chunks, 200),
        (&format!("Transfer-Encoding: chunked\r\n{length}"), &chunks, 200),
        (&format!("{length}Transfer-Encoding: chunked\r\n"), &chunks, 200),
        (&length, &order.to_owned(), 200),
        (&format!("{length}{length}"), &order.to_owned(), 200),
        ("Transfer-Encoding: gzip, chunked\r\n", &chunks, 501),
        ("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", &chunks, 501),
        ("Transfer-Encoding: identity, chunked\r\n", &chunks, 501),
        ("Transfer-Encoding: chunked, chunked\r\n", &chunks, 400),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", &chunks, 400),
        ("Transfer-Encoding: identity\r\n", &order.to_owned(), 400),
        (&format!("Transfer-Encoding: identity\r\n{length}"), &order.to_owned(), 400),
        ("Transfer-Encoding: chunked, gzip\r\n", &chunks, 400),
        ("Transfer-Encoding: chunked;q=1\r\n", &chunks, 400),
        ("Transfer-Encoding: \"chunked\"\r\n", &chunks, 400),
        ("Transfer-Encoding: xchunked\r\n", &chunks, 400),
        ("Transfer-Encoding : chunked\r\n", &chunks, 400),
        ("Transfer-Encoding:\r\n chunked\r\n", &chunks, 400),
        ("Transfer-Encoding: chun\0ked\r\n", &chunks, 400),
        ("Content-Length: 1\r\nContent-Length: 41\r\n", &order.to_owned(), 400),
        ("Content-Length: +41\r\n", &order.to_owned(), 400),
        ("Content-Length: 41, 41\r\n", &order.to_owned(), 400),
    ] {
        let mut line = TcpStream::connect(address(&program)?).await?;
        let head =
            format!("POST /create-order HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{framing}\r\n");
        let _refused = line.write_all(format!("{head}{body}").as_bytes()).await;
        let mut answer = Vec::new();
        let _reset = timeout(Duration::from_secs(10), line.read_to_end(&mut answer)).await?;
        let answer = String::from_utf8(answer)?;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{framing:?}: {answer}");
        stored += usize::from(status == 200);
        assert_eq!(program.client()?.list("/orders").await?.len(), stored, "{framing:?}");
    }
    Ok(())
}

/// RFC 9112, 6.1: the chunks count, and the connection ends, so that no second request is read out of the first.
#[tokio::test]
async fn where_a_length_stands_beside_chunks_no_second_request_is_read_after_them() -> Result<()> {
    let program = Program::start(Vec::new()).await?;
    let order = r#"{"customerName":"Jo","productName":"Pad"}"#;
    let chunks = format!("{:x}\r\n{order}\r\n0\r\n\r\n", order.len());
    let second = "POST /create-order HTTP/1.1\r\nHost: localhost\r\nContent-Length: 41\r\n\r\n";
    for framing in [
        "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
        "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
    ] {
        let mut line = TcpStream::connect(address(&program)?).await?;
        let head = format!("POST /create-order HTTP/1.1\r\nHost: localhost\r\n{framing}\r\n");
        line.write_all(format!("{head}{chunks}{second}{order}").as_bytes()).await?;
        let mut answer = String::new();
        let _reset = timeout(Duration::from_secs(10), line.read_to_string(&mut answer)).await?;
        assert_eq!(answer.matches("HTTP/1.1 200 ").count(), 1, "{framing:?}: {answer}");
    }
    assert_eq!(program.client()?.list("/orders").await?.len(), 2);
    Ok(())
}

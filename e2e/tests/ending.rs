//! The program ends when it is told to: in good order, and at once when it is told twice.

use anyhow::Result;
use orderbell_e2e::program::{Program, new_home};
use orderbell_e2e::{process, wait};
use rustix::process::Signal;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Begins a request whose body never comes, and waits until the program waits for that. It gives it ten seconds.
async fn half_a_request(program: &Program) -> Result<TcpStream> {
    let mut line = TcpStream::connect(program.url().replace("http://", "")).await?;
    let head = "Host: localhost\r\nExpect: 100-continue\r\nContent-Length: 100";
    line.write_all(format!("POST /create-order HTTP/1.1\r\n{head}\r\n\r\n").as_bytes()).await?;
    let mut go_on = [0; 12];
    line.read_exact(&mut go_on).await?;
    assert_eq!(&go_on, b"HTTP/1.1 100");
    Ok(line)
}

/// Waits until the program takes no more connections, since it is ending.
async fn refuses(program: &Program) -> Result<()> {
    let address = program.url().replace("http://", "");
    let refused = async || Ok(TcpStream::connect(&address).await.is_err().then_some(()));
    wait::until("the program takes no more connections", refused).await
}

#[tokio::test]
async fn a_terminal_that_closes_and_an_interruption_end_it_in_good_order() -> Result<()> {
    for signal in [Signal::HUP, Signal::INT, Signal::TERM] {
        let mut program = Program::start(Vec::new()).await?;
        program.stranger()?.place_order("John Doe", "Wireless Mouse").await?;
        assert!(program.end(signal).await?.success(), "{signal:?}");
        assert!(!program.data().join("orderbell.db-wal").exists(), "everything is in the one file");
    }
    Ok(())
}

#[tokio::test]
async fn a_server_under_nohup_outlives_its_terminal() -> Result<()> {
    let nohup = vec!["sh".into(), "-c".into(), "trap '' HUP; exec \"$@\"".into(), "sh".into()];
    let mut program = Program::start_in(new_home()?, Vec::new(), nohup).await?;
    process::signal(program.id(), Signal::HUP);
    process::signal(program.id(), Signal::PIPE);
    program.stranger()?.place_order("John Doe", "Wireless Mouse").await?;
    assert!(program.terminate().await?.success());
    assert!(!program.log().contains("told again"));
    Ok(())
}

#[tokio::test]
async fn told_twice_it_ends_at_once_and_loses_nothing_that_it_acknowledged() -> Result<()> {
    for (first, second) in
        [(Signal::TERM, Signal::TERM), (Signal::INT, Signal::INT), (Signal::HUP, Signal::INT)]
    {
        let mut program = Program::start(Vec::new()).await?;
        let order = program.stranger()?.place_order("John Doe", "Wireless Mouse").await?;
        let line = half_a_request(&program).await?;
        process::signal(program.id(), first);
        refuses(&program).await?;
        assert_eq!(program.end(second).await?.code(), Some(1), "{first:?} and {second:?}");
        assert!(program.log().contains("told again to end"), "{}", program.log());
        drop(line);
        program.restart().await?;
        program.client()?.order(&order).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_terminal_that_says_twice_that_it_closes_ends_it_in_good_order() -> Result<()> {
    for first in [Signal::HUP, Signal::TERM] {
        let mut program = Program::start(Vec::new()).await?;
        let line = half_a_request(&program).await?;
        process::signal(program.id(), first);
        refuses(&program).await?;
        assert!(program.end(Signal::HUP).await?.success(), "{first:?}: {}", program.log());
        drop(line);
    }
    Ok(())
}

#[tokio::test]
async fn a_request_that_never_ends_holds_up_the_end_for_a_bounded_time() -> Result<()> {
    let mut program = Program::start(Vec::new()).await?;
    let line = half_a_request(&program).await?;
    assert!(program.terminate().await?.success());
    drop(line);
    Ok(())
}

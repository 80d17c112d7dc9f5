//! The program, run as Lambda runs it: as a child process that asks a Runtime API for its events.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::disallowed_methods, reason = "the program under test has the real time too")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, SystemTime};

use serde_json::Value;

/// How long anything may take here.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A function that runs.
pub(crate) struct Function {
    child: Child,
    events: Sender<Value>,
    answers: Receiver<(Kind, Value)>,
    lines: Arc<Mutex<Vec<Value>>>,
}

/// Where an answer was posted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The answer of an invocation.
    Response,
    /// An invocation failed.
    Error,
    /// The program could not start.
    InitError,
}

impl Function {
    /// Starts the program with these variables and with none of this process's own.
    pub(crate) fn start(variables: &[(&str, &str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (events, to_come) = channel();
        let (answering, answers) = channel();
        thread::spawn(move || serve(&listener, &Arc::new(Mutex::new(to_come)), &answering));
        let mut child = Command::new(env!("CARGO_BIN_EXE_bootstrap"))
            .env_clear()
            .envs([
                ("AWS_LAMBDA_RUNTIME_API", address.as_str()),
                ("AWS_LAMBDA_FUNCTION_NAME", "orderbell-test"),
            ])
            .envs([("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"), ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")])
            .envs([
                ("AWS_REGION", "us-east-1"),
                ("AWS_ACCESS_KEY_ID", "test"),
                ("AWS_SECRET_ACCESS_KEY", "test"),
            ])
            .envs(variables.iter().copied())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (output, lines) = (child.stdout.take().unwrap(), Arc::default());
        let read: Arc<Mutex<Vec<Value>>> = Arc::clone(&lines);
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                read.lock().unwrap().push(serde_json::from_str(&line).unwrap_or(Value::String(line)));
            }
        });
        Self { child, events, answers, lines }
    }

    /// Invokes it.
    pub(crate) fn invoke(&self, event: Value) -> (Kind, Value) {
        self.events.send(event).unwrap();
        self.answer()
    }

    /// What it posts next, asked or not.
    pub(crate) fn answer(&self) -> (Kind, Value) {
        self.answers.recv_timeout(TIMEOUT).expect("the function does not answer")
    }

    /// The first line of its output that is as wanted.
    pub(crate) fn line(&self, wanted: impl Fn(&Value) -> bool) -> Value {
        let start = std::time::Instant::now();
        while start.elapsed() < TIMEOUT {
            if let Some(line) = self.lines.lock().unwrap().iter().find(|line| wanted(line)) {
                return line.clone();
            }
            thread::sleep(Duration::from_millis(10));
        }
        panic!("no such line: {:?}", self.lines.lock().unwrap());
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>
fn serve(listener: &TcpListener, events: &Arc<Mutex<Receiver<Value>>>, answers: &Sender<(Kind, Value)>) {
    for connection in listener.incoming().map_while(Result::ok) {
        let (events, answers) = (Arc::clone(events), answers.clone());
        thread::spawn(move || converse(connection, &events, &answers));
    }
}

/// Answers one connection's requests; ends when the test or the program does.
fn converse(
    mut connection: TcpStream,
    events: &Mutex<Receiver<Value>>,
    answers: &Sender<(Kind, Value)>,
) -> Option<()> {
    let mut requests = BufReader::new(connection.try_clone().ok()?);
    loop {
        let (path, body) = request(&mut requests)?;
        let kind = match path.rsplit('/').take(2).collect::<Vec<_>>()[..] {
            ["next", _] => {
                let event = events.lock().ok()?.recv().ok()?.to_string();
                write!(
                    connection,
                    "HTTP/1.1 200 OK\r\n{}content-length: {}\r\n\r\n{event}",
                    about(),
                    event.len()
                )
                .ok()?;
                continue;
            }
            ["response", _] => Kind::Response,
            ["error", "init"] => Kind::InitError,
            _ => Kind::Error,
        };
        write!(connection, "HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n").ok()?;
        answers.send((kind, serde_json::from_slice(&body).ok()?)).ok()?;
    }
}

/// The headers of an event, which has half a minute.
fn about() -> String {
    let deadline = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap() + TIMEOUT;
    format!(
        "lambda-runtime-aws-request-id: 8f5e1b52-lambda\r\nlambda-runtime-deadline-ms: {}\r\n\
         lambda-runtime-trace-id: Root=1-5bef4de7;Sampled=0\r\n\
         lambda-runtime-invoked-function-arn: arn:aws:lambda:us-east-1:123456789012:function:orderbell-test\r\n",
        deadline.as_millis()
    )
}

/// The path and the body of the next request.
pub(crate) fn request(connection: &mut BufReader<TcpStream>) -> Option<(String, Vec<u8>)> {
    let mut lines = connection.by_ref().lines().map_while(Result::ok).take_while(|line| !line.is_empty());
    let path = lines.next()?.split(' ').nth(1)?.to_owned();
    let lengths = lines
        .filter_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
    let mut body = vec![0; lengths.last().unwrap_or(0)];
    connection.read_exact(&mut body).ok()?;
    Some((path, body))
}

//! The Lambda program beside a Python function of the recipe's shape: cold starts, warm latency, memory, the zip.
//!
//! The Python function puts an order and publishes it before it answers. Ours is measured as it is released, where the
//! request puts and the table's stream publishes afterwards, and built so that the request itself puts and publishes.
//!
//! Both run under AWS's Runtime Interface Emulator against the same DynamoDB Local and moto, in turns; for each start
//! the emulator itself is started anew. It starts the program when the first event comes, as Lambda does: a cold start
//! is counted from that event to its answer, and so holds the program's start, its initialisation and the event's work.

mod comparison;
mod samples;

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::Args;
use orderbell_e2e::aws::emulators;
use orderbell_e2e::aws::function::{Function, Outcome};
use orderbell_e2e::aws::stream::Stream;
use orderbell_e2e::aws::table::Table;
use orderbell_e2e::aws::topic::Topic;
use orderbell_e2e::program::Settings;
use serde_json::{Value, json};

use samples::Samples;

/// Starts of each.
const STARTS: usize = 20;
/// Warm invocations after each start.
const WARM: usize = 50;
/// Invocations before anything is counted: the emulators' own warming up is nobody's.
const WARM_UP: usize = 300;

/// What is compared.
#[derive(Args)]
pub(crate) struct Subjects {
    /// The Lambda program, built for Lambda.
    #[arg(long)]
    program: PathBuf,
    /// The same program, built with its feature `publish-in-request`.
    #[arg(long)]
    publishing_program: PathBuf,
    /// Its zip, as it is released.
    #[arg(long)]
    zip: PathBuf,
    /// The folder of `seed_function.py`.
    #[arg(long)]
    seed: PathBuf,
    /// A Python that has boto3 and Lambda's runtime client.
    #[arg(long, env = "ORDERBELL_TEST_PYTHON")]
    python: PathBuf,
}

/// What was measured of each.
#[derive(Default)]
struct Measured {
    /// The Python function.
    python: Samples,
    /// Ours where it takes an order.
    http: Samples,
    /// Ours where it takes an order and publishes it.
    publishing: Samples,
    /// Ours where it publishes what the table's stream tells of.
    stream: Samples,
}

/// Measures and prints. Timings never fail it.
///
/// # Errors
/// The emulators do not run, or a function does not do its work.
pub(crate) fn compare(subjects: &Subjects) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let measured = runtime.block_on(measure(subjects))?;
    comparison::print(&measured, fs::metadata(&subjects.zip)?.len())
}

async fn measure(subjects: &Subjects) -> Result<Measured> {
    let backend = Backend::create().await?;
    let mut records = Stream::of(&backend.table).await?;
    backend.turn(subjects, WARM_UP, &mut records, &mut Measured::default()).await?;
    let mut measured = Measured::default();
    for start in 1..=STARTS {
        eprintln!("start {start} of {STARTS}");
        backend.turn(subjects, 1 + WARM, &mut records, &mut measured).await?;
    }
    Ok(measured)
}

impl Subjects {
    fn python_function(&self) -> Vec<OsString> {
        let arguments = ["-m", "awslambdaric", "seed_function.lambda_handler"].map(OsString::from);
        [self.python.clone().into_os_string()].into_iter().chain(arguments).collect()
    }
}

/// The program as one of its parts.
fn part(program: &Path, handler: &str) -> Vec<OsString> {
    vec![program.into(), handler.into()]
}

/// The table and the topic that both use.
struct Backend {
    table: Table,
    settings: Settings,
}

impl Backend {
    async fn create() -> Result<Self> {
        let (table, topic) = (Table::create().await?, Topic::create().await?);
        let settings = vec![
            ("AWS_DEFAULT_REGION", emulators::REGION.to_owned()),
            ("AWS_ENDPOINT_URL_DYNAMODB", emulators::dynamodb()?),
            ("AWS_ENDPOINT_URL_SNS", emulators::moto()?),
            ("TABLE_NAME", table.name.clone()),
            ("TOPIC_ARN", topic.arn.clone()),
            ("ORDERBELL_TABLE", table.name.clone()),
            ("ORDERBELL_TABLE_KEY", table.key.clone()),
            ("ORDERBELL_TOPIC_ARN", topic.arn),
            ("ORDERBELL_INTAKE", "open".to_owned()),
            // The program that is released knows nothing of it.
            ("ORDERBELL_PUBLISH_IN_REQUEST", "yes".to_owned()),
        ];
        Ok(Self { table, settings })
    }

    /// Starts each once, and hands it so many orders.
    async fn turn(
        &self,
        subjects: &Subjects,
        count: usize,
        records: &mut Stream,
        to: &mut Measured,
    ) -> Result<()> {
        let (orders, here) = (vec![order(); count], Path::new("."));
        self.run(&subjects.python_function(), &subjects.seed, &orders, &mut to.python).await?;
        records.read().await?;

        self.run(&part(&subjects.publishing_program, "http"), here, &orders, &mut to.publishing).await?;
        let marks = records.read().await?.iter().filter(|record| record["eventName"] == "MODIFY").count();
        ensure!(marks == count, "{marks} of {count} orders were published by the requests that placed them");

        self.run(&part(&subjects.program, "http"), here, &orders, &mut to.http).await?;
        let stored: Vec<_> = records.read().await?.into_iter().map(|one| json!({"Records": [one]})).collect();
        ensure!(stored.len() == count, "{} records of {count} orders", stored.len());
        self.run(&part(&subjects.program, "stream"), here, &stored, &mut to.stream).await
    }

    /// One start: the first event is answered cold, the others warm.
    async fn run(
        &self,
        program: &[OsString],
        folder: &Path,
        events: &[Value],
        to: &mut Samples,
    ) -> Result<()> {
        let program: Vec<&OsStr> = program.iter().map(OsString::as_os_str).collect();
        let (first, others) = events.split_first().context("an event")?;
        let function = Function::launch(&program, folder, &self.settings)?;
        function.wait_until_it_listens().await?;
        to.cold.push(time(&function, first).await?);
        for event in others {
            to.warm.push(time(&function, event).await?);
        }
        to.peak.push(function.peak_memory()?);
        Ok(())
    }
}

/// How long an event takes to be answered.
async fn time(function: &Function, event: &Value) -> Result<Duration> {
    let start = Instant::now();
    let outcome = function.invoke(event).await?;
    let time = start.elapsed();
    check(&outcome)?;
    Ok(time)
}

/// The recipe's test event.
fn order() -> Value {
    json!({"body": r#"{"customerName": "John Doe", "productName": "Wireless Mouse"}"#})
}

/// An order that was placed, or a batch without failures.
fn check(outcome: &Outcome) -> Result<()> {
    let answer = outcome.clone().answer()?;
    let good = answer["statusCode"] == 200 || answer["batchItemFailures"] == json!([]);
    ensure!(good, "the function did not do its work: {answer}");
    Ok(())
}

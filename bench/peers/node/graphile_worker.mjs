// Orders on PostgreSQL, told by graphile-worker: a job for each subscriber, queued in the order's own transaction.
// `node graphile_worker.mjs take` takes orders, `node graphile_worker.mjs tell` works on the jobs.

import pg from "pg";
import { Logger, run, runMigrations } from "graphile-worker";
import { AT_ONCE, endpoints, serve, tell } from "./service.mjs";

const PLACE = `
  WITH placed AS (
    INSERT INTO orders (id, order_time, customer, product) VALUES ($1, $2, $3, $4) RETURNING id
  ), queued AS (
    SELECT graphile_worker.add_job('tell', json_build_object('endpoint', endpoint, 'order', $5::json))
    FROM unnest($6::text[]) AS endpoint
  )
  SELECT (SELECT count(*) FROM placed), (SELECT count(*) FROM queued)`;

const quiet = new Logger(() => (level, message) => {
  if (level === "error") {
    console.error(message);
  }
});

function connect(max) {
  const pool = new pg.Pool({ max });
  pool.on("error", console.error);
  pool.on("connect", (client) => client.on("error", console.error));
  return pool;
}

async function take() {
  const pool = connect(AT_ONCE);
  await runMigrations({ pgPool: pool, logger: quiet });
  await pool.query(
    "CREATE TABLE orders (id uuid PRIMARY KEY, order_time timestamptz, customer text, product text)",
  );
  serve(({ orderId, orderTime, customerName, productName }) => {
    const order = JSON.stringify({ orderId, orderTime, customerName, productName });
    const values = [orderId, orderTime, customerName, productName, order, endpoints];
    return pool.query({ name: "place", text: PLACE, values });
  });
}

async function work() {
  const preset = {
    worker: {
      concurrentJobs: AT_ONCE,
      maxPoolSize: AT_ONCE + 2,
      // Jobs are fetched and completed in batches, as its manual advises where very many come.
      localQueue: { size: 4 * AT_ONCE },
      completeJobBatchDelay: 0,
    },
  };
  await run({
    preset,
    pgPool: connect(AT_ONCE + 2),
    logger: quiet,
    noHandleSignals: true,
    taskList: { tell: ({ endpoint, order }) => tell(endpoint, order) },
  });
  console.log("http://127.0.0.1:0/");
}

await (process.argv[2] === "tell" ? work() : take());

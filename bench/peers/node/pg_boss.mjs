// Orders on PostgreSQL, told by pg-boss: a job for each subscriber, queued in the order's own transaction.
// `node pg_boss.mjs take` takes orders, `node pg_boss.mjs tell` works on the jobs.

import pg from "pg";
import { PgBoss } from "pg-boss";
import { AT_ONCE, endpoints, serve, tell } from "./service.mjs";

const QUEUE = "tell";
/** How many jobs its one worker fetches and completes at a time. That was faster here than several with less each. */
const BATCH = 4 * AT_ONCE;

async function start(options) {
  const boss = new PgBoss({ host: process.env.PGHOST, max: AT_ONCE, useListenNotify: true, ...options });
  boss.on("error", console.error);
  await boss.start();
  await boss.createQueue(QUEUE, { notify: true });
  return boss;
}

async function take() {
  const pool = new pg.Pool({ max: AT_ONCE });
  await pool.query(
    "CREATE TABLE orders (id uuid PRIMARY KEY, order_time timestamptz, customer text, product text)",
  );
  const boss = await start({ supervise: false });
  serve(async (order) => {
    const client = await pool.connect();
    try {
      await client.query("BEGIN");
      await client.query({
        name: "place",
        text: "INSERT INTO orders (id, order_time, customer, product) VALUES ($1, $2, $3, $4)",
        values: [order.orderId, order.orderTime, order.customerName, order.productName],
      });
      if (endpoints.length > 0) {
        const db = { executeSql: (text, values) => client.query(text, values) };
        const jobs = endpoints.map((endpoint) => ({ data: { endpoint, order } }));
        await boss.insert(QUEUE, jobs, { db, returnId: false });
      }
      await client.query("COMMIT");
      client.release();
    } catch (error) {
      client.release(error);
      throw error;
    }
  });
}

async function work() {
  const boss = await start({});
  const options = { batchSize: BATCH, burstWhenBatchFull: true, pollingIntervalSeconds: 0.5 };
  await boss.work(QUEUE, options, (jobs) =>
    Promise.all(jobs.map(({ data: { endpoint, order } }) => tell(endpoint, order))),
  );
  console.log("http://127.0.0.1:0/");
}

await (process.argv[2] === "tell" ? work() : take());

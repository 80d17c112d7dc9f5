// What the services on PostgreSQL have in common: the route that takes an order, and the webhook that tells of it.

import http from "node:http";
import { randomUUID } from "node:crypto";

/** Who is told of each order. */
export const endpoints = (process.env.PEER_ENDPOINTS ?? "").split(",").filter((endpoint) => endpoint !== "");

/** How many webhooks are on their way at a time. */
export const AT_ONCE = 16;

const agent = new http.Agent({ keepAlive: true, maxSockets: AT_ONCE });

/** Serves `POST /create-order` on a free port of the loopback interface; an order is answered once `place` has stored it. */
export function serve(place) {
  const server = http.createServer((request, response) => {
    const parts = [];
    request.on("data", (part) => parts.push(part));
    request.on("end", () => {
      answer(place, Buffer.concat(parts)).then(([status, body]) => {
        const text = JSON.stringify(body);
        response.writeHead(status, {
          "content-type": "application/json",
          "content-length": Buffer.byteLength(text),
        });
        response.end(text);
      });
    });
  });
  server.keepAliveTimeout = 60_000;
  server.listen(0, "127.0.0.1", 1_024, () => console.log(`http://127.0.0.1:${server.address().port}/`));
}

async function answer(place, bytes) {
  try {
    const { customerName, productName } = JSON.parse(bytes);
    if (!customerName || !productName) {
      return [400, { error: "Missing customerName or productName" }];
    }
    const order = { orderId: randomUUID(), orderTime: now(), customerName, productName };
    await place(order);
    return [200, { message: "Order placed successfully", orderId: order.orderId }];
  } catch (error) {
    console.error(error);
    return [500, { error: String(error) }];
  }
}

/** The time with its microseconds, which a `Date` has not. */
function now() {
  const micros = Math.round((performance.timeOrigin + performance.now()) * 1_000);
  const seconds = new Date(Math.floor(micros / 1_000)).toISOString().slice(0, -1);
  return `${seconds}${String(micros % 1_000).padStart(3, "0")}Z`;
}

/** Posts the order to the endpoint; fails unless it is answered with success. */
export function tell(endpoint, order) {
  const body = JSON.stringify({ type: "order.created", timestamp: order.orderTime, data: order });
  const headers = {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
    "webhook-id": order.orderId,
  };
  return new Promise((told, failed) => {
    const request = http.request(endpoint, { method: "POST", agent, headers }, (response) => {
      response.resume();
      response.on("end", () => {
        if (response.statusCode >= 200 && response.statusCode < 300) {
          told();
        } else {
          failed(new Error(`${endpoint} answered ${response.statusCode}`));
        }
      });
    });
    request.on("error", failed);
    request.end(body);
  });
}

"""The recipe's shape on one machine: FastAPI stores the order in SQLite, answers, and tells in a background task.

A notification that fails or is cut short is lost: nothing is kept of what is still to be told.
"""

import os
import sqlite3
import threading
import uuid
from datetime import datetime, timezone

import httpx
from fastapi import BackgroundTasks, FastAPI
from fastapi.responses import JSONResponse

ENDPOINTS = [endpoint for endpoint in os.environ.get("PEER_ENDPOINTS", "").split(",") if endpoint]

app = FastAPI()
client = httpx.Client(limits=httpx.Limits(max_connections=64, max_keepalive_connections=64))
# SQLite has one writer at a time, whoever waits for it; this way nobody is told that it is busy.
store = sqlite3.connect("orders.db", check_same_thread=False, isolation_level=None)
turn = threading.Lock()
store.execute("PRAGMA journal_mode = WAL")
store.execute("PRAGMA synchronous = FULL")
store.execute("CREATE TABLE orders (order_id TEXT PRIMARY KEY, order_time TEXT, customer TEXT, product TEXT)")


def tell(order):
    message = {"type": "order.created", "timestamp": order["orderTime"], "data": order}
    for endpoint in ENDPOINTS:
        client.post(endpoint, json=message).raise_for_status()


@app.post("/create-order")
def create_order(body: dict, background: BackgroundTasks):
    customer, product = body.get("customerName"), body.get("productName")
    if not customer or not product:
        return JSONResponse({"error": "Missing customerName or productName"}, 400)
    order_id, order_time = str(uuid.uuid4()), datetime.now(timezone.utc).isoformat()
    with turn:
        store.execute("INSERT INTO orders VALUES (?, ?, ?, ?)", (order_id, order_time, customer, product))
    if ENDPOINTS:
        order = {"orderId": order_id, "orderTime": order_time, "customerName": customer, "productName": product}
        background.add_task(tell, order)
    return {"message": "Order placed successfully", "orderId": order_id}

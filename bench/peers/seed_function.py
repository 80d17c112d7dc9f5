"""A function of the recipe's shape for the comparison: it checks two names, puts the order, publishes it, answers.

Its clients are made once, outside the handler, as AWS advises.
"""

import json
import os
import uuid
from datetime import datetime, timezone

import boto3

ORDERS = boto3.resource("dynamodb").Table(os.environ["TABLE_NAME"])
TOPIC = boto3.client("sns")
TOPIC_ARN = os.environ["TOPIC_ARN"]


def answer(status, body):
    return {"statusCode": status, "body": json.dumps(body)}


def lambda_handler(event, _context):
    body = event.get("body")
    order = json.loads(body) if isinstance(body, str) else body or {}
    customer, product = order.get("customerName"), order.get("productName")
    if not customer or not product:
        return answer(400, {"error": "Missing customerName or productName"})
    order_id = str(uuid.uuid4())
    ORDERS.put_item(
        Item={
            "orderId": order_id,
            "customerName": customer,
            "productName": product,
            "orderTime": datetime.now(timezone.utc).isoformat(),
        }
    )
    text = f"📦 New Order Received!\nOrder ID: {order_id}\nCustomer: {customer}\nProduct: {product}"
    TOPIC.publish(TopicArn=TOPIC_ARN, Subject="New Order Notification", Message=text)
    return answer(200, {"message": "Order placed successfully", "orderId": order_id})

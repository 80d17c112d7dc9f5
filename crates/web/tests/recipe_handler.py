"""The recipe's handler, as its readers deploy it, with AWS's two clients standing in: it answers one body a line.

What boto3 would refuse is refused: a float, and a text that cannot be written as UTF-8.
"""

import json
import sys
import uuid
from datetime import datetime


def storable(value):
    """Fails as boto3 does while it serializes an item."""
    if isinstance(value, float):
        raise TypeError("Float types are not supported. Use Decimal types instead.")
    if isinstance(value, str):
        value.encode("utf-8")
    elif isinstance(value, dict):
        for name, member in value.items():
            storable(name)
            storable(member)
    elif isinstance(value, list):
        for element in value:
            storable(element)


class Table:
    def put_item(self, Item):
        storable(Item)


class Topic:
    message = None

    def publish(self, Message, Subject):
        Message.encode("utf-8")
        self.message = Message


table = Table()
sns = Topic()


def lambda_handler(event, context):
    try:
        body = event.get("body")
        if isinstance(body, str):
            body = json.loads(body)
        elif not isinstance(body, dict):
            body = {}

        customer_name = body.get("customerName")
        product_name = body.get("productName")

        if not customer_name or not product_name:
            return {
                "statusCode": 400,
                "body": json.dumps({"error": "Missing customerName or productName"}),
            }

        order_id = str(uuid.uuid4())
        order_time = datetime.now().isoformat()

        table.put_item(
            Item={
                "orderId": order_id,
                "customerName": customer_name,
                "productName": product_name,
                "orderTime": order_time,
            }
        )

        message = (
            f"📦 New Order Received!\n"
            f"Order ID: {order_id}\n"
            f"Customer: {customer_name}\n"
            f"Product: {product_name}"
        )

        sns.publish(Message=message, Subject="New Order Notification")

        return {
            "statusCode": 200,
            "body": json.dumps({"message": "Order placed successfully", "orderId": order_id}),
        }

    except Exception as e:
        return {"statusCode": 500, "body": json.dumps({"error": str(e)})}


for line in sys.stdin:
    sns.message = None
    answer = lambda_handler({"body": json.loads(line)}, None)
    print(json.dumps({"status": answer["statusCode"], "body": json.loads(answer["body"]), "message": sns.message}))

"use strict";

const form = document.getElementById("order-form");
const answer = document.getElementById("answer");
// What is said to people, in the page's language.
const words = form.dataset;
const button = form.querySelector("button[type=submit]");

// One key for one order: repeating an unchanged form cannot place it twice.
let idempotencyKey = null;
form.addEventListener("input", () => { idempotencyKey = null; });

function newKey() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function order() {
  const text = (name) => form.elements[name].value.trim();
  const order = { customerName: text("customerName"), productName: text("productName") };
  if (text("quantity")) order.quantity = Number(text("quantity"));
  if (text("note")) order.note = text("note");
  return order;
}

function showError(name, message) {
  const input = form.elements[name];
  const place = document.getElementById(`${name}-error`);
  if (!input || !place) return false;
  input.setAttribute("aria-invalid", "true");
  place.textContent = message.charAt(0).toUpperCase() + message.slice(1);
  place.hidden = false;
  return true;
}

function clearErrors() {
  for (const place of form.querySelectorAll(".error[id]")) place.hidden = true;
  for (const input of form.querySelectorAll("[aria-invalid]")) input.removeAttribute("aria-invalid");
}

function say(kind, message, id) {
  answer.className = `answer ${kind}`;
  answer.textContent = message;
  if (id) {
    const code = document.createElement("code");
    code.textContent = id;
    answer.append(code);
  }
}

// What can be told without asking the server.
function firstMistake() {
  const quantity = form.elements.quantity.validity;
  if (quantity.badInput || quantity.stepMismatch) return ["quantity", words.noNumber];
  if (quantity.rangeUnderflow || quantity.rangeOverflow) return ["quantity", words.outOfRange];
  const missing = ["customerName", "productName", "key"].find((name) => form.elements[name]?.value.trim() === "");
  return missing && [missing, words.missing];
}

function headers() {
  idempotencyKey ??= newKey();
  const headers = {
    "content-type": "application/json",
    "idempotency-key": idempotencyKey,
    "prefer": "handling=strict",
  };
  const key = form.elements.key?.value.trim();
  if (key) headers["x-api-key"] = key;
  return headers;
}

// The next order is another one, by the same person.
function clearOrder() {
  const key = form.elements.key?.value;
  form.reset();
  if (key) form.elements.key.value = key;
  idempotencyKey = null;
}

async function send() {
  const response = await fetch(form.action, { method: "POST", headers: headers(), body: JSON.stringify(order()) });
  const body = await response.json();
  if (response.ok) {
    say("good", words.placed, response.headers.get("short-reference") ?? body.orderId);
    clearOrder();
    return;
  }
  const field = response.status === 401 ? "key" : body.field;
  const why = response.status === 401 ? words.wrongKey : words.refused || body.error;
  const shown = field && showError(field, why);
  if (shown) form.elements[field].focus();
  const tooBusy = response.status === 429 || response.status === 503;
  say("bad", shown ? words.correctIt : tooBusy ? words.tooBusy : words.refused ? words.notPlaced : body.error ?? words.notPlaced);
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  clearErrors();
  const mistake = firstMistake();
  if (mistake) {
    showError(...mistake);
    form.elements[mistake[0]].focus();
    say("bad", words.correctIt);
    return;
  }
  button.disabled = true;
  say("", "");
  try {
    await send();
  } catch {
    say("bad", words.noAnswer);
  } finally {
    button.disabled = false;
  }
});

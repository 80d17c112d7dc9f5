"use strict";

// A ready link carries the key behind the "#", which browsers never send: take it out of the address and log in.
function logInByLink() {
  const key = new URLSearchParams(location.hash.slice(1)).get("key");
  if (!key) return;
  history.replaceState(null, "", location.pathname);
  const form = document.getElementById("login-form");
  form.elements.key.value = key;
  form.submit();
}

logInByLink();
// The link may be opened where this page is shown already.
addEventListener("hashchange", logInByLink);

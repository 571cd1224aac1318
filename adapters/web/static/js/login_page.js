// Logs in with a key, or with the one-time link that was opened.

import { api } from "./api.js";

const form = document.getElementById("login");
const said = document.getElementById("said");

async function login(proof) {
  said.textContent = "";
  try {
    await api.login(proof);
    location.replace("/");
  } catch (error) {
    said.textContent = error.message;
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  login({ key: form.elements.key.value });
});

// The link's secret is behind the #, which is never sent to a server, nor read by what makes previews of links.
const link = location.hash.slice(1);
if (link) {
  history.replaceState(null, "", location.pathname);
  login({ link });
}

// Ids that nobody else has. crypto.randomUUID exists only on https and localhost, and homes have neither.

export function newId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

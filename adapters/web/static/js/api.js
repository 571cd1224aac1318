// Talks to the server.

export class ApiError extends Error {
  constructor(status, text) {
    super(text);
    this.status = status;
  }
}

async function request(method, path, { json, data } = {}) {
  const headers = json === undefined ? { "Content-Type": "application/octet-stream" } : { "Content-Type": "application/json" };
  let response;
  try {
    response = await fetch(path, { method, headers, body: json === undefined ? data : JSON.stringify(json) });
  } catch {
    throw new ApiError(0, "hearthbot cannot be reached at the moment.");
  }
  if (response.status === 401 && location.pathname !== "/login") {
    location.replace("/login");
    return new Promise(() => {}); // the page is being left
  }
  const answer = response.headers.get("Content-Type")?.includes("json") ? await response.json() : null;
  if (!response.ok) throw new ApiError(response.status, answer?.error?.message ?? "That did not work. Please try again.");
  return answer;
}

const conversation = (thread) => `/page/conversations/${encodeURIComponent(thread)}`;

export const api = {
  login: (proof) => request("POST", "/page/login", { json: proof }),
  logout: () => request("POST", "/page/logout", { json: {} }),
  me: () => request("GET", "/page/me"),
  conversations: (search) => request("GET", `/page/conversations?search=${encodeURIComponent(search)}`),
  read: (thread) => request("GET", conversation(thread)),
  rename: (thread, title) => request("PATCH", conversation(thread), { json: { title } }),
  remove: (thread) => request("DELETE", conversation(thread)),
  say: (thread, message) => request("POST", `${conversation(thread)}/messages`, { json: message }),
  events: (thread) => `${conversation(thread)}/events`,
  upload: (file) => request("PUT", `/page/uploads?name=${encodeURIComponent(file.name)}&type=${encodeURIComponent(file.type)}`, { data: file }),
  state: () => request("GET", "/page/admin/state"),
  decide: (whom, decision) => request("POST", "/page/admin/people", { json: { whom, decision } }),
  cancel: (id) => request("POST", `/page/admin/requests/${id}/cancel`, { json: {} }),
  sessions: () => request("GET", "/page/admin/sessions"),
  endSession: (id) => request("DELETE", `/page/admin/sessions/${id}`),
  invite: (name, admin) => request("POST", "/page/admin/links", { json: { name, admin } }),
};

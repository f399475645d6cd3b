// Requests to the server, and its refusals in words.

import { sleep } from "./dom.js";

const ATTEMPTS = 4;

class Refused extends Error {
  constructor(message, mayRetry, { detail, id } = {}) {
    super(message);
    Object.assign(this, { mayRetry, detail, id });
  }
}

// The JSON the server answers; a busy one (429, 503) is asked again after the pause it wishes.
export async function ask(path, options = {}) {
  for (let attempt = 1; ; attempt += 1) {
    let response;
    try {
      response = await fetch(path, options);
    } catch {
      throw new Refused(
        "The server did not answer: it may be down, or what was sent may be too large.", true);
    }
    const busy = response.status === 429 || response.status === 503;
    if (busy && attempt < ATTEMPTS) {
      const seconds = Number(response.headers.get("Retry-After")) || attempt;
      await sleep(1000 * Math.min(seconds, 30));
      continue;
    }
    const body = await response.json().catch(() => ({}));
    if (response.ok) return body;
    const { reason, detail, request_id: id } = body;
    const mayRetry = busy || response.status >= 500;
    if (reason) {
      throw new Refused(`This photo cannot be read: ${reason}.`, mayRetry, { detail, id });
    }
    throw new Refused(detail ?? `The server answered ${response.status}.`, mayRetry, { id });
  }
}

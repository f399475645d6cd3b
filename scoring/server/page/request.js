// Requests to the server, and its errors in words.

import { sleep } from "./dom.js";

const ATTEMPTS = 4;
// The reasons of the server in everyday words, for people who do not know formats.
const REASONS = {
  "empty": "This file is empty. Choose it again, or take the photo again.",
  "not a JPEG, PNG or WEBP":
    "This is not a photo that can be opened here. It has to be a JPEG, PNG or WEBP file; phones "
    + "and photo programs can save one (a HEIC photo, for example, as JPEG).",
  "too many pixels": "This image has too many pixels. Save it smaller, at most 25 megapixels, or as JPEG up to 110.",
  "truncated": "Part of this photo is missing: it was cut off when it was saved or sent. Copy it "
    + "again from where it came.",
  "unreadable": "This photo is damaged and cannot be opened. Copy it again, or save it again.",
};
const STATUSES = {
  413: "This is too much to send at once. Choose a smaller photo.",
  429: "The server has many requests just now. Try again in a moment.",
  500: "Something went wrong on the server. Try again; if it happens again, give the request "
    + "id below to the person who runs the server.",
  503: "The server is busy. Try again in a moment.",
};

class Refused extends Error {
  constructor(message, mayRetry, { detail, id } = {}) {
    super(message);
    Object.assign(this, { mayRetry, detail, id });
  }
}

// The JSON of a response; a busy server (429, 503) gets the request again after its Retry-After.
export async function fetchJson(path, options = {}) {
  for (let attempt = 1; ; attempt += 1) {
    let response;
    try {
      response = await fetch(path, options);
    } catch {
      throw new Refused(
        "The server did not respond. Check your connection; it may also be down, or the photo too "
        + "large. Then try again.", true);
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
    const words = REASONS[reason] ?? (reason && `This photo cannot be opened: ${reason}.`)
      ?? STATUSES[response.status] ?? "The server did not accept this.";
    throw new Refused(words, mayRetry, { detail, id });
  }
}

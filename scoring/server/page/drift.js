// The state of drift, in the corner of the page.

import { fetchJson } from "./request.js";

const EVERY = 60_000; // ms
const MEANING = {
  "ok": "Recent images look like those of the test.",
  "notice": "Something has changed, by less than is tolerated or for the better.",
  "alert": "Recent images differ from those of the test: predictions may be less accurate.",
  "warming up": "There are too few predictions yet for a test.",
  "no predictions": "This model has made no predictions yet.",
  "no report yet": "Recent images have not been compared with those of the test yet.",
  "report not readable": "The last report is damaged: run make drift again.",
  "report of another model": "The last report is of another model: run make drift again.",
  "unknown": "The server gave no state.",
};

const KIND = {
  "covariate_shift": "the images have changed",
  "label_shift": "the class proportions have changed",
  "performance": "the accuracy by reported labels has dropped",
};

const corner = document.getElementById("drift");

async function show() {
  if (document.hidden) return;
  const report = await fetchJson("monitoring/drift").catch(() => ({}));
  const state = report.state ?? "unknown";
  const age = Number.isFinite(report.age_seconds) ? ` · ${ago(report.age_seconds)}` : "";
  corner.dataset.state = state;
  corner.querySelector(".state").textContent = `Drift: ${state}${age}`;
  corner.querySelector(".meaning").textContent = meaning(state, report);
}

// An alert stays until it is acknowledged.
function meaning(state, { alert, performance, expected_accuracy: expected }) {
  const words = [MEANING[state] ?? MEANING.unknown];
  if (alert?.kind && alert.detected_at) {
    const when = new Date(`${alert.detected_at}Z`);
    const day = Number.isNaN(when.getTime()) ? alert.detected_at : when.toLocaleString("en");
    words.push(`Detected on ${day}: ${KIND[alert.kind] ?? alert.kind}.`);
    words.push("The alert stays until it is acknowledged.");
  }
  if (performance?.status) words.push(`Accuracy by reported labels: ${performance.status}.`);
  if (Number.isFinite(expected?.estimate)) {
    const [estimate, low, high] = [expected.estimate, expected.low, expected.high].map(percent);
    words.push(`Expected accuracy of the newest images: ${estimate} % (${low} to ${high}).`);
  }
  return words.join(" ");
}

function percent(share) {
  return Math.round(100 * share);
}

function ago(seconds) {
  const [size, unit] = [[86400, "day"], [3600, "hour"], [60, "minute"], [1, "second"]]
    .find(([size]) => seconds >= size) ?? [1, "second"];
  const words = new Intl.RelativeTimeFormat("en", { numeric: "auto", style: "short" });
  return words.format(-Math.floor(seconds / size), unit);
}

addEventListener("visibilitychange", show);
setInterval(show, EVERY);
show();

// The corner that says whether the photos of late still look like those of the test.

import { ask } from "./ask.js";

const EVERY = 60_000; // ms
const MEANING = {
  "ok": "The photos of late look like those the model was tested on.",
  "notice": "Something has moved, but not by more than is tolerated, or for the better.",
  "alert": "The photos of late differ from those the model was tested on: trust answers less.",
  "warming up": "There are too few photos yet to tell.",
  "no predictions": "This model has not been asked about any photo yet.",
  "no report yet": "Nobody has compared the photos of late with those of the test yet.",
  "report not readable": "The last report is damaged: write it anew.",
  "report of another model": "Nobody has looked at this model since it took over.",
  "unknown": "The server did not say more.",
};

const corner = document.getElementById("drift");

async function show() {
  if (document.hidden) return;
  const report = await ask("monitoring/drift").catch(() => ({}));
  const state = report.state ?? "unknown";
  const age = Number.isFinite(report.age_seconds) ? ` · ${ago(report.age_seconds)}` : "";
  corner.dataset.state = state;
  corner.querySelector(".state").textContent = `Drift: ${state}${age}`;
  corner.querySelector(".meaning").textContent = meaning(state, report);
}

// An alert stays until it is acknowledged: show its kind and time, and the performance check.
function meaning(state, { alert, performance }) {
  const said = [MEANING[state] ?? MEANING.unknown];
  if (alert?.kind && alert.detected_at) {
    const when = new Date(`${alert.detected_at}Z`);
    const day = Number.isNaN(when.getTime()) ? alert.detected_at : when.toLocaleString("en");
    said.push(`Detected on ${day}: ${alert.kind}.`);
    said.push("The alert stays until it is acknowledged.");
  }
  if (performance?.status) said.push(`Accuracy by reported labels: ${performance.status}.`);
  return said.join(" ");
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

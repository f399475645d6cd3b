// The page of the scorer: one card and one request for each image.

import { fetchJson } from "./request.js";
import { preview, showPrediction, showError, summarize } from "./card.js";
import "./drift.js";

const PARALLEL = 2;
const TITLE = document.title;

const byId = (id) => document.getElementById(id);
const queue = [];
const count = { requested: 0, completed: 0, failed: 0, running: 0 };

function showProgress(words = "") {
  const done = count.completed + count.failed;
  const busy = done < count.requested;
  byId("bar").hidden = !busy;
  byId("bar").max = Math.max(count.requested, 1);
  byId("bar").value = done;
  if (busy) {
    byId("status").textContent = `Looking at photo ${done + 1} of ${count.requested}…`;
    document.title = `${done + 1} of ${count.requested} · ${TITLE}`;
    return;
  }
  const failed = count.failed ? `, ${count.failed} not` : "";
  byId("status").textContent =
    count.requested === 1 ? words : `${count.completed} photos classified${failed}.`;
  document.title = `${byId("status").textContent} ${TITLE}`;
  Object.assign(count, { requested: 0, completed: 0, failed: 0 });
}

async function score({ file, card }) {
  const form = new FormData();
  form.append("file", file);
  card.dataset.state = "scoring";
  card.querySelector(".waiting").textContent = "Looking…";
  preview(card.querySelector(".photo"), file);
  try {
    const response = await fetchJson("predict", { method: "POST", body: form });
    showPrediction(card, response);
    count.completed += 1;
    return `${file.name}: ${summarize(response.predictions[0])}`;
  } catch (error) {
    showError(card, error);
    count.failed += 1;
    return `${file.name}: ${error.message}`;
  }
}

async function work() {
  if (count.running >= PARALLEL || !queue.length) return;
  count.running += 1;
  while (queue.length) showProgress(await score(queue.shift()));
  count.running -= 1;
}

function enqueue(file, card) {
  card.querySelector(".failed").hidden = true;
  card.dataset.state = "waiting";
  count.requested += 1;
  queue.push({ file, card });
  showProgress();
  work();
}

function add(files) {
  const pairs = [...files].map((file) => {
    const card = byId("card").content.firstElementChild.cloneNode(true);
    card.querySelector(".file").textContent = file.name;
    card.querySelector(".photo").setAttribute("aria-label", `Your photo ${file.name}`);
    card.querySelector(".again").addEventListener("click", () => enqueue(file, card));
    return [file, card];
  });
  byId("predictions").prepend(...pairs.map(([, card]) => card));
  pairs.forEach(([file, card]) => enqueue(file, card));
}

for (const input of [byId("photos"), byId("camera")]) {
  input.addEventListener("change", () => {
    add(input.files);
    input.value = ""; // the same photo may be chosen again
  });
}
addEventListener("paste", (event) => add(event.clipboardData.files));
addEventListener("dragover", (event) => {
  event.preventDefault();
  byId("upload").classList.add("over");
});
addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) byId("upload").classList.remove("over");
});
addEventListener("drop", (event) => {
  event.preventDefault();
  byId("upload").classList.remove("over");
  add(event.dataTransfer.files);
});

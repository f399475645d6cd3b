// The card of one image: picture, bars, label, feedback, or the error.

import { fetchJson } from "./request.js";
import { copyOnClick, element } from "./dom.js";

const PREVIEW = 640; // pixels across

export function percent(share) {
  if (share > 0 && share < 0.01) return "< 1%";
  if (share > 0.99 && share < 1) return "> 99%";
  return `${Math.round(share * 100)}%`;
}

function findDoubt({ confident, typical }) {
  if (typical === false) return "Like none of the classes";
  return confident === false ? "Not sure" : "";
}

function hedge(prediction) {
  const doubt = findDoubt(prediction);
  if (doubt) return `${doubt}. Perhaps`;
  return prediction.confidence >= 0.9 ? "Almost surely" : "Probably";
}

export function summarize(prediction) {
  const doubt = findDoubt(prediction).toLowerCase();
  const words = doubt ? `${doubt}, perhaps ${prediction.label}` : prediction.label;
  return `${words}, ${percent(prediction.confidence)} likely.`;
}

export async function preview(canvas, file) {
  try {
    const picture = await createImageBitmap(file, { resizeWidth: PREVIEW });
    canvas.width = picture.width;
    canvas.height = picture.height;
    canvas.getContext("2d").drawImage(picture, 0, 0);
    picture.close();
  } catch {
    canvas.classList.add("unreadable"); // the server gives the reason
  }
}

function drawBars(list, probabilities, label) {
  for (const [name, share] of Object.entries(probabilities)) {
    const row = element("li", name === label ? "best" : "");
    const track = element("span", "track");
    const fill = element("span", "fill");
    track.setAttribute("aria-hidden", "true");
    fill.style.width = `${100 * share}%`;
    track.append(fill);
    row.append(element("span", "name", name), track, element("span", "share", percent(share)));
    list.append(row);
  }
}

function requestFeedback(card, response, prediction) {
  const thanks = card.querySelector(".thanks");
  const buttons = Object.keys(prediction.probabilities).map((name) => {
    const button = element("button", name === prediction.label ? "guess" : "", name);
    button.type = "button";
    button.setAttribute("aria-pressed", "false");
    button.addEventListener("click", async () => {
      try {
        await fetchJson("feedback", {
          method: "POST",
          headers: { "Content-Type": "application/json" },
          body: JSON.stringify({ request_id: response.request_id, true_label: name }),
        });
        buttons.forEach((other) => other.setAttribute("aria-pressed", String(other === button)));
        thanks.textContent = `Recorded as ${name}. Thank you.`;
      } catch (error) {
        thanks.textContent = `Not recorded. ${error.message}`;
      }
    });
    return button;
  });
  card.querySelector(".classes").append(...buttons);
}

export function showPrediction(card, response) {
  const [prediction] = response.predictions;
  const tagged = response.model_version && response.model_version !== "untagged";
  card.querySelector(".hedge").textContent = hedge(prediction);
  card.querySelector(".label").textContent = prediction.label;
  card.querySelector(".confidence").textContent = `${percent(prediction.confidence)} likely`;
  card.querySelector(".doubt").hidden = prediction.confident !== false;
  card.querySelector(".unlike").hidden = prediction.typical !== false;
  card.classList.toggle("uncertain", findDoubt(prediction) !== "");
  card.querySelector(".model").textContent = tagged
    ? `Model ${response.model_version}, ${response.model_role}`
    : `Untagged model, on trial (${response.model_role})`;
  card.querySelector(".model").classList.toggle("untagged", !tagged);
  drawBars(card.querySelector(".bars"), prediction.probabilities, prediction.label);
  requestFeedback(card, response, prediction);
  card.querySelector(".id").textContent = response.request_id;
  copyOnClick(
    card.querySelector(".copy"), card.querySelector(".id"), card.querySelector(".copied"));
  card.querySelector(".result").hidden = false;
  card.dataset.state = "completed";
}

export function showError(card, error) {
  const id = error.id && `Request ${error.id}`;
  card.querySelector(".error").textContent = error.message;
  card.querySelector(".detail").textContent = [error.detail, id].filter(Boolean).join(" · ");
  card.querySelector(".again").hidden = !error.mayRetry;
  card.querySelector(".failed").hidden = false;
  card.dataset.state = "failed";
}

// One photo's card: picture, bars, verdict, feedback, or why there is none.

import { ask } from "./ask.js";
import { copyOnClick, element } from "./dom.js";

const PREVIEW = 640; // pixels across

export function percent(share) {
  if (share > 0 && share < 0.01) return "< 1%";
  if (share > 0.99 && share < 1) return "> 99%";
  return `${Math.round(share * 100)}%`;
}

function hedge({ sure, confidence }) {
  if (sure === false) return "Not sure. Perhaps";
  return confidence >= 0.9 ? "Almost surely" : "Probably";
}

export function verdict(answer) {
  const { label, confidence, sure } = answer;
  const told = sure === false ? `not sure, perhaps ${label}` : label;
  return `${told}, ${percent(confidence)} likely.`;
}

export async function preview(canvas, file) {
  try {
    const picture = await createImageBitmap(file, { resizeWidth: PREVIEW });
    canvas.width = picture.width;
    canvas.height = picture.height;
    canvas.getContext("2d").drawImage(picture, 0, 0);
    picture.close();
  } catch {
    canvas.classList.add("unreadable"); // the server says why
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

function askFeedback(card, answer) {
  const thanks = card.querySelector(".thanks");
  const buttons = Object.keys(answer.probabilities).map((name) => {
    const button = element("button", name === answer.label ? "guess" : "", name);
    button.type = "button";
    button.setAttribute("aria-pressed", "false");
    button.addEventListener("click", async () => {
      try {
        await ask("feedback", {
          method: "POST",
          headers: { "Content-Type": "application/json" },
          body: JSON.stringify({ request_id: answer.request_id, true_label: name }),
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

export function showAnswer(card, answer) {
  const tagged = answer.model_version && answer.model_version !== "untagged";
  card.querySelector(".hedge").textContent = hedge(answer);
  card.querySelector(".label").textContent = answer.label;
  card.querySelector(".confidence").textContent = `${percent(answer.confidence)} likely`;
  card.querySelector(".doubt").hidden = answer.sure !== false;
  card.classList.toggle("unsure", answer.sure === false);
  card.querySelector(".model").textContent = tagged
    ? `Model ${answer.model_version}, ${answer.model_used}`
    : `Untagged model, on trial (${answer.model_used})`;
  card.querySelector(".model").classList.toggle("untagged", !tagged);
  drawBars(card.querySelector(".bars"), answer.probabilities, answer.label);
  askFeedback(card, answer);
  card.querySelector(".id").textContent = answer.request_id;
  copyOnClick(
    card.querySelector(".copy"), card.querySelector(".id"), card.querySelector(".copied"));
  card.querySelector(".answer").hidden = false;
  card.dataset.state = "answered";
}

export function showError(card, error) {
  const id = error.id && `Request ${error.id}`;
  card.querySelector(".error").textContent = error.message;
  card.querySelector(".detail").textContent = [error.detail, id].filter(Boolean).join(" · ");
  card.querySelector(".again").hidden = !error.mayRetry;
  card.querySelector(".failed").hidden = false;
  card.dataset.state = "failed";
}

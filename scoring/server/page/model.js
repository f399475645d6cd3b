// What the page shows of the model: its classes, the title, and whether it is released.

import { fetchJson } from "./request.js";
import { element } from "./dom.js";

// Classes with a drawn example; a model with any other class is no classifier of flowers.
const FLOWERS = new Set(["Lilly", "Lotus", "Orchid", "Sunflower", "Tulip"]);
const OTHER_TITLE = "Image classifier";
let heading = document.title;

// The title of the page, to which page.js adds what happens.
export const title = () => heading;

function item(name) {
  const made = element("li", "kind");
  if (FLOWERS.has(name)) {
    const picture = element("img");
    Object.assign(picture, { src: `static/examples/${name}.webp`, alt: "", width: 96, height: 96 });
    made.append(picture);
  }
  made.append(element("span", "name", name));
  return made;
}

function showClasses(classes) {
  const flowers = classes.every((name) => FLOWERS.has(name));
  if (!flowers) {
    heading = OTHER_TITLE;
    document.title = OTHER_TITLE;
    document.querySelector("h1").textContent = OTHER_TITLE;
    document.querySelector("meta[name=description]").content =
      `Classify an image: ${classes.join(", ")}.`;
    document.querySelector(".brand span").textContent = "classifier";
    document.getElementById("card").content.querySelector("legend").textContent =
      "Was this right? Choose the class it shows.";
  }
  document.getElementById("kinds").append(...classes.map(item));
  document.getElementById("known").textContent =
    `It knows these ${classes.length} ${flowers ? "flowers" : "classes"}:`;
  document.getElementById("known").parentElement.hidden = false;
}

async function show() {
  const model = await fetchJson("version").catch(() => null);
  if (!model) return; // the first image will show the error
  showClasses(model.classes);
  document.getElementById("untagged").hidden = model.model_version !== "untagged";
}

show();

// What is shown before the first photo: the flowers the model knows, and whether it is promoted.

import { ask } from "./ask.js";
import { element } from "./dom.js";

// Classes with a drawn example; those of other photo sets have their name alone.
const DRAWN = new Set(["Lilly", "Lotus", "Orchid", "Sunflower", "Tulip"]);

function kind(name) {
  const item = element("li", "kind");
  if (DRAWN.has(name)) {
    const picture = element("img");
    Object.assign(picture, { src: `static/examples/${name}.webp`, alt: "", width: 96, height: 96 });
    item.append(picture);
  }
  item.append(element("span", "name", name));
  return item;
}

async function show() {
  const model = await ask("version").catch(() => null);
  if (!model) return; // the first photo will say what is wrong
  document.getElementById("kinds").append(...model.classes.map(kind));
  document.getElementById("known").textContent = `It knows these ${model.classes.length} flowers:`;
  document.getElementById("known").parentElement.hidden = false;
  document.getElementById("untagged").hidden = model.model_version !== "untagged";
}

show();

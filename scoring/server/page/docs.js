// The OpenAPI description as a page.

import { fetchJson } from "./request.js";
import { element } from "./dom.js";

let description;

const resolve = (node) => node?.$ref
  ? { ...node.$ref.split("/").slice(1).reduce((at, key) => at[key], description), ...node }
  : node;

// Text in which `a name` becomes a code element.
function prose(tag, text) {
  const made = element(tag);
  made.append(...text.split("`").map((part, index) => index % 2 ? element("code", "", part) : part));
  return made;
}

function table(head, rows) {
  const made = element("table");
  for (const [index, cells] of [head, ...rows].entries()) {
    const row = element("tr");
    row.append(...cells.map((text) => prose(index ? "td" : "th", text)));
    made.append(row);
  }
  return made;
}

function content(message) {
  return Object.entries(message.content ?? {}).flatMap(([type, { example, schema }]) => {
    const parts = [element("p", "type", type)];
    const shown = example ?? resolve(schema)?.properties;
    if (shown) parts.push(element("pre", "", JSON.stringify(shown, null, 2).replaceAll("`", "")));
    return parts;
  });
}

function showOperation(path, method, operation) {
  const section = element("details", "operation");
  section.dataset.path = path;
  const summary = element("summary");
  summary.append(
    element("code", "", `${method.toUpperCase()} ${path}`), prose("span", operation.summary));
  section.append(summary, prose("p", operation.description ?? ""));
  if (operation.requestBody) {
    section.append(element("h3", "", "Request"), ...content(operation.requestBody));
  }
  const parameters = (operation.parameters ?? []).map(resolve);
  section.append(table(["parameter", "in", "meaning"],
    parameters.map((one) => [one.name, one.in, one.description ?? ""])));
  const responses = Object.entries(operation.responses).map(([code, one]) => [code, resolve(one)]);
  section.append(element("h3", "", "Responses"), table(["status", "meaning"],
    responses.map(([code, one]) => [code, one.description])));
  for (const [code, one] of responses) {
    if (code.startsWith("2")) section.append(...content(one));
  }
  return section;
}

description = await fetchJson("openapi.json");
document.title = `${description.info.title} · API`;
document.getElementById("description").append(prose("span", description.info.description));
document.getElementById("operations").append(
  ...Object.entries(description.paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, one]) => showOperation(path, method, one))));

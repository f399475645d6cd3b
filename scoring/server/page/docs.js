// openapi.json as a page to read: each operation with its fields, answers and a curl command.

import { element, copyOnClick } from "./dom.js";

const METHODS = ["get", "post", "put", "patch", "delete"];
const byId = (id) => document.getElementById(id);

// A part of the document, wherever it stands: {"$ref": "#/components/..."} is followed.
function resolve(api, part = {}) {
  if (!part.$ref) return part;
  return resolve(api, part.$ref.split("/").slice(1).reduce((at, key) => at[key], api));
}

// `code` between backticks: with paragraphs all the Markdown that openapi.json uses.
function inline(text) {
  return text.split("`").map((piece, i) => (i % 2 ? element("code", "", piece) : piece));
}

function prose(text = "") {
  return text.split(/\n\s*\n/).filter(Boolean).map((paragraph) => {
    const p = element("p");
    p.append(...inline(paragraph));
    return p;
  });
}

function typeName(api, schema) {
  const { type, format, items, enum: choices, oneOf, anyOf, $ref } = resolve(api, schema);
  if (choices) return choices.join(" | ");
  if (oneOf || anyOf) return (oneOf ?? anyOf).map((one) => typeName(api, one)).join(" or ");
  if (items) return `list of ${typeName(api, items)}`;
  const name = [type].flat().filter(Boolean).join(" or ") || "anything";
  return format ? `${name}, ${format}` : name;
}

// What a body of this schema may look like, where the document gives no example itself.
function sample(api, schema) {
  const { example, examples, const: fixed, default: usual, enum: choices, ...rest } =
    resolve(api, schema);
  const given = example ?? examples?.[0] ?? fixed ?? usual ?? choices?.[0];
  if (given !== undefined) return given;
  if (rest.allOf) return Object.assign({}, ...rest.allOf.map((one) => sample(api, one)));
  const variant = (rest.oneOf ?? rest.anyOf)?.[0];
  if (variant) return sample(api, variant);
  if (rest.items) return [sample(api, rest.items)];
  if (rest.properties) {
    return Object.fromEntries(
      Object.entries(rest.properties).map(([name, one]) => [name, sample(api, one)]));
  }
  return { integer: 0, number: 0.5, boolean: true, object: {} }[[rest.type].flat()[0]] ?? "…";
}

function examplesOf(api, { example, examples, schema }) {
  const named = Object.values(examples ?? {}).map((one) => resolve(api, one).value);
  return named.length ? named : [example ?? sample(api, schema)];
}

function bodyOf(api, operation) {
  const content = resolve(api, operation.requestBody).content ?? {};
  const [type, media] = Object.entries(content)[0] ?? [];
  return type && { type, media, schema: resolve(api, media.schema) };
}

function curl(api, path, method, operation) {
  const words = ["curl"];
  const body = bodyOf(api, operation);
  if (body?.type === "multipart/form-data") {
    words.push(...Object.keys(body.schema.properties ?? { file: {} })
      .map((name) => `-F ${name}=@photo.jpg`));
  } else if (body) {
    words.push(`-H 'Content-Type: ${body.type}'`);
    words.push(`-d '${JSON.stringify(examplesOf(api, body.media)[0])}'`);
  } else if (method !== "get") {
    words.push(`-X ${method.toUpperCase()}`);
  }
  words.push(location.origin + path);
  const line = words.join(" ");
  return line.length < 76 ? line : words.join(" \\\n  ");
}

function table(rows) {
  const made = element("table");
  for (const { name, required, type, description } of rows) {
    const row = made.insertRow();
    const head = element("th");
    head.scope = "row";
    head.append(element("code", required ? "required" : "", name));
    const meaning = element("td");
    meaning.append(...prose(description));
    row.append(head, element("td", "type", type), meaning);
  }
  return made;
}

function fields(api, operation) {
  const parameters = (operation.parameters ?? []).map((one) => resolve(api, one));
  const schema = bodyOf(api, operation)?.schema;
  const properties = Object.entries(schema?.properties ?? {}).map(([name, one]) => ({
    name,
    required: schema.required?.includes(name),
    type: typeName(api, one),
    description: resolve(api, one).description,
  }));
  return [
    ...parameters.map((one) => ({ ...one, type: `${typeName(api, one.schema)}, in ${one.in}` })),
    ...properties,
  ];
}

function answers(api, operation) {
  return Object.entries(operation.responses ?? {}).map(([code, one]) => {
    const { description, content } = resolve(api, one);
    const [type, media] = Object.entries(content ?? {})[0] ?? [];
    const head = [element("code", "", code), " ", ...inline(description)];
    const examples = media ? examplesOf(api, media).filter((one) => typeof one === "object") : [];
    if (!examples.length) {
      const line = element("p", "response");
      line.append(...head, type ? ` (${type})` : "");
      return line;
    }
    const details = element("details", "response");
    const summary = element("summary");
    summary.append(...head);
    details.append(summary, element("p", "file", type), ...examples.map((one) => {
      const pre = element("pre");
      pre.append(element("code", "", JSON.stringify(one, null, 2)));
      return pre;
    }));
    return details;
  });
}

function command(text) {
  const box = element("div", "command");
  const pre = element("pre");
  const code = element("code", "", text);
  const button = element("button", "", "Copy");
  button.type = "button";
  pre.append(code);
  copyOnClick(button, code, button);
  box.append(pre, button);
  return box;
}

function show(api, path, method, operation) {
  const id = `${method}${path.replaceAll("/", "-")}`;
  const link = element("a", "", path);
  link.href = `#${id}`;
  const line = element("li");
  line.append(element("code", `method ${method}`, method.toUpperCase()), link,
    element("span", "", operation.summary));
  byId("contents").append(line);

  const section = element("section", "operation");
  section.id = id;
  const heading = element("h2");
  heading.append(element("span", `method ${method}`, method.toUpperCase()),
    element("span", "path", path));
  section.append(heading, element("p", "summary", operation.summary));
  section.append(...prose(operation.description));
  section.append(element("h3", "", "Try it"), command(curl(api, path, method, operation)));
  const rows = fields(api, operation);
  if (rows.length) section.append(element("h3", "", "Fields"), table(rows));
  section.append(element("h3", "", "Answers"), ...answers(api, operation));
  byId("operations").append(section);
}

async function main() {
  const response = await fetch("openapi.json");
  if (!response.ok) throw new Error(`the server answered ${response.status}`);
  const api = await response.json();
  byId("title").textContent = `${api.info.title} ${api.info.version}`;
  byId("about").replaceChildren(...prose(api.info.description));
  for (const [path, item] of Object.entries(api.paths)) {
    METHODS.filter((method) => item[method])
      .forEach((method) => show(api, path, method, item[method]));
  }
  document.getElementById(location.hash.slice(1))?.scrollIntoView();
}

main().catch((error) => {
  byId("about").textContent = `openapi.json cannot be shown: ${error.message}`;
});

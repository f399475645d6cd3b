// Two small things both pages need.

export const sleep = (ms) => new Promise((wake) => setTimeout(wake, ms));

export function element(tag, className = "", text = "") {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}

// Copy the text of `source` when `button` is pressed, and say so in `word` for two seconds.
export function copyOnClick(button, source, word) {
  const usual = word.textContent;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(source.textContent);
      word.textContent = "copied";
      await sleep(2000);
      word.textContent = usual;
    } catch {
      getSelection().selectAllChildren(source); // browsers deny the clipboard to plain http
    }
  });
}

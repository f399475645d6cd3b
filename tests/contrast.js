// Texts whose contrast with the nearest ground painted behind them is under AA (WCAG 2.2, 1.4.3).
() => {
  const channels = (colour) => colour.match(/[\d.]+/g).map(Number);
  const light = (colour) => channels(colour).slice(0, 3)
    .map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (at) => {
    const colour = at ? getComputedStyle(at).backgroundColor : "rgb(255, 255, 255)";
    return channels(colour)[3] === 0 ? ground(at.parentElement) : colour;
  };
  const ratio = (at) => {
    const lights = [light(getComputedStyle(at).color), light(ground(at))];
    return (Math.max(...lights) + 0.05) / (Math.min(...lights) + 0.05);
  };
  return [...document.querySelectorAll("body *")]
    .filter((at) => at.checkVisibility())
    .filter((at) => [...at.childNodes].some((node) => node.nodeType === 3 && node.data.trim()))
    .filter((at) => ratio(at) < 4.5)
    .map((at) => `${at.textContent.trim()}: ${ratio(at).toFixed(2)}`);
}

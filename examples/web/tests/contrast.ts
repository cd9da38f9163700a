/**
 * The texts on a page whose contrast with what lies behind them is below 4.5 (WCAG 2.2, AA).
 * It runs inside the page, so it stands on its own.
 */
export function contrastFaults(): string[] {
  const channels = (color: string) => (color.match(/[\d.]+/g) ?? []).map(Number);
  const isOpaque = (color: string) => (channels(color)[3] ?? 1) === 1;
  const behind = (element: Element | null): string => {
    if (element === null) return "rgb(255, 255, 255)";
    const { backgroundColor } = getComputedStyle(element);
    return isOpaque(backgroundColor) ? backgroundColor : behind(element.parentElement);
  };
  // Relative luminance, as WCAG defines it.
  const luminance = (color: string) => {
    const [red = 0, green = 0, blue = 0] = channels(color).map((value) => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const contrast = (one: string, other: string) => {
    const [dark = 0, light = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (light + 0.05) / (dark + 0.05);
  };
  const hasText = (element: Element) =>
    element.checkVisibility() &&
    [...element.childNodes].some((node) => node.nodeType === 3 && node.nodeValue?.trim());

  return [...document.querySelectorAll("body *")].filter(hasText).flatMap((element) => {
    const ratio = contrast(getComputedStyle(element).color, behind(element));
    return ratio >= 4.5 ? [] : [`${ratio.toFixed(2)}: ${element.textContent}`];
  });
}

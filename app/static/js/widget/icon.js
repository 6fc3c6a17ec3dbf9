// Line drawings beside words.

/** A line drawing on a grid of 16. */
export function icon(shape = '') {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  const path = document.createElementNS(svg.namespaceURI ?? '', 'path');
  svg.setAttribute('viewBox', '0 0 16 16');
  svg.setAttribute('class', 'icon');
  path.setAttribute('d', shape);
  svg.append(path);
  return svg;
}

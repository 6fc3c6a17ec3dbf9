// Elements without HTML, which Trusted Types may refuse.

/** Functions listen; what is empty is left out. @type {import('./types').Make} */
export function h(name, attributes = {}, ...kids) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === 'function') made.addEventListener(key, value);
    else if (value !== false && value != null) made.setAttribute(key, value === true ? '' : value);
  }
  for (const kid of kids) if (kid) made.append(kid);
  return made;
}

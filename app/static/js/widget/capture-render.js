/**
 * Step one: draws the visible page with snapdom, without a permission prompt.
 *
 * The secret parts never get into the copy that is drawn: snapdom asks for each node before it
 * copies it, and gets a solid box for a masked one and an empty one for a blocked one. Open shadow
 * roots and same-origin frames are asked about in the same way (a frame's copy runs the same
 * plugin). Cross-origin frames and closed shadow roots are not drawn at all.
 */
import { draw, isUniform, largestScale, within } from './capture-canvas.js';
import { isBlocked, isMasked, SOLID, scopes } from './mask.js';

/** @typedef {import('./capture.js').Context} Context */
/** @typedef {import('./capture.js').Picture} Picture */

// The smallest picture there is: one transparent GIF pixel.
const PIXEL = 'data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==';
const LEFT = '#snapdom-sandbox, iframe[aria-hidden="true"]:not([src], [srcdoc])';

/**
 * @param {Context} ctx
 * @returns {Promise<Picture | null>} null when the drawing came out in one colour
 */
export async function render(ctx) {
  ctx.say(ctx.t('capture.render'));
  await within(probe());
  const { snapdom } = await within(import(`${ctx.base}vendor/snapdom-3.1.1/snapdom.mjs`));
  const { clientWidth: width, clientHeight: height } = document.documentElement;
  const tidy = tidier();
  /** @type {Promise<HTMLCanvasElement>} */
  const drawing = snapdom.toCanvas(document.documentElement, {
    clip: 'viewport',
    dpr: Math.min(devicePixelRatio || 1, largestScale(width, height)),
    backgroundColor: pageColour(),
    placeholders: false,
    // Not `reconcile`: its exact layout mounts the copy on the page, where custom elements and
    // frames in it start to run (seen: frames loaded a second time).
    plugins: [secrets(ctx.host)],
  });
  // Also when it ends after its time: nothing of it may stay on the page.
  const canvas = await within(drawing.finally(tidy));
  if (isUniform(canvas)) return null;
  // Its own canvas may be kept by snapdom for the next run; ours is ours.
  return { canvas: draw(canvas, canvas.width, canvas.height), scale: canvas.width / width, method: 'render' };
}

/**
 * snapdom draws by way of a `data:` image. Where the page's CSP has no `img-src data:`, one pixel
 * finds out at the price of one report instead of a library's download and dozens of reports.
 */
function probe() {
  const image = new Image();
  image.src = PIXEL;
  return image.decode();
}

/** The colour behind the page; white, as browsers have it, where it sets none. */
function pageColour() {
  const colours = [document.documentElement, document.body].map((e) => getComputedStyle(e).backgroundColor);
  return colours.find((colour) => !/^transparent$|, 0\)$/.test(colour)) ?? '#ffffff';
}

/**
 * snapdom leaves an empty frame on the page for its next image, and an empty `style` on the fields
 * whose transitions it stopped. Called before, gives what takes them away afterwards.
 */
function tidier() {
  const empty = () => [...scopes()].flatMap(({ root }) => [...root.querySelectorAll('[style=""]')]);
  const frames = () => [...document.querySelectorAll(LEFT)];
  const before = new Set([...empty(), ...frames()]);
  return () => {
    for (const element of empty()) if (!before.has(element)) element.removeAttribute('style');
    for (const element of frames()) if (!before.has(element)) element.remove();
  };
}

/**
 * The plugin that keeps secrets out of the copy.
 * @param {Element} host the widget
 */
function secrets(host) {
  /** @type {Map<Element, (box: HTMLElement | SVGElement) => void>} */
  const boxes = new Map();
  const settle = () => boxes.forEach((paint, box) => paint(/** @type {HTMLElement} */ (box)));
  return {
    name: 'earmark-secrets',
    /** @param {Node} node */
    resolveNode(node) {
      if (!isElement(node)) return undefined;
      if (node === host) return null;
      const blocked = isBlocked(node);
      if (!blocked && !isMasked(node)) return undefined;
      const { box, paint } = standIn(node, blocked);
      boxes.set(box, paint);
      return box;
    },
    /**
     * Nodes out of sight are copied without being asked about, attributes and all.
     * @param {{clone: Element}} ctx
     */
    afterClone({ clone }) {
      for (const copy of clone.querySelectorAll('[value]')) {
        if (isMasked(copy) || copy.matches('[type="hidden" i]')) copy.removeAttribute('value');
      }
      unshift(clone);
      settle();
    },
    // snapdom copies pseudo-elements and background images late; the boxes stay bare.
    beforeRender: settle,
  };
}

/**
 * On a scrolled page snapdom makes up for a sticky element by a hidden stand-in, and for what is out of
 * sight beside it by a margin as well: all below would be drawn too low by the scroll.
 * @param {Element} clone
 */
function unshift(clone) {
  for (const { style, previousElementSibling, nextElementSibling } of /** @type {NodeListOf<HTMLElement>} */ (clone.querySelectorAll('*'))) {
    if (style?.position !== 'static' || style.visibility !== 'hidden') continue;
    for (const [beside, margin] of /** @type {const} */ ([[previousElementSibling, 'marginBottom'], [nextElementSibling, 'marginTop']])) {
      const hidden = /** @type {HTMLElement | null} */ (beside)?.style;
      if (hidden?.visibility === 'hidden' && hidden.minHeight) hidden[margin] = '';
    }
  }
}

/**
 * @param {Node} node
 * @returns {node is Element}
 */
function isElement(node) {
  // Not `instanceof`: nodes of a frame belong to another window.
  return node.nodeType === Node.ELEMENT_NODE;
}

/**
 * What stands in the copy for a secret element: the same place, nothing of its content.
 * @param {Element} element
 * @param {boolean} blocked
 */
function standIn(element, blocked) {
  if (element.namespaceURI === 'http://www.w3.org/2000/svg') return svgStandIn(element, blocked);
  const cell = /^(td|th|tr|tbody|li)$/.test(element.localName);
  const box = document.createElement(cell ? element.localName : 'div');
  for (const span of ['colspan', 'rowspan']) {
    const value = element.getAttribute(span);
    if (value) box.setAttribute(span, value);
  }
  const style = getComputedStyle(element);
  const lines = style.display === 'inline' && !element.matches('input, textarea, select, img') ? [...element.getClientRects()] : [];
  const { width, height } = element.getBoundingClientRect();
  /** @param {HTMLElement | SVGElement} target */
  const paint = (target) => {
    target.replaceChildren(...lines.map((line) => lineBox(line, blocked)));
    if (!lines.length) shape(target, blocked, width, height);
    if (/^inline$/.test(style.display) && !lines.length) set(target, 'display', 'inline-block');
  };
  return { box, paint };
}

/**
 * @param {Element} element
 * @param {boolean} blocked
 */
function svgStandIn(element, blocked) {
  const box = document.createElementNS('http://www.w3.org/2000/svg', 'rect');
  const place = /** @type {SVGGraphicsElement} */ (element).getBBox?.() ?? new DOMRect();
  for (const side of /** @type {const} */ (['x', 'y', 'width', 'height'])) box.setAttribute(side, `${place[side]}`);
  /** @param {HTMLElement | SVGElement} target */
  const paint = (target) => {
    set(target, 'fill', SOLID);
    set(target, 'stroke', 'none');
    set(target, 'opacity', '1');
    set(target, 'visibility', blocked ? 'hidden' : 'visible');
  };
  return { box, paint };
}

/**
 * One line of running text; an inline box would collapse without its words.
 * @param {DOMRect} line
 * @param {boolean} blocked
 */
function lineBox(line, blocked) {
  const box = document.createElement('span');
  set(box, 'display', 'inline-block');
  set(box, 'vertical-align', 'text-bottom');
  // A hair less, or rounding wraps the last box of a full line.
  shape(box, blocked, line.width - 0.1, line.height);
  return box;
}

/**
 * @param {HTMLElement | SVGElement} target
 * @param {boolean} blocked
 * @param {number} width CSS px
 * @param {number} height
 */
function shape(target, blocked, width, height) {
  set(target, 'box-sizing', 'border-box');
  set(target, 'flex', 'none');
  set(target, 'width', `${width}px`);
  set(target, 'height', `${height}px`);
  set(target, 'visibility', blocked ? 'hidden' : 'visible');
  set(target, 'background', SOLID);
  set(target, 'color', SOLID);
  set(target, 'border-color', SOLID);
  set(target, 'border-style', 'solid');
  set(target, 'opacity', '1');
  set(target, 'overflow', 'hidden');
}

/**
 * @param {HTMLElement | SVGElement} target
 * @param {string} property
 * @param {string} value
 */
function set(target, property, value) {
  target.style.setProperty(property, value, 'important');
}

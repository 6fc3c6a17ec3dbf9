/**
 * What a picture may never show, and where it stands on the page.
 *
 * Owns the rules (password, card and `data-earmark-mask` elements are masked, `data-earmark-block`
 * is left out) and finds such elements in the document, in open shadow roots and in same-origin
 * frames. Not covered, because no script may look inside: closed shadow roots and cross-origin
 * frames. The rendered picture does not show either; the screen capture does, so frames that look
 * like a payment field are masked whole.
 */

/** @typedef {{x: number, y: number, width: number, height: number}} Box CSS px of this window's viewport */

/** Solid, opaque: `--redaction` of tokens.css. */
export const SOLID = '#141a26';
/** Stands where a blocked element was when the page itself was photographed. */
export const BLOCKED = '#e2e5eb';

const ALWAYS = '[data-earmark-mask], input[type="password" i]';
const FIELDS = 'input:not([type="hidden" i]), textarea, select, [contenteditable]';
// Autofill tokens of HTML, "autofill detail tokens": card data, secrets.
const SECRET_AUTOCOMPLETE = /(^|\s)(cc-\S+|current-password|new-password|one-time-code)(\s|$)/i;
const SECRET_NAME =
  /card[-_ ]?(number|num|no|nr|cvc|cvv|code|holder|exp)|(^|[^a-z])cc[-_ ]?(num|csc|cvc|cvv|exp|name)|cv[cv]2?($|[^a-z])|(^|[^a-z])(csc|pin)($|[^a-z])|security[-_ ]?code|iban|passwor[dt]|passwd|(^|[^a-z])pwd|kartennummer|kreditkarte|pr(ü|ue)f(nummer|ziffer)/i;
const PAYMENT_FRAME = /card|payment|checkout|stripe|adyen|braintree|paypal|klarna|mollie/i;

/**
 * Whether an element's content must be covered.
 * @param {Element} element
 */
export function isMasked(element) {
  if (element.matches(ALWAYS)) return true;
  if (element.matches('iframe')) return isPaymentFrame(/** @type {HTMLIFrameElement} */ (element));
  if (!element.matches(FIELDS)) return false;
  if (SECRET_AUTOCOMPLETE.test(element.getAttribute('autocomplete') ?? '')) return true;
  const names = ['name', 'id', 'aria-label', 'placeholder', 'title'];
  return names.some((name) => SECRET_NAME.test(element.getAttribute(name) ?? ''));
}

/**
 * Whether an element must be left out, its place kept.
 * @param {Element} element
 */
export function isBlocked(element) {
  return element.hasAttribute('data-earmark-block');
}

/**
 * Every document and open shadow root that can be reached from here, with the way from its
 * coordinates to this window's.
 * @param {Document | ShadowRoot} [root]
 * @param {(box: Box) => Box | null} [place]
 * @returns {Generator<{root: Document | ShadowRoot, place: (box: Box) => Box | null}>}
 */
export function* scopes(root = document, place = (box) => box) {
  yield { root, place };
  for (const element of root.querySelectorAll('*')) {
    if (element.shadowRoot) yield* scopes(element.shadowRoot, place);
    const inner = frameDocument(element);
    if (inner) {
      const frame = /** @type {HTMLElement} */ (element);
      yield* scopes(inner, (box) => {
        const placed = throughFrame(frame, box);
        return placed && place(placed);
      });
    }
  }
}

/**
 * The boxes of all masked and of all blocked elements that can be seen now.
 * @param {Element} widget the widget's host, which is no part of the page
 */
export function secretBoxes(widget) {
  /** @type {{masked: Box[], blocked: Box[]}} */
  const found = { masked: [], blocked: [] };
  for (const { root, place } of scopes()) {
    if (root instanceof ShadowRoot && root.host === widget) continue;
    for (const element of root.querySelectorAll('*')) {
      const list = isBlocked(element) ? found.blocked : isMasked(element) ? found.masked : null;
      if (!list) continue;
      // Content may stick out of its element, so each descendant counts too.
      for (const part of [element, ...element.querySelectorAll('*')]) {
        list.push(...visibleBoxes(part).flatMap((box) => place(box) ?? []));
      }
    }
  }
  return found;
}

/** @param {HTMLIFrameElement} frame */
function isPaymentFrame(frame) {
  if (frameDocument(frame)) return false;
  return /payment/.test(frame.allow) || PAYMENT_FRAME.test(`${frame.name} ${frame.title} ${frame.src}`);
}

/**
 * @param {Element} element
 * @returns {Document | null} a same-origin frame's document
 */
function frameDocument(element) {
  if (!element.matches('iframe, frame')) return null;
  try {
    return /** @type {HTMLIFrameElement} */ (element).contentDocument;
  } catch {
    return null;
  }
}

/**
 * @param {HTMLElement} frame
 * @param {Box} box in the frame's own viewport
 * @returns {Box | null} the same in the viewport around it, cut at the frame's edge
 */
function throughFrame(frame, box) {
  const outer = frame.getBoundingClientRect();
  const style = getComputedStyle(frame);
  const zoom = outer.width / (frame.offsetWidth || 1) || 1;
  const left = outer.x + (frame.clientLeft + Number.parseFloat(style.paddingLeft)) * zoom;
  const top = outer.y + (frame.clientTop + Number.parseFloat(style.paddingTop)) * zoom;
  const moved = {
    x: left + box.x * zoom,
    y: top + box.y * zoom,
    width: box.width * zoom,
    height: box.height * zoom,
  };
  return overlap(moved, outer);
}

/**
 * An element's boxes (running text has one a line) as far as scrolling ancestors let them be seen.
 * An element under something else counts as seen: better a box too many.
 * @param {Element} element
 * @returns {Box[]}
 */
function visibleBoxes(element) {
  if (element.checkVisibility && !element.checkVisibility({ visibilityProperty: true })) return [];
  /** @type {Box[]} */
  let boxes = [...element.getClientRects()].filter((box) => box.width && box.height);
  for (let up = parent(element); boxes.length && up && !up.matches('body, html'); up = parent(up)) {
    if (getComputedStyle(up).overflow === 'visible') continue;
    const frame = up.getBoundingClientRect();
    boxes = boxes.flatMap((box) => overlap(box, frame) ?? []);
  }
  return boxes;
}

/** @param {Element} element */
function parent(element) {
  const root = element.getRootNode();
  return element.parentElement ?? (root instanceof ShadowRoot ? root.host : null);
}

/**
 * @param {Box} a
 * @param {Box} b
 * @returns {Box | null}
 */
function overlap(a, b) {
  const x = Math.max(a.x, b.x);
  const y = Math.max(a.y, b.y);
  const width = Math.min(a.x + a.width, b.x + b.width) - x;
  const height = Math.min(a.y + a.height, b.y + b.height) - y;
  return width > 0 && height > 0 ? { x, y, width, height } : null;
}

/**
 * How pans cool: Newton's law, `T = room + (start - room) * exp(-t / tau)`, drawn on a canvas. The taus
 * are made up in the right order for 2.1 kg of iron, 1.4 kg of steel and 0.9 kg of aluminium.
 */

const ROOM_C = 20;
const START_C = 200;
const LAST_MINUTE = 30;
const INSET = { top: 16, right: 92, bottom: 28, left: 56 };

/** @typedef {{name: string, tau: number, color: string, width: number}} Pan */

/** @type {Pan[]} */
const PANS = [
  { name: "cast iron", tau: 26, color: "#2f3033", width: 3.5 },
  { name: "steel", tau: 15, color: "#a5533b", width: 2.5 },
  { name: "aluminium", tau: 9, color: "#66776d", width: 2.5 },
];

/** @param {Document} root */
export function startHeat(root) {
  const canvas = /** @type {HTMLCanvasElement | null} */ (root.querySelector("[data-heat-chart]"));
  const range = /** @type {HTMLInputElement | null} */ (root.querySelector("[data-heat-minutes]"));
  const readout = root.querySelector("[data-heat-readout]");
  if (!canvas || !range || !readout) return;
  const draw = () => drawChart(canvas, Number(range.value));
  range.addEventListener("input", () => {
    readout.textContent = sentence(Number(range.value));
    draw();
  });
  new ResizeObserver(draw).observe(canvas);
}

/**
 * @param {Pan} pan
 * @param {number} minutes
 * @returns {number} degrees Celsius
 */
function heat(pan, minutes) {
  return ROOM_C + (START_C - ROOM_C) * Math.exp(-minutes / pan.tau);
}

/** @param {number} minutes */
function sentence(minutes) {
  const parts = PANS.map((pan) => `${pan.name} ${Math.round(heat(pan, minutes))} °C`);
  return `After ${minutes} ${minutes === 1 ? "minute" : "minutes"}: ${parts.join(", ")}`;
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {number} minutes where the pointer stands
 */
function drawChart(canvas, minutes) {
  const { clientWidth, clientHeight } = canvas;
  const pen = canvas.getContext("2d");
  if (!pen || clientWidth === 0) return;
  const ratio = window.devicePixelRatio;
  canvas.width = Math.round(clientWidth * ratio);
  canvas.height = Math.round(clientHeight * ratio);
  pen.scale(ratio, ratio);
  pen.font = `12.5px ${getComputedStyle(canvas).fontFamily}`;
  pen.textBaseline = "middle";
  const plane = new Plane(clientWidth, clientHeight);
  drawGrid(pen, plane);
  drawPointer(pen, plane, minutes);
  for (const pan of PANS) drawCurve(pen, plane, pan, minutes);
}

/** Maps minutes and degrees to CSS pixels of the canvas. */
class Plane {
  /**
   * @param {number} width
   * @param {number} height
   */
  constructor(width, height) {
    this.right = width - INSET.right;
    this.bottom = height - INSET.bottom;
  }

  /** @param {number} minutes */
  x(minutes) {
    return INSET.left + (minutes / LAST_MINUTE) * (this.right - INSET.left);
  }

  /** @param {number} celsius */
  y(celsius) {
    return this.bottom - (celsius / START_C) * (this.bottom - INSET.top);
  }
}

/**
 * @param {CanvasRenderingContext2D} pen
 * @param {Plane} plane
 */
function drawGrid(pen, plane) {
  pen.strokeStyle = "rgb(75 70 55 / .18)";
  pen.fillStyle = "#5c5b50";
  pen.lineWidth = 1;
  pen.textAlign = "end";
  for (let celsius = 0; celsius <= START_C; celsius += 50) {
    const y = Math.round(plane.y(celsius)) + 0.5;
    line(pen, [INSET.left, y], [plane.right, y]);
    pen.fillText(celsius === START_C ? "200 °C" : String(celsius), INSET.left - 8, y);
  }
  pen.textAlign = "center";
  for (let minutes = 0; minutes <= LAST_MINUTE; minutes += 10) {
    const label = minutes === LAST_MINUTE ? "30 min" : String(minutes);
    pen.fillText(label, plane.x(minutes), plane.bottom + 16);
  }
}

/**
 * @param {CanvasRenderingContext2D} pen
 * @param {Plane} plane
 * @param {number} minutes
 */
function drawPointer(pen, plane, minutes) {
  const x = Math.round(plane.x(minutes)) + 0.5;
  const glow = pen.createLinearGradient(0, INSET.top, 0, plane.bottom);
  glow.addColorStop(0, "rgb(165 83 59 / .9)");
  glow.addColorStop(1, "rgb(165 83 59 / .1)");
  pen.strokeStyle = glow;
  pen.setLineDash([4, 4]);
  line(pen, [x, INSET.top], [x, plane.bottom]);
  pen.setLineDash([]);
}

/**
 * @param {CanvasRenderingContext2D} pen
 * @param {Plane} plane
 * @param {Pan} pan
 * @param {number} minutes
 */
function drawCurve(pen, plane, pan, minutes) {
  pen.strokeStyle = pan.color;
  pen.fillStyle = pan.color;
  pen.lineWidth = pan.width;
  pen.lineJoin = "round";
  pen.beginPath();
  for (let t = 0; t <= LAST_MINUTE; t += 0.5) pen.lineTo(plane.x(t), plane.y(heat(pan, t)));
  pen.stroke();
  pen.textAlign = "start";
  pen.fillText(pan.name, plane.right + 10, plane.y(heat(pan, LAST_MINUTE)));
  pen.beginPath();
  pen.arc(plane.x(minutes), plane.y(heat(pan, minutes)), 5, 0, 2 * Math.PI);
  pen.fill();
  pen.strokeStyle = "#fbf9f5";
  pen.lineWidth = 2;
  pen.stroke();
}

/**
 * @param {CanvasRenderingContext2D} pen
 * @param {[number, number]} from
 * @param {[number, number]} to
 */
function line(pen, from, to) {
  pen.beginPath();
  pen.moveTo(...from);
  pen.lineTo(...to);
  pen.stroke();
}

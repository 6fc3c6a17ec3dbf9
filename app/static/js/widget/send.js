// Posts a submission. Answers, never throws.

export const randomKey = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => (byte + 256).toString(16).slice(1)).join('');

function sessionId() {
  const name = 'earmark.session';
  const fresh = randomKey();
  try {
    const id = sessionStorage.getItem(name) ?? fresh;
    sessionStorage.setItem(name, id);
    return id;
  } catch {
    return fresh;
  }
}

/** At most 64 KiB (api.md). @param {unknown} context */
function stateOf(context) {
  try {
    const text = JSON.stringify(typeof context === 'function' ? context() : context);
    return text.length > 65536 ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The address goes without query and hash. @param {import('./types').App} app */
export const surroundings = ({ context, data: { release } }) => ({
  url: /^http/.test(location.origin) ? location.origin + location.pathname : undefined,
  session_id: sessionId(),
  timestamp: new Date(),
  screen_resolution: `${screen.width}x${screen.height}`,
  viewport_size: `${innerWidth}x${innerHeight}`,
  device_pixel_ratio: devicePixelRatio,
  api_state: context && stateOf(context),
  custom: release && { release },
});

/** @type {import('./types').Post} */
export function post(base, { fields, blob }, onProgress) {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    const body = new FormData();
    const answer = (status = 0, reply = {}) => {
      const wait_s = Number(status && request.getResponseHeader('retry-after'));
      resolve({ status, wait_s, ...reply });
    };
    body.append('feedback', JSON.stringify(fields));
    if (blob) {
      body.append('screenshot', blob, 'screenshot');
      // Listening costs a preflight (Fetch, upload listener flag).
      request.upload.onprogress = ({ loaded, total }) => onProgress?.(loaded / total);
    }
    request.open('POST', `${base}/api/feedback`);
    request.timeout = 60e3;
    request.onerror = request.ontimeout = () => answer();
    request.onload = () => {
      try {
        answer(request.status, JSON.parse(request.responseText));
      } catch {
        answer(request.status);
      }
    };
    request.send(body);
  });
}

// Keeps what was typed, for each page (its path), until it is sent; in memory where storage is
// blocked. A draft older than a week is dropped.

const maxAge_ms = 7 * 24 * 3600e3;
/** @type {Map<string, string>} */
const memory = new Map();

/** @param {string | undefined} project */
export const draftKey = (project) => `earmark.draft.${project}.${location.pathname}`;

/**
 * @param {string} key
 * @returns {Record<string, any>}
 */
export function readDraft(key) {
  let text = memory.get(key);
  try {
    text ??= localStorage.getItem(key) ?? undefined;
  } catch {
    // Blocked: memory has all there is.
  }
  try {
    const draft = JSON.parse(text ?? '{}');
    return draft.at > Date.now() - maxAge_ms ? draft : {};
  } catch {
    return {};
  }
}

/**
 * @param {string} key
 * @param {Record<string, any> | null} draft null forgets it.
 */
export function writeDraft(key, draft) {
  const text = JSON.stringify({ ...draft, at: Date.now() });
  try {
    if (draft) localStorage.setItem(key, text);
    else localStorage.removeItem(key);
    memory.delete(key);
  } catch {
    if (draft) memory.set(key, text);
    else memory.delete(key);
  }
}

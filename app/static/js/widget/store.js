// What outlives a reload and is no text: waiting submissions and pictures of drafts, in IndexedDB.
// Every call rejects where the browser blocks it.

/** @typedef {'queue' | 'drafts'} Store */

/** @type {Promise<IDBDatabase> | undefined} */
let opened;

function database() {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open('earmark', 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore('queue');
      request.result.createObjectStore('drafts');
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  return opened;
}

/**
 * Resolves when the transaction is complete, not when it was asked for.
 * @template T
 * @param {Store} name
 * @param {IDBTransactionMode} mode
 * @param {(store: IDBObjectStore) => IDBRequest<T>} act
 * @returns {Promise<T>}
 */
async function within(name, mode, act) {
  const transaction = (await database()).transaction(name, mode);
  return new Promise((resolve, reject) => {
    const request = act(transaction.objectStore(name));
    transaction.oncomplete = () => resolve(request.result);
    transaction.onabort = () => reject(transaction.error);
  });
}

/** @param {Store} name @param {string} key */
export const get = (name, key) => within(name, 'readonly', (store) => store.get(key));
/** @param {Store} name @param {string} key @param {unknown} value */
export const put = (name, key, value) => within(name, 'readwrite', (store) => store.put(value, key));
/** @param {Store} name @param {string} key */
export const remove = (name, key) => within(name, 'readwrite', (store) => store.delete(key));
/** @param {Store} name @returns {Promise<any[]>} */
export const all = (name) => within(name, 'readonly', (store) => store.getAll());

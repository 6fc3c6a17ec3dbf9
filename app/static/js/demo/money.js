/**
 * Write a price as the shop does.
 * @param {number} cents
 * @returns {string} such as `64.00 EUR`
 */
export function money(cents) {
  return `${(cents / 100).toFixed(2)} EUR`;
}

// [data-menu-focus]: a menu with a field of its own, which has the focus as soon as the menu is open.
document.addEventListener(
  'toggle',
  (event) => {
    const menu = event.target;
    if (!(menu instanceof HTMLDetailsElement) || !menu.open || !menu.matches('[data-menu-focus]')) return;
    const first = menu.querySelector('[data-menu-first]');
    if (first instanceof HTMLElement) first.focus();
  },
  true,
);

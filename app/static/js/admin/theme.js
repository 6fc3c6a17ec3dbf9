// Sets the chosen theme before the first paint; a classic script, so that it runs before the body.
try {
  const theme = localStorage.getItem('earmark-theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch {
  // Storage can be forbidden; the system's theme stands then.
}

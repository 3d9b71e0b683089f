// Before anything is painted: the theme that the reader chose last time.
try {
  const theme = localStorage.getItem("shoal-theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // A browser that keeps nothing shows what the system prefers.
}

// The theme's button, and the contents: open beside the text, closed above it.
(() => {
  const page = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const button = document.querySelector("[data-theme-button]");
  const announce = () => document.dispatchEvent(new Event("themechange"));
  const isDark = () => (page.dataset.theme ? page.dataset.theme === "dark" : system.matches);
  const show = () => button.setAttribute("aria-pressed", String(isDark()));

  button.hidden = false;
  button.addEventListener("click", () => {
    page.dataset.theme = isDark() ? "light" : "dark";
    try {
      localStorage.setItem("shoal-theme", page.dataset.theme);
    } catch {
      // It is then remembered for as long as the page is open.
    }
    show();
    announce();
  });
  system.addEventListener("change", () => {
    show();
    announce();
  });
  show();

  const contents = document.querySelector(".contents");
  const beside = matchMedia("(min-width: 1100px)");
  const fold = () => (contents.open = beside.matches);
  beside.addEventListener("change", fold);
  fold();
  contents.addEventListener("click", (event) => {
    if (event.target.closest("a") && !beside.matches) contents.open = false;
  });

  // The section being read is marked in the contents.
  document.addEventListener("DOMContentLoaded", () => {
    const links = new Map(
      [...contents.querySelectorAll("a")].map((link) => [decodeURIComponent(link.hash.slice(1)), link]),
    );
    const sections = [...links.keys()].map((id) => document.getElementById(id)).filter(Boolean);
    let waiting = false;
    const mark = () => {
      waiting = false;
      const passed = sections.filter((section) => section.getBoundingClientRect().top < 140);
      const current = passed.at(-1)?.id;
      for (const [id, link] of links) {
        if (id === current) link.setAttribute("aria-current", "true");
        else link.removeAttribute("aria-current");
      }
    };
    addEventListener("scroll", () => {
      if (!waiting) requestAnimationFrame(mark);
      waiting = true;
    }, { passive: true });
    mark();
  });
})();

// The enlarged picture in a dialog. The photos of the text open it, and the map by an event whose
// detail says the picture that the page carries, the file beside the page if there is one, the name
// and what else is known.
(() => {
  const viewer = document.querySelector("[data-viewer]");
  const part = (name) => viewer.querySelector(`[data-viewer-part="${name}"]`);
  const image = document.createElement("img");
  const few = 64; // pixels a side: so small an image is enlarged in squares
  let opened = 0;

  function show(source) {
    image.src = source;
    part("frame").replaceChildren(image);
    image.decode().then(() => {
      const { naturalWidth: width, naturalHeight: height } = image;
      const small = Math.max(width, height) <= few;
      image.classList.toggle("pixels", small);
      image.style.setProperty("--ratio", width / height);
      image.style.setProperty("--most", `${width * (small ? 16 : 4)}px`);
    }, () => {}); // another picture was asked for meanwhile
  }

  function open({ source, link, name, facts }) {
    const number = ++opened;
    show(source);
    image.alt = part("name").textContent = name;
    part("facts").textContent = facts ?? "";
    part("link").replaceChildren();
    if (link) {
      const anchor = document.createElement("a");
      Object.assign(anchor, { href: link, target: "_blank", textContent: viewer.dataset.original });
      part("link").append(anchor);
      const whole = new Image(); // not every browser shows every format, and files are moved
      whole.onload = () => number === opened && show(link);
      whole.src = link;
    }
    if (!viewer.open) viewer.showModal();
  }

  document.addEventListener("showphoto", (event) => open(event.detail));
  document.addEventListener("click", (event) => {
    const photo = event.target.closest("[data-photo]");
    if (!photo || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const picture = photo.querySelector("img");
    open({ source: picture.src, link: photo.getAttribute("href"), name: picture.alt });
  });
  part("close").addEventListener("click", () => viewer.close());
  viewer.addEventListener("click", (event) => event.target === viewer && viewer.close());
})();

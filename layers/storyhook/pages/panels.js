// The panels in order: each is made once, and changed where its scene changed.
import { counted, el, isBad, isBusy, isDone, money, named, statusOf, titleOf } from "./words.js";

const EXPIRES_SOON_MILLISECONDS = 30_000;
// Of one picture, each time with another URL; then it is not the URL.
const TRIES = 3;

export class Panels {
  #list;
  #open;
  #renewed;
  #byId = new Map();

  /**
   * `open(index)` shows a panel large; `renewed(scene, url)` gives the scene with another URL of
   * its picture than `url`, which has died, or null if there is none.
   */
  constructor(list, { open, renewed }) {
    this.#list = list;
    this.#open = open;
    this.#renewed = renewed;
  }

  /** All scenes, in order. */
  show(scenes) {
    scenes.forEach((scene, index) => {
      this.#panel(scene, index).show(scene);
    });
    const shape = scenes.find((scene) => scene.image)?.image;
    if (shape) setShape(this.#list, shape);
    const tall = shape && shape.height > shape.width;
    this.#list.classList.toggle("tall", Boolean(tall));
  }

  focus(index) {
    this.#list.children[index]?.querySelector("button").focus();
  }

  #panel(scene, index) {
    let panel = this.#byId.get(scene.id);
    if (!panel) {
      panel = new Panel(index, () => this.#open(this.#indexOf(panel)), this.#renewed);
      this.#byId.set(scene.id, panel);
    }
    if (this.#list.children[index] !== panel.item) {
      this.#list.insertBefore(panel.item, this.#list.children[index] ?? null);
    }
    return panel;
  }

  #indexOf(panel) {
    return [...this.#list.children].indexOf(panel.item);
  }
}

class Panel {
  #renewed;
  #text = "";

  constructor(index, open, renewed) {
    this.#renewed = renewed;
    this.number = el("span", { class: "number", textContent: String(index + 1) });
    this.picture = el("span", { class: "picture" });
    this.badge = el("span", { class: "badge" });
    this.tried = el("span", { class: "tried" });
    this.button = el(
      "button",
      { type: "button", class: "frame", "aria-haspopup": "dialog" },
      el("span", { class: "unseen", textContent: `Open panel ${index + 1}. ` }),
      this.picture,
      this.badge,
      this.tried,
    );
    this.button.addEventListener("click", open);
    this.title = el("h3", { dir: "auto" });
    this.what = el("p", { class: "what", dir: "auto" });
    this.cast = el("ul", { class: "cast", "aria-label": "Characters" });
    this.why = el("p", { class: "why" });
    this.cost = el("span", { class: "cost" });
    this.item = el(
      "li",
      { class: "panel" },
      el(
        "article",
        {},
        this.button,
        el("div", { class: "under" }, this.number, this.title, this.cost),
        this.what,
        this.why,
        this.cast,
      ),
    );
  }

  show(scene) {
    const { url, expires_at, ...picture } = scene.image ?? {};
    const text = JSON.stringify({ ...scene, image: picture });
    // A picture that could not be loaded is tried again.
    if (text === this.#text && this.picture.dataset.shows) return;
    this.#text = text;
    this.item.dataset.status = isDone(scene.status) ? "done" : isBad(scene.status) ? "bad" : "busy";
    this.title.textContent = titleOf(scene);
    this.what.textContent = scene.caption ? (scene.description ?? "") : "";
    // A place for a picture to come says itself what it waits for.
    const tells = isBad(scene.status) || (scene.image && !isDone(scene.status));
    this.badge.textContent = tells ? statusOf(scene.status) : "";
    const count = scene.candidates?.length ?? 1;
    this.tried.textContent = count > 1 ? counted(count, "candidate") : "";
    this.cast.replaceChildren(
      ...(scene.characters ?? []).map((id) => el("li", { textContent: named(id) })),
    );
    this.why.textContent = isBad(scene.status)
      ? (scene.error?.detail ?? scene.error?.title ?? "")
      : "";
    this.cost.textContent = money(scene.cost?.actual) ?? "";
    showPicture(this.picture, scene, this.#renewed);
  }
}

export function setShape(element, image) {
  element.style.setProperty("--shape", `${image.width} / ${image.height}`);
}

/** What a picture shows, for those who do not see it. */
export function altOf(scene) {
  return scene.description || titleOf(scene);
}

/** The scene's picture, or a place for it, in `holder`; one that is there already is kept. */
export function showPicture(holder, scene, renewed, { large = false } = {}) {
  const image = scene.image;
  const key = image ? `${scene.id} ${image.sha256}` : scene.status;
  if (holder.dataset.shows === key) return;
  holder.dataset.shows = key;
  if (!image) {
    holder.replaceChildren(placeholder(scene));
    return;
  }
  setShape(holder, image);
  const img = el("img", {
    alt: altOf(scene),
    width: image.width,
    height: image.height,
    decoding: "async",
    loading: large ? "eager" : "lazy",
  });
  let { url } = image;
  let tries = 1;
  img.addEventListener("load", () => img.classList.add("there"));
  img.addEventListener("error", async () => {
    // A URL works for an hour; a page is open for longer.
    const fresh = tries < TRIES ? await renewed(scene, url) : null;
    if (!img.isConnected) return;
    if (!fresh?.image) return cannotBeLoaded(holder);
    tries += 1;
    url = fresh.image.url;
    img.src = url;
  });
  holder.replaceChildren(img);
  img.src = url;
}

/** Until it is shown the next time: then it is tried again. */
function cannotBeLoaded(holder) {
  holder.replaceChildren(el("span", { class: "empty", textContent: "The picture cannot be loaded." }));
  holder.dataset.shows = "";
}

export function expiresSoon(image) {
  return Date.parse(image.expires_at) - Date.now() < EXPIRES_SOON_MILLISECONDS;
}

function placeholder(scene) {
  const said = isBad(scene.status) ? "No picture" : `${statusOf(scene.status)}…`;
  return el("span", { class: `empty ${isBusy(scene.status) ? "making" : ""}`, textContent: said });
}

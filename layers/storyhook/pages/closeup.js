// One panel large: its picture, how it was made, and its candidates side by side.
import { expiresSoon, showPicture } from "./panels.js";
import {
  counted, el, isBad, isDone, money, named, seconds, statusOf, titleOf,
} from "./words.js";

const find = (id) => document.getElementById(id);

export class Closeup {
  #reader;
  #renewed;
  #closed;
  #dialog = find("closeup");
  #scenes = [];
  #index = 0;
  #told = "";
  #shown = null;
  #turn = 0;
  #picked = null;

  /** `closed(index)`: the dialog was closed at that panel. */
  constructor(reader, { renewed, closed }) {
    this.#reader = reader;
    this.#renewed = renewed;
    this.#closed = closed;
    find("previous").addEventListener("click", () => this.#move(-1));
    find("next").addEventListener("click", () => this.#move(1));
    find("close").addEventListener("click", () => this.#dialog.close());
    this.#dialog.addEventListener("close", () => this.#closed(this.#index));
    this.#dialog.addEventListener("keydown", (event) => this.#key(event));
    // A click beside the panel, on what is behind it.
    this.#dialog.addEventListener("click", (event) => {
      if (event.target === this.#dialog) this.#dialog.close();
    });
  }

  open(index) {
    this.#picked = null;
    this.#show(index);
    if (!this.#dialog.open) this.#dialog.showModal();
    find("closeup-body").focus();
  }

  /** The scenes as they are now. */
  update(scenes) {
    this.#scenes = scenes;
    if (this.#dialog.open && scenes[this.#index]) this.#show(this.#index);
  }

  #key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step) {
      event.preventDefault();
      this.#move(step);
    }
  }

  #move(step) {
    const index = this.#index + step;
    if (this.#scenes[index]) {
      this.#picked = null;
      this.#show(index);
      find("closeup-body").scrollTop = 0;
    }
  }

  #show(index) {
    const scene = this.#scenes[index];
    this.#index = index;
    if (!this.#picked) this.#enlarge(scene, this.#renewed);
    this.#showCandidates(scene);
    // What is the same stays as it is: somebody may be selecting its words.
    const { image, ...facts } = scene;
    const text = JSON.stringify([index, this.#scenes.length, facts]);
    if (text === this.#told) return;
    this.#told = text;
    this.#tell(scene, index);
  }

  #tell(scene, index) {
    const total = this.#scenes.length;
    find("closeup-place").textContent = `Panel ${index + 1} of ${total}`;
    // Not `disabled`: a button that has the focus would lose it.
    find("previous").setAttribute("aria-disabled", String(index === 0));
    find("next").setAttribute("aria-disabled", String(index === total - 1));
    find("closeup-title").textContent = titleOf(scene);
    find("closeup-what").textContent = scene.caption ? (scene.description ?? "") : "";
    find("closeup-facts").replaceChildren(...factsOf(scene, this.#reader.root));
  }

  /** Shows the picture of a scene, or of one of its candidates. */
  async #enlarge(scene, renewed) {
    showPicture(find("stage"), scene, renewed, { large: true });
    const link = find("full");
    link.hidden = !scene.image;
    if (!scene.image) return;
    const { width, height, url } = scene.image;
    link.textContent = `Open the whole picture (${width} × ${height})`;
    link.href = url;
    if (expiresSoon(scene.image)) {
      const fresh = await renewed(scene, url);
      if (fresh?.image && link.href === url) link.href = fresh.image.url;
    }
  }

  async #showCandidates(scene) {
    const ids = scene.candidates ?? [];
    const section = find("candidates");
    const key = JSON.stringify([scene.id, ids, scene.chosen, scene.status, scene.choice]);
    if (this.#shown === key) return;
    this.#shown = key;
    const turn = ++this.#turn;
    section.hidden = ids.length < 2;
    const list = section.querySelector("ol");
    list.replaceChildren(...ids.map(() => el("li", { class: "candidate empty making" })));
    if (section.hidden) return;
    find("candidates-title").textContent = counted(ids.length, "candidate");
    await Promise.all(
      ids.map(async (id, at) => {
        const item = await this.#candidate(id, at, scene);
        if (turn === this.#turn) list.children[at].replaceWith(item);
      }),
    );
  }

  async #candidate(id, at, scene) {
    let row;
    try {
      row = await this.#prediction(id);
    } catch {
      this.#shown = null; // the next look tries again
      return el("li", { class: "candidate", textContent: "This candidate cannot be loaded." });
    }
    const as = (prediction) => ({
      id,
      status: prediction.status,
      description: `Candidate ${at + 1}: ${scene.description ?? titleOf(scene)}`,
      image: prediction.output?.images[0] ?? null,
    });
    const renewed = async () => as(await this.#reader.prediction(id, { renew: true }));
    const chosen = id === scene.chosen;
    const holder = el("span", { class: "picture" });
    showPicture(holder, as(row), renewed, { large: true });
    const button = el("button", { type: "button", "aria-pressed": String(chosen) }, holder);
    button.disabled = !row.output;
    button.addEventListener("click", () => {
      this.#picked = id;
      this.#enlarge(as(row), renewed);
      for (const each of find("candidates").querySelectorAll("button")) {
        each.setAttribute("aria-pressed", String(each === button));
      }
    });
    return el(
      "li",
      { class: `candidate ${chosen ? "chosen" : ""}` },
      button,
      el(
        "p",
        { class: "line" },
        el("strong", { textContent: chosen ? "Chosen" : statusOf(row.status) }),
        el("span", { textContent: costOf(row) ?? "" }),
      ),
      ...(scene.choice?.flaws?.[id] ?? []).map((flaw) => el("p", { class: "why", textContent: named(flaw) })),
      el("p", { class: "line", textContent: `${row.model} · seed ${row.output?.seed ?? row.input?.seed ?? "–"}` }),
      row.error ? el("p", { class: "why", textContent: row.error.detail ?? row.error.title }) : null,
    );
  }

  async #prediction(id) {
    const row = await this.#reader.prediction(id);
    const image = row.output?.images[0];
    return image && expiresSoon(image) ? this.#reader.prediction(id, { renew: true }) : row;
  }
}

function factsOf(scene, root) {
  const found = [];
  if (scene.error) {
    const link = el("a", { href: new URL(scene.error.type.replace(/^\//, ""), root).href, textContent: "What this means" });
    found.push(
      el(
        "div",
        { class: "problem" },
        el("strong", { textContent: scene.error.title ?? statusOf(scene.status) }),
        el("p", { textContent: scene.error.detail ?? "" }),
        link,
      ),
    );
  }
  const list = el("dl", {});
  const add = (name, ...values) => {
    const given = values.filter(Boolean);
    if (given.length) {
      list.append(el("dt", { textContent: name }), ...given.map((value) => el("dd", {}, value)));
    }
  };
  add("Status", isDone(scene.status) ? null : statusOf(scene.status));
  add("Characters", (scene.characters ?? []).map(named).join(", "));
  add("Model", scene.model);
  add("Seed", scene.seed === null ? null : String(scene.seed ?? ""));
  add("Cost", costOf(scene));
  const took = isDone(scene.status) && scene.metrics?.total_seconds;
  add("Took", took ? seconds(took) : null);
  add("Chosen because", ...(scene.choice?.reasons ?? []));
  add("Locked", scene.locked ? "Kept as it is" : null);
  add("Next, if it fails", (scene.fallbacks ?? []).join(", "));
  add("References", ...(scene.references ?? []).map(referenceOf));
  add("Left out", ...(scene.left_out ?? []).map(referenceOf));
  add("Warnings", ...(scene.warnings ?? []));
  found.push(list);
  if (scene.prompt) {
    found.push(
      el("h3", { textContent: "Prompt" }),
      el("p", { class: "prompt", dir: "auto", textContent: scene.prompt }),
    );
  }
  return found;
}

function costOf(scene) {
  const paid = money(scene.cost?.actual);
  if (paid) return paid;
  const expected = money(scene.cost?.estimated);
  return expected && !isBad(scene.status) ? `about ${expected}` : null;
}

function referenceOf(reference) {
  const shows = [reference.role, reference.angle].filter(Boolean).map(named).join(", ");
  return el(
    "span",
    {},
    el("strong", { textContent: named(reference.character) }),
    ` ${shows}`,
    reference.why ? el("small", { textContent: reference.why }) : null,
  );
}


// A storyboard as it is made. The link's secret stands behind the # of the page's URL, so that no
// server logs it; this script sends it to the API that the page comes from.
import { Closeup } from "./closeup.js";
import { Panels } from "./panels.js";
import { Gone, pauseSeconds, Reader, Trouble } from "./reader.js";
import { counted, el, isBad, isDone, moment, money, statusOf } from "./words.js";

const find = (id) => document.getElementById(id);
const OVER = "storyboard.completed", SCENE = "scene.completed";
// A long board is read as a whole less often: the server reads every row of it.
const LEAST_GAP_SECONDS = 3, SCENES_PER_SECOND = 10;
// Pictures that are out of date ask for new URLs together.
const RENEWALS_APART_SECONDS = 20;
const STALE_AFTER_SECONDS = 60;
const SAID_APART_SECONDS = 5;

class Page {
  #board = null;
  #after = null;
  #readAt = -Infinity;
  #renewing = null;
  #renewedAt = -Infinity;
  #said = "";
  #saidAt = -Infinity;
  #saying = 0;
  #wake = () => {};

  constructor(reader) {
    this.reader = reader;
    const renewed = (scene, url) => this.#renewed(scene, url);
    this.closeup = new Closeup(reader, { renewed, closed: (index) => this.panels.focus(index) });
    this.panels = new Panels(find("panels"), { open: (index) => this.closeup.open(index), renewed });
    addEventListener("online", () => this.#wake());
    document.addEventListener("visibilitychange", () => this.#lookAgain());
  }

  /** Follows the board until it is over, through every trouble but the link's end. */
  async follow() {
    for (let failures = 0; ; ) {
      try {
        if (!this.#board) await this.#refresh();
        if (this.#board.status !== "running") return hide("trouble");
        await this.#hear();
        failures = 0;
        hide("trouble");
      } catch (trouble) {
        if (!(trouble instanceof Trouble)) return this.#end(trouble);
        failures += 1;
        const wait = pauseSeconds(failures, trouble.seconds);
        this.#tell(`${trouble.message} Trying again in ${Math.ceil(wait)} s.`);
        await this.#pause(wait);
      }
    }
  }

  /** What has happened meanwhile; then the whole, if it was not read a moment ago. */
  async #hear() {
    const asked = now();
    const news = await this.reader.events(this.#after);
    this.#after = news.next;
    for (const { type, data } of news.items) {
      if (type === SCENE) this.#replace(data);
    }
    if (news.items.length) this.#show();
    const over = news.items.some((event) => event.type === OVER);
    const gap = Math.max(LEAST_GAP_SECONDS, this.#board.scenes.length / SCENES_PER_SECOND);
    if (over || now() - this.#readAt >= gap) await this.#refresh();
    // Only so many may wait on the server at once; the others are answered at once.
    const early = asked + LEAST_GAP_SECONDS - now();
    if (news.items.length === 0 && early > 0) await this.#pause(early);
  }

  async #refresh(how) {
    this.#board = await this.reader.board(how);
    this.#readAt = now();
    this.#show();
  }

  #replace(scene) {
    const at = this.#board.scenes.findIndex((each) => each.id === scene.id);
    if (at >= 0) this.#board.scenes[at] = scene;
  }

  /** A board that was over may have been changed while nobody looked. */
  async #lookAgain() {
    if (document.hidden || !this.#board || this.#board.status === "running") return;
    if (now() - this.#readAt < STALE_AFTER_SECONDS) return;
    try {
      await this.#refresh();
      if (this.#board.status === "running") await this.follow();
    } catch (trouble) {
      if (!(trouble instanceof Trouble)) this.#end(trouble);
    }
  }

  /** The scene with another URL of its picture than the one that died; null if there is none. */
  async #renewed(scene, died) {
    const another = () => {
      const known = this.#board.scenes.find((each) => each.id === scene.id);
      return known?.image && known.image.url !== died ? known : null;
    };
    if (another()) return another();
    if (!this.#renewing && now() - this.#renewedAt >= RENEWALS_APART_SECONDS) {
      this.#renewing = this.#refresh({ renew: true })
        .then(() => { this.#renewedAt = now(); })
        .finally(() => { this.#renewing = null; });
    }
    try {
      await this.#renewing;
    } catch (trouble) {
      if (!(trouble instanceof Trouble)) this.#end(trouble);
      return null;
    }
    return another();
  }

  #show() {
    const board = this.#board;
    for (const id of ["top", "panels", "panels-title", "bottom", "skip"]) find(id).hidden = false;
    hide("word");
    find("title").textContent = board.title;
    const state = find("state");
    const running = board.cancellation ? "Being canceled" : "Being made";
    state.textContent = board.status === "running" ? running : statusOf(board.status);
    state.dataset.status = board.status;
    this.#showProgress(board);
    this.#showCosts(board);
    this.#showWarnings(board.warnings);
    this.panels.show(board.scenes);
    this.closeup.update(board.scenes);
    const ended = board.completed_at ? `, over since ${moment(board.completed_at)}` : "";
    find("dates").textContent = `Begun ${moment(board.created_at)}${ended}.`;
  }

  #showProgress({ scenes, title, status }) {
    const total = scenes.length;
    const done = scenes.filter((scene) => isDone(scene.status)).length;
    const bad = scenes.filter((scene) => isBad(scene.status)).length;
    const bar = find("bar");
    const said = bad ? `${done} of ${total} panels done, ${bad} without a picture`
      : `${done} of ${counted(total, "panel")} done`;
    bar.setAttribute("aria-valuemax", total);
    bar.setAttribute("aria-valuenow", done + bad);
    bar.setAttribute("aria-valuetext", said);
    const parts = { ".done": done, ".bad": bad, ".busy": total - done - bad };
    for (const [name, count] of Object.entries(parts)) {
      bar.querySelector(name).style.setProperty("flex-grow", String(count));
    }
    find("counts").textContent = said;
    document.title = status === "running" ? `(${done + bad}/${total}) ${title}` : title;
    this.#say(status === "running" ? said : `${said}. The storyboard is over: ${statusOf(status)}.`);
  }

  /** To those who listen: what has changed since the page was opened, and not too often. */
  #say(news) {
    const first = this.#said === "";
    if (news === this.#said) return;
    this.#said = news;
    if (first) return;
    clearTimeout(this.#saying);
    const wait = Math.max(0, this.#saidAt + SAID_APART_SECONDS - now());
    this.#saying = setTimeout(() => {
      this.#saidAt = now();
      find("said").textContent = news;
    }, wait * 1000);
  }

  #showCosts({ cost }) {
    const shown = { Paid: cost.actual, Estimated: cost.estimated, "At most": cost.max };
    const pairs = Object.entries(shown).filter(([, value]) => value !== null && value !== undefined);
    find("costs").replaceChildren(
      ...pairs.map(([name, value]) =>
        el("div", {}, el("dt", { textContent: name }), el("dd", { textContent: money(value) }))),
    );
  }

  #showWarnings(warnings = []) {
    const box = find("warnings");
    box.hidden = warnings.length === 0;
    box.querySelector("summary").textContent = counted(warnings.length, "warning");
    box.querySelector("ul").replaceChildren(...warnings.map((text) => el("li", { textContent: text })));
  }

  #tell(text) {
    const bar = find("trouble");
    if (this.#board) {
      bar.textContent = text;
      bar.hidden = false;
    } else {
      word("The storyboard cannot be reached", text);
    }
  }

  #end(trouble) {
    if (!(trouble instanceof Gone)) throw trouble;
    if (this.#board) this.#tell("The link to this page has expired or was withdrawn; what you see is no longer followed.");
    else word("This link shows nothing", "It has expired, was withdrawn, or is not complete. Ask whoever sent it for a new one.");
  }

  /** Ends early when the connection is back. */
  #pause(wait) {
    return new Promise((resolve) => {
      this.#wake = resolve;
      setTimeout(resolve, wait * 1000);
    });
  }
}

const now = () => performance.now() / 1000;

function hide(id) {
  find(id).hidden = true;
}

function word(title, text) {
  find("word").hidden = false;
  find("word-title").textContent = title;
  find("word-text").textContent = text;
}

const secretOf = (place) => new URLSearchParams(new URL(place).hash.slice(1)).get("share");

const secret = secretOf(location.href);
find("skip").addEventListener("click", () => find("main").focus());
// Another link pasted over this one: as if it were opened anew.
addEventListener("hashchange", () => {
  if (secretOf(location.href) !== secret) location.reload();
});
if (secret) {
  new Page(new Reader(location.href, secret)).follow();
} else {
  word("This link is not complete", "It ends in “#share=” and a long word. Copy all of it, or ask whoever sent it for a new one.");
}

// Reads the API with the link's secret: what is known is not sent again, trouble has a kind.

/** The link shows nothing (any more). */
export class Gone extends Error {}

/** It may work again by itself. `seconds`: how long the server asks to wait, if it does. */
export class Trouble extends Error {
  constructor(message, seconds = 0) {
    super(message);
    this.seconds = seconds;
  }
}

const REFUSED = new Set([401, 403, 404]);
const LONGEST_SECONDS = 60;
// API Gateway gives up an answer after 30 s.
const PATIENCE_MILLISECONDS = 40_000;

export class Reader {
  #known = new Map();

  /** `place`: the page's own URL, …/storyboards/{id}/view; the API is beside it. */
  constructor(place, secret) {
    const here = new URL(".", place);
    this.boardId = here.pathname.split("/").at(-2);
    this.root = new URL("../../", here);
    this.secret = secret;
  }

  board({ renew = false } = {}) {
    return this.#read(`storyboards/${this.boardId}`, { renew });
  }

  prediction(id, { renew = false } = {}) {
    return this.#read(`predictions/${encodeURIComponent(id)}`, { renew });
  }

  /** What has happened since `after`; waits for it on the server. */
  async events(after) {
    const query = new URLSearchParams({ wait: "20", limit: "100", ...(after && { after }) });
    const answer = await this.#ask(`storyboards/${this.boardId}/events?${query}`);
    return answer.json();
  }

  /** The newest; `renew`: with new URLs of pictures even if nothing else is new. */
  async #read(path, { renew }) {
    const had = this.#known.get(path);
    const headers = had && !renew ? { "If-None-Match": had.etag } : {};
    const answer = await this.#ask(path, headers);
    if (answer.status === 304) return had.body;
    const body = await answer.json();
    const etag = answer.headers.get("ETag");
    if (etag) this.#known.set(path, { etag, body });
    return body;
  }

  async #ask(path, headers = {}) {
    let answer;
    try {
      answer = await fetch(new URL(path, this.root), {
        headers: { ...headers, Authorization: `Bearer ${this.secret}` },
        cache: "no-store",
        credentials: "omit",
        signal: AbortSignal.timeout(PATIENCE_MILLISECONDS),
      });
    } catch {
      throw new Trouble("There is no connection to the server.");
    }
    if (answer.ok || answer.status === 304) return answer;
    if (REFUSED.has(answer.status)) throw new Gone();
    const after = Number(answer.headers.get("Retry-After")) || 0;
    throw new Trouble("The server is busy or has trouble.", after);
  }
}

/** Seconds until the next try after so many that failed: longer and longer, never in step. */
export function pauseSeconds(failures, asked) {
  const own = Math.min(LONGEST_SECONDS, 2 ** failures) * (0.75 + Math.random() / 2);
  return Math.max(asked, own);
}

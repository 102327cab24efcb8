// What the page says: statuses, money, names. And how an element is made: text is only ever text.

const STATUSES = {
  queued: "Waiting",
  running: "Drawing",
  checking: "Checking",
  judging: "Judging",
  finishing: "Finishing",
  succeeded: "Done",
  partial: "Partly done",
  failed: "Failed",
  blocked: "Blocked by moderation",
  canceled: "Canceled",
  expired: "Expired",
};
const BAD = new Set(["failed", "blocked", "canceled", "expired"]);

export const isDone = (status) => status === "succeeded";
export const isBad = (status) => BAD.has(status);
export const isBusy = (status) => !isDone(status) && !isBad(status);

export function statusOf(status) {
  return STATUSES[status] ?? named(status);
}

/** An id as a name: `old-tom` is Old tom. */
export function named(id) {
  const words = String(id).replaceAll(/[-_]+/g, " ").trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** A decimal text of USD without needless zeros; null where nobody knows. */
export function money(text) {
  if (text === null || text === undefined) return null;
  const [whole, cents = ""] = text.split(".");
  return `$${whole}.${cents.replace(/0+$/, "").padEnd(2, "0")}`;
}

export function counted(number, noun) {
  return `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
}

export function moment(text) {
  const when = { dateStyle: "medium", timeStyle: "short" };
  return new Intl.DateTimeFormat(undefined, when).format(new Date(text));
}

export function seconds(number) {
  return number < 90 ? `${Math.round(number)} s` : `${Math.round(number / 60)} min`;
}

/** How a scene is called: by its caption, or else by what it shows. */
export function titleOf(scene) {
  return scene.caption || scene.description || named(scene.id);
}

export function el(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === "class") made.className = value;
    else if (name in made) made[name] = value;
    else made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

"use strict";
// Fetches the page again when its lane has changed, and keeps the ages right in between.
(() => {
  const live = document.getElementById("live");
  let busy = false, again = false;

  const unit = (s) => s < 60 ? s + " s" : s < 3600 ? Math.floor(s / 60) + " min"
    : s < 172800 ? Math.floor(s / 3600) + " h" : Math.floor(s / 86400) + " days";

  function ages() {
    for (const t of document.querySelectorAll("time[datetime]")) {
      const at = new Date(t.dateTime), s = Math.floor((Date.now() - at) / 1000);
      const words = s < 0 ? "in " + unit(-s) : s < 5 ? "just now" : unit(s) + " ago";
      if (t.textContent !== words) t.textContent = words;
      t.title = at.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "long" });
    }
  }

  async function refresh() {
    if (busy) { again = true; return; }
    busy = true;
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      if (answer.ok) {
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const fresh = page.querySelector("main"), old = document.querySelector("main");
        for (const d of old.querySelectorAll("details[open][id]")) fresh.querySelector("#" + d.id)?.setAttribute("open", "");
        old.replaceWith(fresh);
        document.title = page.title;
        ages();
      }
    } catch { /* the next change, or the reconnect, asks again */ }
    setTimeout(() => { busy = false; if (again) { again = false; refresh(); } }, 700);
  }

  const source = new EventSource(document.body.dataset.events);
  const say = (words, on) => { live.hidden = false; live.textContent = words; live.className = on ? "on" : "off"; };
  source.addEventListener("open", () => say("live", true));
  source.addEventListener("error", () => say("reconnecting", false));
  source.addEventListener("changed", (e) => { if (e.data !== document.querySelector("main").dataset.version) refresh(); });
  setInterval(ages, 1000);
  ages();
})();

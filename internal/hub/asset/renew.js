// Renews the page's main part when something has changed, unless somebody is writing in it.
(() => {
  let version = document.body.dataset.version;
  const busy = () => {
    const main = document.querySelector("main");
    if (main.contains(document.activeElement) && document.activeElement.matches("input, textarea, select")) return true;
    return [...main.querySelectorAll("textarea, input:not([type=hidden])")].some((f) => f.value !== f.defaultValue);
  };
  const look = async () => {
    try {
      const now = await (await fetch("/_hub/version")).text();
      if (now === version || busy()) return;
      const page = new DOMParser().parseFromString(await (await fetch(location.href)).text(), "text/html");
      if (busy()) return;
      for (const part of ["main", "nav.repo"]) {
        const old = document.querySelector(part), fresh = page.querySelector(part);
        if (!old || !fresh) continue;
        const open = [...old.querySelectorAll("details")].map((d) => d.open);
        const next = [...fresh.querySelectorAll("details")];
        if (next.length === open.length) next.forEach((d, i) => { d.open = open[i]; });
        if (old.innerHTML !== fresh.innerHTML) old.replaceWith(document.adoptNode(fresh));
      }
      version = now;
    } catch {
      // The playground is stopped, or starting again: the next look will tell.
    }
  };
  setInterval(() => { if (!document.hidden) look(); }, 1000);
})();

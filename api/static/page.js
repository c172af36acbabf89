// Keeps the page of events fresh. Without it the page works too and reloads itself (<noscript>).
//
// It asks the API what is going on, and fetches the page again only when that changed or when the
// "minutes ago" have grown stale. Only what looks different is replaced, so that pictures do not
// flicker and neither the place on the page nor the focus is lost.
"use strict";

(() => {
  const POLL_MS = 5000;
  const STALE_MS = 60000;
  const notice = document.getElementById("notice");
  let lastNews = null;
  let refreshedAt = Date.now();

  const news = async () => {
    const answers = await Promise.all(
      ["/api/v1/events?limit=50", "/api/v1/points"].map((url) => fetch(url)),
    );
    if (answers.some((answer) => !answer.ok)) throw new Error("the service does not answer well");
    const [{ events }, { points }] = await Promise.all(answers.map((answer) => answer.json()));
    return JSON.stringify([
      events.map((event) => [event.event_id, event.state, event.severity, event.delivery]),
      points.map((point) => [point.point_id, point.state, point.cameras.map((one) => [one.fault, one.quality])]),
    ]);
  };

  // Children of a keyed list: kept when the version is the same (only "ago" is copied), else replaced.
  const patchList = (list, fresh) => {
    const old = new Map([...list.children].map((child) => [child.dataset.key, child]));
    let changed = false;
    const children = [...fresh.children].map((child) => {
      const kept = old.get(child.dataset.key);
      if (!kept || kept.dataset.version !== child.dataset.version) {
        changed = true;
        return child;
      }
      const ages = child.querySelectorAll("[data-ago]");
      kept.querySelectorAll("[data-ago]").forEach((age, index) => {
        age.textContent = ages[index].textContent;
      });
      return kept;
    });
    // Nodes that stay are not moved, since a node that is moved loses the focus.
    const wanted = new Set(children);
    for (const child of [...list.children]) if (!wanted.has(child)) child.remove();
    children.forEach((child, index) => {
      if (list.children[index] !== child) list.insertBefore(child, list.children[index] ?? null);
    });
    return changed;
  };

  const refresh = async () => {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (!answer.ok) throw new Error("the page cannot be fetched");
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    let changed = false;
    for (const list of document.querySelectorAll("[data-keyed]")) {
      changed = patchList(list, fresh.querySelector(`[data-keyed="${list.dataset.keyed}"]`)) || changed;
    }
    for (const part of document.querySelectorAll("[data-refresh]")) {
      const other = fresh.querySelector(`[data-refresh="${part.dataset.refresh}"]`);
      if (part.innerHTML !== other.innerHTML) part.innerHTML = other.innerHTML;
    }
    document.title = fresh.title;
    refreshedAt = Date.now();
    return changed;
  };

  const say = (text, quiet) => {
    notice.classList.toggle("updated", quiet);
    if (notice.textContent !== text) notice.textContent = text;
  };

  const turn = async () => {
    if (document.hidden) return;
    try {
      const now = await news();
      let text = "";
      if (now !== lastNews || Date.now() - refreshedAt > STALE_MS) {
        if (await refresh()) text = notice.dataset.changed;
        lastNews = now;
      }
      say(text, true);
    } catch {
      say(notice.dataset.offline, false);
    }
  };

  const loop = async () => {
    await turn();
    setTimeout(loop, POLL_MS);
  };
  setTimeout(loop, POLL_MS);
  document.addEventListener("visibilitychange", turn);
})();

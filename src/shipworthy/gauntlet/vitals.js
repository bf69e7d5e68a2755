// Runs in every document before its own scripts and keeps what the browser says of its own work.
// Definitions: web.dev/articles/{lcp,cls,fcp,ttfb,tbt}, as of 2026-11.
(() => {
  const seen = { lcp: null, fcp: null, shifts: [], tasks: [], lastAt: 0 };
  const named = (node) => {
    if (!node || !node.tagName) return node ? "a text" : "";
    const classes = [...node.classList].slice(0, 2).map((name) => "." + name).join("");
    return node.tagName.toLowerCase() + (node.id ? "#" + node.id : "") + classes;
  };
  const keep = {
    "largest-contentful-paint": (entry) => {
      seen.lcp = { at: entry.startTime, what: named(entry.element), url: entry.url || "" };
    },
    "paint": (entry) => {
      if (entry.name === "first-contentful-paint") seen.fcp = entry.startTime;
    },
    "layout-shift": (entry) => {
      // hadRecentInput is not asked: nobody touches this page, and the browser sets it for half a second
      // after a phone's screen was put on (crbug.com/1094974), in which most pages shift.
      const what = [...new Set(entry.sources.map((source) => named(source.node)))].filter(Boolean);
      seen.shifts.push({ at: entry.startTime, value: entry.value, what: what.join(", ") });
    },
    "longtask": (entry) => seen.tasks.push({ at: entry.startTime, ms: entry.duration }),
  };
  const observers = Object.entries(keep).map(([type, handle]) => {
    const handled = (entries) => {
      for (const entry of entries) {
        handle(entry);
        seen.lastAt = performance.now();
      }
    };
    const observer = new PerformanceObserver((list) => handled(list.getEntries()));
    observer.observe({ type, buffered: true });
    return () => handled(observer.takeRecords());
  });
  const read = () => {
    observers.forEach((take) => take());
    const navigation = performance.getEntriesByType("navigation")[0];
    const bytes = performance.getEntriesByType("resource").reduce((sum, r) => sum + r.transferSize, 0);
    return {
      ...seen,
      now: performance.now(),
      ttfb: navigation.responseStart,
      loaded: navigation.loadEventEnd,
      bytes: bytes + navigation.transferSize,
    };
  };
  Object.defineProperty(window, "shipworthyVitals", { value: read });
})();

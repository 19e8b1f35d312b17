// Keeps the page itself at hand for slow and broken networks. Answers of the service are never kept.
const SHELF = 'pillscope-page-1';

self.addEventListener('install', (event) => {
  self.skipWaiting();
  event.waitUntil(stock());
});

self.addEventListener('activate', (event) => {
  event.waitUntil(
    caches
      .keys()
      .then((names) => Promise.all(names.filter((name) => name !== SHELF).map((name) => caches.delete(name))))
      .then(() => self.clients.claim()),
  );
});

self.addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== 'GET' || url.origin !== location.origin) return;
  const scope = new URL(self.registration.scope).pathname;
  const path = url.pathname.slice(scope.length);
  if (path.startsWith('assets/')) event.respondWith(fromShelf(request));
  else if (request.mode === 'navigate' && path === '') event.respondWith(freshOrShelf(request));
});

/** The page and the files it names, from the first visit on: the worker comes too late to see them loaded. */
async function stock() {
  const shelf = await caches.open(SHELF);
  const page = await fetch('./', { cache: 'no-cache' });
  const names = (await page.clone().text()).matchAll(/(?:src|href)="(\.\/[^"]+)"/g);
  await Promise.all([shelf.put('./', page), shelf.addAll([...names].map(([, name]) => name))]);
}

/** Files named by their content never change. */
async function fromShelf(request) {
  const kept = await caches.match(request);
  return kept ?? keep(request, await fetch(request));
}

/** The newest page where the network gives it, else the last one. */
async function freshOrShelf(request) {
  try {
    return await keep(request, await fetch(request));
  } catch (error) {
    const kept = await caches.match(request, { ignoreSearch: true });
    if (kept) return kept;
    throw error;
  }
}

async function keep(request, response) {
  if (response.ok) {
    const shelf = await caches.open(SHELF);
    await shelf.put(request, response.clone());
  }
  return response;
}

/** Where the page is: `#/cameras/cam_1` is `{ page: 'cameras', id: 'cam_1' }`. */
interface Route {
  readonly page: string;
  readonly id: string;
}

function read(): Route {
  const [page = '', id = ''] = location.hash.replace(/^#\/?/, '').split('/');
  return { page: page || 'cameras', id: decodeURIComponent(id) };
}

let current = $state.raw(read());

addEventListener('hashchange', () => {
  current = read();
});

export const route = {
  get page() {
    return current.page;
  },
  get id() {
    return current.id;
  },
};

export function goTo(path: string): void {
  location.hash = `#/${path}`;
}

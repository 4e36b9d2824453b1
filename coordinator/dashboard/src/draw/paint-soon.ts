/** With so many pictures that move, they are painted together. */
const manyPictures = 4;
const togetherMs = 50;

const waiting = new Set<() => void>();
let timer: ReturnType<typeof setTimeout> | undefined;

/**
 * Paints at once where few pictures move; where many do, all that came within a twentieth of a second together: a browser without a GPU puts its
 * window together anew for each change.
 * @param pictures how many move
 */
export function paintSoon(paint: () => void, pictures: number): void {
  if (pictures <= manyPictures) {
    paint();
    return;
  }
  waiting.add(paint);
  if (timer !== undefined) return;
  timer = setTimeout(() => requestAnimationFrame(flush), togetherMs - (performance.now() % togetherMs));
}

function flush(): void {
  timer = undefined;
  const paints = [...waiting];
  waiting.clear();
  for (const paint of paints) paint();
}

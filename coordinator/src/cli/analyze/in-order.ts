/** Does the work of several items at once, at most `limit`, and gives what comes of each in the order of the items. */
export async function* inOrder<Item, Outcome>(
  items: readonly Item[],
  limit: number,
  work: (item: Item) => Promise<Outcome>,
): AsyncGenerator<[Item, Outcome]> {
  const started: Promise<Outcome>[] = [];
  for (const [index, item] of items.entries()) {
    while (started.length < Math.min(items.length, index + limit)) {
      const next = items[started.length];
      if (next !== undefined) started.push(work(next));
    }
    const outcome = await started[index];
    yield [item, outcome as Outcome];
  }
}

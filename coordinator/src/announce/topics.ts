/** Where things are said. Ids of cameras are letters, digits and `_`: they fit into a topic. */
export function topicsUnder(prefix: string) {
  const of = (camera: string) => `${prefix}/cameras/${camera}`;
  return {
    available: `${prefix}/announcer/available`,
    events: `${prefix}/events`,
    state: (camera: string) => `${of(camera)}/state`,
    picture: (camera: string) => `${of(camera)}/picture`,
    enabledSet: (camera: string) => `${of(camera)}/enabled/set`,
    enabledSetFilter: `${of('+')}/enabled/set`,
    /** The camera that such a topic names. */
    cameraOf: (topic: string) => topic.slice(prefix.length).split('/')[2] ?? '',
  };
}

export type Topics = ReturnType<typeof topicsUnder>;

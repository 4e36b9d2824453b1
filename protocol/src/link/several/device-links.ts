import type { PeerId } from '../../identity/index.ts';
import type { Clock, Logger } from '../../runtime/index.ts';
import type { Link, LinkKind } from '../link.ts';
import type { LinkFigures } from './link-meter.ts';
import { PreferredRoute, type PreferredRouteOptions } from './preferred-route.ts';
import { SeveralLinks } from './several-links.ts';

/** One of a device's links to its coordinator. */
export interface DeviceLinkState extends LinkFigures {
  readonly kind: LinkKind;
  /** As its transport says. */
  readonly up: boolean;
  /** What the device says leaves over this one. */
  readonly inUse: boolean;
}

/** A device's links to its one coordinator, the preferred one first: see {@link PreferredRoute}. */
export class DeviceLinks extends SeveralLinks {
  readonly #links: readonly Link[];
  readonly #route: PreferredRoute;
  readonly #coordinator: PeerId;

  constructor(
    links: readonly Link[],
    { coordinator, clock, logger }: { readonly coordinator: PeerId; readonly clock: Clock; readonly logger: Logger },
    options: Partial<PreferredRouteOptions> = {},
  ) {
    const route = new PreferredRoute(clock, links.length, options);
    super(links, route, clock, ({ name }, { code, message }) =>
      logger.warn('a link cannot be used: the others do without it', { link: name, code, why: message }),
    );
    this.#links = links;
    this.#route = route;
    this.#coordinator = coordinator;
  }

  get states(): readonly DeviceLinkState[] {
    const reachable = this.reachable(this.#coordinator);
    const meters = this.#route.meters;
    const inUse = this.#route.inUse(reachable);
    return this.#links.map(({ kind }, at) => ({
      kind,
      up: reachable.has(at),
      inUse: at === inUse,
      rttMs: meters[at]?.figures.rttMs,
      loss: meters[at]?.figures.loss ?? 0,
    }));
  }
}

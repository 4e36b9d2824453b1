import { type Incoming, type MessageHandler, type Outgoing, ShoalError } from '@shoal/protocol';
import type { ServeBlob } from './blobs/index.ts';
import type { CameraBook } from './cameras/index.ts';
import type { Memberships, Registry } from './registry/index.ts';
import type { Dispatcher, Outcomes } from './tasks/index.ts';

interface Deps {
  readonly registry: Registry;
  readonly memberships: Memberships;
  readonly dispatcher: Dispatcher;
  readonly outcomes: Outcomes;
  readonly cameras: CameraBook;
  readonly serveBlob: ServeBlob;
}

/** Who answers what a device says. Every message is a sign of life of a device that is believed. */
export function routeMessages(deps: Deps): MessageHandler {
  const { registry, outcomes, cameras, serveBlob } = deps;
  return (incoming) => {
    const { payload } = incoming;
    if (payload.kind === 'hello') return welcome(deps, incoming);
    const device = registry.sender(incoming.sender.id);
    registry.heard(device);
    switch (payload.kind) {
      case 'taskOutcome':
        return outcomes.take(registry.author(device, payload.value.attestation), payload.value).then(acknowledged);
      case 'cameraReport':
        return cameras.report(registry.author(device, payload.value.attestation), payload.value).then(acknowledged);
      case 'telemetry':
        registry.telemetry(device, payload.value);
        cameras.heardOf(device);
        return undefined;
      case 'profileReport':
        registry.profiles(device, payload.value);
        return undefined;
      case 'blobRequest':
        return serveBlob(device.id, payload.value);
      case 'goodbye':
        registry.goodbye(device);
        return undefined;
      case 'error':
      case 'empty':
      case 'welcome':
      case 'taskAssignment':
      case 'taskAdmission':
      case 'taskCancellation':
      case 'modelHint':
      case 'cameraAssignment':
      case 'cameraRemoval':
      case 'pushedPicture':
      case 'pictureRequest':
      case 'picture':
      case 'blobChunk':
      case 'sessionOffer':
      case 'sessionAnswer':
      case 'sessionLost':
      case 'succession':
        throw new ShoalError('message.malformed', `a coordinator does not answer to ${payload.kind}`);
    }
  };
}

async function welcome(
  { registry, memberships, dispatcher, cameras }: Deps,
  { sender, sealed, payload }: Incoming,
): Promise<Outgoing | undefined> {
  if (payload.kind !== 'hello') return undefined;
  const answer = await registry.hello(sender, payload.value, sealed);
  const device = registry.sender(sender.id);
  dispatcher.reconcile(device, payload.value.runningAttempts);
  cameras.reconcile(device, payload.value.runningCameras);
  return { payload: { welcome: { ...answer, ...memberships.newsFor(device.id) } } };
}

/** The empty reply. */
function acknowledged(): undefined {
  return undefined;
}

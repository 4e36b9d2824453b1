import { type CameraAssignment, equalBytes, type PeerId, type SequenceStore } from '@shoal/protocol';
import type {
  AgentStore,
  CameraStore,
  MembershipStore,
  OutboxStore,
  PinnedCoordinator,
  ProbedSoftware,
  ProfileRecord,
  ProfileStore,
} from '../store.ts';
import { MemoryOutboxStore } from './memory-outbox-store.ts';

/** Lives as long as this object, which may outlive an agent: handed to the next one it is a disk that was not lost. */
export class MemoryAgentStore implements AgentStore {
  readonly sequences: SequenceStore = new Sequences();
  readonly outbox: OutboxStore = new MemoryOutboxStore();
  readonly profiles: ProfileStore = new Profiles();
  readonly #cameras = new Cameras();
  readonly cameras: CameraStore = this.#cameras;
  readonly membership: MembershipStore = new Membership(() => this.#cameras.clear());

  async close(): Promise<void> {}
}

class Sequences implements SequenceStore {
  #next = 1;
  readonly #received = new Map<PeerId, number>();

  async reserve(count: number): Promise<number> {
    const first = this.#next;
    this.#next += count;
    return first;
  }

  lastReceived(sender: PeerId): number {
    return this.#received.get(sender) ?? 0;
  }

  recordReceived(sender: PeerId, sequence: number): void {
    this.#received.set(sender, sequence);
  }
}

class Membership implements MembershipStore {
  readonly #onOtherCoordinator: () => void;
  #pinned: PinnedCoordinator | undefined;
  #welcomedAtMs: number | undefined;
  #shown: Uint8Array | undefined;
  #probed: ProbedSoftware | undefined;

  constructor(onOtherCoordinator: () => void) {
    this.#onOtherCoordinator = onOtherCoordinator;
  }

  pinned(): PinnedCoordinator | undefined {
    return this.#pinned;
  }

  async pin(coordinator: PinnedCoordinator): Promise<void> {
    if (this.#pinned && !equalBytes(this.#pinned.publicKey, coordinator.publicKey)) {
      this.#onOtherCoordinator();
      this.#welcomedAtMs = undefined;
      this.#shown = undefined;
    }
    this.#pinned = coordinator;
  }

  welcomedAtMs(): number | undefined {
    return this.#welcomedAtMs;
  }

  async recordWelcome(atMs: number): Promise<void> {
    this.#welcomedAtMs = atMs;
  }

  shown(): Uint8Array | undefined {
    return this.#shown;
  }

  async recordShown(membership: Uint8Array): Promise<void> {
    this.#shown = membership;
  }

  probed(): ProbedSoftware | undefined {
    return this.#probed;
  }

  async recordProbed(probed: ProbedSoftware): Promise<void> {
    this.#probed = probed;
  }
}

class Profiles implements ProfileStore {
  readonly #records = new Map<string, ProfileRecord>();

  all(): readonly ProfileRecord[] {
    return [...this.#records.values()];
  }

  async put(record: ProfileRecord): Promise<void> {
    const { model, variant, engine } = record.profile;
    this.#records.set(JSON.stringify([model, variant, engine]), record);
  }
}

class Cameras implements CameraStore {
  readonly #assignments = new Map<string, CameraAssignment>();
  readonly #nextNumber = new Map<string, number>();

  all(): readonly CameraAssignment[] {
    return [...this.#assignments.values()];
  }

  async put(assignment: CameraAssignment): Promise<void> {
    this.#assignments.set(assignment.cameraId, assignment);
  }

  async remove(cameraId: string): Promise<void> {
    this.#assignments.delete(cameraId);
  }

  async reserveNumbers(cameraId: string, count: number): Promise<number> {
    const first = this.#nextNumber.get(cameraId) ?? 1;
    this.#nextNumber.set(cameraId, first + count);
    return first;
  }

  clear(): void {
    this.#assignments.clear();
  }
}

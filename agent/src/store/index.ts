export { MemoryAgentStore } from './memory/memory-agent-store.ts';
export type {
  AgentStore,
  CameraStore,
  MembershipStore,
  OutboxEntry,
  OutboxKind,
  OutboxStore,
  OutboxTotals,
  PinnedCoordinator,
  ProbedSoftware,
  ProfileRecord,
  ProfileStore,
} from './store.ts';

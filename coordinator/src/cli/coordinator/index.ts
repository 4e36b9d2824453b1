export { addCoordinatorCommand } from './command.ts';
export type {
  BrokerChoice,
  OpenCoordinator,
  OpenCoordinatorRequest,
  OpenedCoordinator,
} from './options.ts';

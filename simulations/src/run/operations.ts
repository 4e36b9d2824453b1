import { ShoalError } from '@shoal/protocol';
import type { Dice } from '../world/index.ts';
import { faults } from './faults.ts';
import type { Operation } from './operation.ts';
import { work } from './work.ts';

/** All that happens in a life, by how often it does. */
const operations: readonly Operation[] = [...work, ...faults];
const byName = new Map(operations.map((operation) => [operation.name, operation]));
const weight = operations.reduce((sum, operation) => sum + operation.weight, 0);

export function drawOperation(dice: Dice): Operation {
  let rest = dice.next() * weight;
  for (const operation of operations) {
    rest -= operation.weight;
    if (rest < 0) return operation;
  }
  throw new Error('no operation has a weight');
}

/** @throws `input.invalid` when there is none of that name */
export function operationNamed(name: string): Operation {
  const operation = byName.get(name);
  if (operation) return operation;
  throw new ShoalError('input.invalid', `there is no operation ${JSON.stringify(name)}`, { field: 'operation' });
}

import { isShoalError } from '@shoal/protocol';
import type { FastifyReply } from 'fastify';
import { Type } from 'typebox';
import { type Task as DomainTask, finalTaskStates } from '../../domain/index.ts';
import { sendEvents } from '../event-stream.ts';
import type { Resource } from '../resource.ts';
import { sendBundle } from '../send-bundle.ts';
import {
  BundleFile,
  IdParams,
  PageQuery,
  pageOf,
  placementView,
  problems,
  Result,
  resultView,
  Task,
  TaskPlacement,
  TaskRequest,
  TaskState,
  taskView,
} from '../views/index.ts';
import { readTask, TaskForm } from './task-input.ts';

const tags = ['tasks'];
const longestWaitMs = 10 * 60_000;

export const tasks: Resource = (context) => async (api) => {
  const { coordinator } = context;

  /** The task with its result, when it has one. */
  const withResult = async (task: DomainTask): Promise<Task> => {
    if (task.state !== 'succeeded') return taskView(task);
    return taskView(task, resultView(await coordinator.results.ofTask(task.id)));
  };

  /** The task when it ended, or as it stands when the time is up, the client is gone or the server stops. */
  const waited = async (task: DomainTask, waitMs: number, reply: FastifyReply): Promise<DomainTask> => {
    if (waitMs === 0 || finalTaskStates.has(task.state)) return task;
    const { signal, close } = context.waits.open(reply);
    try {
      return await coordinator.tasks.wait(task.id, waitMs, signal);
    } catch (error) {
      if (signal.aborted || isShoalError(error, 'aborted')) return coordinator.tasks.get(task.id);
      throw error;
    } finally {
      close();
    }
  };

  api.post(
    '/v1/tasks',
    {
      schema: {
        tags,
        summary: 'Analyse a picture: upload it, name a blob, or name a URL',
        description:
          'The task is durable before it is answered. With `wait` the answer is the finished task with its result (200), if it ends in time; else 202, and `Location` says where to ask.',
        operationId: 'createTask',
        headers: Type.Object({
          'idempotency-key': Type.Optional(
            Type.String({ minLength: 1, maxLength: 255, description: 'The same key again returns the first task.' }),
          ),
        }),
        querystring: Type.Object(
          {
            wait: Type.Optional(
              Type.Integer({ minimum: 0, maximum: longestWaitMs, description: 'Wait up to so many ms for the end.' }),
            ),
          },
          { additionalProperties: false },
        ),
        body: {
          content: {
            'application/json': { schema: TaskRequest.definition },
            'multipart/form-data': { schema: TaskForm },
          },
        },
        response: {
          200: Task.ref,
          202: Task.ref,
          ...problems(
            'not-found',
            'conflict',
            'model.unknown',
            'input.too-large',
            'input.unsupported',
            'input.corrupt',
            'net.unreachable',
            'timeout',
            'queue.full',
            'io.disk-full',
          ),
        },
      },
    },
    async (request, reply) => {
      const key = request.headers['idempotency-key'];
      const { wait: waitMs = 0 } = request.query;
      const task = await coordinator.tasks.submit(await readTask(request, reply, context), key, waitMs > 0);
      const ended = await waited(task, waitMs, reply);
      const status = finalTaskStates.has(ended.state) ? 200 : 202;
      return reply
        .code(status)
        .header('location', `/v1/tasks/${task.id}`)
        .send(await withResult(ended));
    },
  );

  api.get(
    '/v1/tasks',
    {
      schema: {
        tags,
        summary: 'List tasks, newest first',
        operationId: 'listTasks',
        querystring: Type.Object({ ...PageQuery, state: Type.Optional(TaskState) }, { additionalProperties: false }),
        response: { 200: pageOf(Task.ref), ...problems() },
      },
    },
    async ({ query }) => {
      const page = await coordinator.tasks.list({ ...query, limit: query.limit ?? 50 });
      return { ...page, items: page.items.map((task) => taskView(task)) };
    },
  );

  api.get(
    '/v1/tasks/:id',
    {
      schema: {
        tags,
        summary: 'Get a task, with its result when it has one',
        operationId: 'getTask',
        params: IdParams,
        querystring: Type.Object(
          { wait: Type.Optional(Type.Integer({ minimum: 0, maximum: longestWaitMs })) },
          { additionalProperties: false },
        ),
        response: { 200: Task.ref, ...problems('not-found') },
      },
    },
    async ({ params, query }, reply) =>
      withResult(await waited(await coordinator.tasks.get(params.id), query.wait ?? 0, reply)),
  );

  api.delete(
    '/v1/tasks/:id',
    {
      schema: {
        tags,
        summary: 'Cancel a task, unless it has ended',
        description: 'The answer is the task as it stands: one that had ended is unchanged.',
        operationId: 'cancelTask',
        params: IdParams,
        response: { 200: Task.ref, ...problems('not-found') },
      },
    },
    async ({ params }) => taskView(await coordinator.tasks.cancel(params.id)),
  );

  api.get(
    '/v1/tasks/:id/events',
    {
      schema: {
        tags,
        summary: 'Follow a task until it ends',
        description:
          'Server-sent events: `task` with the Task as it stands now and at every change; the last has a final state, and the result.',
        operationId: 'followTask',
        params: IdParams,
        response: {
          200: { description: 'Events', content: { 'text/event-stream': { schema: Type.String() } } },
          ...problems('not-found'),
        },
      },
    },
    async ({ params }, reply) => {
      const { id } = await coordinator.tasks.get(params.id);
      return sendEvents(reply, context, async function* (signal) {
        for await (const task of coordinator.tasks.watch(id, signal)) {
          yield { event: 'task', data: await withResult(task) };
        }
      });
    },
  );

  api.get(
    '/v1/tasks/:id/result',
    {
      schema: {
        tags,
        summary: 'Get the result of a task',
        operationId: 'getTaskResult',
        params: IdParams,
        response: { 200: Result.ref, ...problems('not-found') },
      },
    },
    async ({ params }) => resultView(await coordinator.results.ofTask(params.id)),
  );

  api.get(
    '/v1/tasks/:id/result/bundle',
    {
      schema: {
        tags,
        summary: 'Get the proof of a result, one file for `shoal verify`',
        operationId: 'getTaskBundle',
        params: IdParams,
        response: {
          200: BundleFile,
          ...problems('not-found'),
        },
      },
    },
    async ({ params }, reply) => {
      const bundle = coordinator.results.bundle(await coordinator.results.ofTask(params.id));
      return sendBundle(reply, params.id, bundle);
    },
  );

  api.get(
    '/v1/tasks/:id/placement',
    {
      schema: {
        tags,
        summary: 'Why the task ran where it ran: the candidates, their expected times, and who was refused',
        operationId: 'explainTask',
        params: IdParams,
        response: { 200: TaskPlacement.ref, ...problems('not-found') },
      },
    },
    async ({ params }) => {
      const names = new Map(coordinator.devices.list().map(({ id, name }) => [id, name]));
      return placementView(await coordinator.tasks.get(params.id), (device) => names.get(device) ?? device);
    },
  );
};

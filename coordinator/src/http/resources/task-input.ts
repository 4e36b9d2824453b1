import type { MultipartFile, MultipartValue } from '@fastify/multipart';
import { ShoalError } from '@shoal/protocol';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import type { BlobRef, TaskSpec } from '../../domain/index.ts';
import { invalidField } from '../error-handling.ts';
import { limited } from '../limited.ts';
import type { ResourceContext } from '../resource.ts';
import { Digest, present, type TaskRequest, taskOptions } from '../views/index.ts';

const FormFields = Type.Object({ ...taskOptions, blob: Type.Optional(Digest) }, { additionalProperties: false });
const formFields = Compile(FormFields);

/** A form that uploads the input: the file, and every option as a field of its own; objects as JSON text. */
export const TaskForm = Type.Object({ ...taskOptions, file: Type.String({ format: 'binary' }) });

/** The request as a complete spec, its input stored. @throws whatever is wrong with it. */
export async function readTask(
  request: FastifyRequest,
  reply: FastifyReply,
  context: ResourceContext,
): Promise<TaskSpec> {
  if (request.isMultipart?.()) return readForm(request, reply, context);
  // No body at all, and text, pass the schema: it is that of JSON.
  if (typeof request.body !== 'object' || request.body === null)
    throw new ShoalError('input.unsupported', 'a task is submitted as JSON (application/json) or as a form');
  const { input, ...options } = request.body as TaskRequest;
  if (input === undefined) return specOf(options, undefined);
  if ('blob' in input) return specOf(options, await knownBlob(input.blob, context));
  return specOf(options, await fetchedBlob(input.url, reply, context));
}

const isObjectField: ReadonlySet<string> = new Set(['parameters', 'labels']);
const isNumberField: ReadonlySet<string> = new Set(['deadlineMs', 'maxAttempts', 'accuracyLoss']);
const isBooleanField: ReadonlySet<string> = new Set(['critical', 'accelerator']);

async function readForm(request: FastifyRequest, reply: FastifyReply, context: ResourceContext): Promise<TaskSpec> {
  const fields: Record<string, unknown> = {};
  let input: BlobRef | undefined;
  for await (const part of request.parts()) {
    if (part.type === 'field') fields[part.fieldname] = fieldValue(part);
    else if (part.fieldname === 'file') input = await storedFile(part, reply, context);
    else
      throw new ShoalError('input.invalid', `the file must be in the field "file", not "${part.fieldname}"`, {
        field: part.fieldname,
      });
  }
  if (!formFields.Check(fields)) throw invalidField(formFields.Errors(fields), 'form');
  const { blob, ...options } = fields;
  if (blob !== undefined && input)
    throw new ShoalError('input.invalid', 'give "file" or "blob", not both', { field: 'blob' });
  return specOf(options, blob === undefined ? input : await knownBlob(blob, context));
}

function fieldValue({ fieldname, value }: MultipartValue): unknown {
  if (isNumberField.has(fieldname)) return Number(value);
  if (isBooleanField.has(fieldname) && (value === 'true' || value === 'false')) return value === 'true';
  if (!isObjectField.has(fieldname)) return value;
  try {
    return JSON.parse(String(value));
  } catch {
    throw new ShoalError('input.invalid', `the field "${fieldname}" must be a JSON object`, { field: fieldname });
  }
}

async function storedFile(part: MultipartFile, reply: FastifyReply, context: ResourceContext): Promise<BlobRef> {
  return storedBlob(part.file, part.mimetype, reply, context);
}

async function fetchedBlob(url: string, reply: FastifyReply, context: ResourceContext): Promise<BlobRef> {
  const { signal, close } = context.waits.open(reply);
  try {
    const { content, mediaType } = await context.fetchInput(url, signal);
    return await storedBlob(content, mediaType, reply, context);
  } finally {
    close();
  }
}

async function storedBlob(
  content: AsyncIterable<Uint8Array>,
  mediaType: string,
  reply: FastifyReply,
  { coordinator, options, waits }: ResourceContext,
): Promise<BlobRef> {
  const { signal, close } = waits.open(reply);
  try {
    const blob = await coordinator.blobs.put(limited(content, options.uploadLimitBytes), mediaType, signal);
    if (blob.sizeBytes === 0) throw new ShoalError('input.corrupt', 'the input is empty: it has no bytes');
    return blob;
  } finally {
    close();
  }
}

async function knownBlob(digest: string, { coordinator }: ResourceContext): Promise<BlobRef> {
  const blob = await coordinator.blobs.stat(digest);
  if (!blob) {
    throw new ShoalError('not-found', `there is no blob ${digest}: store it first (POST /v1/blobs)`, {
      field: 'input/blob',
      digest,
    });
  }
  return blob;
}

function specOf(options: Omit<TaskRequest, 'input'>, input: BlobRef | undefined): TaskSpec {
  const {
    pipeline = 'detect',
    model,
    variant,
    parameters = {},
    deadlineMs = 60_000,
    labels = {},
    device,
    accuracyLoss,
    objects,
    critical,
    accelerator,
    maxAttempts = 3,
  } = options;
  return present<TaskSpec>({
    pipeline,
    model,
    variant,
    input,
    parameters,
    deadlineMs,
    labels,
    device,
    accuracyLoss,
    objects,
    critical,
    accelerator,
    maxAttempts,
  });
}

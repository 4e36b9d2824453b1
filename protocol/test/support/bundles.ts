import { attestResult, encodeResult, resultMediaType, sha256Hex, writeBundle } from '@shoal/protocol';
import { aDevice } from './identities.ts';

/** A result, what its device says about it, and the file that holds both. */
export function aBundle() {
  const output = encodeResult({
    schema: 1,
    kind: 'classes',
    pipeline: 'classify',
    picture: { width: 640, height: 480 },
    classes: [{ label: 'tabby', score: 0.8765 }],
  });
  const attestation = attestResult(aDevice, {
    input: { name: 'cat.jpg', sha256: sha256Hex('cat') },
    output,
    outputMediaType: resultMediaType,
    software: 'shoal-agent/0.1.0',
    pipeline: 'classify',
    parameters: { top: 1 },
    model: { name: 'efficientnet-lite0', version: '1', variant: 'int8', sha256: sha256Hex('model') },
    work: { task: 'tsk_1', attempt: 'att_1' },
    startedAtMs: 1_767_225_600_000,
    finishedAtMs: 1_767_225_600_012,
  });
  const file = writeBundle({ result: output, attestation, publicKey: aDevice.publicKey });
  return { output, attestation, file };
}

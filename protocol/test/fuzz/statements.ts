import {
  Attester,
  attestResult,
  canonicalJson,
  type DsseEnvelope,
  decodeResult,
  encodeResult,
  fromUtf8,
  leafHash,
  MerkleTree,
  rootOfPath,
  sha256Hex,
  signDsse,
  statementMediaType,
  toHex,
  utf8,
  verifyAttestation,
  verifyBundle,
} from '@shoal/protocol';
import type { FuzzTarget } from '@shoal/protocol/testing';
import { aBundle } from '../support/bundles.ts';
import { aDevice } from '../support/identities.ts';

const { file, output, attestation: alone } = aBundle();

const about = (number: number) => ({
  software: 'test/1',
  pipeline: 'detect',
  parameters: { minScore: 0.5 },
  model: null,
  work: { camera: 'cam_1', report: number },
  startedAtMs: 1,
  finishedAtMs: 2,
  input: { name: 'frame', sha256: sha256Hex('') },
  output,
  outputMediaType: 'text/plain',
});
const attester = new Attester(aDevice);
const together = await Promise.all([0, 1, 2, 3, 4].map((number) => attester.attest(about(number))));
const attestations = [alone, ...together, attestResult(aDevice, about(9))];
const genuine = new Set(attestations.map(toHex));

const payloads = attestations.map((attestation) => {
  const { payload } = JSON.parse(fromUtf8(attestation)) as DsseEnvelope;
  return Buffer.from(payload, 'base64');
});

const results = [
  output,
  encodeResult({
    schema: 1,
    kind: 'detections',
    pipeline: 'detect',
    picture: { width: 640, height: 480 },
    detections: [{ label: 'dog', score: 0.5, box: { x: 1, y: 2, width: 3, height: 4 } }],
    frame: { camera: 'cam_1', number: 7, capturedAtMs: 5 },
  }),
  encodeResult({ schema: 1, kind: 'empty', pipeline: 'noop' }),
];

const leaves = 7;
const tree = new MerkleTree(Array.from({ length: leaves }, (_, number) => leafHash(Uint8Array.of(number))));

interface WrittenPath {
  readonly leaf: number;
  readonly index: number;
  readonly size: number;
  readonly path: readonly string[];
}

const paths: readonly WrittenPath[] = [0, 3, 6].map((leaf) => ({
  leaf,
  index: leaf,
  size: leaves,
  path: tree.path(leaf).map(toHex),
}));

/** A path that leads to the root is the one of this leaf. */
function followPath(bytes: Uint8Array): void {
  const { leaf, index, size, path } = (jsonOf(bytes) ?? {}) as Partial<WrittenPath>;
  if (![leaf, index, size].every((number) => typeof number === 'number') || !Array.isArray(path)) return;
  const hashes = path.filter((hash) => typeof hash === 'string').map((hash) => Buffer.from(hash, 'hex'));
  const root = rootOfPath(leafHash(Uint8Array.of(Number(leaf))), {
    index: Number(index),
    size: Number(size),
    path: hashes,
  });
  const leadsThere = root !== undefined && toHex(root) === toHex(tree.root);
  const isGenuine =
    index === Uint8Array.of(Number(leaf))[0] && hashes.map(toHex).join() === tree.path(Number(index)).map(toHex).join();
  // The size is signed for: only that of this tree is asked about.
  if (leadsThere && size === leaves && !isGenuine) throw new Error('another path leads to the root');
}

function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(fromUtf8(bytes));
  } catch {
    return undefined;
  }
}

export const statementTargets: readonly FuzzTarget[] = [
  {
    name: 'bundle',
    form: 'json',
    samples: [file],
    refuses: ['attestation.invalid'],
    take(bytes) {
      verifyBundle(bytes);
      if (toHex(bytes) !== toHex(file)) throw new Error('a bundle that was changed is believed');
    },
  },
  {
    name: 'attestation',
    form: 'json',
    samples: attestations,
    refuses: ['attestation.invalid'],
    take(bytes) {
      verifyAttestation(bytes, output, aDevice);
      if (!genuine.has(toHex(bytes))) throw new Error('an attestation that was changed is believed');
    },
  },
  {
    name: 'statement signed by a device',
    form: 'json',
    samples: payloads,
    refuses: ['attestation.invalid'],
    cost: 3,
    take(bytes) {
      const { predicate } = verifyAttestation(signDsse(aDevice, statementMediaType, bytes), output, aDevice);
      if (predicate.device !== aDevice.id || predicate.output.sha256 !== sha256Hex(output))
        throw new Error('a statement about another device or other bytes is believed');
    },
  },
  {
    name: 'result',
    form: 'json',
    samples: results,
    refuses: ['message.malformed'],
    take(bytes) {
      const { schema, kind } = decodeResult(bytes);
      if (schema !== 1 || !['detections', 'classes', 'empty'].includes(kind)) throw new Error('a result of no kind');
    },
  },
  {
    name: 'canonical JSON',
    form: 'json',
    samples: [...results, ...payloads, utf8('{"ü":[1e-7,1e21,"\\u0000"],"a":{"b":-0}}')],
    // What JSON can say and this refuses: half characters, and more levels than are meant.
    refuses: ['defect'],
    take(bytes) {
      const value = jsonOf(bytes);
      if (value === undefined) return;
      const written = canonicalJson(value);
      if (canonicalJson(JSON.parse(written)) !== written) throw new Error('written twice it is not the same');
    },
  },
  {
    name: 'Merkle path',
    form: 'json',
    samples: paths.map((path) => utf8(JSON.stringify(path))),
    refuses: [],
    take: followPath,
  },
];

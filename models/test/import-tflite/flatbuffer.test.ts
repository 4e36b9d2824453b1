import { describe, expect, it } from 'vitest';
import { FlatBuffer, FlatTable } from '../../src/import-tflite/flatbuffer.ts';
import { type ModelSpec, writeTflite } from './tflite-writer.ts';

const oneTensor: ModelSpec = {
  tensors: [{ name: 'x', type: 'float32', shape: [1, 2, 3] }],
  operators: [],
  inputs: ['x'],
  outputs: ['x'],
};

describe('a flatbuffer', () => {
  it('gives the fields that are there, and the default for those that are not', () => {
    const file = new FlatBuffer(writeTflite(oneTensor));
    expect(file.identifier()).toBe('TFL3');
    const root = file.root();
    expect([root.i32(0), root.i32(9, 7), root.text(3), root.table(6), root.tables(99)]).toEqual([
      3,
      7,
      '',
      undefined,
      [],
    ]);
    const tensor = root.tables(2)[0]?.tables(0)[0];
    expect([tensor?.text(3), tensor?.i32s(0)]).toEqual(['x', [1, 2, 3]]);
  });

  it.each([
    ['behind its end', 98],
    ['far behind its end', 2 ** 31],
    ['before its beginning', -1],
  ])('refuses to be read %s', (_, at) => {
    expect(() => new FlatBuffer(new Uint8Array(100)).u32(at)).toThrowError(
      expect.objectContaining({ code: 'model.import', facts: { at } }),
    );
  });

  it('refuses a vector that claims more than the file holds, before it makes room for it', () => {
    const bytes = new Uint8Array(64);
    const view = new DataView(bytes.buffer);
    // A table at 16 with one field, an offset to a vector of 2^32 - 1 elements at 32.
    view.setInt32(16, 16, true);
    view.setUint16(0, 6, true);
    view.setUint16(4, 4, true);
    view.setUint32(20, 12, true);
    view.setUint32(32, 0xffff_ffff, true);
    const table = new FlatTable(new FlatBuffer(bytes), 16);
    for (const read of [() => table.i32s(0), () => table.bytes(0), () => table.tables(0), () => table.text(0)]) {
      expect(read).toThrowError(expect.objectContaining({ code: 'model.import' }));
    }
  });

  it('ends the reading of a file whose parts overlap so often that it would take for ever', () => {
    const file = new FlatBuffer(new Uint8Array(100));
    const readOften = (times: number) => {
      for (let i = 0; i < times; i++) file.u32(0);
    };
    readOften(100);
    expect(() => readOften(1)).toThrowError(expect.objectContaining({ code: 'model.import' }));
  });
});

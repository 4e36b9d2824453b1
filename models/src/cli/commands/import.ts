import { type Command, Option } from 'commander';
import { importInThread } from '../../import-tflite/index.ts';
import type { CommandContext } from '../context.ts';

export function addImport(program: Command, context: () => CommandContext): void {
  program
    .command('import')
    .description('convert a TFLite file to ONNX; a quantized one stays quantized')
    .argument('<file.tflite>')
    .argument('<out.onnx>')
    .addOption(new Option('--precision <kind>', 'of what is written').choices(['int8', 'float32']).default('int8'))
    .option('--json', 'print JSON')
    .action(async (tflitePath: string, onnxPath: string, options: { precision: 'int8' | 'float32'; json?: true }) => {
      const { signal, print } = context();
      const report = await importInThread({ tflitePath, onnxPath, precision: options.precision }, signal);
      const { outputs, anchors } = report;
      if (options.json)
        return print(JSON.stringify({ path: onnxPath, outputs, anchors: (anchors?.length ?? 0) / 4 }, null, 2));
      print(`wrote ${onnxPath}`);
      for (const output of outputs) print(`  output ${JSON.stringify(output)}`);
      if (anchors) print(`  ${anchors.length / 4} anchors`);
    });
}

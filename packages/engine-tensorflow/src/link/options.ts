import { parseArgs } from 'node:util';
import { LinkError } from './system.ts';

/** What the command is asked for. */
export type LinkOptions =
  | { readonly action: 'link'; readonly tensorflow: string | null }
  | { readonly action: 'undo' }
  | { readonly action: 'help' };

/** The text of `--help`. */
export const helpText = `Builds the addon of @tensorflow/tfjs-node against a TensorFlow that this machine has.

Usage: npm run link-tensorflow [-- OPTIONS]      (elsewhere: npx link-tensorflow [OPTIONS])

  --tensorflow DIR   The TensorFlow: the folder of the installed Python package (site-packages/tensorflow) or of an unpacked
                     libtensorflow [default: the one that PYTHON imports, python3 if that is not set]
  --undo             Put everything back as it was before
  --help             Show this text

Needs Linux, a C++ compiler (CXX, g++ or clang++) and Node's headers; nothing is downloaded but the npm package itself.
Exit codes: 0 done, 1 failed, 2 wrong usage.`;

/**
 * Reads the command line.
 *
 * @throws LinkError for options that are not known or do not fit together.
 */
export function parseLinkOptions(args: readonly string[]): LinkOptions {
  let values: { tensorflow?: string; undo?: boolean; help?: boolean };
  try {
    values = parseArgs({
      args: [...args],
      options: {
        tensorflow: { type: 'string' },
        undo: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
      strict: true,
    }).values;
  } catch (error) {
    throw new LinkError(`${(error as Error).message.split('. ')[0]}. Run with --help for the list of options.`);
  }
  if (values.help) return { action: 'help' };
  if (values.undo) {
    if (values.tensorflow !== undefined) {
      throw new LinkError(
        '--undo takes no --tensorflow, because it finds by itself what was linked. Leave one of the two out.',
      );
    }
    return { action: 'undo' };
  }
  return { action: 'link', tensorflow: values.tensorflow ?? null };
}

import { fileURLToPath } from 'node:url';
import { findTinyImagenet } from '@tfjs-ssl/all';
import { isArgumentError } from '@tfjs-ssl/checks';
import { compare } from './compare.ts';
import { openData } from './data.ts';
import { measure } from './measure.ts';
import { readOptions, UsageError, usage } from './options.ts';

try {
  const options = await readOptions(process.argv.slice(2), () => findTinyImagenet());
  if (options === null) console.log(usage);
  else if (options.only !== null) {
    const data = await openData(options);
    console.log(JSON.stringify(await measure(options.names[0] as string, options.only, options, data)));
    await Promise.all([data.train.close(), data.val.close()]);
  } else {
    await compare(options, fileURLToPath(import.meta.url));
  }
} catch (error) {
  if (!(error instanceof UsageError || isArgumentError(error))) throw error;
  console.error(`${error.message}\n\n${usage}`);
  process.exitCode = 2;
}

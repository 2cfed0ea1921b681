#!/usr/bin/env node
import { runLink } from './link/link.ts';
import { helpText, type LinkOptions, parseLinkOptions } from './link/options.ts';
import { LinkError, runCommand } from './link/system.ts';

/** Runs the command and gives its exit code. */
function main(args: readonly string[]): number {
  let options: LinkOptions;
  try {
    options = parseLinkOptions(args);
  } catch (error) {
    console.error((error as Error).message);
    return 2;
  }
  if (options.action === 'help') {
    console.log(helpText);
    return 0;
  }
  try {
    const { platform, env } = process;
    runLink(options, { run: runCommand, project: process.cwd(), environment: env, platform, print: console.log });
    return 0;
  } catch (error) {
    if (!(error instanceof LinkError)) throw error;
    console.error(`link-tensorflow: ${error.message}`);
    return 1;
  }
}

process.exitCode = main(process.argv.slice(2));
